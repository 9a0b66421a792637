// Prints designs and switches as Markdown for docs/designs.md. The words about each switch and
// value are in switches.def and designs/*.toml.
#include "design/document.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace drover::design {
namespace {

constexpr std::size_t kTableWidth = 100;  // characters of one row of the matrix

constexpr std::string_view kHead =
    "# Designs and policy switches\n"
    "\n"
    "Generated from `designs/*.toml` and `src/design/switches.def`: change those, not this file.\n"
    "\n"
    "A design is a value for every policy switch of the model. The kernels come first, then the\n"
    "proposals from the mailing lists. A note says where a value comes from: *read in* a source\n"
    "tree, *id checked* (commit id and title were seen together), or *from memory*.\n";

// `|` would end the cell, a line break the row.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string_view value_name(const Design& design, unsigned index) {
  return switch_list()[index].values[value_of(design.switches, index)];
}

using Column = std::vector<std::string>;

void print_columns(std::string& out, const std::vector<Column>& columns) {
  const auto width = [](const Column& c) {
    std::size_t widest = 0;
    for (const std::string& text : c) widest = std::max(widest, text.size());
    return widest;
  };
  for (std::size_t row = 0; row < columns[0].size(); ++row) {
    out += '|';
    for (const Column& c : columns) out += fmt::format(" {:<{}} |", c[row], width(c));
    out += '\n';
    if (row != 0) continue;
    out += '|';
    for (const Column& c : columns) out += fmt::format("{:-<{}}|", "", width(c) + 2);
    out += '\n';
  }
}

// The kernel's column; "=" where the value is that of the kernel before it in the same table.
Column matrix_column(const Design& kernel, const Design* previous, std::span<const unsigned> rows) {
  Column column{kernel.name};
  for (const unsigned i : rows) {
    const bool same =
        previous != nullptr && value_of(previous->switches, i) == value_of(kernel.switches, i);
    column.emplace_back(same ? "=" : value_name(kernel, i));
  }
  return column;
}

std::size_t table_width(const std::vector<Column>& columns) {
  std::size_t sum = 1;
  for (const Column& c : columns) {
    std::size_t widest = 0;
    for (const std::string& text : c) widest = std::max(widest, text.size());
    sum += widest + 3;
  }
  return sum;
}

void print_matrix(std::string& out, std::span<const Design> kernels) {
  out += "\n## Policy matrix\n\n`=` is the value of the column to the left.";
  Column names{"switch"};
  std::vector<unsigned> rows;
  std::vector<std::string> constant;
  for (unsigned i = 0; i < switch_list().size(); ++i) {
    const bool changes = std::any_of(kernels.begin(), kernels.end(), [&](const Design& k) {
      return value_of(k.switches, i) != value_of(kernels.front().switches, i);
    });
    if (changes) {
      rows.push_back(i);
      names.emplace_back(switch_list()[i].name);
    } else {
      constant.push_back(
          fmt::format("- `{}`: {}\n", switch_list()[i].name, value_name(kernels.front(), i)));
    }
  }
  out += fmt::format(" The same in every kernel:\n\n{}\n", fmt::join(constant, ""));

  std::vector<Column> columns{names};
  const Design* previous = nullptr;
  for (const Design& kernel : kernels) {
    columns.push_back(matrix_column(kernel, previous, rows));
    if (columns.size() > 2 && table_width(columns) > kTableWidth) {
      columns.pop_back();
      print_columns(out, columns);
      out += '\n';
      columns = {names, matrix_column(kernel, nullptr, rows)};
    }
    previous = &kernel;
  }
  if (columns.size() > 1) print_columns(out, columns);
}

// A row for each switch that `design` changes; all that it sets if it extends nothing.
void print_changes(std::string& out, const Registry& registry, const Design& design) {
  const Design* base = registry.find(design.extends);
  std::string rows;
  for (unsigned i = 0; i < switch_list().size(); ++i) {
    const Provenance& from = design.provenance[i];
    const bool listed = base != nullptr
                            ? value_of(base->switches, i) != value_of(design.switches, i)
                            : !from.design.empty();
    if (!listed) continue;
    rows += fmt::format("| {} | {} | {} | {} | {} |\n", switch_list()[i].name,
                        value_name(design, i), from.design, cell(from.commit), cell(from.note));
  }
  if (rows.empty()) {
    out += base != nullptr ? fmt::format("\nEvery switch is as in {}.\n", base->name)
                           : "\nEvery switch has its default.\n";
  } else {
    out += "\n| switch | value | set by | commit | note |\n|---|---|---|---|---|\n" + rows;
  }
}

void print_design(std::string& out, const Registry& registry, const Design& design) {
  out += fmt::format("\n### {}\n\n**{}**", design.name, design.title);
  if (!design.extends.empty()) out += fmt::format(", extends {}", design.extends);
  out += '\n';
  if (!design.description.empty()) {
    std::string_view text = design.description;
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    out += fmt::format("\n{}\n", text);
  }
  if (!design.sources.empty()) {
    out += '\n';
    for (const std::string& source : design.sources) out += fmt::format("- {}\n", source);
  }
  print_changes(out, registry, design);
}

void print_switches(std::string& out) {
  out += "\n## Switches\n\nThe first value named is the default, that of linux-4.18.\n\n";
  const Switches defaults;
  for (unsigned i = 0; i < switch_list().size(); ++i) {
    const SwitchInfo& info = switch_list()[i];
    std::vector<std::string_view> values{info.values[value_of(defaults, i)]};
    for (const std::string_view value : info.values) {
      if (value != values[0]) values.push_back(value);
    }
    out += fmt::format("- `{}` (`{}`): {}.\n", info.name, fmt::join(values, "`, `"),
                       info.documentation);
  }
}

}  // namespace

std::string markdown(const Registry& registry) {
  const std::span<const Design> all = registry.designs();
  const auto first_proposal =
      std::find_if(all.begin(), all.end(), [](const Design& d) { return !d.release.has_value(); });
  const auto kernels = all.first(static_cast<std::size_t>(first_proposal - all.begin()));
  std::string out(kHead);
  if (!kernels.empty()) print_matrix(out, kernels);
  out += "\n## Kernels\n";
  for (const Design& design : kernels) print_design(out, registry, design);
  out += "\n## Proposals\n";
  for (const Design& design : all.subspan(kernels.size())) print_design(out, registry, design);
  print_switches(out);
  return out;
}

std::string to_string(const DesignError& error) {
  std::string text = fmt::format("{}:{}:{}: error: {}\n", error.file.string(), error.line,
                                 error.column, error.message);
  if (!error.hint.empty()) text += fmt::format("  hint: {}\n", error.hint);
  return text;
}

}  // namespace drover::design
