// Runs that show something; see witness.hpp.
#include "verdict/witness.hpp"

#include <span>
#include <stdexcept>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "explore/witness.hpp"

namespace drover::verdict {

using litmus::Property;

namespace {

explore::Marks mark_of(const Goal& goal) {
  if (const bool* truth = std::get_if<bool>(&goal)) {
    return *truth ? machine::kMarkConditionTrue : machine::kMarkConditionFalse;
  }
  return 1U << static_cast<unsigned>(std::get<Property>(goal));
}

// Where the goal was first seen. A livelock is no mark of a transition, so progress looks twice.
explore::Targets targets_of(explore::Team<machine::Machine>& team, explore::StateStore& store,
                            const explore::SearchResult& found, explore::Marks mark) {
  const explore::Sighting& sighting = found.marks[static_cast<unsigned>(__builtin_ctz(mark))];
  if (sighting.seen()) return explore::Targets::of(sighting);
  explore::Targets targets;
  if (mark != 1U << static_cast<unsigned>(Property::progress)) return targets;
  if (!found.complete() || !found.backward) return targets;
  const auto livelock = explore::find_livelock(team, store, found, {});
  targets.steps = livelock.level;
  targets.states = livelock.states;
  return targets;
}

Witness tell(machine::Machine& model, Goal goal, std::span<const explore::Step> run) {
  Witness witness;
  witness.goal = goal;
  witness.context_switches = static_cast<unsigned>(explore::context_switches(run));
  for (const explore::Step& step : run) {
    WitnessStep told;
    told.text = model.describe(step.before.data(), step.action);
    model.unpack(step.before.data(), told.before);
    model.unpack(step.after.data(), told.after);
    told.violated = step.marks & ((1U << litmus::kProperties) - 1U);
    witness.steps.push_back(std::move(told));
  }
  if (!run.empty() && model.finished(witness.steps.back().after)) {
    witness.outcome = model.outcome(witness.steps.back().after);
  }
  return witness;
}

}  // namespace

std::optional<Witness> find_witness(const litmus::Program& program, const design::Design& design,
                                    Goal goal, const CheckOptions& options) {
  if (!unsupported_operation(program, design).empty()) return std::nullopt;
  machine::Machine model(program, design.switches, options.granularity);
  explore::Team<machine::Machine> team(model, options.threads);
  explore::StateStore store(explore::shape_of(model));
  explore::SearchOptions limits;
  limits.time_limit = options.time_limit;
  limits.memory_limit = options.memory_limit;
  limits.stop = options.stop;
  limits.progress = options.progress;
  const auto found = explore::breadth_first(
      team, store, limits, [](unsigned, explore::StateIndex, explore::StateBytes) {});
  const explore::Targets targets = targets_of(team, store, found, mark_of(goal));
  const auto run = explore::witness(team, store, found, targets, options.stop);
  if (!run) return std::nullopt;
  machine::Machine fresh(program, design.switches, options.granularity);
  if (!explore::replay(fresh, *run).faithful) {
    throw std::logic_error("drover: a witness does not replay");
  }
  return tell(model, goal, *run);
}

}  // namespace drover::verdict
