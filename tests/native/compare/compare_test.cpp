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

KernelReport report_of(const std::string& kernel, const Comparison& c) {
  KernelReport report;
  report.kernel = kernel;
  report.release = kernel + "-amd64";
  report.version = kernel + "-1";
  report.design = "linux-x";
  report.comparisons.push_back(c);
  return report;
}

TEST(Print, MarkdownNamesTheBuildsAndTheOutcomesByOneLetterOnAllKernels) {
  const auto p = program();
  const auto first = read_observation(p, output({outcome_line(p, 3, 1, 1)}));
  const auto second = read_observation(p, output({outcome_line(p, 7, 0, 1)}));
  const std::string text =
      markdown({report_of("6.1", compare(p, false, first, model({{1, 1}, {0, 1}}))),
                report_of("6.2", compare(p, false, second, model({{1, 1}})))});
  EXPECT_NE(text.find("| 6.1 | 6.1-amd64 | 6.1-1 | linux-x |\n"), std::string::npos) << text;
  // {0, 1} sorts first and is `a`; 6.1 showed {1, 1} and the model allows one more there.
  EXPECT_NE(text.find("| t (racy) | Never: b (+1) | Never: a (+1) FORBIDDEN | "
                      "a: `p:r=0; same_frame(h, p:m)`<br>b: `p:r=1; same_frame(h, p:m)` |\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("| **agree** | **1** | **0** |"), std::string::npos) << text;
}

TEST(Print, MarkdownListsWhatRanNowhereWithItsReason) {
  const auto p = program();
  Observation skipped;
  skipped.skipped = "no loop device";
  const std::string text = markdown({report_of("6.1", compare(p, true, skipped, model({{1, 1}})))});
  const std::size_t list = text.find("## Not runnable");
  ASSERT_NE(list, std::string::npos);
  EXPECT_NE(text.find("| t | no loop device |", list), std::string::npos) << text;
  EXPECT_EQ(text.substr(0, list).find("| t |"), std::string::npos) << text;
}

TEST(Print, ManyTestsThatFailForOneReasonAreOneLine) {
  const auto p = program();
  Observation failed;
  failed.failed = "not run: it does not boot";
  KernelReport report = report_of("6.1", compare(p, true, failed, model({{1, 1}})));
  report.comparisons.push_back(report.comparisons.front());
  EXPECT_NE(table({report}).find("  t and 1 more: not run: it does not boot\n"), std::string::npos);
}

}  // namespace
}  // namespace drover::native
