// Layout: FOLDER/6.1/{vmlinuz,config,modules/*.ko,kernel.json}; FOLDER/.apt/6.1 while fetching.
#include "native/kernels/cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <set>

#include "native/kernels/apt.hpp"
#include "native/kernels/modules.hpp"
#include "native/kernels/record.hpp"

namespace drover::kernels {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSmallFlavour = "cloud-amd64";  // has no RDMA
constexpr std::size_t kMostTries = 6;  // builds; mirrors list some that they no longer hold

std::string folder_name(const std::string& series, const std::string& flavour) {
  return flavour == kSmallFlavour ? series : fmt::format("{}-{}", series, flavour);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '.' || c == '+') out += '\\';
    out += c;
  }
  return out;
}

// The first file below `from` whose name starts with `prefix`.
fs::path find_file(const fs::path& from, std::string_view prefix) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (entry.is_regular_file() && entry.path().filename().string().starts_with(prefix)) {
      return entry.path();
    }
  }
  return {};
}

// The packages of one build: the image's, and where modules and config lie apart, theirs.
std::vector<std::string> companions(const std::string& image_package) {
  std::smatch parts;
  static const std::regex kSplit("linux-binary-(?:unsigned-)?(.*)");
  if (!std::regex_match(image_package, parts, kSplit)) return {};
  return {"linux-modules-" + parts[1].str(), "linux-base-" + parts[1].str()};
}

class Fetch {
 public:
  Fetch(const fs::path& cache, const std::string& series, const GetOptions& options)
      : cache_(cache),
        series_(series),
        options_(options),
        name_(folder_name(series, options.flavour)),
        work_(cache / ".apt" / name_),
        apt_(work_, suites_of(series), options.stop) {}

  // The builds on offer, newest first.
  std::vector<PackageVersion> builds() {
    say(fmt::format("{}: reading the mirror's package lists", name_));
    const std::string complaints = apt_.update();
    std::vector<std::string> all = apt_.names("linux-image-" + series_);
    for (std::string& name : apt_.names("linux-binary-")) all.push_back(std::move(name));
    auto found = apt_.versions(image_packages(all, series_, options_.flavour));
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return compare_versions(a.version, b.version) > 0;
    });
    if (found.empty()) {
      if (!complaints.empty()) {
        throw KernelError(fmt::format("cannot look for kernel {}: {}", name_, complaints),
                          "is the mirror reachable?");
      }
      throw KernelError(fmt::format("the mirror has no kernel {}", name_),
                        "give a bzImage of that kernel instead");
    }
    return found;
  }

  Kernel fetch() {
    const std::vector<PackageVersion> found = builds();
    std::string reasons;
    for (std::size_t i = 0; i < std::min(found.size(), kMostTries); ++i) {
      try {
        return install(found[i]);
      } catch (const KernelError& error) {
        if (stopped(options_.stop)) throw;
        const std::string text =
            fmt::format("{} {}: {}", found[i].name, found[i].version, error.what());
        say(text);
        if (reasons.empty()) reasons = text;
      }
    }
    throw KernelError(
        fmt::format("no build of {} can be downloaded; the newest: {}", name_, reasons),
        "what was downloaded is kept: try again later");
  }

 private:
  void say(const std::string& text) const {
    if (options_.progress) options_.progress(text);
  }

  Kernel install(const PackageVersion& build) {
    const fs::path downloads = work_ / "packages";
    fs::create_directories(downloads);
    const TemporaryFolder tree("tree-", work_);
    say(fmt::format("{}: downloading {} {}", name_, build.name, build.version));
    unpack(apt_.download(build, downloads), tree.path(), options_.stop);
    for (const std::string& other : companions(build.name)) {
      const bool optional = other.starts_with("linux-base-");  // only the config is in it
      try {
        const PackageVersion package{.name = other, .version = build.version};
        unpack(apt_.download(package, downloads), tree.path(), options_.stop);
      } catch (const KernelError&) {
        if (!optional) throw;
      }
    }
    return keep(build, tree.path());
  }

  // Takes what is needed from the unpacked tree, and puts it in place in one step.
  Kernel keep(const PackageVersion& build, const fs::path& tree) {
    const fs::path image = find_file(tree, "vmlinuz");
    if (image.empty()) throw KernelError("the package has no vmlinuz", "");
    const TemporaryFolder made("new-", work_);
    const fs::path folder = made.path() / "kernel";
    fs::create_directories(folder / "modules");
    fs::copy_file(image, folder / "vmlinuz");
    if (const fs::path config = find_file(tree, "config"); !config.empty()) {
      fs::copy_file(config, folder / "config");
    }
    Kernel kernel;
    kernel.name = "debian:" + name_;
    kernel.series = series_;
    kernel.release = banner_of(image).release;
    kernel.version = build.version;
    kernel.package = build.name;
    kernel.modules = collect_modules(tree, folder / "modules",
                                     wanted_modules(options_.flavour != kSmallFlavour));
    write_record(folder, kernel);
    const fs::path place = cache_ / name_;
    if (fs::exists(place)) fs::rename(place, made.path() / "old");
    fs::rename(folder, place);
    auto kept = read_record(place);
    if (!kept) throw KernelError(fmt::format("{} is incomplete", place.string()), "");
    return *kept;
  }

  fs::path cache_;
  std::string series_;
  const GetOptions& options_;
  std::string name_;
  fs::path work_;
  PrivateApt apt_;
};

