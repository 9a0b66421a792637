// docs/real-kernels-table.md against the suite: a test that was added, renamed or became runnable
// without a run on the kernels shows here.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "litmus/litmus.hpp"
#include "native/emit/emit.hpp"

namespace drover::native {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Rows {
  std::set<std::string> ran, not_runnable;
};

// The first cell of each row, without "(racy)". Heads and the row of sums are no tests.
Rows rows_of(const std::string& document) {
  Rows rows;
  bool tests = false, ran = true;
  std::istringstream lines(document);
  for (std::string line; std::getline(lines, line);) {
    if (line == "## Not runnable") ran = false;
    if (!line.starts_with("| ")) tests = false;
    if (tests && !line.starts_with("| --- |") && !line.starts_with("| **")) {
      std::string name = line.substr(2, line.find(" |", 2) - 2);
      name.resize(std::min(name.find(" (racy)"), name.size()));
      (ran ? rows.ran : rows.not_runnable).insert(name);
    }
    if (line.starts_with("| test |")) tests = true;
  }
  return rows;
}

TEST(RealKernelsTable, HasARowForEveryTestOfTheSuiteAndNoOther) {
  const fs::path source = DROVER_SOURCE_DIR;
  Rows rows = rows_of(text_of(source / "docs/real-kernels-table.md"));
  const std::string hint = "; CONTRIBUTING.md says how to write the table anew";
  unsigned runnable_tests = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source / "litmus")) {
    if (entry.path().extension() != ".litmus") continue;
    const auto parsed = litmus::parse(text_of(entry.path()), entry.path().string());
    ASSERT_TRUE(parsed.program) << entry.path();
    const std::string& name = parsed.program->name;
    const bool can_run = runnable(*parsed.program).ok;
    runnable_tests += can_run ? 1 : 0;
    if (can_run) {
      EXPECT_EQ(rows.ran.erase(name), 1U) << name << " has not been run" << hint;
    } else {
      // A kernel of one's own (gup_test) may run what others cannot.
      EXPECT_EQ(rows.not_runnable.erase(name) + rows.ran.erase(name), 1U)
          << name << " is not listed" << hint;
    }
  }
  EXPECT_GT(runnable_tests, 100U);
  for (const auto& left : {rows.ran, rows.not_runnable}) {
    for (const std::string& name : left) ADD_FAILURE() << name << " is no test any more" << hint;
  }
}

}  // namespace
}  // namespace drover::native
