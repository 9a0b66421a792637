// Erroneous inputs: the files of errors/, each beside what must be reported; and inputs that are
// no litmus files at all.
#include <random>

#include "support.hpp"

namespace drover::litmus {
namespace {

struct Expected {
  unsigned line = 0, column = 0;
  std::string message, hint;
};

std::string trimmed(const std::string& s) {
  const auto first = s.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return s.substr(first, s.find_last_not_of(' ') + 1 - first);
}

/// Lines of `line:column | part of the message | part of the hint`.
std::vector<Expected> expectations(const std::filesystem::path& path) {
  std::istringstream in(read_file(path));
  std::vector<Expected> out;
  for (std::string line; std::getline(in, line);) {
    Expected e;
    const auto first = line.find(" |");
    const auto second = line.rfind(" | ");
    const std::string place = line.substr(0, first);
    e.line = static_cast<unsigned>(std::stoul(place));
    e.column = static_cast<unsigned>(std::stoul(place.substr(place.find(':') + 1)));
    e.message = trimmed(line.substr(first + 2, second - first - 2));
    e.hint = trimmed(line.substr(second + 3));
    out.push_back(e);
  }
  return out;
}

TEST(Errors, EachFileReportsExactlyWhatIsExpected) {
  const auto files = files_below(source_folder() / "tests/litmus/errors", ".litmus");
  ASSERT_GE(files.size(), 40u);
  for (auto path : files) {
    const std::string text = read_file(path);
    const ParseResult r = parse(text, path.filename().string(), some_designs());
    EXPECT_FALSE(r.program) << path;
    const std::vector<Expected> expected = expectations(path.replace_extension(".expected"));
    std::string all;
    for (const Diagnostic& d : r.diagnostics) all += to_string(d, text);
    ASSERT_FALSE(expected.empty()) << path;
    EXPECT_EQ(r.diagnostics.size(), expected.size()) << path << "\n" << all;
    for (std::size_t i = 0; i < std::min(r.diagnostics.size(), expected.size()); ++i) {
      const Diagnostic& d = r.diagnostics[i];
      const Expected& e = expected[i];
      EXPECT_TRUE(d.line == e.line && d.column == e.column)
          << path << ": expected " << e.line << ':' << e.column << "\n"
          << all;
      EXPECT_NE(d.message.find(e.message), std::string::npos) << path << "\n" << all;
      EXPECT_NE(d.hint.find(e.hint), std::string::npos) << path << ": " << e.hint << "\n" << all;
    }
  }
}

TEST(Errors, NoTextIsAnError) {
  for (const std::string text : {"", "   \n", "// only a comment\n", "\"", "(*", "\xff\xfe"}) {
    const ParseResult r = parse(text, "x");
    EXPECT_FALSE(r.program);
    EXPECT_FALSE(r.diagnostics.empty());
  }
}

TEST(Errors, BytesThatAreNotText) {
  const std::string text = "litmus t\n// \xc3\x28\n";
  const ParseResult r = parse(text, "x");
  ASSERT_EQ(r.diagnostics.size(), 1u);
  EXPECT_EQ(r.diagnostics[0].line, 2u);
  EXPECT_EQ(r.diagnostics[0].column, 4u);
}

TEST(Errors, HugeInput) {
  const std::string text(std::size_t{1} << 20, '(');
  EXPECT_EQ(parse(text, "x").diagnostics.size(), 1u);
}

TEST(Errors, DeepNestingEndsWithAnError) {
  for (const std::string unit : {"(", "~", "{", "if (1) {", "repeat 16 {", "(*", "~("}) {
    std::string deep;
    while (deep.size() < 200000) deep += unit;
    for (const char* start : {"litmus t\nprocess p {", "litmus t\nprocess p { }\nexists ("}) {
      EXPECT_FALSE(parse(start + deep, "x").diagnostics.empty());
    }
  }
}

TEST(Errors, NestedEmptyRepeatsEnd) {
  std::string text = "litmus t\nprocess p {\n";
  for (int i = 0; i < 40; ++i) text += "repeat 16 { ";
  for (int i = 0; i < 40; ++i) text += "} ";
  EXPECT_TRUE(parse(text + "}\nexists (true)\n", "x").program);
}

TEST(Errors, TokenSoup) {
  const std::vector<std::string> words = {
      "litmus",    "t",        "anon",    "buf",      "process",     "p",         "thread",
      "daemon",    "exists",   "forall",  "~",        "expect",      "Never",     "on",
      "linux-5.8", "..",       "{",       "}",        "(",           ")",         "[",
      "]",         ",",        ";",       ":",        ".",           "=",         "==",
      "+",         "-",        "|",       "/\\",      "\\/",         "!",         "1",
      "17",        "300",      "r",       "h",        "x",           "pin",       "unpin",
      "fork",      "complete", "post",    "dma_read", "repeat",      "if",        "else",
      "signal",    "await",    "exit",    "mremap",   "same_frame",  "SIGSEGV",   "true",
      "\"text\"",  "// c\n",   "(* c *)", "\n",       "violates",    "coherence", "FOLL_WRITE",
      "-EFAULT",   "0x",       "@",       "\"",       "independent", "in",        "pagemap",
      "speculate", "holds",    "hugetlb", "pool",     "SIGBUS"};
  std::mt19937 random(20240607);
  std::size_t reported = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = round % 2 == 0 ? "litmus t anon buf { x } process p { " : "";
    const std::size_t length = random() % 60;
    for (std::size_t i = 0; i < length; ++i) text += words[random() % words.size()] + ' ';
    const ParseResult r = parse(text, "soup", some_designs());
    EXPECT_NE(r.program.has_value(), !r.diagnostics.empty()) << text;
    for (const Diagnostic& d : r.diagnostics) reported += to_string(d, text).size();
    if (r.ast) {
      const ParseResult again = parse(format(*r.ast), "again", some_designs());
      ASSERT_TRUE(again.ast) << format(*r.ast);
      EXPECT_TRUE(*again.ast == *r.ast) << text;
    }
  }
  EXPECT_GT(reported, 0u);
}

}  // namespace
}  // namespace drover::litmus
