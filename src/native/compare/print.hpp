// Comparisons as text: litmus7's histogram, a table tests x kernels, KTAP, JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "native/compare/compare.hpp"

namespace drover::native {

/// What was run on one kernel.
struct KernelReport {
  std::string kernel, release, version, design;
  bool exact_design = true;
  std::string problem, hint;            // why tests were not run, if any
  std::vector<Comparison> comparisons;  // in the order of the tests
};

/// litmus7's block for one test on one kernel: histogram with `*>` for outcomes that satisfy the
/// proposition and `:>` for others, verdict lines, frames, warnings of the kernel.
[[nodiscard]] std::string histogram(const Comparison& comparison);

/// Tests down, kernels across: `=` agrees, `!` forbidden outcome, `x` failed, `.` not runnable;
/// then a line of counts per kernel, and the reasons of what failed.
[[nodiscard]] std::string table(const std::vector<KernelReport>& reports);

/// A Markdown document: the kernels with their builds, then tests x kernels with the model's
/// verdict and the outcomes seen. Without counts, so that two runs of the same thing give the same
/// text.
[[nodiscard]] std::string markdown(const std::vector<KernelReport>& reports);

/// KTAP version 1 (Documentation/dev-tools/ktap.rst): a subtest per kernel, a line per test.
[[nodiscard]] std::string ktap(const std::vector<KernelReport>& reports);

/// Schema "drover.run/1".
[[nodiscard]] nlohmann::ordered_json json(const std::vector<KernelReport>& reports);

}  // namespace drover::native
