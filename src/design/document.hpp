// docs/designs.md, generated: every design, switch and value. Who writes the file is not said here.
#pragma once

#include <string>

#include "design/design.hpp"

namespace drover::design {

/// The whole of docs/designs.md: the policy matrix of the kernels, a table per design of what it
/// changes, and the switches with their values. Depends on nothing but `registry` (no dates, no
/// absolute paths), so that a test can compare it with the file.
[[nodiscard]] std::string markdown(const Registry& registry);

/// "designs/x.toml:3:1: error: unknown switch ...", and the hint, if any, on a line of its own.
[[nodiscard]] std::string to_string(const DesignError& error);

}  // namespace drover::design
