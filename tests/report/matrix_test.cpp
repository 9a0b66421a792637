// The table of tests x designs.
#include "report/matrix.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <sstream>

#include "samples.hpp"

namespace drover::report {
namespace {

class Matrix : public ::testing::Test {
 protected:
  const litmus::Program& test(const std::string& name) {
    return tests_.emplace_back(sample_program(name));
  }
  const design::Design& design(design::Design design) {
    return designs_.emplace_back(std::move(design));
  }
  void add(const litmus::Program& program, const design::Design& design, std::uint64_t positive,
           std::uint64_t negative) {
    runs_.push_back(sample_run(program, design, sample_result(positive, negative)));
  }
  std::deque<litmus::Program> tests_;
  std::deque<design::Design> designs_;
  std::vector<report::Run> runs_;
};

TEST_F(Matrix, SmallTable) {
  const auto &a = test("alpha"), &b = test("be");
  const auto &old = design(sample_kernel("4.18", 0)), &recent = design(sample_kernel("7.2", 1)),
             &other = design(sample_proposal("block-fork"));
  add(a, old, 1, 0);
  add(a, recent, 0, 1);
  add(a, other, 0, 1);
  add(b, old, 1, 1);
  add(b, recent, 0, 0);
  add(b, other, 0, 1);
  runs_[3].differences = {"expected Never, found Sometimes"};
  runs_[4] = incomplete(runs_[4], "memory limit");
  runs_[5].result.verdict = litmus::Verdict::unsupported;
  EXPECT_EQ(matrix_text(runs_, 3, {}),
            "       4.18\n"
            "          7.2\n"
            "alpha  A  N\n"
            "be     S! ?\n"
            "\n"
            "       block-fork\n"
            "alpha  N\n"
            "be     -\n"
            "\n"
            "! be linux-4.18: expected Never, found Sometimes\n"
            "\n"
            "? be linux-7.2: memory limit\n"
            "\n"
            "A Always  S Sometimes  N Never  - Unsupported  ? incomplete  ! not as expected\n"
            "2 tests, 3 designs: 4 cells as expected, 1 differs, 1 incomplete\n");
}

TEST_F(Matrix, LongHeadsGetNumbersAndALegend) {
  const auto& a = test("alpha");
  add(a, design(sample_proposal("a-name-that-is-far-too-long")), 1, 0);
  add(a, design(sample_proposal("short")), 0, 1);
  const std::string text = matrix_text(runs_, 2, {});
  EXPECT_TRUE(
      text.starts_with(" 1 a-name-that-is-far-too-long\n"
                       " 2 short\n"
                       "       1  2\n"
                       "alpha  A  N\n"))
      << text;
}

TEST_F(Matrix, NeverWiderThanEightyColumns) {
  const auto& long_name = test(std::string(60, 'n'));
  for (unsigned i = 0; i < 40; ++i) {
    add(long_name, design(sample_kernel("6." + std::to_string(10 + i), i)), 1, 0);
  }
  std::istringstream lines(matrix_text(runs_, 40, {}));
  unsigned letters = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(width_of(line), kWidth) << line;
    if (line.starts_with("nnn")) {
      letters += static_cast<unsigned>(std::count(line.begin(), line.end(), 'A'));
    }
  }
  EXPECT_EQ(letters, 40U) << "every cell is in one of the tables";
}

TEST_F(Matrix, ColourAddsNothingButColour) {
  const auto& a = test("alpha");
  add(a, design(sample_kernel("4.18", 0)), 1, 0);
  add(a, design(sample_kernel("7.2", 1)), 0, 1);
  runs_[1].differences = {"x"};
  const std::string plain = matrix_text(runs_, 2, {});
  std::string colour = matrix_text(runs_, 2, {.colour = true, .unicode = false});
  EXPECT_NE(colour.find("\033["), std::string::npos);
  for (std::size_t at; (at = colour.find("\033[")) != std::string::npos;) {
    colour.erase(at, colour.find('m', at) + 1 - at);
  }
  // Spaces at the end of a line are removed only where no colour comes after them.
  std::istringstream plain_lines(plain), colour_lines(colour);
  for (std::string p, c; std::getline(plain_lines, p) && std::getline(colour_lines, c);) {
    EXPECT_EQ(c.substr(0, c.find_last_not_of(' ') + 1), p);
  }
}

TEST_F(Matrix, Json) {
  const auto& a = test("alpha");
  add(a, design(sample_kernel("4.18", 0)), 1, 0);
  add(a, design(sample_kernel("7.2", 1)), 0, 1);
  runs_[1].differences = {"expected Always, found Never"};
  const auto json = matrix_json(runs_, 2);
  EXPECT_EQ(json["schema"], "drover.matrix/1");
  EXPECT_EQ(json["designs"], (std::vector<std::string>{"linux-4.18", "linux-7.2"}));
  ASSERT_EQ(json["tests"].size(), 1U);
  EXPECT_EQ(json["tests"][0]["test"], "alpha");
  const auto& cell = json["tests"][0]["cells"]["linux-7.2"];
  EXPECT_EQ(cell["observation"], "Never");
  EXPECT_EQ(cell["standing"], "differs");
  EXPECT_EQ(cell["differences"][0], "expected Always, found Never");
  EXPECT_EQ(json["summary"]["as_expected"], 1);
  EXPECT_EQ(json["summary"]["differ"], 1);
}

TEST_F(Matrix, Nothing) {
  EXPECT_EQ(matrix_text({}, 3, {}), "0 tests\n");
  EXPECT_EQ(matrix_json({}, 3)["tests"].size(), 0U);
}

}  // namespace
}  // namespace drover::report
