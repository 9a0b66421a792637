// The file system a guest starts with: its first process, modules, test programs and the plan.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "native/qemu/guest.hpp"

namespace drover::qemu {

/// The guest's first process, a static x86-64 program that is part of this library.
[[nodiscard]] std::string_view guest_init();

/// The plan that the guest's first process reads: the nonce, then one line per test with its
/// number, its time-out in milliseconds, its path in the guest and its arguments, cut by tabs.
[[nodiscard]] std::string make_plan(std::string_view nonce, std::span<const TestProgram> programs,
                                    std::span<const std::size_t> which);

/// Writes the archive into a file without a name below the folder for temporary files, so that
/// nothing is left of it however this process ends. Throws std::system_error if a program or module
/// cannot be read, or the archive not written.
[[nodiscard]] kernels::Fd make_initrd(const kernels::Kernel& kernel, std::string_view nonce,
                                      std::span<const TestProgram> programs,
                                      std::span<const std::size_t> which);

}  // namespace drover::qemu
