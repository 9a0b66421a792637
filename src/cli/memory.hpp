// How much memory the process may still take.
#pragma once

#include <cstdint>
#include <filesystem>

namespace drover::cli {

/// Bytes: the least of what the machine has available and what each cgroup the process is in
/// leaves.
[[nodiscard]] std::uint64_t available_memory();

/// Bytes that cgroup v2 folder `group` and those above it, up to `top`, leave; the largest number
/// if none has a limit. Separate for tests.
[[nodiscard]] std::uint64_t cgroup_leaves(std::filesystem::path group,
                                          const std::filesystem::path& top);

}  // namespace drover::cli
