// The JSON of `check`.
#include <gtest/gtest.h>

#include "report/check_json.hpp"
#include "samples.hpp"

namespace drover::report {
namespace {

TEST(CheckJson, AllFieldsOfARun) {
  const litmus::Program program = sample_program();
  const design::Design design = sample_kernel("4.18", 0);
  verdict::CheckResult result = sample_result(1, 2);
  result.violated = bit(litmus::Property::coherence);
  report::Run run = sample_run(program, design, result);
  run.expected.verdict = litmus::Verdict::never;
  run.expected.reason = "because";
  run.expected.line = 29;
  run.differences = {"expected Never, found Sometimes"};
  const auto json = check_json(std::vector{run}, machine::Granularity::fine);
  EXPECT_EQ(json["schema"], "drover.check/1");
  EXPECT_EQ(json["granularity"], "fine");
  const auto& one = json["runs"][0];
  EXPECT_EQ(one["test"], "sample");
  EXPECT_EQ(one["design"], "linux-4.18");
  EXPECT_EQ(one["hash"], program.hash);
  EXPECT_EQ(one["quantifier"], "~exists");
  EXPECT_EQ(one["observation"], "Sometimes");
  EXPECT_EQ(one["validated"], "No");
  EXPECT_EQ(one["positive"], 1);
  EXPECT_EQ(one["negative"], 2);
  ASSERT_EQ(one["outcomes"].size(), 2U);
  EXPECT_EQ(one["outcomes"][0]["values"]["parent:r"], 0);
  EXPECT_EQ(one["outcomes"][0]["holds"], true);
  EXPECT_EQ(one["outcomes"][1]["values"]["parent:r"], 7);
  EXPECT_EQ(one["outcomes"][1]["states"], 2);
  EXPECT_EQ(one["outcomes"][1]["holds"], false);
  EXPECT_EQ(one["violated"], std::vector<std::string>{"coherence"});
  EXPECT_TRUE(one["unsupported"].is_null());
  EXPECT_TRUE(one["incomplete"].is_null());
  EXPECT_EQ(one["expected"]["verdict"], "Never");
  EXPECT_EQ(one["expected"]["line"], 29);
  EXPECT_EQ(one["standing"], "differs");
  EXPECT_EQ(one["states"], 42);
  EXPECT_EQ(json["summary"]["runs"], 1);
  EXPECT_EQ(json["summary"]["differ"], 1);
}

TEST(CheckJson, MemoryThatIsNotMappedIsNull) {
  litmus::Program program = sample_program();
  program.condition.atoms[0].kind = litmus::AtomKind::memory;
  program.condition.atoms[0].name = "parent:buf.x";
  const design::Design design = sample_kernel("4.18", 0);
  verdict::CheckResult result;
  result.outcomes[{machine::kUnmapped}] = 1;
  const auto json = run_json(sample_run(program, design, result));
  EXPECT_TRUE(json["outcomes"][0]["values"]["parent:buf.x"].is_null());
}

TEST(CheckJson, TruthsAreBooleans) {
  litmus::Program program = sample_program();
  program.condition.atoms[0].kind = litmus::AtomKind::sigsegv;
  program.condition.atoms[0].name = "parent:SIGSEGV";
  const design::Design design = sample_kernel("4.18", 0);
  const auto json = run_json(sample_run(program, design, sample_result(1, 0)));
  EXPECT_EQ(json["outcomes"][0]["values"]["parent:SIGSEGV"], false);
}

TEST(CheckJson, AnIncompleteRunHasNoVerdict) {
  const litmus::Program program = sample_program();
  const design::Design design = sample_kernel("4.18", 0);
  const auto json =
      run_json(incomplete(sample_run(program, design, sample_result(0, 3)), "time limit"));
  EXPECT_EQ(json["observation"], "Incomplete");
  EXPECT_EQ(json["incomplete"], "time limit");
  EXPECT_EQ(json["validated"], "Unknown");
}

}  // namespace
}  // namespace drover::report
