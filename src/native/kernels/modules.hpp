// Kernel modules in a folder: which are needed, what they depend on, in what order they load.
// Nothing is loaded here; the guest's init does that.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace drover::kernels {

/// Names a module depends on, from the `depends=` and `softdep=pre:` entries of its .modinfo
/// section. Underscores, never hyphens.
[[nodiscard]] std::vector<std::string> module_dependencies(std::string_view contents);

/// The modules that tests need where the kernel has them as modules: swap on zram, loop, FUSE,
/// veth, and with `rdma` soft-RoCE.
[[nodiscard]] std::vector<std::string> wanted_modules(bool rdma);

/// Copies those of `wanted` found anywhere below `from`, and all they depend on, to `to`,
/// uncompressed. What is not there is taken to be built in. Returns the copies in an order in which
/// they can be loaded. Throws KernelError if one cannot be read or uncompressed.
[[nodiscard]] std::vector<std::filesystem::path> collect_modules(
    const std::filesystem::path& from, const std::filesystem::path& to,
    const std::vector<std::string>& wanted);

}  // namespace drover::kernels
