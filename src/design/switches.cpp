// The switches as text and by number, generated from switches.def. No policy is decided here.
#include <array>
#include <cassert>

#include "design/design.hpp"

namespace drover::design {
namespace {

#define DROVER_TEXT(...) #__VA_ARGS__

struct Accessor {
  std::string_view name;
  std::string_view values;  // "get_only, bias"
  std::string_view documentation;
  unsigned (*get)(const Switches&);
  void (*set)(Switches&, unsigned);
};

constexpr std::array kAccessors = {
#define SWITCH(name, initial, values, doc)                                  \
  Accessor{#name, DROVER_TEXT values, doc,                                  \
           [](const Switches& s) { return static_cast<unsigned>(s.name); }, \
           [](Switches& s, unsigned value) { s.name = static_cast<policy::name>(value); }},
#include "design/switches.def"
#undef SWITCH
};

std::vector<std::string_view> split(std::string_view list) {
  constexpr std::string_view kSeparator = ", ";  // what the preprocessor leaves of a list
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = list.find(kSeparator);
    parts.push_back(list.substr(0, end));
    if (end == std::string_view::npos) return parts;
    list.remove_prefix(end + kSeparator.size());
  }
}

}  // namespace

const std::vector<SwitchInfo>& switch_list() {
  static const std::vector<SwitchInfo> list = [] {
    std::vector<SwitchInfo> infos;
    for (const Accessor& accessor : kAccessors) {
      infos.push_back({accessor.name, split(accessor.values), accessor.documentation});
    }
    return infos;
  }();
  return list;
}

unsigned value_of(const Switches& s, unsigned index) {
  assert(index < kAccessors.size());
  return kAccessors[index].get(s);
}

void set_value(Switches& s, unsigned index, unsigned value) {
  assert(index < kAccessors.size() && value < switch_list()[index].values.size());
  kAccessors[index].set(s, value);
}

}  // namespace drover::design
