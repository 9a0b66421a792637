// How errors look.
#include "support.hpp"

namespace drover::litmus {
namespace {

TEST(Diagnostic, Layout) {
  const std::string text =
      "litmus t\nanon buf { x }\nprocess p {\n\tbuf.x = 1;\n\tbfu.x = 1;\n}\nexists (true)\n";
  const ParseResult r = parse(text, "a.litmus");
  ASSERT_EQ(r.diagnostics.size(), 1u);
  EXPECT_EQ(to_string(r.diagnostics[0], text),
            "a.litmus:5:2: error: unknown memory `bfu`\n"
            "    \tbfu.x = 1;\n"
            "    \t^~~\n"
            "expected: buf\n"
            "hint: did you mean `buf`?\n");
}

TEST(Diagnostic, ColumnsCountCodePoints) {
  const Diagnostic d{"f", 1, 5, 2, "m", "e", "h"};
  EXPECT_EQ(to_string(d, "äö€ xyz\n"),
            "f:1:5: error: m\n    äö€ xyz\n        ^~\nexpected: e\nhint: h\n");
}

TEST(Diagnostic, LongLinesAreCut) {
  const std::string text = std::string(500, 'a') + "b" + std::string(500, 'c');
  const Diagnostic d{"f", 1, 501, 1, "m", "", ""};
  const std::string shown = to_string(d, text);
  EXPECT_LT(shown.size(), 300u);
  // The mark stands under the `b`.
  const std::size_t source = shown.find('\n') + 1;
  const std::size_t marks = shown.find('\n', source) + 1;
  EXPECT_EQ(shown.find('b', source) - source, shown.find('^') - marks);
}

TEST(Diagnostic, Nearest) {
  const std::vector<std::string> names = {"parent", "child", "x"};
  EXPECT_EQ(nearest("parnt", names), "parent");
  EXPECT_EQ(nearest("chlid", names), "child");  // an exchange is one edit
  EXPECT_EQ(nearest("chyyd", names), "");       // two edits in five letters: more than a third
  EXPECT_EQ(nearest("childs", names), "child");
  EXPECT_EQ(nearest("y", names), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), names), "");
}

TEST(Diagnostic, BadBytes) {
  EXPECT_EQ(find_bad_byte("plain \t\r\n ä€😀"), std::string_view::npos);
  EXPECT_EQ(find_bad_byte(std::string_view("a\0b", 3)), 1u);
  EXPECT_EQ(find_bad_byte("a\rb"), 1u);
  EXPECT_EQ(find_bad_byte("\xc0\x80"), 0u);          // overlong
  EXPECT_EQ(find_bad_byte("ab\xed\xa0\x80"), 2u);    // a surrogate
  EXPECT_EQ(find_bad_byte("\xf4\x90\x80\x80"), 0u);  // beyond Unicode
  EXPECT_EQ(find_bad_byte("\xe2\x82"), 0u);          // cut short
}

}  // namespace
}  // namespace drover::litmus