// apt-get does not notice a full disk while it reads lists: it waits. Lists, packages and what they
// unpack to take some 250 MiB for a moment.
void require_space(const fs::path& folder) {
  constexpr std::uintmax_t kMib = 1 << 20;
  constexpr std::uintmax_t kNeeded = 300;
  std::error_code unknown;
  const fs::space_info space = fs::space(folder, unknown);
  if (unknown || space.available >= kNeeded * kMib) return;
  throw KernelError(fmt::format("{} has {} MiB free, fetching a kernel takes up to {} MiB",
                                folder.string(), space.available / kMib, kNeeded),
                    "--kernel-cache chooses another folder");
}

}  // namespace

const std::vector<std::string>& known_series() {
  static const std::vector<std::string> kSeries = {"5.10", "6.1", "6.12", "7.2"};
  return kSeries;
}

fs::path default_cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return fs::path(cache) / "drover/kernels";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    throw KernelError("neither XDG_CACHE_HOME nor HOME is set",
                      "choose a folder with --kernel-cache");
  }
  return fs::path(home) / ".cache/drover/kernels";
}

std::vector<std::string> image_packages(const std::vector<std::string>& names,
                                        const std::string& series, const std::string& flavour) {
  // 5.10.0-46, 6.1.0-0.deb11.48, 6.12.107+deb13: no other flavour's name fits between.
  const std::regex pattern(
      fmt::format("linux-(image|binary|binary-unsigned)-({}\\.[^-]*(?:-[0-9][^-]*)?"
                  "-{})(-unsigned)?",
                  escaped(series), escaped(flavour)));
  std::set<std::string> binaries;
  std::smatch parts;
  for (const std::string& name : names) {
    if (std::regex_match(name, parts, pattern) && parts[1] != "image") binaries.insert(parts[2]);
  }
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (!std::regex_match(name, parts, pattern)) continue;
    // Where the image is in linux-binary, linux-image only depends on it.
    if (parts[1] == "image" && binaries.contains(parts[2])) continue;
    found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

KernelCache::KernelCache(fs::path folder) : folder_(std::move(folder)) {}

std::vector<Kernel> KernelCache::cached() const {
  std::vector<Kernel> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_, none)) {
    if (entry.path().filename().string().starts_with('.')) continue;
    if (auto kernel = read_record(entry.path())) found.push_back(std::move(*kernel));
  }
  std::sort(found.begin(), found.end(), [](const Kernel& a, const Kernel& b) {
    const auto order = compare_versions(a.version, b.version);
    return order != 0 ? order < 0 : a.name < b.name;
  });
  return found;
}

std::optional<Kernel> KernelCache::find(std::string_view series) const {
  const std::string name(series);
  return valid_name(name) ? read_record(folder_ / name) : std::nullopt;
}

std::vector<AvailableKernel> KernelCache::available(const std::string& series,
                                                    const GetOptions& options) const {
  if (!valid_name(series) || !parse_version(series)) {
    throw KernelError(fmt::format("'{}' is not a kernel series", series), "give one like 6.1");
  }
  fs::create_directories(folder_ / ".apt");
  require_space(folder_);
  const Lock lock(folder_ / ".apt/lock", options.stop);
  std::vector<AvailableKernel> list;
  for (const PackageVersion& build : Fetch(folder_, series, options).builds()) {
    list.push_back({.series = series, .package = build.name, .version = build.version});
  }
  return list;
}

Kernel KernelCache::get(const std::string& series, const GetOptions& options) {
  if (!valid_name(series) || !parse_version(series) || !valid_name(options.flavour)) {
    throw KernelError(fmt::format("'{}' is not a kernel series", series), "give one like 6.1");
  }
  const std::string name = folder_name(series, options.flavour);
  if (auto kernel = find(name); kernel && !options.refresh) return *kernel;
  try {
    fs::create_directories(folder_ / ".apt");
    require_space(folder_);
    const Lock lock(folder_ / ".apt/lock", options.stop);
    if (auto kernel = find(name); kernel && !options.refresh) return *kernel;
    Kernel kernel = Fetch(folder_, series, options).fetch();
    fs::remove_all(folder_ / ".apt" / name);
    return kernel;
  } catch (const fs::filesystem_error& error) {
    throw KernelError(fmt::format("{}: {}", error.path1().string(), error.code().message()),
                      "is the disk full? --kernel-cache chooses another folder");
  }
}

}  // namespace drover::kernels
