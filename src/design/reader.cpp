// Reads one design file (TOML) and reports everything wrong in it, with its place. What `extends`
// means is registry.cpp's business.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

#include "design/raw_design.hpp"

namespace drover::design {
namespace {

Position position(const toml::source_region& region) {
  return {std::max(1U, static_cast<unsigned>(region.begin.line)),
          std::max(1U, static_cast<unsigned>(region.begin.column))};
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a floating-point number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::vector<std::string> names(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

std::vector<std::string> switch_names() {
  std::vector<std::string> result;
  for (const SwitchInfo& info : switch_list()) result.emplace_back(info.name);
  return result;
}

class Reader {
 public:
  Reader(RawDesign& raw, std::vector<DesignError>& errors) : raw_(raw), errors_(errors) {}

  void read(std::string_view text) {
    try {
      const toml::table table = toml::parse(text, raw_.design.file.string());
      read_top_level(table);
    } catch (const toml::parse_error& e) {
      error(position(e.source()), std::string(e.description()));
    }
  }

  void error(Position at, std::string message, std::string hint = {}) {
    errors_.push_back({raw_.design.file, at.line, at.column, std::move(message), std::move(hint)});
    raw_.failed = true;
  }

 private:
  void read_top_level(const toml::table& table) {
    static const std::vector<std::string> kKeys = {"title",   "description", "extends",
                                                   "release", "sources",     "switches"};
    Design& d = raw_.design;
    for (auto&& [key, node] : table) {
      if (key == "title") {
        read_string(key, node, d.title);
      } else if (key == "description") {
        read_string(key, node, d.description);
      } else if (key == "extends") {
        read_string(key, node, d.extends);
        raw_.extends_at = position(node.source());
      } else if (key == "release") {
        read_release(node);
      } else if (key == "sources") {
        read_sources(node);
      } else if (key == "switches") {
        read_switches(node);
      } else {
        std::string hint = did_you_mean(key.str(), kKeys);
        // The commonest slip: a switch written above the [switches] line.
        for (const SwitchInfo& info : switch_list()) {
          if (info.name == key.str()) hint = "it is a switch: write it below [switches]";
        }
        unknown("key", key, kKeys, hint);
      }
    }
  }

  void read_release(const toml::node& node) {
    constexpr std::int64_t kLastRelease = 9999;
    raw_.release_at = position(node.source());
    const auto number = node.value_exact<std::int64_t>();
    if (!number) return wrong_type("release", node, "an integer");
    if (*number < 0 || *number > kLastRelease) {
      return error(raw_.release_at, fmt::format("`release` must be 0 to {}", kLastRelease));
    }
    raw_.design.release = static_cast<unsigned>(*number);
  }

  void read_sources(const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return wrong_type("sources", node, "an array of strings");
    for (const toml::node& element : *array) {
      if (const auto source = element.value_exact<std::string>()) {
        raw_.design.sources.push_back(*source);
      } else {
        wrong_type("sources", element, "an array of strings");
      }
    }
  }

  void read_switches(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return wrong_type("switches", node, "a table");
    for (auto&& [key, entry] : *table) read_switch(key, entry);
  }

  void read_switch(const toml::key& key, const toml::node& node) {
    const std::vector<SwitchInfo>& list = switch_list();
    Setting setting;
    while (setting.index < list.size() && list[setting.index].name != key.str()) ++setting.index;
    if (setting.index == list.size()) {
      const std::vector<std::string> all = switch_names();
      return unknown("switch", key, all, did_you_mean(key.str(), all));
    }
    bool valid = false;
    if (const toml::table* table = node.as_table()) {
      valid = read_setting(key, *table, setting);
    } else {
      valid = read_value(list[setting.index], node, setting);
    }
    if (valid) raw_.settings.push_back(std::move(setting));
  }

  // The long form, [switches.NAME].
  bool read_setting(const toml::key& switch_key, const toml::table& table, Setting& setting) {
    static const std::vector<std::string> kKeys = {"value", "commit", "note"};
    bool found = false;
    bool valid = false;
    for (auto&& [key, node] : table) {
      if (key == "value") {
        found = true;
        valid = read_value(switch_list()[setting.index], node, setting);
      } else if (key == "commit") {
        read_string(key, node, setting.commit);
      } else if (key == "note") {
        read_string(key, node, setting.note);
      } else {
        unknown("key", key, kKeys, did_you_mean(key.str(), kKeys));
      }
    }
    if (!found) {
      error(position(switch_key.source()), fmt::format("`{}` has no `value`", switch_key.str()),
            fmt::format("valid values: {}", fmt::join(switch_list()[setting.index].values, ", ")));
    }
    return valid;
  }

  bool read_value(const SwitchInfo& info, const toml::node& node, Setting& setting) {
    const auto word = node.value_exact<std::string>();
    if (!word) {
      error(position(node.source()),
            fmt::format("the value of `{}` must be a string, not {}", info.name, type_name(node)),
            fmt::format("valid values: \"{}\"", fmt::join(info.values, "\", \"")));
      return false;
    }
    for (unsigned value = 0; value < info.values.size(); ++value) {
      if (info.values[value] != *word) continue;
      setting.value = value;
      return true;
    }
    error(position(node.source()),
          fmt::format("unknown value `{}` of `{}`; valid values: {}", *word, info.name,
                      fmt::join(info.values, ", ")),
          did_you_mean(*word, names(info.values)));
    return false;
  }

  void read_string(const toml::key& key, const toml::node& node, std::string& result) {
    if (const auto text = node.value_exact<std::string>()) {
      result = *text;
    } else {
      wrong_type(key.str(), node, "a string");
    }
  }

  void wrong_type(std::string_view key, const toml::node& node, std::string_view expected) {
    error(position(node.source()),
          fmt::format("`{}` must be {}, not {}", key, expected, type_name(node)));
  }

  void unknown(std::string_view what, const toml::key& key, const std::vector<std::string>& valid,
               std::string hint) {
    error(position(key.source()),
          fmt::format("unknown {} `{}`; valid: {}", what, key.str(), fmt::join(valid, ", ")),
          std::move(hint));
  }

  RawDesign& raw_;
  std::vector<DesignError>& errors_;
};

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string found = nearest(word, candidates);
  return found.empty() ? std::string() : fmt::format("did you mean `{}`?", found);
}

void read_design(RawDesign& raw, std::vector<DesignError>& errors) {
  const std::filesystem::path& file = raw.design.file;
  raw.design.name = file.stem().string();
  Reader reader(raw, errors);
  try {
    std::error_code ignored;
    std::ifstream in(file, std::ios::binary);
    if (!in || std::filesystem::is_directory(file, ignored)) {
      return reader.error({}, "cannot read this file");
    }
    std::ostringstream text;
    text << in.rdbuf();
    const auto before = static_cast<std::ptrdiff_t>(errors.size());
    reader.read(text.str());
    // toml++ sorts a table's entries by key; errors go by their place.
    std::stable_sort(errors.begin() + before, errors.end(), [](const auto& a, const auto& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    if (raw.design.title.empty()) raw.design.title = raw.design.name;
  } catch (const std::exception& e) {  // out of memory, or a path that is no valid string
    reader.error({}, fmt::format("cannot read this file: {}", e.what()));
  }
}

}  // namespace drover::design
