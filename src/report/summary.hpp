// The runs of one test under several designs on one line or two.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/run.hpp"

namespace drover::report {

/// "A 4.18-5.8 N 5.10.0-7.2; others A 1 N 7": the verdict letters of `runs` in their order,
/// neighbouring kernels with equal letters as one stretch; of designs that are no kernels only how
/// many have which letter. In pieces to be put between spaces, none of which should be broken.
[[nodiscard]] std::vector<std::string> verdict_stretches(std::span<const Run> runs);

/// "Ok NAME  A 4.18-5.8 ...", wrapped at kWidth; "Differs" or "Incomplete" instead of "Ok" where a
/// run does or is, "Seen" when the test expects nothing of any of the designs.
[[nodiscard]] std::string summary_line(std::span<const Run> runs);

}  // namespace drover::report
