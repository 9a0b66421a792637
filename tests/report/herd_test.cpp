// herd7's log format, line by line.
#include "report/herd.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace drover::report {
namespace {

using litmus::Property;

TEST(Herd, AViolatedRun) {
  const litmus::Program program = sample_program();
  const design::Design design = sample_kernel("4.18", 0);
  verdict::CheckResult result = sample_result(1, 0);
  result.violated = bit(Property::coherence);
  result.seconds = 0.126;
  EXPECT_EQ(herd_block(sample_run(program, design, result)),
            "Test sample Forbidden\n"
            "States 1\n"
            "parent:r=0;\n"
            "No\n"
            "Witnesses\n"
            "Positive: 1 Negative: 0\n"
            "Condition ~exists (parent:r=0)\n"
            "Observation sample Always 1 0\n"
            "Time sample 0.13\n"
            "Design linux-4.18\n"
            "Property coherence violated\n"
            "Hash=0123456789abcdef0123456789abcdef\n");
}

TEST(Herd, OutcomesInOrderAndDifferences) {
  litmus::Program program = sample_program();
  program.condition.quantifier = litmus::Quantifier::exists;
  const design::Design design = sample_kernel("7.2", 15);
  report::Run run = sample_run(program, design, sample_result(2, 3));
  run.differences = {"expected Never, found Sometimes"};
  EXPECT_EQ(herd_block(run),
            "Test sample Allowed\n"
            "States 2\n"
            "parent:r=0;\n"
            "parent:r=7;\n"
            "Ok\n"
            "Witnesses\n"
            "Positive: 2 Negative: 3\n"
            "Condition exists (parent:r=0)\n"
            "Observation sample Sometimes 2 3\n"
            "Time sample 0.00\n"
            "Design linux-7.2\n"
            "Differs expected Never, found Sometimes\n"
            "Hash=0123456789abcdef0123456789abcdef\n");
}

TEST(Herd, AnIncompleteRunSaysWhyAndNeverNever) {
  litmus::Program program = sample_program();
  program.condition.quantifier = litmus::Quantifier::forall;
  const design::Design design = sample_kernel("7.2", 15);
  const std::string text =
      herd_block(incomplete(sample_run(program, design, sample_result(0, 0)), "time limit"));
  EXPECT_NE(text.find("Test sample Required\n"), std::string::npos);
  EXPECT_NE(text.find("\nUnknown\n"), std::string::npos);
  EXPECT_NE(text.find("\nObservation sample Incomplete 0 0\n"), std::string::npos);
  EXPECT_NE(text.find("\nIncomplete time limit (42 states seen)\n"), std::string::npos);
  EXPECT_EQ(text.find("Never"), std::string::npos);
}

TEST(Herd, AnUnsupportedRunNamesTheOperation) {
  const litmus::Program program = sample_program();
  const design::Design design = sample_kernel("4.18", 0);
  verdict::CheckResult result;
  result.verdict = litmus::Verdict::unsupported;
  result.unsupported = "register_buffer (io_uring came with 5.1)";
  const std::string text = herd_block(sample_run(program, design, result));
  EXPECT_NE(text.find("\nObservation sample Unsupported 0 0\n"), std::string::npos);
  EXPECT_NE(text.find("\nUnsupported register_buffer (io_uring came with 5.1)\n"),
            std::string::npos);
}

}  // namespace
}  // namespace drover::report
