// The kernels that were fetched from Debian's archive, one folder each, and how to fetch more.
// Talking to apt is apt.hpp; booting is native/qemu.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/kernels/kernel.hpp"
#include "native/kernels/process.hpp"

namespace drover::kernels {

/// The series that the suite is compared on: "5.10", "6.1", "6.12", "7.2".
[[nodiscard]] const std::vector<std::string>& known_series();

/// $XDG_CACHE_HOME/drover/kernels, or the same below ~/.cache. Throws KernelError if neither is
/// set.
[[nodiscard]] std::filesystem::path default_cache_folder();

/// A build that the mirror offers.
struct AvailableKernel {
  std::string series, package, version;
};

/// How to fetch.
struct GetOptions {
  bool refresh = false;                 // look for a newer build even if one is cached
  std::string flavour = "cloud-amd64";  // "amd64": larger, also has RDMA; cached as "6.1-amd64"
  std::function<void(const std::string&)> progress = {};  // one line per stage
  StopFlag stop = nullptr;
};

class KernelCache {
 public:
  /// Creates nothing until a kernel is fetched.
  explicit KernelCache(std::filesystem::path folder = default_cache_folder());

  /// All complete ones, by version.
  [[nodiscard]] std::vector<Kernel> cached() const;
  /// The cached kernel of "6.1", or of "6.1-amd64".
  [[nodiscard]] std::optional<Kernel> find(std::string_view series) const;
  /// The builds of a series that the mirror lists, newest first. Throws KernelError.
  [[nodiscard]] std::vector<AvailableKernel> available(const std::string& series,
                                                       const GetOptions& options = {}) const;
  /// The cached kernel, or else the newest build that can be downloaded, which is then cached. An
  /// older cached build is replaced only when the newer one is complete; an interrupted download is
  /// resumed. Any series "X.Y" may be asked for. Throws KernelError: what could not be had and why.
  Kernel get(const std::string& series, const GetOptions& options = {});

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

/// Of all package names of the mirror, those that hold an image of this series and flavour.
/// Packages that only depend on another which holds the image are left out.
[[nodiscard]] std::vector<std::string> image_packages(const std::vector<std::string>& names,
                                                      const std::string& series,
                                                      const std::string& flavour);

}  // namespace drover::kernels
