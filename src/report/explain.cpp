// A witness as text and JSON; see explain.hpp.
#include "report/explain.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "report/run.hpp"
#include "report/state_changes.hpp"
#include "report/swim_lanes.hpp"

namespace drover::report {

using Json = nlohmann::ordered_json;
using litmus::Property;
using verdict::Witness;
using verdict::WitnessStep;

namespace {

constexpr std::string_view kDevice = "device";

std::string actor_name(const litmus::Program& program, unsigned actor) {
  return actor < program.actors.size() ? program.actors[actor].name : std::string(kDevice);
}

/// Whether the step begins its statement; a device's step is a whole one.
bool begins(const litmus::Program& program, const WitnessStep& step) {
  return step.text.actor >= program.actors.size() || step.before.actors[step.text.actor].depth == 0;
}

/// The lanes: the actors that move in the run, in the program's order, the device last.
std::vector<std::string> lanes_of(const litmus::Program& program, const Witness& witness) {
  std::vector<std::string> lanes;
  const auto moves = [&](auto&& wanted) {
    for (const WitnessStep& step : witness.steps) {
      if (wanted(step.text.actor)) return true;
    }
    return false;
  };
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    if (moves([a](unsigned actor) { return actor == a; })) lanes.push_back(program.actors[a].name);
  }
  if (moves([&](unsigned actor) { return actor >= program.actors.size(); })) {
    lanes.emplace_back(kDevice);
  }
  return lanes;
}

/// What stands in the lane of a step. A statement that goes on is named again only if another actor
/// moved meanwhile or if there is nothing else to say.
std::vector<std::string> cell_of(const litmus::Program& program, const WitnessStep& step,
                                 const WitnessStep* previous) {
  std::vector<std::string> cell;
  const bool goes_on = previous != nullptr && previous->text.actor == step.text.actor;
  if (begins(program, step)) {
    cell.push_back(step.text.statement);
  } else if (!goes_on || step.text.notes.empty()) {
    cell.push_back("... " + step.text.statement);
  }
  for (const std::string& note : step.text.notes) cell.push_back("  " + note);
  return cell;
}

std::vector<LaneRow> rows_of(const litmus::Program& program, const Witness& witness,
                             const std::vector<std::string>& lanes, StateChanges& changes) {
  std::vector<LaneRow> rows;
  const WitnessStep* previous = nullptr;
  for (const WitnessStep& step : witness.steps) {
    LaneRow row;
    const std::string name = actor_name(program, step.text.actor);
    while (row.lane + 1 < lanes.size() && lanes[row.lane] != name) ++row.lane;
    row.cell = cell_of(program, step, previous);
    row.remarks = changes.of(step);
    rows.push_back(std::move(row));
    previous = &step;
  }
  return rows;
}

/// Who is not through in the last state of the run, and where: "parent: fork(child)".
std::vector<std::string> waiting(const litmus::Program& program, const mm::State& s) {
  std::vector<std::string> lines;
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    const litmus::Actor& actor = program.actors[a];
    if (actor.kind != litmus::ActorKind::thread) continue;
    const std::uint8_t process = s.processes[actor.process];
    const bool lives = (process & mm::kStarted) != 0 && (process & mm::kExited) == 0 &&
                       (s.actors[a].flags & mm::kParked) == 0;
    if (lives && s.actors[a].pc < actor.code.size()) {
      lines.push_back(fmt::format("{}: {}", actor.name, actor.code[s.actors[a].pc].text));
    }
  }
  return lines;
}

std::string ending(const litmus::Program& program, const Witness& witness) {
  if (witness.outcome) {
    return "Outcome " + verdict::to_string(program.condition, *witness.outcome) + '\n';
  }
  const Property* property = std::get_if<Property>(&witness.goal);
  if (property == nullptr || witness.steps.empty()) return "";
  if (*property != Property::progress) {
    return fmt::format("Outcome: none yet, the run is shown up to where {} is violated\n",
                       to_string(*property));
  }
  std::string out = "Outcome: none, these never end:\n";
  for (const std::string& line : waiting(program, witness.steps.back().after)) {
    out += hang("    ", line);
  }
  return out;
}

}  // namespace

std::string goal_text(const verdict::Goal& goal) {
  if (const bool* truth = std::get_if<bool>(&goal)) {
    return fmt::format("the condition's proposition is {} at the end", *truth ? "true" : "false");
  }
  return fmt::format("{} is violated", to_string(std::get<Property>(goal)));
}

std::string explain_text(const litmus::Program& program, const design::Design& design,
                         const Witness& witness, Look look) {
  std::string out = fmt::format("Test {}\nDesign {}\n", program.name, design.name);
  out += hang("Condition ", quantified(program.condition));
  out += fmt::format("Shown: {}\n{}, {}\n", goal_text(witness.goal),
                     count(witness.steps.size(), "step"),
                     fmt::format("{} context switch{}", witness.context_switches,
                                 witness.context_switches == 1 ? "" : "es"));
  if (witness.steps.empty()) return out + "The initial state shows it already.\n";
  StateChanges changes(program, witness.steps.front().before);
  out += '\n';
  for (const std::string& line : changes.beginning()) out += hang("  ", line, 4);
  out += '\n';
  const std::vector<std::string> lanes = lanes_of(program, witness);
  out += swim_lanes(lanes, rows_of(program, witness, lanes, changes), look);
  return out + '\n' + ending(program, witness);
}

Json explain_json(const litmus::Program& program, const design::Design& design,
                  const Witness& witness) {
  Json json;
  json["schema"] = "drover.explain/1";
  json["test"] = program.name;
  json["hash"] = program.hash;
  json["design"] = design.name;
  json["condition"] = quantified(program.condition);
  json["goal"] = goal_text(witness.goal);
  json["context_switches"] = witness.context_switches;
  json["beginning"] = Json::array();
  json["steps"] = Json::array();
  std::optional<StateChanges> changes;
  for (const WitnessStep& step : witness.steps) {
    if (!changes) {
      changes.emplace(program, step.before);
      json["beginning"] = changes->beginning();
    }
    json["steps"].push_back({{"actor", actor_name(program, step.text.actor)},
                             {"statement", step.text.statement},
                             {"line", step.text.line},
                             {"begins", begins(program, step)},
                             {"notes", step.text.notes},
                             {"changes", changes->of(step)},
                             {"violated", property_names(step.violated)}});
  }
  json["outcome"] =
      witness.outcome ? Json(verdict::to_string(program.condition, *witness.outcome)) : Json();
  return json;
}

}  // namespace drover::report
