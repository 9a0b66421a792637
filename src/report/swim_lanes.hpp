// A table with one column ("lane") per actor, in which each row has text in one lane only and
// remarks below it over the whole width. Nothing here knows what the text is about.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/text.hpp"

namespace drover::report {

struct LaneRow {
  std::size_t lane = 0;
  std::vector<std::string> cell;     // paragraphs; leading spaces indent all lines of one
  std::vector<std::string> remarks;  // below the cell, one each
};

/// The heads, a rule, and the rows numbered from 1. Fits kWidth for up to four lanes.
[[nodiscard]] std::string swim_lanes(const std::vector<std::string>& heads,
                                     const std::vector<LaneRow>& rows, Look look);

}  // namespace drover::report
