// A run that shows something: the condition true or false at the end, or a property violated.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "machine/machine.hpp"
#include "mm/state.hpp"
#include "verdict/check.hpp"

namespace drover::verdict {

/// What a witness shows: a final state with the proposition true or false, or a violated property.
using Goal = std::variant<bool, litmus::Property>;

struct WitnessStep {
  machine::StepText text;
  mm::State before, after;
  std::uint32_t violated = 0;  // properties this step violates, bit per litmus::Property
};

/// The shortest run to the goal; among those the one with the fewest context switches. It was
/// replayed step by step through a fresh model.
struct Witness {
  Goal goal;
  std::vector<WitnessStep> steps;
  unsigned context_switches = 0;
  std::optional<machine::Outcome> outcome;  // of its last state, if that is final
};

/// nullopt: no run reaches the goal, or the search was incomplete before one was found.
/// Throws std::logic_error if the run does not replay (a bug in drover).
[[nodiscard]] std::optional<Witness> find_witness(const litmus::Program& program,
                                                  const design::Design& design, Goal goal,
                                                  const CheckOptions& options = {});

}  // namespace drover::verdict
