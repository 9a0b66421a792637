// Versions, releases and the choice of a design. Nothing here touches the network or the cache.
#include "native/kernels/kernel.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <tuple>

namespace drover::kernels {
namespace fs = std::filesystem;
namespace {

std::optional<unsigned> take_number(std::string_view& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<unsigned> take_dot_number(std::string_view& text) {
  if (!text.starts_with('.')) return std::nullopt;
  std::string_view rest = text.substr(1);
  const auto number = take_number(rest);
  if (number) text = rest;
  return number;
}

// A design's place: version, and among those of one series 0 for X.Y.Z, 1 for X.Y, 2 for X.Y.y.
struct Place {
  Version version;
  bool every_patch = false;
};

std::optional<Place> place_of(std::string_view design) {
  constexpr std::string_view kPrefix = "linux-";
  if (!design.starts_with(kPrefix)) return std::nullopt;
  design.remove_prefix(kPrefix.size());
  const auto version = parse_version(design);
  if (!version) return std::nullopt;
  return Place{.version = *version, .every_patch = design.ends_with(".y")};
}

using Rank = std::tuple<unsigned, unsigned, unsigned>;

std::string read_at(std::ifstream& in, std::streamoff offset, std::size_t size) {
  std::string text(size, '\0');
  in.clear();
  in.seekg(offset);
  in.read(text.data(), static_cast<std::streamsize>(size));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

// Documentation/arch/x86/boot.rst: at 0x1f1 the sectors of the setup code after the first, at 0x1f4
// the length of what follows in units of 16 bytes.
void require_whole(std::ifstream& in, const fs::path& image) {
  const std::string sizes = read_at(in, 0x1f1, 7);
  const auto byte = [&](std::size_t i) -> std::uint64_t {
    return static_cast<unsigned char>(sizes.at(i));
  };
  const std::uint64_t setup = 512 * ((byte(0) == 0 ? 4 : byte(0)) + 1);
  const std::uint64_t rest = 16 * (byte(3) | byte(4) << 8 | byte(5) << 16 | byte(6) << 24);
  const std::uint64_t size = fs::file_size(image);
  if (size >= setup + rest) return;
  throw KernelError(
      fmt::format("{} is truncated: {} of {} bytes", image.string(), size, setup + rest),
      "copy it again");
}

std::string series_of(std::string_view version) {
  const auto parsed = parse_version(version);
  return parsed ? fmt::format("{}.{}", parsed->major, parsed->minor) : std::string();
}

// BUILD/arch/x86/boot/bzImage and BUILD/vmlinux lie in the tree of their .config.
fs::path config_of(const fs::path& image) {
  fs::path folder = fs::absolute(image).parent_path();
  if (folder.parent_path().parent_path().filename() == "arch") {
    folder = folder.parent_path().parent_path().parent_path();
  }
  const fs::path config = folder / ".config";
  std::error_code none;
  return fs::is_regular_file(config, none) ? config : fs::path();
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of(std::string_view("\0\n", 2)));
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  const auto major = take_number(text);
  if (!major) return std::nullopt;
  const auto minor = take_dot_number(text);
  if (!minor) return std::nullopt;
  return Version{.major = *major, .minor = *minor, .patch = take_dot_number(text)};
}

std::optional<DesignChoice> design_for(std::string_view version,
                                       std::span<const std::string> designs) {
  const auto wanted = parse_version(version);
  if (!wanted) return std::nullopt;
  const Rank limit(wanted->major, wanted->minor, 2);
  std::optional<Rank> best, lowest;
  DesignChoice choice, fallback;
  for (const std::string& design : designs) {
    const auto place = place_of(design);
    if (!place) continue;
    const Version& v = place->version;
    // A design for one patch level is only for that one and for what lies below the series.
    const bool same_series = v.major == wanted->major && v.minor == wanted->minor;
    if (same_series && v.patch && v.patch != wanted->patch) continue;
    const bool is_patch_zero = wanted->patch.value_or(0) == 0;
    if (same_series && place->every_patch && is_patch_zero) continue;
    const bool very_patch = same_series && v.patch && v.patch == wanted->patch;
    const Rank rank(v.major, v.minor, very_patch || place->every_patch ? 2U : (v.patch ? 0U : 1U));
    if (rank <= limit && (!best || rank > *best)) {
      best = rank;
      choice = {.design = design, .exact = same_series};
    }
    if (!lowest || rank < *lowest) {
      lowest = rank;
      fallback = {.design = design, .exact = false};
    }
  }
  if (best) return choice;
  if (lowest) return fallback;
  return std::nullopt;
}

Banner parse_banner(std::string_view text) {
  text = first_line(text);
  Banner banner{.release = std::string(text.substr(0, text.find(' '))), .version = {}};
  constexpr std::string_view kDebian = " Debian ";
  const std::size_t debian = text.rfind(kDebian);
  if (debian != std::string_view::npos) {
    const std::string_view version = text.substr(debian + kDebian.size());
    if (parse_version(version)) banner.version = version.substr(0, version.find(' '));
  }
  if (banner.version.empty()) banner.version = banner.release;
  return banner;
}

Banner banner_of(const fs::path& image) {
  std::ifstream in(image, std::ios::binary);
  if (!in || !fs::is_regular_file(image)) {
    throw KernelError(fmt::format("cannot read {}", image.string()), "give a bzImage or a vmlinux");
  }
  constexpr std::size_t kLongest = 512;
  // Documentation/arch/x86/boot.rst: "HdrS" at 0x202, at 0x20e the banner's offset less 0x200.
  const std::string header = read_at(in, 0x202, 14);
  if (header.size() == 14 && header.starts_with("HdrS")) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(header[i]); };
    require_whole(in, image);
    const int offset = byte(12) + 256 * byte(13);
    return offset == 0 ? Banner{} : parse_banner(read_at(in, offset + 0x200, kLongest));
  }
  if (read_at(in, 0, 4) != "\x7f\x45\x4c\x46") {  // "\x7f" "ELF"
    throw KernelError(fmt::format("{} is neither a bzImage nor a vmlinux", image.string()),
                      "give arch/x86/boot/bzImage of a kernel built for x86-64");
  }
  constexpr std::string_view kLinux = "Linux version ";
  constexpr std::size_t kBlock = 1 << 20;
  std::string block;
  // Blocks overlap, so that one of them has the whole banner.
  for (std::streamoff at = 0; !(block = read_at(in, at, kBlock)).empty();
       at += kBlock - 2 * kLongest) {
    const std::size_t found = block.find(kLinux);
    const bool last = block.size() < kBlock;
    if (found != std::string::npos && (last || found + kLongest < block.size())) {
      return parse_banner(std::string_view(block).substr(found + kLinux.size(), kLongest));
    }
    if (last) break;
  }
  return {};
}

Kernel kernel_from_image(const fs::path& image) {
  Kernel kernel;
  kernel.name = image.string();
  kernel.image = image;
  const Banner banner = banner_of(image);
  kernel.release = banner.release;
  kernel.version = banner.version;
  kernel.series = series_of(banner.version);
  kernel.config = config_of(image);
  return kernel;
}

Kernel host_kernel() {
  utsname name{};
  uname(&name);
  const Banner banner = parse_banner(fmt::format("{} {}", name.release, name.version));
  Kernel kernel;
  kernel.name = "host";
  kernel.release = banner.release;
  kernel.version = banner.version;
  kernel.series = series_of(banner.version);
  return kernel;
}

}  // namespace drover::kernels
