// The table of tests x designs; see matrix.hpp.
#include "report/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace drover::report {
namespace {

constexpr std::size_t kMaxName = 48;     // longer test names are shortened
constexpr std::size_t kMaxStairs = 4;    // head lines before numbers with a legend are better
constexpr std::size_t kLongestHead = 6;  // "5.10.0": how far the last head may stick out

struct Table {
  std::span<const Run> runs;
  std::size_t designs;  // per test
  std::size_t name_width;
  std::size_t cell;  // columns: letter, mark, and a space if there is room
  Look look;

  [[nodiscard]] std::size_t margin() const { return name_width + 2; }
  [[nodiscard]] std::size_t tests() const { return runs.size() / designs; }
  [[nodiscard]] const Run& at(std::size_t test, std::size_t design) const {
    return runs[test * designs + design];
  }
};

const char* colour_of(const Run& run) {
  switch (letter(run.result)) {
    case 'A':
      return "\033[33m";  // yellow
    case 'S':
      return "\033[35m";  // magenta
    case 'N':
      return "\033[32m";  // green
    default:
      return "\033[2m";  // faint
  }
}

std::string cell(const Run& run, const Table& table) {
  const bool differs = standing(run) == Standing::differs;
  std::string text(1, letter(run.result));
  if (differs) text += '!';
  const std::string padding(table.cell - text.size(), ' ');
  if (!table.look.colour) return text + padding;
  return fmt::format("{}{}\033[0m{}", differs ? "\033[1;31m" : colour_of(run), text, padding);
}

void end_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

/// Heads too wide for their columns, set as a staircase: every `stairs`-th head in one line.
std::string staircase(const std::vector<std::string>& heads, std::size_t stairs,
                      const Table& table) {
  std::string out;
  for (std::size_t stair = 0; stair < std::min(stairs, heads.size()); ++stair) {
    std::string line;
    for (std::size_t i = stair; i < heads.size(); i += stairs) {
      line = pad(line, table.margin() + i * table.cell) + heads[i];
    }
    end_line(out, line);
  }
  return out;
}

/// The columns [first, last) as one table.
std::string block(const Table& table, std::size_t first, std::size_t last) {
  std::vector<std::string> heads;
  std::size_t widest = 0;
  for (std::size_t d = first; d < last; ++d) {
    heads.push_back(short_name(table.at(0, d).design->name));
    widest = std::max(widest, width_of(heads.back()));
  }
  std::size_t stairs = (widest + table.cell) / table.cell;
  std::string out;
  if (stairs > kMaxStairs) {
    for (std::size_t i = 0; i < heads.size(); ++i) {
      out += fmt::format("{:>2} {}\n", i + 1, heads[i]);
      heads[i] = fmt::format("{}", i + 1);
    }
    stairs = 1;
  }
  out += staircase(heads, stairs, table);
  for (std::size_t t = 0; t < table.tests(); ++t) {
    std::string line = pad(shorten(table.at(t, 0).program->name, table.name_width), table.margin());
    for (std::size_t d = first; d < last; ++d) line += cell(table.at(t, d), table);
    end_line(out, line);
  }
  return out + '\n';
}

/// The columns [first, last) as as many tables as the width asks for.
std::string blocks(Table table, std::size_t first, std::size_t last) {
  const std::size_t room = kWidth - std::min(kWidth, table.margin() + kLongestHead);
  const auto fits = [room](std::size_t cell) {
    return room / cell + 1;
  };  // the last one sticks out
  table.cell = last - first <= fits(3) ? 3 : 2;
  std::string out;
  for (std::size_t d = first; d < last; d += fits(table.cell)) {
    out += block(table, d, std::min(last, d + fits(table.cell)));
  }
  return out;
}

std::string differences(std::span<const Run> runs) {
  std::string out;
  for (const Run& run : runs) {
    for (const std::string& difference : run.differences) {
      out += hang(fmt::format("! {} {}: ", run.program->name, run.design->name), difference);
    }
  }
  return out.empty() ? out : out + '\n';
}

std::string reasons(std::span<const Run> runs) {
  std::string out;
  for (const Run& run : runs) {
    if (run.result.complete()) continue;
    out += hang(fmt::format("? {} {}: ", run.program->name, run.design->name),
                run.result.incomplete_reason);
  }
  return out.empty() ? out : out + '\n';
}

std::string count_line(std::span<const Run> runs, std::size_t designs) {
  Tally tally;
  for (const Run& run : runs) tally.add(run);
  std::string line = fmt::format(
      "{}, {}: {} as expected, {} {}, {} incomplete", count(runs.size() / designs, "test"),
      count(designs, "design"), count(tally.of(Standing::as_expected), "cell"),
      tally.of(Standing::differs), tally.of(Standing::differs) == 1 ? "differs" : "differ",
      tally.of(Standing::incomplete));
  if (tally.of(Standing::unstated) > 0) {
    line += fmt::format(", {} without expectation", tally.of(Standing::unstated));
  }
  return hang("", line);
}

}  // namespace

std::string matrix_text(std::span<const Run> runs, std::size_t designs, Look look) {
  if (runs.empty() || designs == 0) return "0 tests\n";
  Table table{runs, designs, 0, 3, look};
  for (std::size_t t = 0; t < table.tests(); ++t) {
    table.name_width = std::max(table.name_width, width_of(table.at(t, 0).program->name));
  }
  table.name_width = std::min(table.name_width, kMaxName);
  std::size_t kernels = 0;
  while (kernels < designs && runs[kernels].design->release.has_value()) ++kernels;
  std::string out = blocks(table, 0, kernels) + blocks(table, kernels, designs);
  out += differences(runs) + reasons(runs);
  out += "A Always  S Sometimes  N Never  - Unsupported  ? incomplete  ! not as expected\n";
  return out + count_line(runs, designs);
}

nlohmann::ordered_json matrix_json(std::span<const Run> runs, std::size_t designs) {
  nlohmann::ordered_json json;
  json["schema"] = "drover.matrix/1";
  json["designs"] = nlohmann::ordered_json::array();
  json["tests"] = nlohmann::ordered_json::array();
  Tally tally;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    tally.add(run);
    if (i < designs) json["designs"].push_back(run.design->name);
    if (i % designs == 0) {
      json["tests"].push_back({{"test", run.program->name},
                               {"file", run.program->file},
                               {"cells", nlohmann::ordered_json::object()}});
    }
    json["tests"].back()["cells"][run.design->name] = {
        {"observation", observation(run.result)},
        {"violated", property_names(run.result.violated)},
        {"standing", to_string(standing(run))},
        {"differences", run.differences}};
  }
  json["summary"] = {{"tests", designs == 0 ? 0 : runs.size() / designs},
                     {"designs", designs},
                     {"as_expected", tally.of(Standing::as_expected)},
                     {"differ", tally.of(Standing::differs)},
                     {"incomplete", tally.of(Standing::incomplete)},
                     {"without_expectation", tally.of(Standing::unstated)}};
  return json;
}

}  // namespace drover::report
