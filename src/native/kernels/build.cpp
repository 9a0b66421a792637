// Layout while building: FOLDER/.apt/built-6.12/{packages/*.deb,source-VERSION,build-VERSION,
// build.log}. Talking to apt is apt.cpp; how a finished kernel is kept is record.cpp.
#include "native/kernels/build.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <thread>

#include "kernel_configuration.hpp"
#include "native/kernels/apt.hpp"
#include "native/kernels/record.hpp"

namespace drover::kernels {
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
namespace {

// For 6.12 about 1.2 GiB: package, tar file, sources, objects.
constexpr std::uintmax_t kNeededBytes = std::uintmax_t{2} << 30;
constexpr std::chrono::minutes kConfigureLimit{10};
constexpr std::chrono::seconds kProgressEvery{20};
constexpr std::size_t kMostTries = 4;  // versions; mirrors list some that they no longer hold

struct Need {
  const char* name;
  const char* package;
};
constexpr std::array<Need, 10> kPrograms = {{{"make", "make"},
                                             {"gcc", "gcc"},
                                             {"ld", "binutils"},
                                             {"flex", "flex"},
                                             {"bison", "bison"},
                                             {"bc", "bc"},
                                             {"perl", "perl"},
                                             {"tar", "tar"},
                                             {"xz", "xz-utils"},
                                             {"gzip", "gzip"}}};
// objtool reads ELF; the kernel's own programs are C.
constexpr std::array<Need, 2> kHeaders = {{{"gelf.h", "libelf-dev"}, {"stdio.h", "libc6-dev"}}};

bool in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (access((fs::path(rest.substr(0, end)) / program).c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

bool compiler_finds(const std::string& header) {
  const TemporaryFolder folder("drover-header-");
  const fs::path source = folder.path() / "header.c";
  std::ofstream(source) << "#include <" << header << ">\n";
  try {
    return run({.argv = {"gcc", "-fsyntax-only", source.string()}}, nullptr,
               std::chrono::seconds(60))
        .status.success();
  } catch (const std::system_error&) {
    return true;  // no compiler: that is told already
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The line of a build's log that says why it failed.
std::string reason_in(const fs::path& log) {
  const std::string text = text_of(log);
  std::string_view last;
  for (const std::string_view line : lines_of(text)) {
    if (line.find("error:") != std::string_view::npos || line.starts_with("make: *** ") ||
        line.find("No space left") != std::string_view::npos) {
      return std::string(line);
    }
    if (!line.empty()) last = line;
  }
  return std::string(last);
}

// Other architectures, tests and most of the graphics drivers are four fifths of the sources, and
// nothing of them is compiled. Every Kconfig file stays: they include each other.
std::vector<std::string> left_out() {
  std::vector<std::string> options = {"--exclude=*/drivers/gpu/*.[ch]",
                                      "--exclude=*/Documentation/*.rst",
                                      "--exclude=*/tools/testing/*"};
  for (const char* arch : {"alpha", "arc", "arm", "arm64", "csky", "hexagon", "loongarch", "m68k",
                           "microblaze", "mips", "nios2", "openrisc", "parisc", "powerpc", "riscv",
                           "s390", "sh", "sparc", "xtensa"}) {
    options.push_back(fmt::format("--exclude=linux-source-*/arch/{}/*.[chSs]", arch));
    options.push_back(fmt::format("--exclude=linux-source-*/arch/{}/*.dts*", arch));
  }
  return options;
}

class Build {
 public:
  Build(const fs::path& cache, const std::string& series, const BuildOptions& options)
      : cache_(cache),
        series_(series),
        options_(options),
        work_(fs::absolute(cache) / ".apt" / folder_name(series)),
        log_(work_ / "build.log") {}

  static std::string folder_name(const std::string& series) { return "built-" + series; }

  Kernel run() {
    check_machine();
    const PackageVersion source = fetch_source();
    const fs::path tree = work_ / ("source-" + source.version) / ("linux-source-" + series_);
    const fs::path output = work_ / ("build-" + source.version);
    check_gup_test(tree);
    fs::create_directories(output);
    configure(tree, output);
    compile(tree, output);
    return keep(source, output);
  }

 private:
  template <class... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) const {
    if (!options_.progress) return;
    options_.progress(folder_name(series_) + ": " +
                      fmt::format(format, std::forward<Args>(args)...));
  }

  void check_machine() const {
    const auto missing = missing_build_packages(in_path, compiler_finds);
    if (!missing.empty()) {
      throw KernelError(
          fmt::format("packages to build a kernel are missing: {}", fmt::join(missing, " ")),
          fmt::format("apt-get install {}", fmt::join(missing, " ")));
    }
    const std::uintmax_t room = fs::space(work_).available;
    if (room < kNeededBytes && !fs::exists(work_ / "packages")) {
      throw KernelError(fmt::format("a build needs {} MiB, {} has {} MiB", kNeededBytes >> 20,
                                    cache_.string(), room >> 20),
                        "--kernel-cache chooses another folder");
    }
  }

  // What an interrupted build unpacked; its name says the version.
  [[nodiscard]] std::optional<PackageVersion> source_at_hand() const {
    constexpr std::string_view kFolder = "source-";
    for (const auto& entry : fs::directory_iterator(work_)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with(kFolder)) continue;
      return PackageVersion{.name = "linux-source-" + series_,
                            .version = name.substr(kFolder.size())};
    }
    return std::nullopt;
  }

  // The newest source that can be had, unpacked.
  PackageVersion fetch_source() {
    if (auto source = source_at_hand()) {
      say("going on with {}", source->version);
      return *source;
    }
    PrivateApt apt(work_, suites_of(series_), options_.stop);
    say("reading the mirror's package lists");
    const std::string complaints = apt.update();
    auto found = apt.versions({"linux-source-" + series_});
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return compare_versions(a.version, b.version) > 0;
    });
    if (found.empty()) {
      throw KernelError(
          complaints.empty()
              ? fmt::format("the mirror has no linux-source-{}", series_)
              : fmt::format("cannot look for linux-source-{}: {}", series_, complaints),
          complaints.empty() ? "give a bzImage of a kernel with CONFIG_GUP_TEST instead"
                             : "is the mirror reachable?");
    }
    std::string first_reason;
    for (std::size_t i = 0; i < std::min(found.size(), kMostTries); ++i) {
      try {
        say("downloading {} {}", found[i].name, found[i].version);
        unpack_source(found[i], apt.download(found[i], work_ / "packages"));
        return found[i];
      } catch (const KernelError& error) {
        if (stopped(options_.stop)) throw;
        if (first_reason.empty()) first_reason = error.what();
        say("{}: {}", found[i].version, error.what());
      }
    }
    throw KernelError(fmt::format("no linux-source-{} can be had: {}", series_, first_reason),
                      "what was downloaded is kept: try again later");
  }

  // The package holds one tar file. Its contents get their final name only when they are whole.
  void unpack_source(const PackageVersion& source, const fs::path& package) {
    say("unpacking {}", package.filename().string());
    const TemporaryFolder box("unpack-", work_);
    unpack(package, box.path(), options_.stop);
    const fs::path archive =
        box.path() / "usr/src" / fmt::format("linux-source-{}.tar.xz", series_);
    const fs::path tree = box.path() / "tree";
    fs::create_directories(tree);
    Command command{.argv = {"tar", "-xf", archive.string(), "-C", tree.string()}};
    for (std::string& option : left_out()) command.argv.push_back(std::move(option));
    const Finished done = kernels::run(std::move(command), options_.stop, std::chrono::minutes(30));
    if (done.stopped) throw KernelError("stopped", "");
    if (!done.status.success()) {
      const auto reasons = lines_of(done.err);
      throw KernelError(fmt::format("cannot unpack {}: {}", archive.filename().string(),
                                    reasons.empty() ? "no reason given" : reasons.front()),
                        "is the disk full?");
    }
    fs::rename(tree, work_ / ("source-" + source.version));
  }

  // The dossier says 6.2; what counts is what is in the source.
  void check_gup_test(const fs::path& tree) const {
    if (text_of(tree / "mm/gup_test.h").find("PIN_LONGTERM_TEST_START") != std::string::npos) {
      return;
    }
    throw KernelError(fmt::format("gup_test of these sources of {} keeps no pins", series_),
                      "take a series from 6.2 on");
  }

  [[nodiscard]] Command make(const fs::path& tree, const fs::path& output,
                             const std::string& target) const {
    const unsigned jobs =
        options_.jobs != 0 ? options_.jobs : std::max(1U, std::thread::hardware_concurrency());
    return {.argv = {"make", "-s", "O=" + output.string(), fmt::format("-j{}", jobs), target},
            .environment = {"LC_ALL=C", "KBUILD_BUILD_USER=drover", "KBUILD_BUILD_HOST=drover"},
            .folder = tree};
  }

  void make_now(const fs::path& tree, const fs::path& output, const std::string& target) const {
    const Finished done = kernels::run(make(tree, output, target), options_.stop, kConfigureLimit);
    if (done.stopped) throw KernelError("stopped", "");
    if (done.status.success()) return;
    std::ofstream(log_) << done.out << done.err;
    throw KernelError(fmt::format("make {} failed: {}", target, reason_in(log_)),
                      fmt::format("its output: {}", log_.string()));
  }

  // A configuration that is there and right is kept, so that make repeats nothing.
  void configure(const fs::path& tree, const fs::path& output) const {
    const fs::path file = output / ".config";
    if (missing_options(build_configuration(), text_of(file)).empty()) return;
    say("configuring");
    make_now(tree, output, "tinyconfig");
    std::ofstream(file, std::ios::app) << build_configuration();
    make_now(tree, output, "olddefconfig");
    const auto missing = missing_options(build_configuration(), text_of(file));
    if (!missing.empty()) {
      throw KernelError(fmt::format("Linux {} does not take these options: {}", series_,
                                    fmt::join(missing, ", ")),
                        fmt::format("the configuration: {}", file.string()));
    }
  }

  void compile(const fs::path& tree, const fs::path& output) const {
    Command command = make(tree, output, "bzImage");
    command.argv.erase(command.argv.begin() +
                       1);  // not silent: one line per file, for the progress
    const Fd log(open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (log.get() < 0) {
      throw KernelError(fmt::format("cannot write {}", log_.string()), "is the disk full?");
    }
    command.out = command.err = log.get();
    say("compiling, some minutes; output in {}", log_.string());
    const auto start = Clock::now();
    auto next = start + kProgressEvery;
    Child child(command);
    std::optional<ExitStatus> status;
    while (!(status = child.poll())) {
      usleep(50'000);
      if (stopped(options_.stop)) {
        child.ask_to_end(std::chrono::seconds(2));
        throw KernelError("stopped", "the next build goes on from here");
      }
      if (Clock::now() < next) continue;
      next += kProgressEvery;
      const std::string text = text_of(log_);
      say("{} files after {} s", std::count(text.begin(), text.end(), '\n'),
          std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start).count());
    }
    if (status->success()) return;
    throw KernelError(fmt::format("the build failed: {}", reason_in(log_)),
                      fmt::format("its output: {}", log_.string()));
  }

  // Puts what is needed in place in one step.
  [[nodiscard]] Kernel keep(const PackageVersion& source, const fs::path& output) const {
    const fs::path image = output / "arch/x86/boot/bzImage";
    const TemporaryFolder made("new-", work_);
    const fs::path folder = made.path() / "kernel";
    fs::create_directories(folder);
    fs::copy_file(image, folder / "vmlinuz");
    fs::copy_file(output / ".config", folder / "config");
    Kernel kernel;
    kernel.name = std::string(kBuiltPrefix) + series_;
    kernel.series = series_;
    kernel.release = banner_of(image).release;
    kernel.version = source.version;
    kernel.package = source.name;
    write_record(folder, kernel);
    const fs::path place = cache_ / folder_name(series_);
    if (fs::exists(place)) fs::rename(place, made.path() / "old");
    fs::rename(folder, place);
    auto kept = read_record(place);
    if (!kept) throw KernelError(fmt::format("{} is incomplete", place.string()), "");
    return *kept;
  }

  fs::path cache_;
  std::string series_;
  const BuildOptions& options_;
  fs::path work_, log_;
};

}  // namespace

std::string_view build_configuration() {
  return kKernelConfiguration;
}

std::string build_refusal(const std::string& series) {
  const auto version = parse_version(series);
  if (!valid_name(series) || !version || version->patch) {
    return fmt::format("'{}' is not a kernel series like 6.12", series);
  }
  if (version->major > 6 || (version->major == 6 && version->minor >= 2)) return "";
  return fmt::format("gup_test of Linux {} keeps no pins: PIN_LONGTERM_TEST_START came with 6.2",
                     series);
}

std::vector<std::string> buildable_series() {
  std::vector<std::string> series;
  for (const std::string& one : known_series()) {
    if (build_refusal(one).empty()) series.push_back(one);
  }
  return series;
}

std::vector<std::string> missing_build_packages(
    const std::function<bool(const std::string&)>& has_program,
    const std::function<bool(const std::string&)>& has_header) {
  std::vector<std::string> missing;
  for (const Need& need : kPrograms) {
    if (!has_program(need.name)) missing.emplace_back(need.package);
  }
  for (const Need& need : kHeaders) {
    if (!has_header(need.name)) missing.emplace_back(need.package);
  }
  return missing;
}

std::vector<std::string> missing_options(std::string_view wanted, std::string_view configuration) {
  const auto have = lines_of(configuration);
  const std::set<std::string_view> lines(have.begin(), have.end());
  std::vector<std::string> missing;
  for (const std::string_view line : lines_of(wanted)) {
    const bool off = line.starts_with("# CONFIG_") && line.ends_with(" is not set");
    if (!line.starts_with("CONFIG_") && !off) continue;
    if (lines.contains(line)) continue;
    // What is off because its menu is off is not mentioned at all.
    const std::string name(line.substr(2, line.find(" is not set") - 2));
    if (off && configuration.find("\n" + name + "=") == std::string_view::npos &&
        !configuration.empty()) {
      continue;
    }
    missing.emplace_back(line);
  }
  return missing;
}

Kernel build_kernel(const KernelCache& cache, const std::string& series,
                    const BuildOptions& options) {
  if (const std::string why = build_refusal(series); !why.empty()) {
    throw KernelError(
        why, fmt::format("series that can be built: {}", fmt::join(buildable_series(), " ")));
  }
  const std::string name = Build::folder_name(series);
  if (auto kernel = cache.find(name); kernel && !options.again) return *kernel;
  try {
    const fs::path work = cache.folder() / ".apt" / name;
    fs::create_directories(work);
    // Beside the folder, which is removed at the end while the lock is held.
    const Lock lock(cache.folder() / ".apt" / (name + ".lock"), options.stop);
    if (auto kernel = cache.find(name); kernel && !options.again) return *kernel;
    Kernel kernel = Build(cache.folder(), series, options).run();
    fs::remove_all(work);
    return kernel;
  } catch (const fs::filesystem_error& error) {
    throw KernelError(fmt::format("{}: {}", error.path1().string(), error.code().message()),
                      "is the disk full? --kernel-cache chooses another folder");
  } catch (const std::system_error& error) {
    throw KernelError(error.what(), "");
  }
}

bool has_gup_test(const Kernel& kernel) {
  if (kernel.image.empty()) return access("/sys/kernel/debug/gup_test", F_OK) == 0;
  if (!build_refusal(kernel.series).empty() || kernel.config.empty()) return false;
  return missing_options("CONFIG_GUP_TEST=y\n", text_of(kernel.config)).empty();
}

}  // namespace drover::kernels
