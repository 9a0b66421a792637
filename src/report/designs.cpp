// Designs as text and JSON; see designs.hpp.
#include "report/designs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "report/text.hpp"

namespace drover::report {

using design::Design;
using design::SwitchInfo;
using Json = nlohmann::ordered_json;

namespace {

std::string_view value_name(const Design& design, unsigned index) {
  return design::switch_list()[index].values[design::value_of(design.switches, index)];
}

unsigned switch_count() {
  return static_cast<unsigned>(design::switch_list().size());
}

/// "set by linux-5.8 (commit 09854ba94c6a)", or "default".
std::string set_by(const design::Provenance& from) {
  if (from.design.empty()) return "default";
  std::string text = "set by " + from.design;
  if (!from.commit.empty()) text += fmt::format(", commit {}", from.commit);
  return text;
}

design::Provenance provenance(const Design& design, unsigned index) {
  return index < design.provenance.size() ? design.provenance[index] : design::Provenance{};
}

Json switch_json(const Design& design, unsigned index) {
  const design::Provenance from = provenance(design, index);
  Json json;
  json["value"] = value_name(design, index);
  json["set_by"] = from.design.empty() ? Json() : Json(from.design);
  json["commit"] = from.commit.empty() ? Json() : Json(from.commit);
  json["note"] = from.note.empty() ? Json() : Json(from.note);
  return json;
}

std::vector<unsigned> differing(const Design& a, const Design& b) {
  std::vector<unsigned> found;
  for (unsigned i = 0; i < switch_count(); ++i) {
    if (design::value_of(a.switches, i) != design::value_of(b.switches, i)) found.push_back(i);
  }
  return found;
}

Json one_design(const Design& design) {
  Json json;
  json["name"] = design.name;
  json["title"] = design.title;
  json["description"] = design.description;
  json["kernel"] = design.release.has_value();
  json["extends"] = design.extends.empty() ? Json() : Json(design.extends);
  json["sources"] = design.sources;
  json["switches"] = Json::object();
  for (unsigned i = 0; i < switch_count(); ++i) {
    json["switches"][std::string(design::switch_list()[i].name)] = switch_json(design, i);
  }
  return json;
}

}  // namespace

std::string designs_text(const design::Registry& registry) {
  std::size_t widest = 0;
  for (const Design& design : registry.designs()) widest = std::max(widest, width_of(design.name));
  std::string out;
  for (const Design& design : registry.designs()) {
    out += hang(pad(design.name, widest) + "  ", design.title);
  }
  return out;
}

Json designs_json(const design::Registry& registry) {
  Json json;
  json["schema"] = "drover.designs/1";
  json["designs"] = Json::array();
  for (const Design& design : registry.designs()) json["designs"].push_back(one_design(design));
  return json;
}

std::string design_text(const Design& design) {
  std::string out = hang(design.name + ": ", design.title);
  if (!design.extends.empty()) out += fmt::format("extends {}\n", design.extends);
  if (!design.description.empty()) out += '\n' + hang("", design.description);
  for (const std::string& source : design.sources) out += hang("source: ", source);
  for (unsigned i = 0; i < switch_count(); ++i) {
    const SwitchInfo& info = design::switch_list()[i];
    const design::Provenance from = provenance(design, i);
    out += fmt::format("\n{} = {}\n", info.name, value_name(design, i));
    out += hang("    ", set_by(from));
    if (!from.note.empty()) out += hang("    ", from.note);
    out += hang("    decides: ", info.documentation);
    std::vector<std::string> values(info.values.begin(), info.values.end());
    out += hang("    values: ", join(values, ", "));
  }
  return out;
}

Json design_json(const Design& design) {
  Json json;
  json["schema"] = "drover.design/1";
  json.update(one_design(design));
  return json;
}

std::string design_diff_text(const Design& a, const Design& b) {
  const std::vector<unsigned> found = differing(a, b);
  std::string out = fmt::format("{} and {} differ in {} of {}\n", a.name, b.name, found.size(),
                                fmt::format("{} switches", switch_count()));
  for (const unsigned i : found) {
    out += fmt::format("\n{}\n", design::switch_list()[i].name);
    for (const Design* side : {&a, &b}) {
      const design::Provenance from = provenance(*side, i);
      const std::string text =
          fmt::format("{}: {} ({})", side->name, value_name(*side, i), set_by(from));
      out += hang("    ", text);
      if (!from.note.empty()) out += hang("        ", from.note);
    }
  }
  return out;
}

Json design_diff_json(const Design& a, const Design& b) {
  Json json;
  json["schema"] = "drover.design-diff/1";
  json["designs"] = {a.name, b.name};
  json["switches"] = Json::object();
  for (const unsigned i : differing(a, b)) {
    const std::string name(design::switch_list()[i].name);
    json["switches"][name] = {{a.name, switch_json(a, i)}, {b.name, switch_json(b, i)}};
  }
  return json;
}

}  // namespace drover::report
