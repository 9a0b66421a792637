// Building a small kernel with CONFIG_GUP_TEST from Debian's sources: it has the pins that no
// system call of a distribution kernel takes and keeps. Fetching ready kernels is cache.hpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "native/kernels/cache.hpp"
#include "native/kernels/kernel.hpp"
#include "native/kernels/process.hpp"

namespace drover::kernels {

/// How a built kernel is called: "built:6.12".
constexpr std::string_view kBuiltPrefix = "built:";

/// Those of known_series() that can be built.
[[nodiscard]] std::vector<std::string> buildable_series();

/// Why a series cannot be built, in one line; empty if nothing speaks against it. gup_test keeps
/// pins (PIN_LONGTERM_TEST_START) from 6.2 on; before, its ioctls release what they take at once.
[[nodiscard]] std::string build_refusal(const std::string& series);

/// The Debian packages that a build needs and this machine lacks. The tests are called with the
/// name of a program, to be found in PATH, and of a header of the C compiler.
[[nodiscard]] std::vector<std::string> missing_build_packages(
    const std::function<bool(const std::string&)>& has_program,
    const std::function<bool(const std::string&)>& has_header);

/// The options set on top of tinyconfig, a kconfig fragment; and those of its lines that a finished
/// configuration does not have.
[[nodiscard]] std::string_view build_configuration();
[[nodiscard]] std::vector<std::string> missing_options(std::string_view wanted,
                                                       std::string_view configuration);

/// How to build.
struct BuildOptions {
  bool again = false;  // also if the cache has one: a newer source may be there
  unsigned jobs = 0;   // of make; 0: as many as there are CPUs
  std::function<void(const std::string&)> progress = {};  // one line per stage, and while compiling
  StopFlag stop = nullptr;
};

/// The kernel that the cache has, or a new one, which is then cached as "built-6.12" below the
/// cache's folder. What an interrupted build left is used again. Needs about 2 GiB meanwhile.
/// Throws KernelError: what is missing or went wrong, and what to do.
Kernel build_kernel(const KernelCache& cache, const std::string& series,
                    const BuildOptions& options = {});

/// Whether the kernel's configuration has gup_test, and one that keeps pins. For the running
/// kernel: whether its debugfs shows it.
[[nodiscard]] bool has_gup_test(const Kernel& kernel);

}  // namespace drover::kernels
