// `drover check` as a user runs it: output, exit statuses, limits, signals.
#include <nlohmann/json.hpp>

#include "drover_process.hpp"

namespace drover::cli {
namespace {

using Check = DroverProcess;

TEST_F(Check, OneDesignGivesHerdsBlock) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  const Output run1 = run("check t.litmus --design linux-4.18");
  EXPECT_EQ(run1.status, 0) << run1.err;
  EXPECT_TRUE(
      run1.out.starts_with("Test t Forbidden\n"
                           "States 1\n"
                           "parent:r=1;\n"
                           "No\n"
                           "Witnesses\n"
                           "Positive: 1 Negative: 0\n"
                           "Condition ~exists (parent:r=1)\n"
                           "Observation t Always 1 0\n"
                           "Time t "))
      << run1.out;
  EXPECT_TRUE(contains(run1.out, "\nDesign linux-4.18\nProperty coherence violated\nHash="))
      << run1.out;
  EXPECT_EQ(run1.err, "");
}

TEST_F(Check, AFolderGivesALinePerTestAndACount) {
  write("suite/a.litmus", fork_test("a", kTrueExpectations));
  write("suite/sub/b.litmus", fork_test("b", kTrueExpectations));
  const Output result = run("check suite");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out,
            "Ok a                                   A 4.18-5.8 N 5.10.0-7.2\n"
            "Ok b                                   A 4.18-5.8 N 5.10.0-7.2\n"
            "2 tests, 32 runs: 32 as expected, 0 differ, 0 incomplete\n");
}

TEST_F(Check, ADifferenceIsStatusOneAndShownInFull) {
  write("t.litmus", fork_test("t", "expect Never on linux-4.18\nexpect Never on linux-7.2\n"));
  const Output result = run("check t.litmus");
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.out.starts_with("Differs t ")) << result.out;
  EXPECT_TRUE(contains(result.out, "\nDiffers expected Never, found Always\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "Design linux-4.18\n"));
  EXPECT_FALSE(contains(result.out, "Design linux-7.2\n")) << "that one is as expected";
}

TEST_F(Check, WithoutExpectationTheNewestKernel) {
  write("t.litmus", fork_test("t", ""));
  const Output result = run("check t.litmus");
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(contains(result.out, "Observation t Never 0 1\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "Design linux-7.2\n"));
}

TEST_F(Check, ATestOfTheSuiteByName) {
  const Output result = run("check rdma-fork-parent-writes --design linux-5.8");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "Observation rdma-fork-parent-writes Always 1 0\n"));
}

TEST_F(Check, AnUnknownNameGetsAHint) {
  const Output result = run("check rdma-fork-parent-write");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "0 tests, 0 runs: 0 as expected, 0 differ, 0 incomplete\n");
  EXPECT_TRUE(contains(result.err, "no file, folder or test named `rdma-fork-parent-write`"));
  EXPECT_TRUE(contains(result.err, "hint: did you mean `rdma-fork-parent-writes`?")) << result.err;
}

TEST_F(Check, AnUnknownDesignGetsAHint) {
  write("t.litmus", fork_test("t", ""));
  const Output result = run("check t.litmus --design linux-5.11");
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(contains(result.err, "unknown design `linux-5.11`")) << result.err;
  EXPECT_TRUE(contains(result.err, "hint: did you mean `linux-5.1")) << result.err;
}

TEST_F(Check, InputErrorsAreAllPrintedAndTheOtherTestsRun) {
  write("bad.litmus",
        "litmus bad\nanon buf { x }\nprocess p { buf.q = 1; nonsense(buf); }\n"
        "exists (p:r = 0)\n");
  write("worse.litmus", "litmus");
  write("good.litmus", fork_test("good", kTrueExpectations));
  const Output result = run("check bad.litmus missing.litmus worse.litmus good.litmus");
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(contains(result.err, "bad.litmus:3:")) << result.err;
  EXPECT_TRUE(contains(result.err, "nonsense"));
  EXPECT_TRUE(contains(result.err, "worse.litmus:1:"));
  EXPECT_TRUE(contains(result.err, "no such file: `missing.litmus`"));
  EXPECT_TRUE(result.out.starts_with("Ok good ")) << result.out;
}

TEST_F(Check, InputErrorsWinOverDifferences) {
  write("t.litmus", fork_test("t", "expect Never on linux-4.18\n"));
  EXPECT_EQ(run("check t.litmus missing.litmus").status, 2);
}

