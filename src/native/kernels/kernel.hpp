// A Linux kernel that can be booted, its version, and which design models it.
// Where kernels come from is cache.hpp; how one is booted is native/qemu.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace drover::kernels {

/// Something about a kernel that the user can do something about: what is wrong, and what to do.
class KernelError : public std::runtime_error {
 public:
  KernelError(const std::string& message, std::string hint)
      : std::runtime_error(message), hint_(std::move(hint)) {}
  [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
  std::string hint_;
};

/// A bootable kernel: its image and the modules to load, in this order.
struct Kernel {
  std::string name;             // "debian:6.1", or the path it was given as
  std::string series;           // "6.1"; empty if the release is not known
  std::string release;          // "6.1.0-53-cloud-amd64", as uname -r says
  std::string version;          // "6.1.187", of the source; for a kernel from a package "6.1.187-1"
  std::string package;          // that it came from, may be empty
  std::filesystem::path image;  // bzImage, or a vmlinux with a PVH note
  std::filesystem::path config;                // may be empty
  std::vector<std::filesystem::path> modules;  // uncompressed .ko files, dependencies first
};

struct Version {
  unsigned major = 0, minor = 0;
  std::optional<unsigned> patch;  // 5.10.0 is not 5.10
};

/// The version a text starts with: "6.12.107+deb13-cloud-amd64", "linux-5.10". None if it has none.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);

/// Which design models a kernel.
struct DesignChoice {
  std::string design;
  bool exact = false;  // false: the nearest lower, or the lowest of all
};

/// The design for a kernel of this version ("5.10.223-1", or a release from uname -r). `designs`
/// are the names to choose from; those that are not "linux-X.Y..." are passed over. Of designs of
/// one series, "linux-5.10.0" is for that very patch level, "linux-5.4.y" for every later one. None
/// if the version cannot be read or there is no kernel's design.
[[nodiscard]] std::optional<DesignChoice> design_for(std::string_view version,
                                                     std::span<const std::string> designs);

/// What a kernel says of itself.
struct Banner {
  std::string release;  // uname -r
  std::string version;  // of the source. Debian's uname -r is "6.1.0-53-cloud-amd64" for 6.1.187-1
};

/// From uname -r followed by uname -v, or by the rest of the line "Linux version …". What Debian
/// says after "Debian" is the version, otherwise the release is.
[[nodiscard]] Banner parse_banner(std::string_view text);

/// The banner in a bzImage's setup header or a vmlinux; empty if there is none.
/// Throws KernelError if the file cannot be read or is neither.
[[nodiscard]] Banner banner_of(const std::filesystem::path& image);

/// A user's own image. For one with modules, fill in Kernel::modules from collect_modules().
/// Throws KernelError if it cannot be read.
[[nodiscard]] Kernel kernel_from_image(const std::filesystem::path& image);

/// The kernel this process runs on: a name, a release and a version, nothing to boot.
[[nodiscard]] Kernel host_kernel();

}  // namespace drover::kernels
