// Layout of swim lanes; see swim_lanes.hpp.
#include "report/swim_lanes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::report {
namespace {

constexpr std::size_t kNumber = 3;   // columns of the step number
constexpr std::size_t kLeast = 16;   // columns of a lane's text: below that nothing is readable
constexpr std::size_t kHanging = 4;  // continuation lines of a paragraph

struct Lanes {
  std::size_t count, text;  // text: columns for text in each lane
  const char *bar, *dash, *cross, *bullet;

  Lanes(std::size_t lanes, Look look) : count(lanes), text(kLeast) {
    // " 12 | text | text": a lane costs two columns before its text and one behind it.
    const std::size_t room = (kWidth - kNumber) / std::max<std::size_t>(lanes, 1);
    if (room > kLeast + 3) text = room - 3;
    bar = look.unicode ? "│" : "|";
    dash = look.unicode ? "─" : "-";
    cross = look.unicode ? "┼" : "+";
    bullet = look.unicode ? "·" : "*";
  }

  [[nodiscard]] std::string rule() const {
    std::string line;
    const auto dashes = [&](std::size_t n) {
      while (n-- > 0) line += dash;
    };
    dashes(kNumber + 1);
    for (std::size_t i = 0; i < count; ++i) {
      line += cross;
      dashes(text + (i + 1 == count ? 1 : 2));
    }
    return line + '\n';
  }

  /// One line of text in one lane.
  [[nodiscard]] std::string line(const std::string& number, std::size_t lane,
                                 const std::string& words) const {
    std::string out = pad(number, kNumber + 1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string cell = i == lane ? words : "";
      out += fmt::format("{} {}", bar, i + 1 == count ? cell : pad(cell, text + 1));
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + '\n';
  }
};

std::vector<std::string> cell_lines(const LaneRow& row, std::size_t width) {
  std::vector<std::string> lines;
  for (const std::string& paragraph : row.cell) {
    const std::size_t lead = std::min(paragraph.find_first_not_of(' '), width / 2);
    const std::string margin(lead, ' ');
    for (const std::string& line : wrap(paragraph, width - lead, kHanging)) {
      lines.push_back(margin + line);
    }
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

std::string heads_line(const Lanes& lanes, const std::vector<std::string>& heads) {
  std::string out(kNumber + 1, ' ');
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const std::string head = shorten(heads[i], lanes.text);
    out +=
        fmt::format("{} {}", lanes.bar, i + 1 == heads.size() ? head : pad(head, lanes.text + 1));
  }
  return out + '\n';
}

}  // namespace

std::string swim_lanes(const std::vector<std::string>& heads, const std::vector<LaneRow>& rows,
                       Look look) {
  const Lanes lanes(heads.size(), look);
  std::string out = heads_line(lanes, heads) + lanes.rule();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string number = fmt::format("{:>{}}", r + 1, kNumber);
    for (const std::string& line : cell_lines(rows[r], lanes.text)) {
      out += lanes.line(number, rows[r].lane, line);
      number.clear();
    }
    for (const std::string& remark : rows[r].remarks) {
      out += hang(fmt::format("{}{} ", std::string(kNumber + 3, ' '), lanes.bullet), remark);
    }
  }
  return out;
}

}  // namespace drover::report
