// --help and --version.
#include "drover_process.hpp"

namespace drover::cli {
namespace {

using Help = DroverProcess;

TEST_F(Help, OfEachCommandEndsWithExamples) {
  for (const char* command : {"check", "matrix", "explain", "designs", "claims", "fmt"}) {
    const Output result = run(std::string(command) + " --help");
    EXPECT_EQ(result.status, 0) << command;
    EXPECT_EQ(result.err, "");
    const std::size_t at = result.out.find("\nExamples:\n");
    ASSERT_NE(at, std::string::npos) << command;
    std::istringstream examples(result.out.substr(at + 11));
    unsigned count = 0;
    for (std::string line; std::getline(examples, line) && !line.empty(); ++count) {
      EXPECT_TRUE(line.starts_with("  drover " + std::string(command))) << line;
    }
    EXPECT_EQ(count, 2U) << command;
  }
}

TEST_F(Help, FitsEightyColumns) {
  for (const char* command : {"", "check", "matrix", "explain", "designs", "claims", "fmt"}) {
    std::istringstream lines(run(std::string(command) + " --help").out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

TEST_F(Help, NeedsNoData) {
  data_ = "/nonexistent";
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_EQ(run("check --help").status, 0);
  const Output version = run("--version");
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.out.starts_with("drover ")) << version.out;
}

TEST_F(Help, AMistypedCommandIsNamed) {
  const Output result = run("chekc");
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err, "drover: error: unknown command `chekc`\nhint: did you mean `check`?\n");
}

}  // namespace
}  // namespace drover::cli
