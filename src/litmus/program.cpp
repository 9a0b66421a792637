// Names of a compiled test's parts.
#include "litmus/program.hpp"

#include <fmt/format.h>

namespace drover::litmus {

std::string Program::word_name(unsigned page, unsigned word) const {
  const Object& o = objects.at(object_of.at(page));
  const unsigned index = page - o.first_page;
  const std::string& name = o.words.at(word);
  if (index >= o.named_pages()) return fmt::format("{}[rest].{}", o.name, name);
  return index == 0 ? fmt::format("{}.{}", o.name, name)
                    : fmt::format("{}[{}].{}", o.name, index, name);
}

std::string Program::page_name(unsigned page) const {
  const Object& o = objects.at(object_of.at(page));
  const unsigned index = page - o.first_page;
  if (index >= o.named_pages()) return fmt::format("{}[rest]", o.name);
  return o.pages == 1 ? o.name : fmt::format("{}[{}]", o.name, index);
}

const Handle& Program::handle_of(unsigned ref) const {
  std::size_t i = 0;
  while (i + 1 < handles.size() &&
         (ref < handles[i].first_ref || ref >= handles[i].first_ref + handles[i].pages)) {
    ++i;
  }
  return handles.at(i);
}

const char* to_string(Verdict v) {
  switch (v) {
    case Verdict::always:
      return "Always";
    case Verdict::sometimes:
      return "Sometimes";
    case Verdict::never:
      return "Never";
    case Verdict::unsupported:
      return "Unsupported";
  }
  return "";
}

const char* to_string(Property p) {
  switch (p) {
    case Property::coherence:
      return "coherence";
    case Property::isolation:
      return "isolation";
    case Property::lifetime:
      return "lifetime";
    case Property::progress:
      return "progress";
    case Property::balance:
      return "balance";
    case Property::sanity:
      return "sanity";
    case Property::durability:
      return "durability";
  }
  return "";
}

}  // namespace drover::litmus
