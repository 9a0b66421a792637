// `drover explain` as a user runs it.
#include <nlohmann/json.hpp>

#include "drover_process.hpp"

namespace drover::cli {
namespace {

class ExplainCommand : public DroverProcess {
 protected:
  ExplainCommand() { write("t.litmus", fork_test("t", kTrueExpectations)); }
};

TEST_F(ExplainCommand, AViolatedPropertyFirst) {
  const Output result = run("explain t.litmus --design linux-5.8");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "Shown: coherence is violated\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "mr = pin(buf, FOLL_WRITE | FOLL_LONGTERM)")) << result.out;
  EXPECT_TRUE(contains(result.out, "* VIOLATED: coherence\n"));
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(ExplainCommand, TheParentMovesToAnotherFrame) {
  const Output result = run("explain t.litmus --design linux-5.8 --goal true");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "mr pins frame A")) << result.out;
  EXPECT_TRUE(contains(result.out, "parent: buf -> frame B, writable")) << result.out;
  EXPECT_TRUE(contains(result.out, "frame A: buf.x 0 -> 2")) << "the device writes the old frame";
  EXPECT_TRUE(result.out.ends_with("Outcome parent:r=1;\n")) << result.out;
}

TEST_F(ExplainCommand, AGoalThatNoRunReaches) {
  const Output result = run("explain t.litmus --design linux-7.2 --goal true");
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(contains(result.out, "no run in which the condition's proposition is true"))
      << result.out;
  EXPECT_EQ(run("explain t.litmus --design linux-7.2 --goal false").status, 0);
}

TEST_F(ExplainCommand, ADeadlockNamesWhoWaits) {
  write("wait.litmus",
        "litmus wait\nanon buf { x }\nprocess p { await never; r = buf.x; }\n"
        "thread p.t { q = buf.x; if (q) { signal never; } }\nexists (p:r = 0)\n");
  const Output result = run("explain wait.litmus --design linux-7.2 --goal progress");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_TRUE(contains(result.out, "Shown: progress is violated\n")) << result.out;
  EXPECT_TRUE(result.out.ends_with("Outcome: none, these never end:\n    p: await never\n"))
      << result.out;
}

TEST_F(ExplainCommand, UnsupportedSaysWhat) {
  const Output result = run("explain io-uring-fixed-buffer-fork --design linux-4.18");
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(contains(result.out, "linux-4.18 lacks register_buffer")) << result.out;
}

TEST_F(ExplainCommand, Json) {
  const Output result = run("explain t.litmus --design linux-5.8 --json");
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["schema"], "drover.explain/1");
  EXPECT_EQ(json["steps"][0]["statement"], "mr = pin(buf, FOLL_WRITE | FOLL_LONGTERM)");
}

TEST_F(ExplainCommand, UsageErrors) {
  for (const char* arguments :
       {"explain t.litmus", "explain --design linux-5.8", "explain . --design linux-5.8 extra",
        "explain t.litmus --design linux-5.8 --goal coherent", "explain t.litmus --design nonsense",
        "explain missing --design linux-5.8"}) {
    const Output result = run(arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_NE(result.err, "") << arguments;
  }
  EXPECT_TRUE(contains(run("explain t.litmus --design linux-5.8 --goal coherent").err,
                       "did you mean `coherence`?"));
}

}  // namespace
}  // namespace drover::cli
