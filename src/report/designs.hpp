// The designs as text and JSON: the list, one with all its switches, two compared.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "design/design.hpp"

namespace drover::report {

/// One line per design: name and title.
[[nodiscard]] std::string designs_text(const design::Registry& registry);
/// Schema "drover.designs/1": every design with its switches.
[[nodiscard]] nlohmann::ordered_json designs_json(const design::Registry& registry);

/// Every switch: its value, who set it, the commit, the note, and what the switch decides.
[[nodiscard]] std::string design_text(const design::Design& design);
/// Schema "drover.design/1".
[[nodiscard]] nlohmann::ordered_json design_json(const design::Design& design);

/// The switches whose values differ, and the count of the others.
[[nodiscard]] std::string design_diff_text(const design::Design& a, const design::Design& b);
/// Schema "drover.design-diff/1".
[[nodiscard]] nlohmann::ordered_json design_diff_json(const design::Design& a,
                                                      const design::Design& b);

}  // namespace drover::report
