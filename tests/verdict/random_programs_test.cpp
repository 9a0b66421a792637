// Random programs: the breadth-first engine with fused steps, the same with fine steps, and the
// naive recursive engine with fine steps must show the same outcomes and violate the same
// properties. DROVER_RANDOM_PROGRAMS and DROVER_RANDOM_SEED set how many programs are compared and
// which.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "litmus/litmus.hpp"
#include "naive_search.hpp"
#include "random_program.hpp"
#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace drover::tests {
namespace {

using machine::Granularity;

// A program whose naive search meets more states than this is left out and another one is made.
constexpr std::size_t kNaiveLimit = 25'000;

std::set<machine::Outcome> outcomes_of(const verdict::CheckResult& result) {
  std::set<machine::Outcome> outcomes;
  for (const auto& [outcome, count] : result.outcomes) outcomes.insert(outcome);
  return outcomes;
}

constexpr std::uint32_t kProgressBit = 1U << static_cast<unsigned>(litmus::Property::progress);

// Returns false when the program is too big for the naive engine.
bool compare(const std::string& text, const design::Design& design) {
  const litmus::ParseResult parsed = litmus::parse(text, "random.litmus");
  EXPECT_TRUE(parsed.program) << (parsed.diagnostics.empty()
                                      ? std::string()
                                      : litmus::to_string(parsed.diagnostics.front(), text))
                              << text;
  if (!parsed.program) return true;
  if (!verdict::unsupported_operation(*parsed.program, design).empty()) return true;
  NaiveSearch naive(*parsed.program, design.switches, Granularity::fine);
  if (!naive.run(kNaiveLimit)) return false;
  for (const Granularity granularity : {Granularity::coarse, Granularity::fine}) {
    verdict::CheckOptions options;
    options.granularity = granularity;
    const verdict::CheckResult result = verdict::check(*parsed.program, design, options);
    const char* name = granularity == Granularity::fine ? "fine" : "coarse";
    EXPECT_TRUE(result.complete()) << result.incomplete_reason;
    EXPECT_EQ(outcomes_of(result), naive.outcomes()) << name << " " << design.name << "\n" << text;
    // A livelock shows as progress in check() only; a deadlock shows in both.
    const std::uint32_t extra = result.violated & ~naive.violated();
    EXPECT_EQ(naive.violated() & ~result.violated, 0U) << name << " " << design.name << "\n"
                                                       << text;
    EXPECT_EQ(extra & ~kProgressBit, 0U) << name << " " << design.name << "\n" << text;
    if (granularity == Granularity::fine) {
      EXPECT_EQ(result.states, naive.states()) << text;
    }
  }
  return true;
}

TEST(RandomPrograms, EnginesAndGranularitiesAgree) {
  const unsigned long wanted = environment("DROVER_RANDOM_PROGRAMS", 2000);
  std::uint64_t seed = environment("DROVER_RANDOM_SEED", 1);
  ASSERT_FALSE(registry().designs().empty());
  unsigned long compared = 0;
  for (unsigned long tried = 0; compared < wanted && !testing::Test::HasFailure(); ++tried) {
    const design::Design& design = registry().designs()[seed % registry().designs().size()];
    if (compare(random_program(seed), design)) ++compared;
    ++seed;
    ASSERT_LT(tried, 10 * wanted) << "nearly all programs are too big";
  }
  RecordProperty("programs", static_cast<int>(compared));
}

}  // namespace
}  // namespace drover::tests
