// What is wrong in a design file is reported with its place, all of it, and nothing throws.
#include "design/document.hpp"
#include "files.hpp"

namespace drover::design {
namespace {

struct Bad {
  const char* name;
  const char* text;
  unsigned line, column;
  const char* message;  // part of it
  const char* hint;     // part of it; "" none expected
};

const Bad kBad[] = {
    {"Syntax", "title = 'x'\nextends = \n", 2, 11, "value", ""},
    {"DuplicateKey", "title = 'x'\ntitle = 'y'\n", 2, 9, "cannot redefine existing string 'title'",
     ""},
    {"UnknownKey", "title = 'x'\n  exends = 'y'\n", 2, 3, "unknown key `exends`",
     "did you mean `extends`?"},
    {"UnknownKeyListsTheValidOnes", "colour = 1\n", 1, 1, "title, description, extends", ""},
    {"SwitchAboveItsTable", "wp_reuse = 'refcount_strict'\n", 1, 1, "unknown key `wp_reuse`",
     "below [switches]"},
    {"UnknownSwitch", "[switches]\nwp_resue = 'refcount_strict'\n", 2, 1,
     "unknown switch `wp_resue`", "did you mean `wp_reuse`?"},
    {"UnknownSwitchListsTheValidOnes", "[switches]\nqwertyuiop = 'no'\n", 2, 1,
     "pin_accounting, has_pinned, anon_exclusive", ""},
    {"UnknownSwitchLongForm", "\n[switches.fork_wp_sec]\nvalue = 'yes'\n", 2, 11,
     "unknown switch `fork_wp_sec`", "did you mean `fork_wp_seq`?"},
    {"UnknownValue", "[switches]\nwp_reuse = 'refcount_strickt'\n", 2, 12,
     "valid values: mapcount_swapcount, refcount_strict, refcount_swapaware, "
     "exclusive_or_refcount",
     "did you mean `refcount_strict`?"},
    {"UnknownValueLongForm", "[switches.has_pinned]\nnote = 'n'\nvalue = 'maybe'\n", 3, 9,
     "unknown value `maybe` of `has_pinned`; valid values: absent, sticky", ""},
    {"BooleanValue", "[switches]\nfork_wp_seq = true\n", 2, 15,
     "the value of `fork_wp_seq` must be a string, not a boolean", "\"no\", \"yes\""},
    {"NoValue", "[switches.has_pinned]\nnote = 'n'\n", 1, 11, "`has_pinned` has no `value`",
     "absent, sticky"},
    {"UnknownKeyOfASwitch", "[switches.has_pinned]\nvalue = 'sticky'\ncomit = 'x'\n", 3, 1,
     "unknown key `comit`", "did you mean `commit`?"},
    {"CommitIsNoString", "[switches.has_pinned]\nvalue = 'sticky'\ncommit = 12\n", 3, 10,
     "`commit` must be a string, not an integer", ""},
    {"SwitchesIsNoTable", "switches = 3\n", 1, 12, "`switches` must be a table, not an integer",
     ""},
    {"TitleIsNoString", "title = 1.5\n", 1, 9, "`title` must be a string, not a floating", ""},
    {"ReleaseIsNoInteger", "release = '7'\n", 1, 11, "`release` must be an integer, not a string",
     ""},
    {"ReleaseIsNegative", "release = -1\n", 1, 11, "`release` must be 0 to", ""},
    {"ReleaseIsHuge", "release = 4294967296\n", 1, 11, "`release` must be 0 to", ""},
    {"SourcesIsNoArray", "sources = 'x'\n", 1, 11, "`sources` must be an array of strings", ""},
    {"ASourceIsNoString", "sources = ['x',\n 2]\n", 2, 2, "`sources` must be an array of strings",
     ""},
    {"ExtendsUnknown", "title = 'x'\nextends = 'linux-5.1O'\n", 2, 11,
     "unknown design `linux-5.1O`", "did you mean `linux-5.10`?"},
    {"ExtendsItself", "extends = 'bad'\n", 1, 11, "bad -> bad", ""},
    {"ReleaseTaken", "release = 3\n", 1, 11, "release 3 is already that of `linux-5.10`", ""},
};

class BadFile : public Files, public testing::WithParamInterface<Bad> {};

TEST_P(BadFile, IsReportedWithItsPlace) {
  const Bad& bad = GetParam();
  const auto good = write("linux-5.10.toml", "release = 3\n");
  const auto file = write("bad.toml", bad.text);
  Registry registry;
  registry.add_file(good);
  registry.add_file(file);
  registry.resolve();
  ASSERT_EQ(registry.errors().size(), 1U);
  const DesignError& e = registry.errors()[0];
  EXPECT_EQ(e.file, file);
  EXPECT_EQ(e.line, bad.line) << e.message;
  EXPECT_EQ(e.column, bad.column) << e.message;
  EXPECT_NE(e.message.find(bad.message), std::string::npos) << e.message;
  if (*bad.hint == '\0') {
    EXPECT_EQ(e.hint, "");
  } else {
    EXPECT_NE(e.hint.find(bad.hint), std::string::npos) << e.hint;
  }
  EXPECT_EQ(registry.find("bad"), nullptr);  // a design with errors cannot be used
  EXPECT_NE(registry.find("linux-5.10"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Design, BadFile, testing::ValuesIn(kBad),
                         [](const auto& info) { return std::string(info.param.name); });

class Errors : public Files {};

TEST_F(Errors, AllOfAFileInOrder) {
  const auto file = write("x.toml",
                          "zzz = 1\n"
                          "aaa = 1\n"
                          "release = 'x'\n"
                          "[switches]\n"
                          "wp_reuse = 'x'\n"
                          "nonsense = 'x'\n"
                          "has_pinned = 'sticky'\n");
  Registry registry;
  EXPECT_EQ(registry.add_file(file), "");
  std::vector<unsigned> lines;
  for (const DesignError& e : registry.errors()) lines.push_back(e.line);
  EXPECT_EQ(lines, (std::vector<unsigned>{1, 2, 3, 5, 6}));
}

TEST_F(Errors, CycleIsReportedOnceAndItsUsersFail) {
  write("a.toml", "extends = 'b'\n");
  write("b.toml", "\nextends = 'c'\n");
  write("c.toml", "\n\nextends = 'a'\n");
  write("d.toml", "extends = 'a'\n");
  write("e.toml", "");
  Registry registry;
  registry.add_folder(folder_);
  registry.resolve();
  std::size_t cycles = 0;
  for (const DesignError& e : registry.errors()) {
    if (e.message.find("leads back to itself: a -> b -> c -> a") == std::string::npos) continue;
    ++cycles;
    EXPECT_EQ(e.file, folder_ / "c.toml");
    EXPECT_EQ(e.line, 3U);
    EXPECT_EQ(e.column, 11U);
  }
  EXPECT_EQ(cycles, 1U);
  ASSERT_EQ(registry.designs().size(), 1U);
  EXPECT_EQ(registry.designs()[0].name, "e");
}

TEST_F(Errors, ABrokenBaseBreaksWhatExtendsIt) {
  write("base.toml", "[switches]\nwp_reuse = 'x'\n");
  write("user.toml", "title = 'u'\nextends = 'base'\n");
  Registry registry;
  registry.add_folder(folder_);
  registry.resolve();
  ASSERT_EQ(registry.errors().size(), 2U);
  EXPECT_EQ(registry.errors()[0].file, folder_ / "base.toml");
  EXPECT_EQ(registry.errors()[1].file, folder_ / "user.toml");
  EXPECT_EQ(registry.errors()[1].line, 2U);
  EXPECT_EQ(registry.errors()[1].message, "`extends` names `base`, which has errors");
  EXPECT_TRUE(registry.designs().empty());
}

TEST_F(Errors, SameNameTwiceInOneFolder) {
  write("one/a.toml", "");
  write("two/a.toml", "");
  Registry registry;
  registry.add_folder(folder_);
  ASSERT_EQ(registry.errors().size(), 1U);
  EXPECT_EQ(registry.errors()[0].file, folder_ / "two" / "a.toml");
  EXPECT_NE(registry.errors()[0].message.find("`a` is also defined in"), std::string::npos);
}

TEST_F(Errors, UnreadableFilesAndFolders) {
  Registry registry;
  registry.add_folder(folder_ / "none");
  EXPECT_EQ(registry.add_file(folder_ / "none.toml"), "");
  EXPECT_EQ(registry.add_file(folder_), "");
  EXPECT_EQ(registry.add_file(write("binary.toml", std::string("\xff\xfe\0\x01", 4))), "");
  registry.resolve();
  ASSERT_EQ(registry.errors().size(), 4U);
  EXPECT_NE(registry.errors()[0].message.find("cannot read this folder"), std::string::npos);
  EXPECT_NE(registry.errors()[1].message.find("cannot read this file"), std::string::npos);
  EXPECT_NE(registry.errors()[2].message.find("cannot read this file"), std::string::npos);
  for (const DesignError& e : registry.errors()) {
    EXPECT_GE(e.line, 1U);
    EXPECT_GE(e.column, 1U);
  }
  EXPECT_TRUE(registry.designs().empty());
}

TEST(ErrorText, HasPlaceAndHint) {
  EXPECT_EQ(to_string({"designs/x.toml", 3, 1, "unknown key `a`", ""}),
            "designs/x.toml:3:1: error: unknown key `a`\n");
  EXPECT_EQ(to_string({"designs/x.toml", 3, 1, "unknown key `a`", "did you mean `b`?"}),
            "designs/x.toml:3:1: error: unknown key `a`\n  hint: did you mean `b`?\n");
}

}  // namespace
}  // namespace drover::design
