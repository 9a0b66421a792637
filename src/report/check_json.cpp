// The JSON of runs; see check_json.hpp. Fields are added, never renamed, within a schema version.
#include "report/check_json.hpp"

#include <string>

namespace drover::report {

using Json = nlohmann::ordered_json;

namespace {

const char* name_of(litmus::Quantifier quantifier) {
  switch (quantifier) {
    case litmus::Quantifier::exists:
      return "exists";
    case litmus::Quantifier::not_exists:
      return "~exists";
    case litmus::Quantifier::forall:
      return "forall";
  }
  return "";
}

Json outcomes_json(const Run& run) {
  const litmus::Condition& condition = run.program->condition;
  const machine::Machine model(*run.program, run.design->switches, machine::Granularity::coarse);
  Json list = Json::array();
  for (const auto& [outcome, states] : run.result.outcomes) {
    Json values = Json::object();
    for (std::size_t i = 0; i < condition.atoms.size(); ++i) {
      const litmus::Atom& atom = condition.atoms[i];
      const bool truth = atom.kind == litmus::AtomKind::sigsegv ||
                         atom.kind == litmus::AtomKind::sigbus ||
                         atom.kind == litmus::AtomKind::same_frame;
      if (truth) {
        values[atom.name] = outcome[i] != 0;
      } else if (outcome[i] == machine::kUnmapped) {
        values[atom.name] = nullptr;
      } else {
        values[atom.name] = outcome[i];
      }
    }
    list.push_back({{"values", values}, {"states", states}, {"holds", model.holds(outcome)}});
  }
  return list;
}

Json expected_json(const verdict::Expected& expected) {
  Json json;
  json["verdict"] = expected.verdict ? Json(litmus::to_string(*expected.verdict)) : Json();
  json["reason"] = expected.reason;
  json["line"] = expected.line;
  json["violates"] = property_names(expected.must_violate);
  json["holds"] = property_names(expected.must_hold);
  return json;
}

template <class Text>
Json text_or_null(const Text& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

Json run_json(const Run& run) {
  const litmus::Program& program = *run.program;
  const verdict::CheckResult& result = run.result;
  Json json;
  json["test"] = program.name;
  json["file"] = program.file;
  json["hash"] = program.hash;
  json["design"] = run.design->name;
  json["quantifier"] = name_of(program.condition.quantifier);
  json["condition"] = program.condition.text;
  json["observation"] = observation(result);
  json["validated"] = to_string(validation(run));
  json["positive"] = result.positive;
  json["negative"] = result.negative;
  json["outcomes"] = outcomes_json(run);
  json["violated"] = property_names(result.violated);
  json["unsupported"] = text_or_null(result.unsupported);
  json["incomplete"] = text_or_null(result.incomplete_reason);
  json["expected"] = expected_json(run.expected);
  json["standing"] = to_string(standing(run));
  json["differences"] = run.differences;
  json["states"] = result.states;
  json["transitions"] = result.transitions;
  json["depth"] = result.depth;
  json["state_bytes"] = result.state_bytes;
  json["interchanges"] = result.interchanges;
  json["memory"] = result.memory;
  json["seconds"] = result.seconds;
  return json;
}

Json check_json(std::span<const Run> runs, machine::Granularity granularity) {
  Json json;
  json["schema"] = "drover.check/1";
  json["granularity"] = granularity == machine::Granularity::coarse ? "coarse" : "fine";
  json["runs"] = Json::array();
  Tally tally;
  for (const Run& run : runs) {
    json["runs"].push_back(run_json(run));
    tally.add(run);
  }
  json["summary"] = {{"runs", runs.size()},
                     {"as_expected", tally.of(Standing::as_expected)},
                     {"differ", tally.of(Standing::differs)},
                     {"incomplete", tally.of(Standing::incomplete)},
                     {"without_expectation", tally.of(Standing::unstated)}};
  return json;
}

}  // namespace drover::report
