// How a kernel is kept in a cache folder, and what keeps two writers of one folder apart.
// What is put there is cache.cpp (fetched) and build.cpp (built).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/kernels/kernel.hpp"
#include "native/kernels/process.hpp"

namespace drover::kernels {

/// Letters, digits, dots and hyphens: what a kernel's folder may be called.
[[nodiscard]] bool valid_name(std::string_view text);

/// The complete kernel that a folder holds.
[[nodiscard]] std::optional<Kernel> read_record(const std::filesystem::path& folder);

/// Writes what read_record reads; the image and modules must be in `folder`. Throws KernelError.
void write_record(const std::filesystem::path& folder, const Kernel& kernel);

/// The suites of Debian that have a series; for one not listed, those where new kernels go.
[[nodiscard]] std::vector<std::string> suites_of(const std::string& series);

/// An exclusive lock on a file, in this process and others, until destruction. Throws KernelError
/// if the file cannot be written or `stop` is set while waiting.
class Lock {
 public:
  Lock(const std::filesystem::path& file, StopFlag stop);

 private:
  Fd fd_;
};

}  // namespace drover::kernels
