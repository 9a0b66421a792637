// What `drover run` and `drover kernels` share: the cache, and kernels by name.
#pragma once

#include <string>

#include "native/kernels/cache.hpp"

namespace drover::cli {

/// The cache in `folder`, or the default one if that is empty. Throws kernels::KernelError.
[[nodiscard]] kernels::KernelCache open_cache(const std::string& folder);

/// "host", "debian:6.1" or "6.1" (cached), or the path of an image. Throws kernels::KernelError
/// with a hint how to get it.
[[nodiscard]] kernels::Kernel find_kernel(const kernels::KernelCache& cache,
                                          const std::string& name);

}  // namespace drover::cli
