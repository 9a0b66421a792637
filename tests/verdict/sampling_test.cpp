// Compact searches and random walks: never complete, never showing what is not there, and their
// figures against the exhaustive search.
#include <gtest/gtest.h>

#include "explore/swarm.hpp"
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

/// A sample of `whole`, which three threads take as one does.
CheckResult reproducible_sample(CheckOptions options, const CheckResult& whole) {
  const CheckResult one = run(options);
  options.threads = 3;
  const CheckResult three = run(options);
  EXPECT_FALSE(one.complete());
  EXPECT_TRUE(is_part_of(one, whole));
  EXPECT_EQ(one.outcomes, three.outcomes);
  EXPECT_EQ(one.transitions, three.transitions);
  EXPECT_EQ(one.incomplete_reason, three.incomplete_reason);
  return one;
}

TEST(Sampling, WalksAreReproducibleWhateverTheThreads) {
  const CheckResult whole = run({});
  CheckOptions options;
  options.mode = Mode::walks;
  options.runs = 300;
  const CheckResult one = reproducible_sample(options, whole);
  EXPECT_EQ(one.positive + one.negative, 300U);  // every walk ends
  EXPECT_LT(one.states, whole.states);
  options.threads = 3;
  options.seed = 2;
  EXPECT_NE(run(options).transitions, one.transitions);
}

TEST(Sampling, ASwarmIsReproducibleWhateverTheThreads) {
  const CheckResult whole = run({});
  CheckOptions options;
  options.mode = Mode::swarm;
  options.runs = 5;
  const CheckResult one = reproducible_sample(options, whole);
  // Large tables for so small a space: each search sees nearly all of it, and the others saw the
  // same. The estimate of the different states is within a few standard errors of their number.
  EXPECT_GT(one.transitions, 49 * whole.transitions / 10);
  EXPECT_NEAR(static_cast<double>(one.states), static_cast<double>(whole.states), 200);
  EXPECT_EQ(one.violated, whole.violated);
  EXPECT_EQ(one.outcomes.size(), whole.outcomes.size());
}

TEST(Sampling, ManySmallSearchesSeeMoreThanOne) {
  const litmus::Program program = tests::load("bench/scenarios/three-processes.litmus");
  machine::Machine model(program, registry().find("linux-7.2")->switches,
                         machine::Granularity::coarse);
  explore::Team<machine::Machine> team(model, 1);
  const explore::SearchOptions options;
  const auto ignore = [](unsigned, explore::StateBytes) {};
  const auto states = [&](std::uint64_t searches) {
    return explore::Swarm(team, options, ignore, 1 << 10).run(searches, 1).states;
  };
  // Tables of 1 KiB are half full after some 1,900 of 36,702 states.
  EXPECT_LT(states(1), 3'000U);
  EXPECT_GT(states(40), 5 * states(1));
  EXPECT_LT(states(40), 40'000U);
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
  options.runs = 1000;
  const CheckResult result = check(program, *registry().find("linux-7.2"), options);
  EXPECT_EQ(result.states, 13U);  // counted by hand in check_test.cpp
  EXPECT_EQ(result.outcomes.size(), 3U);
  EXPECT_EQ(result.transitions, 4000U);
}

}  // namespace
}  // namespace drover::verdict
