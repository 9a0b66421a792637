// A private view of Debian's archive through the mirror that this machine's apt is configured with:
// own lists and cache, the system's untouched, no privileges needed. Which packages are wanted is
// cache.cpp.
#pragma once

#include <compare>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "native/kernels/process.hpp"

namespace drover::kernels {

/// Debian's order of version numbers: epoch, upstream version, revision; "~" is before the end.
[[nodiscard]] std::strong_ordering compare_versions(std::string_view a, std::string_view b);

/// Where apt's configured mirror serves Debian; a folder is "http://…/debian", without /dists.
struct Mirror {
  std::string main, security;  // either may be empty
};

/// From what `apt-get update --print-uris` prints: the first folder that serves a Debian suite.
[[nodiscard]] Mirror mirror_from_uris(std::string_view uris);

struct PackageVersion {
  std::string name, version;
};

/// From what `apt-cache madison` prints; every version of every package, as printed.
[[nodiscard]] std::vector<PackageVersion> parse_madison(std::string_view text);

/// One file of the archive: where it is, and what its contents must be.
struct ArchiveFile {
  std::string uri, name, hash;
};

/// From what `apt-get download --print-uris` prints; empty fields if it is not that.
[[nodiscard]] ArchiveFile parse_print_uris(std::string_view text);

class PrivateApt {
 public:
  /// Keeps its lists below `folder`. Suites whose name ends with "-security" come from the mirror's
  /// security folder. Throws KernelError if apt has no Debian mirror.
  PrivateApt(const std::filesystem::path& folder, const std::vector<std::string>& suites,
             StopFlag stop);

  /// Fetches the lists; checks their signatures. Returns what apt complained of, one line per suite
  /// that could not be had; the others can be used. Throws KernelError if apt cannot be run.
  std::string update();
  /// Names of all packages that start with `prefix`, virtual ones too.
  [[nodiscard]] std::vector<std::string> names(std::string_view prefix);
  /// All versions of the real ones among `names`.
  [[nodiscard]] std::vector<PackageVersion> versions(const std::vector<std::string>& names);
  /// Fetches one .deb into `into` unless it is there already, resuming a part of it, and checks its
  /// checksum, which the signed lists have. Returns the file. Throws KernelError with apt's reason.
  [[nodiscard]] std::filesystem::path download(const PackageVersion& package,
                                               const std::filesystem::path& into);

 private:
  [[nodiscard]] Finished run_apt(const char* program, const std::vector<std::string>& arguments);
  void write_configuration(const std::vector<std::string>& suites, const Mirror& mirror);

  std::filesystem::path folder_;
  StopFlag stop_;
};

/// Unpacks a .deb below `to`. Throws KernelError.
void unpack(const std::filesystem::path& package, const std::filesystem::path& to, StopFlag stop);

}  // namespace drover::kernels
