// `drover matrix` as a user runs it.
#include <nlohmann/json.hpp>

#include "drover_process.hpp"

namespace drover::cli {
namespace {

using MatrixCommand = DroverProcess;

TEST_F(MatrixCommand, TestsByPathDesignsInOrder) {
  write("b.litmus", fork_test("b", kTrueExpectations));
  write("a.litmus", fork_test("a", kTrueExpectations));
  const Output result = run("matrix b.litmus a.litmus --design linux-7.2,linux-4.18");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(
      result.out.starts_with("   4.18\n"
                             "      7.2\n"
                             "a  A  N\n"
                             "b  A  N\n"))
      << result.out;
  EXPECT_TRUE(
      result.out.ends_with("2 tests, 2 designs: 4 cells as expected, 0 differ, 0 incomplete\n"));
}

TEST_F(MatrixCommand, ADifferenceIsMarkedAndStatusOne) {
  write("a.litmus", fork_test("a", "expect Never on linux-4.18\n"));
  const Output result = run("matrix a.litmus --design linux-4.18");
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(contains(result.out, "a  A!\n")) << result.out;
  EXPECT_TRUE(contains(result.out, "! a linux-4.18: expected Never, found Always\n"));
}

TEST_F(MatrixCommand, ColourOnlyWhenAsked) {
  write("a.litmus", fork_test("a", kTrueExpectations));
  EXPECT_FALSE(contains(run("matrix a.litmus").out, "\033"));
  EXPECT_TRUE(contains(run("matrix a.litmus --color always").out, "\033["));
  EXPECT_FALSE(contains(run("matrix a.litmus --color never").out, "\033"));
  EXPECT_EQ(run("matrix a.litmus --color sometimes").status, 2);
}

TEST_F(MatrixCommand, Json) {
  write("a.litmus", fork_test("a", kTrueExpectations));
  const auto json = nlohmann::json::parse(run("matrix a.litmus --json").out);
  EXPECT_EQ(json["schema"], "drover.matrix/1");
  EXPECT_EQ(json["tests"][0]["cells"]["linux-4.18"]["observation"], "Always");
}

TEST_F(MatrixCommand, TheSuiteFitsEightyColumns) {
  const Output result = run("matrix '" + data_ + "/litmus'");
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace drover::cli
