// Where a run stands, and the words for it.
#include "report/run.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace drover::report {
namespace {

class RunTest : public ::testing::Test {
 protected:
  report::Run run(std::uint64_t positive, std::uint64_t negative) {
    return sample_run(program_, design_, sample_result(positive, negative));
  }
  Validation validate(litmus::Quantifier quantifier, report::Run run) {
    program_.condition.quantifier = quantifier;
    return validation(run);
  }
  litmus::Program program_ = sample_program();
  design::Design design_ = sample_kernel("5.8", 4);
};

using litmus::Quantifier;

TEST_F(RunTest, ACompleteSearchDecidesTheCondition) {
  EXPECT_EQ(validate(Quantifier::exists, run(1, 1)), Validation::ok);
  EXPECT_EQ(validate(Quantifier::exists, run(0, 1)), Validation::no);
  EXPECT_EQ(validate(Quantifier::not_exists, run(1, 1)), Validation::no);
  EXPECT_EQ(validate(Quantifier::not_exists, run(0, 1)), Validation::ok);
  EXPECT_EQ(validate(Quantifier::forall, run(1, 0)), Validation::ok);
  EXPECT_EQ(validate(Quantifier::forall, run(1, 1)), Validation::no);
}

TEST_F(RunTest, AnIncompleteSearchDecidesOnlyByWhatItSaw) {
  const auto cut = [&](std::uint64_t p, std::uint64_t n) { return incomplete(run(p, n), "time"); };
  EXPECT_EQ(validate(Quantifier::exists, cut(1, 0)), Validation::ok);
  EXPECT_EQ(validate(Quantifier::exists, cut(0, 5)), Validation::open);
  EXPECT_EQ(validate(Quantifier::not_exists, cut(1, 0)), Validation::no);
  EXPECT_EQ(validate(Quantifier::not_exists, cut(0, 5)), Validation::open);
  EXPECT_EQ(validate(Quantifier::forall, cut(5, 0)), Validation::open);
  EXPECT_EQ(validate(Quantifier::forall, cut(5, 1)), Validation::no);
}

TEST_F(RunTest, AnIncompleteRunIsNeverAVerdict) {
  const report::Run cut = incomplete(run(0, 5), "time limit");
  EXPECT_EQ(letter(cut.result), '?');
  EXPECT_STREQ(observation(cut.result), "Incomplete");
  EXPECT_EQ(standing(cut), Standing::incomplete);
}

TEST_F(RunTest, Letters) {
  EXPECT_EQ(letter(run(1, 0).result), 'A');
  EXPECT_EQ(letter(run(1, 1).result), 'S');
  EXPECT_EQ(letter(run(0, 1).result), 'N');
  report::Run lacking = run(0, 0);
  lacking.result.verdict = litmus::Verdict::unsupported;
  EXPECT_EQ(letter(lacking.result), '-');
}

TEST_F(RunTest, StandingNeedsAnExpectation) {
  report::Run silent = run(0, 1);
  EXPECT_EQ(standing(silent), Standing::as_expected);
  silent.expected.verdict.reset();
  EXPECT_EQ(standing(silent), Standing::unstated);
  silent.expected.must_violate = bit(litmus::Property::coherence);
  EXPECT_EQ(standing(silent), Standing::as_expected);
  silent.differences = {"coherence should be violated, but holds"};
  EXPECT_EQ(standing(silent), Standing::differs);
}

TEST_F(RunTest, MakeRunComparesWithTheExpectations) {
  design::Registry registry;
  litmus::Expectation expectation;
  expectation.verdict = litmus::Verdict::never;
  expectation.designs = {{"linux-5.8", "linux-5.8"}};
  expectation.line = 29;
  program_.expectations = {expectation};
  // An empty registry knows no design, so the expectation covers none.
  EXPECT_EQ(standing(make_run(program_, design_, registry, sample_result(1, 0))),
            Standing::unstated);
  verdict::CheckResult leak = sample_result(0, 1);
  leak.violated = bit(litmus::Property::balance);  // must hold unless an expectation names it
  const report::Run run = make_run(program_, design_, registry, leak);
  EXPECT_EQ(standing(run), Standing::differs);
  EXPECT_EQ(run.differences.size(), 1U);
}

TEST(RunWords, QuantifiedIsSpacedAsHerdDoes) {
  litmus::Condition condition;
  condition.quantifier = litmus::Quantifier::exists;
  condition.text = "(a:r = 0 /\\ b:s != 1 /\\ ~b:SIGSEGV)";
  EXPECT_EQ(quantified(condition), "exists (a:r=0 /\\ b:s!=1 /\\ ~b:SIGSEGV)");
}

TEST(RunWords, TallyNamesUnstatedRunsOnlyIfThereAreAny) {
  Tally tally;
  tally.counts = {5, 0, 1, 2};
  EXPECT_EQ(to_string(tally), "5 as expected, 1 differs, 2 incomplete");
  tally.counts = {5, 3, 2, 0};
  EXPECT_EQ(to_string(tally), "5 as expected, 2 differ, 0 incomplete, 3 without expectation");
  EXPECT_EQ(tally.total(), 10U);
}

TEST(RunWords, ShortName) {
  EXPECT_EQ(short_name("linux-5.10.0"), "5.10.0");
  EXPECT_EQ(short_name("block-fork"), "block-fork");
}

}  // namespace
}  // namespace drover::report
