// Compact searches and random walks: never complete, never showing what is not there, and their
// figures against the exhaustive search.
#include <gtest/gtest.h>

#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace drover::verdict {
namespace {

using tests::registry;

CheckResult run(const CheckOptions& options) {
  const litmus::Program program = tests::load("bench/scenarios/three-processes.litmus");
  return check(program, *registry().find("linux-7.2"), options);
}

bool is_part_of(const CheckResult& part, const CheckResult& whole) {
  for (const auto& [outcome, states] : part.outcomes) {
    if (!whole.outcomes.contains(outcome)) return false;
  }
  return (part.violated & ~whole.violated) == 0;
}

TEST(Sampling, FingerprintsFindAllOfASmallSpaceAndSayHowManyMayBeMissing) {
  const CheckResult whole = run({});
  CheckOptions options;
  options.mode = Mode::fingerprints;
  const CheckResult compact = run(options);
  EXPECT_FALSE(compact.complete());
  // n (n - 1) / 2^65 for n = 36,702 is 3.7e-11: a collision would be a miracle.
  EXPECT_EQ(whole.states, 36'702U);
  EXPECT_EQ(compact.incomplete_reason,
            "64-bit fingerprints: 3.7e-11 states are expected to be missing, and what only they "
            "lead to");
  EXPECT_EQ(compact.states, whole.states);
  EXPECT_EQ(compact.transitions, whole.transitions);
  EXPECT_EQ(compact.outcomes, whole.outcomes);
}

TEST(Sampling, ALargeBitTableFindsAllOfASmallSpace) {
  const CheckResult whole = run({});
  CheckOptions options;
  options.mode = Mode::bitstate;
  options.memory_limit = std::uint64_t{1} << 24;  // 0.2% of the bits get set
  const CheckResult large = run(options);
  EXPECT_EQ(large.states, whole.states);
  EXPECT_TRUE(is_part_of(large, whole));
  EXPECT_TRUE(large.incomplete_reason.starts_with("bitstate: ")) << large.incomplete_reason;
}

TEST(Sampling, WalksAreReproducibleWhateverTheThreads) {
  const CheckResult whole = run({});
  CheckOptions options;
  options.mode = Mode::walks;
  options.walks = 300;
  const CheckResult one = run(options);
  options.threads = 3;
  const CheckResult three = run(options);
  EXPECT_FALSE(one.complete());
  EXPECT_TRUE(is_part_of(one, whole));
  EXPECT_EQ(one.outcomes, three.outcomes);
  EXPECT_EQ(one.transitions, three.transitions);
  EXPECT_EQ(one.incomplete_reason, three.incomplete_reason);
  EXPECT_EQ(one.positive + one.negative, 300U);  // every walk ends
  EXPECT_LT(one.states, whole.states);
  options.seed = 2;
  EXPECT_NE(run(options).transitions, one.transitions);
}

TEST(Sampling, ManyWalksOfASmallProgramSeeAllOfIt) {
  const auto program = *litmus::parse(R"(litmus sb
anon m { x, y }
process p { m.x = 1; r = m.y; }
thread p.t { m.y = 1; r = m.x; }
exists (p:r = 0 /\ p.t:r = 0)
)",
                                      "t")
                            .program;
  CheckOptions options;
  options.mode = Mode::walks;
  options.walks = 1000;
  const CheckResult result = check(program, *registry().find("linux-7.2"), options);
  EXPECT_EQ(result.states, 13U);  // counted by hand in check_test.cpp
  EXPECT_EQ(result.outcomes.size(), 3U);
  EXPECT_EQ(result.transitions, 4000U);
}

}  // namespace
}  // namespace drover::verdict
