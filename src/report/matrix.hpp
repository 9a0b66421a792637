// Tests x designs: one table, or the same as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "report/run.hpp"
#include "report/text.hpp"

namespace drover::report {

/// The table: a row per test, a column per design, A/S/N/-/? in the cells and `!` behind what
/// differs from its expectation; then the differences in words, the legend and the count line.
/// `runs` holds `designs` runs per test, test after test, the designs in the same order in each.
/// Kernels and other designs are tables of their own, and a table wider than kWidth is cut into
/// several.
[[nodiscard]] std::string matrix_text(std::span<const Run> runs, std::size_t designs, Look look);

/// Schema "drover.matrix/1".
[[nodiscard]] nlohmann::ordered_json matrix_json(std::span<const Run> runs, std::size_t designs);

}  // namespace drover::report
