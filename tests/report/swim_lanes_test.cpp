// Layout of the swim lanes.
#include "report/swim_lanes.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace drover::report {
namespace {

TEST(SwimLanes, TwoLanes) {
  const std::vector<LaneRow> rows = {
      {0, {"fork(child)", "  a note"}, {"child starts"}},
      {1, {"buf.x = 1"}, {}},
  };
  EXPECT_EQ(swim_lanes({"parent", "child"}, rows, {}),
            "    | parent                              | child\n"
            "----+-------------------------------------+------------------------------------\n"
            "  1 | fork(child)                         |\n"
            "    |   a note                            |\n"
            "      * child starts\n"
            "  2 |                                     | buf.x = 1\n");
}

TEST(SwimLanes, FourLanesFitEightyColumns) {
  const std::vector<std::string> heads = {"parent", "parent.thread", "child", "device"};
  std::vector<LaneRow> rows;
  for (std::size_t lane = 0; lane < heads.size(); ++lane) {
    rows.push_back({lane,
                    {"mr = pin(buffer_of_the_parent, FOLL_WRITE | FOLL_LONGTERM, fast)",
                     "  do_wp_page: refcount 1025, mapcount 2"},
                    {std::string(100, 'x')}});
  }
  for (const bool unicode : {false, true}) {
    std::istringstream lines(swim_lanes(heads, rows, {.colour = false, .unicode = unicode}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(width_of(line), kWidth) << line;
  }
}

TEST(SwimLanes, AsciiUnlessUnicodeIsAskedFor) {
  const std::vector<LaneRow> rows = {{0, {"a"}, {"b"}}};
  for (const char c : swim_lanes({"p", "q"}, rows, {})) {
    EXPECT_GE(c, 0) << "a byte beyond ASCII";
  }
  EXPECT_NE(swim_lanes({"p", "q"}, rows, {.colour = false, .unicode = true}).find("│"),
            std::string::npos);
}

}  // namespace
}  // namespace drover::report