TEST_F(Check, ThingsThatAreNoTests) {
  std::filesystem::create_directory(folder_ / "empty");
  const Output empty = run("check empty");
  EXPECT_EQ(empty.status, 2);
  EXPECT_TRUE(contains(empty.err, "no *.litmus file below `empty`")) << empty.err;
  EXPECT_EQ(run("check /dev/zero").status, 2);
  write("big.litmus", std::string((1U << 20U) + 1, ' '));
  EXPECT_TRUE(contains(run("check big.litmus").err, "larger than 1 MiB"));
  EXPECT_EQ(run("check ''").status, 2);
}

TEST_F(Check, AnUnreadableFile) {
  write("t.litmus", fork_test("t", ""));
  std::filesystem::permissions(folder_ / "t.litmus", std::filesystem::perms::none);
  if (std::ifstream(folder_ / "t.litmus").is_open()) GTEST_SKIP() << "root reads everything";
  const Output result = run("check t.litmus");
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(contains(result.err, "cannot read `t.litmus`")) << result.err;
}

TEST_F(Check, UsageErrors) {
  write("t.litmus", fork_test("t", ""));
  for (const char* arguments :
       {"check", "check t.litmus --nonsense", "check t.litmus --granularity=medium",
        "check t.litmus -j 0", "check t.litmus --time-limit -1", "check t.litmus --memory-limit x",
        "check t.litmus --all --design linux-5.8", "check t.litmus --design linux-7.2..linux-4.18",
        "check t.litmus --design linux-5.8..block-fork", "check t.litmus --design ''",
        "check t.litmus --design-file missing.toml", "", "nonsense"}) {
    const Output result = run(arguments);
    EXPECT_EQ(result.status, 2) << arguments << '\n' << result.out;
    EXPECT_NE(result.err, "") << arguments;
  }
}

TEST_F(Check, FilesMayFollowTheDesigns) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  const Output result = run("check --design linux-5.8,linux-7.2 --design linux-4.18 t.litmus");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "A 4.18-5.8 N 7.2\n")) << result.out;
}

TEST_F(Check, RangesOfKernels) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  const Output result = run("check t.litmus --design linux-5.8..linux-5.10,linux-7.2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "A 5.8 N 5.10.0-7.2\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "1 test, 4 runs: 4 as expected"));
}

TEST_F(Check, TimesMayHaveAUnit) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  for (const char* time : {"90", "90s", "0.5m", "1h"}) {
    EXPECT_EQ(run(std::string("check t.litmus --time-limit ") + time).status, 0) << time;
  }
  for (const char* time : {"0", "-1", "90x", "soon", "s"}) {
    const Output result = run(std::string("check t.litmus --time-limit ") + time);
    EXPECT_EQ(result.status, 2) << time;
    EXPECT_TRUE(contains(result.err, "write 90, 90s, 2m or 1.5h")) << result.err;
  }
}

TEST_F(Check, InterchangeableThreadsAreTakenTogether) {
  write("t.litmus",
        "litmus t\nanon a { x }\nprocess p { }\nthread p.t { a.x = 1; }\nthread p.u { a.x = 1; }\n"
        "thread p.v { a.x = 1; }\nexists (p:a.x = 1)\n");
  const auto states = [&](const std::string& options) {
    const Output result = run("check t.litmus --design linux-7.2 --json " + options);
    return nlohmann::json::parse(result.out)["runs"][0]["states"].get<int>();
  };
  EXPECT_EQ(states("--no-reduction"), 8);  // who has stored
  EXPECT_EQ(states("--audit"), 4);         // how many have
  EXPECT_GT(states("--no-symmetry"), 4);
  EXPECT_TRUE(contains(run("check t.litmus --design linux-7.2 --json").out, "\"interchanges\": 6"));
}

TEST_F(Check, AUsersOwnDesign) {
  write("t.litmus", fork_test("t", ""));
  write("mine.toml", "title = \"Mine\"\nextends = \"linux-4.18\"\n");
  const Output result = run("check t.litmus --design-file mine.toml");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "Design mine\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "Observation t Always 1 0\n"));
  write("broken.toml", "title = \"Broken\"\nextends = \"linux-9.9\"\n");
  const Output broken = run("check t.litmus --design-file broken.toml");
  EXPECT_EQ(broken.status, 2);
  EXPECT_TRUE(contains(broken.err, "broken.toml:")) << broken.err;
}

TEST_F(Check, FineGranularityAgrees) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  EXPECT_EQ(run("check t.litmus --granularity fine").status, 0);
}

