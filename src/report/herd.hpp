// One run as herd7 prints it, with the lines herd does not have.
#pragma once

#include <string>

#include "report/run.hpp"

namespace drover::report {

/// herd7's ten lines ("Test ..." to "Hash=...") with, between Time and Hash, one line each for the
/// design, for each violated property, for why the run is incomplete or unsupported, and for each
/// difference from what was expected. Ends with a newline.
[[nodiscard]] std::string herd_block(const Run& run);

}  // namespace drover::report
