// What a test expects of a design against what the check found; see expectation.hpp.
#include "verdict/expectation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::verdict {

using litmus::Expectation;
using litmus::Property;

namespace {

bool covers(const Expectation& e, const design::Design& design, const design::Registry& registry) {
  return std::any_of(e.designs.begin(), e.designs.end(), [&](const litmus::DesignRange& range) {
    const auto names = registry.range(range.first, range.last);
    return std::find(names.begin(), names.end(), design.name) != names.end();
  });
}

constexpr std::uint32_t bit(Property p) {
  return 1U << static_cast<unsigned>(p);
}

// What no kernel should ever do; coherence and isolation are what the tests are about.
constexpr std::uint32_t kHoldUnlessNamed = bit(Property::lifetime) | bit(Property::progress) |
                                           bit(Property::balance) | bit(Property::sanity) |
                                           bit(Property::durability);

}  // namespace

Expected expected(const litmus::Program& program, const design::Design& design,
                  const design::Registry& registry) {
  Expected result;
  for (const Expectation& e : program.expectations) {
    if (!covers(e, design, registry)) continue;
    if (e.kind == Expectation::Kind::verdict) {
      result.verdict = e.verdict;
      result.reason = e.reason;
      result.line = e.line;
      continue;
    }
    for (const Property p : e.properties) {
      (e.kind == Expectation::Kind::violates ? result.must_violate : result.must_hold) |= bit(p);
    }
  }
  result.must_hold |= kHoldUnlessNamed & ~result.must_violate;
  return result;
}

std::vector<std::string> differences(const Expected& expected, const CheckResult& result) {
  std::vector<std::string> found;
  if (result.complete() && expected.verdict && *expected.verdict != result.verdict) {
    found.push_back(fmt::format("expected {}, found {}", to_string(*expected.verdict),
                                to_string(result.verdict)));
  }
  if (result.verdict == litmus::Verdict::unsupported) return found;
  for (unsigned p = 0; p < litmus::kProperties; ++p) {
    const bool violated = (result.violated >> p & 1U) != 0;
    const char* name = to_string(static_cast<Property>(p));
    // What an incomplete search saw violated is violated; what it did not see says nothing.
    if (result.complete() && (expected.must_violate >> p & 1U) != 0 && !violated) {
      found.push_back(fmt::format("{} should be violated, but holds", name));
    } else if ((expected.must_hold >> p & 1U) != 0 && violated) {
      found.push_back(fmt::format("{} should hold, but is violated", name));
    }
  }
  return found;
}

}  // namespace drover::verdict
