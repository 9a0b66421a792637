// What a test expects of a design against what the check found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "design/design.hpp"
#include "litmus/program.hpp"
#include "verdict/check.hpp"

namespace drover::verdict {

/// What `program` expects of one design.
struct Expected {
  std::optional<litmus::Verdict> verdict;
  std::string reason;              // of the verdict
  std::uint32_t line = 0;          // of the verdict's `expect`
  std::uint32_t must_violate = 0;  // bits per litmus::Property
  std::uint32_t must_hold = 0;     // named, and those that hold unless named
};
[[nodiscard]] Expected expected(const litmus::Program& program, const design::Design& design,
                                const design::Registry& registry);

/// Differences in words, empty when the result is as expected. An incomplete result yields none: it
/// neither agrees nor differs.
[[nodiscard]] std::vector<std::string> differences(const Expected& expected,
                                                   const CheckResult& result);

}  // namespace drover::verdict
