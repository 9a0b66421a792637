// A witness as a picture: who did what in which order, and what changed after each step.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "design/design.hpp"
#include "report/text.hpp"
#include "verdict/witness.hpp"

namespace drover::report {

/// "coherence is violated", "the condition's proposition is true at the end", ...
[[nodiscard]] std::string goal_text(const verdict::Goal& goal);

/// The whole picture: what is shown, the memory at the beginning, a lane per actor that moves, the
/// outcome. Ends with a newline.
[[nodiscard]] std::string explain_text(const litmus::Program& program, const design::Design& design,
                                       const verdict::Witness& witness, Look look);

/// Schema "drover.explain/1": the same steps, notes and changes.
[[nodiscard]] nlohmann::ordered_json explain_json(const litmus::Program& program,
                                                  const design::Design& design,
                                                  const verdict::Witness& witness);

}  // namespace drover::report
