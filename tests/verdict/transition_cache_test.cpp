// What steps did is remembered (explore/transition_cache.hpp): that changes nothing at all, not
// even a count, on the suite under designs in turn and on random programs, from the second state
// on.
#include <gtest/gtest.h>

#include <string>

#include "explore/breadth_first.hpp"
#include "random_program.hpp"
#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace drover::tests {
namespace {

using machine::Granularity;

verdict::CheckResult run(const litmus::Program& program, const design::Design& design,
                         verdict::CheckOptions options, std::uint64_t remember_after) {
  options.remember_after = remember_after;
  options.state_limit = 50'000;
  return verdict::check(program, design, options);
}

void compare(const litmus::Program& program, const design::Design& design,
             const verdict::CheckOptions& options, const std::string& text) {
  const auto plain = run(program, design, options, explore::kUnlimited);
  if (!plain.complete()) return;
  const auto remembered = run(program, design, options, 1);
  const std::string where = program.name + " " + design.name + "\n" + text;
  EXPECT_TRUE(remembered.complete()) << remembered.incomplete_reason << "\n" << where;
  EXPECT_EQ(remembered.states, plain.states) << where;
  EXPECT_EQ(remembered.transitions, plain.transitions) << where;
  EXPECT_EQ(remembered.depth, plain.depth) << where;
  EXPECT_EQ(remembered.outcomes, plain.outcomes) << where;
  EXPECT_EQ(remembered.violated, plain.violated) << where;
}

explore::SearchResult search(const litmus::Program& program, const design::Design& design,
                             Granularity granularity, std::uint64_t remember_after) {
  machine::Machine model(program, design.switches, granularity);
  explore::StateStore store(explore::shape_of(model));
  explore::SearchOptions options;
  options.remember_after = remember_after;
  options.state_limit = 50'000;
  return explore::breadth_first(model, store, options);
}

/// Marks after the fewest steps: what is remembered must find each of them, though states of one
/// level may be in another order.
void compare_marks(const litmus::Program& program, const design::Design& design,
                   Granularity granularity, const std::string& text) {
  const auto plain = search(program, design, granularity, explore::kUnlimited);
  if (!plain.complete()) return;
  const auto remembered = search(program, design, granularity, 1);
  for (std::size_t bit = 0; bit < plain.marks.size(); ++bit) {
    const std::string where =
        program.name + " " + design.name + " mark " + std::to_string(bit) + "\n" + text;
    EXPECT_EQ(remembered.marks[bit].steps, plain.marks[bit].steps) << where;
    EXPECT_EQ(remembered.marks[bit].transitions.size(), plain.marks[bit].transitions.size())
        << where;
    EXPECT_EQ(remembered.marks[bit].terminals.size(), plain.marks[bit].terminals.size()) << where;
  }
}

TEST(TransitionCache, ChangesNothingInTheSuite) {
  unsigned runs = 0, turn = 0;
  for (const litmus::Program& program : suite()) {
    for (const design::Design& design : registry().designs()) {
      if (!verdict::unsupported_operation(program, design).empty()) continue;
      if (turn++ % 4 != 0) continue;  // each test under others
      for (const bool reduction : {false, true}) {
        verdict::CheckOptions options;
        options.reduction = reduction;
        compare(program, design, options, "");
        ++runs;
      }
      compare_marks(program, design, Granularity::fine, "");
    }
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(runs, 5'000U);
}

TEST(TransitionCache, ChangesNothingInRandomPrograms) {
  const unsigned long programs = environment("DROVER_RANDOM_PROGRAMS", 1000);
  for (std::uint64_t seed = 70'001; seed < 70'001 + programs; ++seed) {
    const design::Design& design = registry().designs()[seed % registry().designs().size()];
    const std::string text = random_program(seed);
    const litmus::Program program = parse(text);
    if (!verdict::unsupported_operation(program, design).empty()) continue;
    verdict::CheckOptions options;
    options.reduction = seed / 32 % 2 == 0;
    options.granularity = seed % 3 == 0 ? Granularity::fine : Granularity::coarse;
    compare(program, design, options, text);
    compare_marks(program, design, options.granularity, text);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(TransitionCache, ThreadsRememberOnTheirOwn) {
  const litmus::Program program = load("bench/scenarios/three-processes.litmus");
  const design::Design& design = *registry().find("linux-7.2");
  const auto plain = run(program, design, {}, explore::kUnlimited);
  EXPECT_GT(plain.states, 30'000U);  // levels that are worth several threads
  for (const unsigned threads : {2U, 3U}) {
    verdict::CheckOptions options;
    options.threads = threads;
    const auto remembered = run(program, design, options, 1);
    EXPECT_EQ(remembered.states, plain.states);
    EXPECT_EQ(remembered.transitions, plain.transitions);
    EXPECT_EQ(remembered.outcomes, plain.outcomes);
    EXPECT_EQ(remembered.violated, plain.violated);
  }
}

}  // namespace
}  // namespace drover::tests
