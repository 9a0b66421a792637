// Partial-order reduction changes no result: final states by outcome, violated properties, on the
// suite under all designs and on random programs; and it does leave out what it should.
#include <gtest/gtest.h>

#include <string>

#include "random_program.hpp"
#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace drover::tests {
namespace {

using machine::Granularity;

verdict::CheckResult run(const litmus::Program& program, const design::Design& design,
                         bool reduction, Granularity granularity = Granularity::coarse) {
  verdict::CheckOptions options;
  options.reduction = reduction;
  options.granularity = granularity;
  options.state_limit = 50'000;
  return verdict::check(program, design, options);
}

/// Compares with and without; false if the program is too big without.
bool compare(const litmus::Program& program, const design::Design& design, Granularity granularity,
             const std::string& text) {
  const auto whole = run(program, design, false, granularity);
  if (!whole.complete()) return false;
  const auto reduced = run(program, design, true, granularity);
  EXPECT_TRUE(reduced.complete()) << reduced.incomplete_reason << "\n" << text;
  EXPECT_TRUE(verdict::same_outcomes(reduced, whole)) << program.name << " " << design.name << "\n"
                                                      << text;
  EXPECT_EQ(reduced.violated, whole.violated) << program.name << " " << design.name << "\n" << text;
  EXPECT_LE(reduced.states, whole.states) << program.name << " " << design.name << "\n" << text;
  return true;
}

TEST(Reduction, ChangesNoResultOfTheSuite) {
  unsigned runs = 0;
  for (const litmus::Program& program : suite()) {
    for (const design::Design& design : registry().designs()) {
      for (const auto granularity : {Granularity::coarse, Granularity::fine}) {
        EXPECT_TRUE(compare(program, design, granularity, "")) << program.name << " is too big";
        ++runs;
      }
    }
  }
  EXPECT_GT(runs, 10'000U);
}

TEST(Reduction, ChangesNoResultOfRandomPrograms) {
  const unsigned long wanted = environment("DROVER_RANDOM_PROGRAMS", 2000);
  std::uint64_t seed = environment("DROVER_RANDOM_SEED", 1);
  unsigned long compared = 0;
  for (unsigned long tried = 0; compared < wanted && !testing::Test::HasFailure(); ++tried) {
    const design::Design& design = registry().designs()[seed % registry().designs().size()];
    const std::string text = random_program(seed++);
    const litmus::Program program = parse(text);
    if (!verdict::unsupported_operation(program, design).empty()) continue;
    if (compare(program, design, Granularity::coarse, text)) ++compared;
    ASSERT_LT(tried, 10 * wanted) << "nearly all programs are too big";
  }
}

TEST(Reduction, OneOrderOfIndependentStoresIsEnough) {
  // (3 + 1) * (3 + 1) positions of two threads; one path of 3 + 3 steps through them.
  const auto program = parse(R"(litmus two-pages
anon a { x }
anon b { y }
process p { a.x = 1; a.x = 2; a.x = 3; }
thread p.t { b.y = 1; b.y = 2; b.y = 3; }
~exists (p:a.x = 0)
)");
  const design::Design& design = *registry().find("linux-7.2");
  EXPECT_EQ(run(program, design, false).states, 16U);
  EXPECT_EQ(run(program, design, true).states, 7U);
}

TEST(Reduction, StoresToOneWordAreTakenInEveryOrder) {
  const auto program = parse(R"(litmus one-word
anon a { x }
process p { a.x = 1; a.x = 2; }
thread p.t { a.x = 3; }
exists (p:a.x = 3)
)");
  const design::Design& design = *registry().find("linux-7.2");
  const auto result = run(program, design, true);
  EXPECT_EQ(result.outcomes.size(), 2U);  // 3 if t stores last, else 2
  EXPECT_EQ(result.verdict, litmus::Verdict::sometimes);
}

TEST(Reduction, ASignalWaitsForNobody) {
  // The signal depends on nobody's future: it goes first, and the two stores are in sequence.
  const auto program = parse(R"(litmus signal
anon a { x }
process p { a.x = 1; signal go; a.x = 2; }
thread p.t { await go; a.x = 3; }
exists (p:a.x = 3)
)");
  const design::Design& design = *registry().find("linux-7.2");
  const auto whole = run(program, design, false);
  const auto reduced = run(program, design, true);
  // By (position of p, of t), and whose store was last where it matters. In full: (0,0) (1,0) (2,0)
  // (3,0) (2,1) (3,1) (2,2) and (3,2) twice. Reduced, t's await follows the signal at once:
  // (3,0) is not met.
  EXPECT_EQ(whole.states, 9U);
  EXPECT_EQ(reduced.states, 8U);
  EXPECT_EQ(reduced.outcomes, whole.outcomes);
}

TEST(Reduction, WhoIsWokenByAnotherCounts) {
  // u cannot move at first, and only t, whom p has nothing to do with, can wake it. Still its store
  // may come before p's.
  const auto program = parse(R"(litmus woken
anon a { x }
anon b { y }
process p { a.x = 1; }
thread p.t { b.y = 1; signal go; }
thread p.u { await go; a.x = 2; }
thread p.v { b.y = 2; }
exists (p:a.x = 1)
)");
  const auto result = run(program, *registry().find("linux-7.2"), true);
  EXPECT_EQ(result.outcomes.size(), 2U);
  EXPECT_EQ(result.verdict, litmus::Verdict::sometimes);
}

TEST(Reduction, AnExitThatKillsAThreadIsTakenFirstToo) {
  // If c exits before its thread signals, p waits for ever.
  const auto program = parse(R"(litmus killed
anon a { x }
process p { fork(c); await go; a.x = 1; }
process c { exit; }
thread c.t { signal go; }
exists (p:a.x = 1)
)");
  const auto result = run(program, *registry().find("linux-7.2"), true);
  EXPECT_TRUE(result.violates(litmus::Property::progress));
  EXPECT_EQ(result.outcomes.size(), 1U);
}

TEST(Reduction, ARegisterThatNobodyReadsTellsNothingApart) {
  // Positions of p and t, and 0 or 1 in r where p has loaded: (0,0) (0,1) (1,0) and (1,1) twice.
  const std::string text = R"(litmus dead-register
anon a { x }
process p { r = a.x; }
thread p.t { a.x = 1; }
exists )";
  const design::Design& design = *registry().find("linux-7.2");
  EXPECT_EQ(run(parse(text + "(p:r = 1)\n"), design, false).states, 5U);
  EXPECT_EQ(run(parse(text + "(p:r = 1)\n"), design, true).states, 5U);
  EXPECT_EQ(run(parse(text + "(true)\n"), design, false).states, 5U);
  EXPECT_EQ(run(parse(text + "(true)\n"), design, true).states, 4U);
}

TEST(Reduction, AWordThatNobodyReadsTellsNothingApart) {
  // Two stores to one word, in either order: (0,0) (1,0) (0,1), and (1,1) with 1 or 2 in it.
  const std::string text = R"(litmus dead-word
anon a { x }
process p { a.x = 1; }
thread p.t { a.x = 2; }
exists )";
  const design::Design& design = *registry().find("linux-7.2");
  EXPECT_EQ(run(parse(text + "(p:a.x = 1)\n"), design, true).states, 5U);
  EXPECT_EQ(run(parse(text + "(true)\n"), design, false).states, 5U);
  EXPECT_EQ(run(parse(text + "(true)\n"), design, true).states, 4U);
  // A fork to come compares values (the consistent cut), so they are kept until it is over.
  const auto forks = parse(R"(litmus cut
anon a { x }
process p { a.x = 1; fork(c); }
process c { }
thread p.t { a.x = 2; }
exists (true)
)");
  EXPECT_TRUE(verdict::same_outcomes(run(forks, design, true), run(forks, design, false)));
}

TEST(Reduction, ResultsInsideOfAStatementAreKept) {
  // complete() sets s before its last step; nothing reads s until then but the sum after it.
  const auto program = parse(R"(litmus inside
anon a { x = 1 }
process p { io = direct_write(a.x); s = complete(io); twice = s + s; }
thread p.t { a.x = 2; }
exists (p:twice = 4)
)");
  const design::Design& design = *registry().find("linux-7.2");
  const auto reduced = run(program, design, true);
  EXPECT_EQ(reduced.verdict, litmus::Verdict::sometimes);
  EXPECT_TRUE(verdict::same_outcomes(reduced, run(program, design, false)));
}

TEST(Reduction, AuditAgrees) {
  const auto program = parse(R"(litmus audited
anon a { x }
anon b { y }
process p { fork(c); a.x = 1; b.y = 1; }
process c { a.x = 2; b.y = 2; }
thread c.t { r = b.y; }
exists (c.t:r = 0)
)");
  verdict::CheckOptions options;
  options.reduction = options.audit = true;
  for (const design::Design& design : registry().designs()) {
    EXPECT_TRUE(verdict::check(program, design, options).complete());
  }
}

}  // namespace
}  // namespace drover::tests
