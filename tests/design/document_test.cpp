// The generated docs/designs.md: complete, readable, and free of anything that varies.
#include "design/document.hpp"

#include <fmt/format.h>

#include <sstream>

#include "files.hpp"

namespace drover::design {
namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) result.push_back(line);
  return result;
}

// The text from the line `## heading` or `### heading` up to the next heading.
std::string section(const std::string& text, const std::string& heading) {
  std::string found;
  bool inside = false;
  for (const std::string& line : lines(text)) {
    if (line.starts_with("##")) inside = line == heading;
    if (inside) found += line + '\n';
  }
  return found;
}

std::string quoted(std::string_view word) {
  return fmt::format("`{}`", word);
}

TEST(Document, NamesEveryDesignSwitchAndValue) {
  const std::string text = markdown(shipped());
  for (const Design& d : shipped().designs()) {
    const std::string own = section(text, "### " + d.name);
    EXPECT_NE(own.find(d.title), std::string::npos) << d.name;
  }
  const std::string switches = section(text, "## Switches");
  for (const SwitchInfo& info : switch_list()) {
    EXPECT_NE(switches.find(quoted(info.name)), std::string::npos);
    EXPECT_NE(switches.find(info.documentation), std::string::npos);
    for (const std::string_view value : info.values) {
      EXPECT_NE(switches.find(quoted(value)), std::string::npos) << value;
    }
  }
}

TEST(Document, MatrixHasEveryKernelOnceInNarrowTables) {
  const std::string matrix = section(markdown(shipped()), "## Policy matrix");
  std::string headers;
  std::size_t rows = 0;
  for (const std::string& line : lines(matrix)) {
    EXPECT_LE(line.size(), 100U) << line;
    if (line.starts_with("| switch ")) headers += line;
    if (line.starts_with("| wp_reuse ")) ++rows;
  }
  for (const Design& d : shipped().designs()) {
    const std::size_t at = headers.find("| " + d.name + ' ');
    EXPECT_EQ(at != std::string::npos, d.release.has_value()) << d.name;
    if (d.release) {
      EXPECT_EQ(headers.find("| " + d.name + ' ', at + 1), std::string::npos);
    }
  }
  EXPECT_GE(rows, 2U);                            // wrapped
  for (const SwitchInfo& info : switch_list()) {  // each has rows or is in the list above them
    const bool row = matrix.find(fmt::format("\n| {} ", info.name)) != std::string::npos;
    const bool constant = matrix.find(fmt::format("\n- `{}`: ", info.name)) != std::string::npos;
    EXPECT_NE(row, constant) << info.name;
  }
  EXPECT_NE(matrix.find("\n- `vmsplice_ref`: get\n"), std::string::npos);
}

TEST(Document, DesignTablesHaveOnlyWhatChanges) {
  const std::string text = markdown(shipped());
  const std::string debian_10 = section(text, "### linux-5.10");
  EXPECT_NE(debian_10.find("| fork_wp_seq | yes | linux-5.10 | 57efa1fe5957 | "),
            std::string::npos);
  EXPECT_EQ(debian_10.find("| wp_reuse |"), std::string::npos);
  const std::string latest = section(text, "### linux-6.18");
  EXPECT_NE(latest.find("| wp_reuse_large_pte | mm_id_owner | linux-6.18 | 1da190f4d0a6 | "),
            std::string::npos);
  EXPECT_EQ(latest.find("| wp_reuse |"), std::string::npos);
  EXPECT_NE(section(text, "### linux-4.18").find("| wp_reuse | mapcount_swapcount |"),
            std::string::npos);
  // Said again by mapcount-unshare, but no change against linux-5.8.
  EXPECT_EQ(section(text, "### mapcount-unshare").find("| wp_reuse |"), std::string::npos);
}

TEST(Document, HasNoAbsolutePathAndNoTrailingSpace) {
  const std::string text = markdown(shipped());
  EXPECT_EQ(text.find(DROVER_SOURCE_DIR), std::string::npos);
  for (const std::string& line : lines(text)) {
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
  EXPECT_EQ(text, markdown(shipped()));
}

class DocumentFiles : public Files {};

TEST_F(DocumentFiles, NotesCannotBreakTheTable) {
  write("a.toml", "[switches.has_pinned]\nvalue = 'sticky'\nnote = \"FOLL_A|FOLL_B\\nmore\"\n");
  Registry registry;
  registry.add_folder(folder_);
  registry.resolve();
  EXPECT_NE(markdown(registry).find("| has_pinned | sticky | a |  | FOLL_A\\|FOLL_B more |\n"),
            std::string::npos);
}

}  // namespace
}  // namespace drover::design