TEST_F(Check, Json) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  const Output result = run("check t.litmus --json");
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["schema"], "drover.check/1");
  ASSERT_EQ(json["runs"].size(), 16U);
  EXPECT_EQ(json["runs"][0]["design"], "linux-4.18");
  EXPECT_EQ(json["runs"][0]["observation"], "Always");
  EXPECT_EQ(json["runs"][15]["observation"], "Never");
  EXPECT_EQ(json["runs"][0]["hash"], json["runs"][15]["hash"]);
  EXPECT_EQ(json["summary"]["as_expected"], 16);
}

TEST_F(Check, ManyThreadsSayTheSameAsOne) {
  const std::string suite = std::string(DROVER_SOURCE_DIR) + "/litmus/seeds";
  for (const char* how : {"", " --json", " --all -v"}) {
    const Output one = run("check '" + suite + "' -j 1" + how);
    const Output many = run("check '" + suite + "' -j 8" + how);
    EXPECT_EQ(without_times(one.out), without_times(many.out)) << how;
    EXPECT_EQ(one.status, many.status);
    EXPECT_GT(one.out.size(), 1000U);
  }
}

TEST_F(Check, LimitsMakeARunIncompleteAndNeverNever) {
  write("endless.litmus", endless_test());
  const Output time = run("check endless.litmus --granularity fine --time-limit 0.3");
  EXPECT_EQ(time.status, 3) << time.err;
  EXPECT_TRUE(contains(time.out, "Observation endless Incomplete ")) << time.out;
  EXPECT_TRUE(contains(time.out, "Incomplete time limit (")) << time.out;
  EXPECT_FALSE(contains(time.out, "Never"));
  const Output memory =
      run("check endless.litmus --granularity fine --memory-limit 16M --time-limit 60");
  EXPECT_EQ(memory.status, 3) << memory.err;
  EXPECT_TRUE(contains(memory.out, "Incomplete memory limit (")) << memory.out;
}

TEST_F(Check, ASignalMakesTheRestIncomplete) {
  write("endless.litmus", endless_test());
  for (const char* signal : {"INT", "TERM"}) {
    const Output result =
        run("check endless.litmus --granularity fine --design linux-4.18,linux-7.2 -j 1 "
            "--memory-limit 2G --time-limit 60",
            std::string("timeout --preserve-status -s ") + signal + " 1");
    EXPECT_EQ(result.status, 3) << signal << result.err;
    EXPECT_TRUE(contains(result.out, "Incomplete interrupted (")) << result.out;
    EXPECT_TRUE(contains(result.out, "Incomplete interrupted before it began")) << result.out;
    EXPECT_FALSE(contains(result.out, "Never"));
  }
}

TEST_F(Check, ProgressOnStderrOnly) {
  write("endless.litmus", endless_test());
  const Output quiet = run("check endless.litmus --granularity fine --time-limit 1.5");
  EXPECT_EQ(quiet.err, "") << "stderr is no terminal";
  const Output loud = run("check endless.litmus --granularity fine --time-limit 2.5 --progress");
  EXPECT_TRUE(contains(loud.err, " states/s, frontier ")) << loud.err;
  EXPECT_FALSE(contains(loud.err, "\033")) << "no control characters without a terminal";
}

TEST_F(Check, ThreadsOfOneCheckDoNotChangeItsOutput) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  const std::string one =
      without_times(run("check t.litmus --design linux-7.2 --granularity fine --threads 1").out);
  EXPECT_TRUE(contains(one, "Observation t ")) << one;
  for (const char* threads : {"2", "3", "8"}) {
    const Output many = run(std::string("check t.litmus --design linux-7.2 --granularity fine ") +
                            "--threads " + threads);
    EXPECT_EQ(without_times(many.out), one);
  }
  EXPECT_EQ(run("check t.litmus --threads 0").status, 2);
}

/// The first violation ends the search; a property that was to hold differs all the same.
TEST_F(Check, FirstStopsAtTheFirstViolation) {
  const Output known = run("check rdma-fork-parent-writes --design linux-4.18 --first");
  EXPECT_EQ(known.status, 3) << known.out << known.err;
  EXPECT_TRUE(contains(known.out, "stopped at the first violation")) << known.out;
}

TEST_F(Check, AFullDiskIsNoSuccess) {
  write("t.litmus", fork_test("t", kTrueExpectations));
  const std::string command = "cd '" + folder_.string() + "' && DROVER_DATA='" + data_ +
                              "' '" DROVER_EXECUTABLE "' check t.litmus >/dev/full 2>.err";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
  EXPECT_TRUE(contains(read(".err"), "cannot write to standard output"));
}

}  // namespace
}  // namespace drover::cli
