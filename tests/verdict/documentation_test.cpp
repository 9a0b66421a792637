// The examples of docs/language.md are whole tests: they parse, they are as expected on every
// design they name, and together they use every operation of the language.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "litmus/litmus.hpp"
#include "litmus/operations.hpp"
#include "support/programs.hpp"
#include "verdict/check.hpp"
#include "verdict/expectation.hpp"

namespace drover::verdict {
namespace {

std::vector<std::string> examples() {
  std::ifstream file(DROVER_SOURCE_DIR "/docs/language.md");
  std::vector<std::string> found;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```litmus") {
      inside = true;
      found.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      found.back() += line + "\n";
    }
  }
  return found;
}

TEST(LanguageReference, ExamplesAreAsExpected) {
  const design::Registry& registry = tests::registry();
  litmus::KnownDesigns known;
  for (const design::Design& d : registry.designs()) {
    (d.release ? known.kernels : known.others).push_back(d.name);
  }
  ASSERT_GE(examples().size(), 9U);
  for (const std::string& text : examples()) {
    const auto parsed = litmus::parse(text, "docs/language.md", known);
    for (const auto& d : parsed.diagnostics) ADD_FAILURE() << litmus::to_string(d, text);
    if (!parsed.program) continue;
    for (const design::Design& design : registry.designs()) {
      const Expected wanted = expected(*parsed.program, design, registry);
      if (!wanted.verdict) continue;
      for (const auto& line : differences(wanted, check(*parsed.program, design))) {
        ADD_FAILURE() << parsed.program->name << " on " << design.name << ": " << line;
      }
    }
  }
}

TEST(LanguageReference, ExamplesUseEveryOperation) {
  std::string all;
  for (const std::string& text : examples()) all += text;
  for (const litmus::Operation& operation : litmus::operations()) {
    EXPECT_NE(all.find(std::string(operation.name) + "("), std::string::npos) << operation.name;
  }
}

}  // namespace
}  // namespace drover::verdict
