// Reading what test programs print, and judging it against the model.
#include "native/compare/compare.hpp"

#include <gtest/gtest.h>

#include "litmus/litmus.hpp"
#include "native/compare/print.hpp"

namespace drover::native {
namespace {

litmus::Program program() {
  return *litmus::parse(R"(litmus t
anon m { x }
process p { h = pin(m, FOLL_WRITE | FOLL_LONGTERM); r = m.x; }
exists (p:r = 1 /\ same_frame(h, p:m))
)",
                        "t.litmus")
              .program;
}

qemu::TestOutput output(std::vector<std::string> lines, int status = 0) {
  qemu::TestOutput out;
  out.name = "t";
  out.ending = qemu::Ending::exited;
  out.status = status;
  out.lines = std::move(lines);
  return out;
}

std::string outcome_line(const litmus::Program& p, int count, int r, int same) {
  return "drover-outcome t " + p.hash + " n=" + std::to_string(count) +
         " p:r=" + std::to_string(r) + " same_frame(h, p:m)=" + std::to_string(same);
}

verdict::CheckResult model(std::vector<machine::Outcome> outcomes) {
  verdict::CheckResult result;
  result.design = "linux-x";
  for (auto& outcome : outcomes) result.outcomes[outcome] = 1;
  return result;
}

TEST(ReadObservation, CountsOutcomesWhoseAtomsContainBlanks) {
  const auto p = program();
  const auto seen = read_observation(p, output({"noise", outcome_line(p, 3, 1, 1),
                                                outcome_line(p, 2, 0, 1), "drover-pfn t h=0x12"}));
  EXPECT_EQ(seen.outcomes.at({1, 1}), 3U);
  EXPECT_EQ(seen.outcomes.at({0, 1}), 2U);
  EXPECT_EQ(seen.frames, std::vector<std::string>{"h=0x12"});
  EXPECT_TRUE(seen.failed.empty());
}

TEST(ReadObservation, AnotherTestsHashIsAFailure) {
  const auto p = program();
  const auto seen =
      read_observation(p, output({"drover-outcome t 00 n=1 p:r=1 same_frame(h, p:m)=1"}));
  EXPECT_TRUE(seen.outcomes.empty());
  EXPECT_NE(seen.failed.find("unreadable"), std::string::npos);
}

TEST(ReadObservation, SilenceIsAFailureAndSkippingIsNot) {
  const auto p = program();
  EXPECT_FALSE(read_observation(p, output({})).failed.empty());
  const auto skipped = read_observation(p, output({"drover-skip t no io_uring here"}, 77));
  EXPECT_EQ(skipped.skipped, "no io_uring here");
  EXPECT_TRUE(skipped.failed.empty());
  qemu::TestOutput panicked = output({outcome_line(p, 1, 1, 1)});
  panicked.ending = qemu::Ending::panicked;
  EXPECT_FALSE(read_observation(p, panicked).failed.empty());
}

TEST(Compare, AgreesWhenAllThatWasSeenIsAllowed) {
  const auto p = program();
  const auto seen = read_observation(p, output({outcome_line(p, 3, 1, 1)}));
  const auto c = compare(p, false, seen, model({{1, 1}, {0, 1}}));
  EXPECT_EQ(c.agreement, Agreement::agrees);
  ASSERT_EQ(c.not_observed.size(), 1U);
  EXPECT_EQ(c.not_observed[0], (machine::Outcome{0, 1}));
}

TEST(Compare, AnOutcomeTheModelForbidsIsToldEvenIfTheProgramFailedLater) {
  const auto p = program();
  const auto seen =
      read_observation(p, output({outcome_line(p, 1, 1, 0), "drover-error t timeout"}, 1));
  const auto c = compare(p, true, seen, model({{1, 1}}));
  EXPECT_EQ(c.agreement, Agreement::forbidden);
  EXPECT_EQ(c.forbidden.size(), 1U);
  EXPECT_NE(histogram(c).find("Forbidden p:r=1; ~same_frame(h, p:m);"), std::string::npos);
}

TEST(Compare, NeitherAnIncompleteCheckNorASkippedTestAgrees) {
  const auto p = program();
  auto incomplete = model({{1, 1}});
  incomplete.incomplete_reason = "time limit";
  const auto seen = read_observation(p, output({outcome_line(p, 1, 1, 1)}));
  EXPECT_EQ(compare(p, true, seen, incomplete).agreement, Agreement::failed);
  Observation skipped;
  skipped.skipped = "no loop device";
  EXPECT_EQ(compare(p, true, skipped, model({{1, 1}})).agreement, Agreement::not_runnable);
}

TEST(Print, KtapCountsSkipsAndFailures) {
  const auto p = program();
  KernelReport report;
  report.kernel = "debian:6.1";
  const auto seen = read_observation(p, output({outcome_line(p, 1, 1, 0)}));
  report.comparisons.push_back(compare(p, true, seen, model({{1, 1}})));
  Observation skipped;
  skipped.skipped = "no loop device";
  report.comparisons.push_back(compare(p, true, skipped, model({{1, 1}})));
  const std::string text = ktap({report});
  EXPECT_TRUE(
      text.starts_with("KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: debian:6.1\n"));
  EXPECT_NE(text.find("  not ok 1 t\n"), std::string::npos);
  EXPECT_NE(text.find("  ok 2 t # SKIP no loop device\n"), std::string::npos);
  EXPECT_NE(text.find("\nnot ok 1 debian:6.1\n"), std::string::npos);
}

}  // namespace
}  // namespace drover::native
