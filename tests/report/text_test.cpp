// Wrapping, padding and shortening of text.
#include "report/text.hpp"

#include <gtest/gtest.h>

namespace drover::report {
namespace {

using Lines = std::vector<std::string>;

TEST(Text, WidthCountsCodePoints) {
  EXPECT_EQ(width_of("abc"), 3U);
  EXPECT_EQ(width_of("a→b"), 3U);
  EXPECT_EQ(pad("é", 3), "é  ");
  EXPECT_EQ(pad("long", 2), "long");
}

TEST(Text, WrapBreaksAtSpaces) {
  EXPECT_EQ(wrap("one two three", 7), (Lines{"one two", "three"}));
  EXPECT_EQ(wrap("one two three", 9, 2), (Lines{"one two", "  three"}));
  EXPECT_EQ(wrap("one\ntwo", 20), (Lines{"one two"}));
  EXPECT_EQ(wrap("", 10), (Lines{""}));
}

TEST(Text, WrapCutsAWordWiderThanALine) {
  EXPECT_EQ(wrap("abcdefgh", 3), (Lines{"abc", "def", "gh"}));
  EXPECT_EQ(wrap("ab cdefgh", 3), (Lines{"ab", "cde", "fgh"}));
  EXPECT_EQ(wrap("ééé", 2), (Lines{"éé", "é"}));
}

TEST(Text, WrapEndsForAnyWidth) {
  EXPECT_EQ(wrap("ab", 0), (Lines{"a", "b"}));
  EXPECT_EQ(wrap("ab", 1, 5), (Lines{"a", "b"}));
}

TEST(Text, HangKeepsToTheWidth) {
  const std::string text = hang("head ", std::string(50, 'a') + ' ' + std::string(50, 'b'));
  EXPECT_EQ(text, "head " + std::string(50, 'a') + "\n     " + std::string(50, 'b') + '\n');
}

TEST(Text, Shorten) {
  EXPECT_EQ(shorten("abcdef", 6), "abcdef");
  EXPECT_EQ(shorten("abcdefg", 6), "abc...");
}

TEST(Text, Count) {
  EXPECT_EQ(count(1, "test"), "1 test");
  EXPECT_EQ(count(0, "test"), "0 tests");
}

}  // namespace
}  // namespace drover::report
