// A shortest run from the initial state to given states or transitions, and the step-by-step check
// of such a run. The search keeps no parents: the run is found by re-expanding the levels on the
// way.
//
// Going back from the targets, level by level, every state of a level is expanded again and kept if
// it has a successor that was kept: what is kept is exactly the states on shortest runs. Each kept
// state remembers, for each actor that can move next on such a run, the fewest context switches
// from there to a target. Then one pass forward takes at each state the best transition. Ties are
// broken by the smallest action, then the smallest successor bytes, so the run does not depend on
// the order in which states were stored or successors emitted.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "explore/model.hpp"
#include "explore/search_types.hpp"
#include "explore/state_access.hpp"
#include "explore/state_store.hpp"
#include "explore/team.hpp"

namespace drover::explore {

/// One step of a run. The bytes are the run's own.
struct Step {
  Action action;
  Marks marks = 0;
  std::vector<std::byte> before;
  std::vector<std::byte> after;
};
using Witness = std::vector<Step>;

/// Where a run shall end: after `steps` steps, in one of the states or by one of the transitions.
struct Targets {
  std::uint32_t steps = 0;
  std::vector<StateIndex> states;          // of level `steps`
  std::vector<TransitionRef> transitions;  // from states of level `steps - 1`

  static Targets of(const Sighting& sighting) {
    return {sighting.steps, sighting.terminals, sighting.transitions};
  }
};

/// Context switches of a run: pairs of consecutive steps by different actors.
inline std::size_t context_switches(std::span<const Step> run) {
  std::size_t switches = 0;
  for (std::size_t at = 1; at < run.size(); ++at) {
    switches += run[at - 1].action.actor != run[at].action.actor ? 1U : 0U;
  }
  return switches;
}

namespace detail {

/// The states of one level that lie on shortest runs to the targets.
class RunLevel {
 public:
  static constexpr std::uint32_t kNoRun = std::numeric_limits<std::uint32_t>::max();

  /// A run may go from the state being collected to its end, first by `actor`, with `switches`.
  void offer(std::uint16_t actor, std::uint32_t switches) {
    for (auto entry = costs_.begin() + static_cast<std::ptrdiff_t>(closed_); entry != costs_.end();
         ++entry) {
      if (entry->actor == actor) {
        entry->switches = std::min(entry->switches, switches);
        return;
      }
    }
    costs_.push_back({actor, switches});
  }
  /// Ends the collection of offers for `state`: it is kept if it got any.
  void close(Handle state) {
    if (costs_.size() == closed_) return;
    states_.emplace(state, Range{closed_, costs_.size()});
    closed_ = costs_.size();
  }
  /// Keeps `state` as one where a run ends.
  void add_end(Handle state) { states_.emplace(state, Range{0, 0}); }

  /// Takes over what another thread collected.
  void merge(RunLevel&& other) {
    for (const auto& [state, range] : other.states_) {
      states_.emplace(state, Range{range.begin + closed_, range.end + closed_});
    }
    costs_.insert(costs_.end(), other.costs_.begin(), other.costs_.end());
    closed_ = costs_.size();
    other = RunLevel();
  }

  /// Fewest switches from `state` to the end of a run, counting one now if the actor that came to
  /// it does not move next; kNoRun if no shortest run passes it.
  std::uint32_t switches_from(Handle state, std::uint16_t came_by) const {
    const auto found = states_.find(state);
    if (found == states_.end()) return kNoRun;
    const Range range = found->second;
    if (range.begin == range.end) return 0;
    std::uint32_t fewest = kNoRun;
    for (std::size_t at = range.begin; at < range.end; ++at) {
      fewest = std::min(fewest, costs_[at].switches + (costs_[at].actor != came_by ? 1U : 0U));
    }
    return fewest;
  }
  bool empty() const { return states_.empty(); }

 private:
  struct Cost {
    std::uint16_t actor;  // who moves next
    std::uint32_t switches;
  };
  struct Range {
    std::size_t begin, end;  // of the state's costs; empty: a run ends here
  };
  std::unordered_map<Handle, Range> states_;
  std::vector<Cost> costs_;
  std::size_t closed_ = 0;
};

/// One search for a run; use witness() below.
template <Model M>
class WitnessSearch {
 public:
  WitnessSearch(Team<M>& team, StateStore& store, const SearchResult& result,
                const Targets& targets, const std::atomic<bool>* stop)
      : team_(team), store_(store), result_(result), targets_(targets), stop_(stop) {
    std::sort(targets_.transitions.begin(), targets_.transitions.end());
    for (unsigned worker = 0; worker < team.workers(); ++worker) {
      accesses_.push_back(std::make_unique<StateAccess>(store));
    }
  }

  std::optional<Witness> run() {
    if (!levels_are_there()) return std::nullopt;
    levels_.resize(targets_.steps + std::size_t{1});
    for (const StateIndex index : targets_.states) {
      levels_[targets_.steps].add_end(store_.handle(index));
    }
    for (std::uint32_t level = targets_.steps; level-- > 0;) {
      if (!collect(level)) return std::nullopt;
    }
    if (levels_[0].empty()) return std::nullopt;
    return forward();
  }

 private:
  static constexpr StateIndex kWorthThreads = 1024;
  static constexpr StateIndex kLot = 128;

  bool levels_are_there() const {
    if (targets_.states.empty() && targets_.transitions.empty()) return false;
    const std::uint32_t last = targets_.states.empty() ? targets_.steps - 1 : targets_.steps;
    return last < result_.level_count();
  }

  /// Keeps the states of `level` that lie on a shortest run. False if told to stop.
  bool collect(std::uint32_t level) {
    const bool last = level + 1 == targets_.steps;
    const bool sources_only = last && targets_.states.empty();
    if (sources_only) {
      for (std::size_t at = 0; at < targets_.transitions.size(); ++at) {
        const StateIndex source = targets_.transitions[at].source;
        if (at != 0 && targets_.transitions[at - 1].source == source) continue;
        collect_state(0, level, source, levels_[level]);
      }
      return true;
    }
    const StateIndex end = result_.levels[level + 1];
    std::atomic<StateIndex> next = result_.levels[level];
    std::vector<RunLevel> parts(team_.workers());
    const auto work = [&](unsigned worker) {
      for (;;) {
        const StateIndex begin = next.fetch_add(kLot);
        if (begin >= end || stopped()) return;
        for (StateIndex index = begin; index < std::min(begin + kLot, end); ++index) {
          collect_state(worker, level, index, parts[worker]);
        }
      }
    };
    if (team_.workers() == 1 || end - next < kWorthThreads) {
      work(0);
    } else {
      team_.run(work);
    }
    for (RunLevel& part : parts) levels_[level].merge(std::move(part));
    return !stopped();
  }

  bool stopped() const { return stop_ != nullptr && stop_->load(std::memory_order_relaxed); }

  void collect_state(unsigned worker, std::uint32_t level, StateIndex index, RunLevel& kept) {
    StateAccess& access = *accesses_[worker];
    const Handle handle = store_.handle(index);
    team_.model(worker).expand(access.read(handle), [&](const Transition& transition) {
      const std::uint32_t switches = switches_after(access, level, index, transition);
      if (switches != RunLevel::kNoRun) kept.offer(transition.action.actor, switches);
    });
    kept.close(handle);
  }

  /// Fewest switches after taking `transition` out of state `index` of `level`, which `access` read
  /// last; kNoRun if it is on no shortest run.
  std::uint32_t switches_after(StateAccess& access, std::uint32_t level, StateIndex index,
                               const Transition& transition) const {
    if (level + 1 == targets_.steps && is_target(index, transition.action)) return 0;
    const Handle successor = access.find(transition.successor.data());
    if (successor == kNoHandle) return RunLevel::kNoRun;
    return levels_[level + 1].switches_from(successor, transition.action.actor);
  }

  bool is_target(StateIndex source, Action action) const {
    return std::binary_search(targets_.transitions.begin(), targets_.transitions.end(),
                              TransitionRef{source, action});
  }

  Witness forward() {
    Witness run;
    Handle handle = store_.handle(0);
    for (std::uint32_t level = 0; level < targets_.steps; ++level) {
      run.push_back(best_step(level, handle, run.empty() ? nullptr : &run.back()));
      handle = accesses_[0]->find(run.back().after.data());  // of no use after the last step
    }
    return run;
  }

  /// The index of a state of `level`: only the sources of target transitions need one.
  StateIndex index_of(std::uint32_t level, Handle handle) const {
    if (level + 1 == targets_.steps) {
      for (const TransitionRef& target : targets_.transitions) {
        if (store_.handle(target.source) == handle) return target.source;
      }
    }
    return kNoIndex;
  }

  Step best_step(std::uint32_t level, Handle handle, const Step* previous) {
    Step best;
    std::uint32_t fewest = RunLevel::kNoRun;
    StateAccess& access = *accesses_[0];
    const StateBytes before = access.bytes(handle);
    const StateIndex index = index_of(level, handle);
    best.before.assign(before.begin(), before.end());
    team_.model(0).expand(before.data(), [&](const Transition& transition) {
      std::uint32_t switches = switches_after(access, level, index, transition);
      if (switches == RunLevel::kNoRun) return;
      if (previous != nullptr && previous->action.actor != transition.action.actor) ++switches;
      if (!better(switches, transition, fewest, best)) return;
      fewest = switches;
      best.action = transition.action;
      best.marks = transition.marks;
      best.after.assign(transition.successor.begin(), transition.successor.end());
    });
    return best;
  }

  static bool better(std::uint32_t switches, const Transition& transition, std::uint32_t fewest,
                     const Step& best) {
    if (switches != fewest) return switches < fewest;
    if (transition.action != best.action) return transition.action < best.action;
    return std::memcmp(transition.successor.data(), best.after.data(), best.after.size()) < 0;
  }

  static constexpr StateIndex kNoIndex = std::numeric_limits<StateIndex>::max();

  Team<M>& team_;
  StateStore& store_;
  const SearchResult& result_;
  Targets targets_;
  const std::atomic<bool>* stop_;
  std::vector<std::unique_ptr<StateAccess>> accesses_;
  std::vector<RunLevel> levels_;
};

}  // namespace detail

/// The run to one of `targets` that has the fewest context switches among the shortest ones; empty
/// if the initial state itself is a target. `store` must hold the states of the search of `model`
/// that gave `result`, with all levels up to the targets complete. Nothing if there is no such run
/// or the stop flag was set. Costs about as much time as the search took to reach that level, and
/// memory for the states on shortest runs.
template <Model M>
std::optional<Witness> witness(Team<M>& team, StateStore& store, const SearchResult& result,
                               const Targets& targets, const std::atomic<bool>* stop = nullptr) {
  return detail::WitnessSearch<M>(team, store, result, targets, stop).run();
}

template <Model M>
std::optional<Witness> witness(M& model, StateStore& store, const SearchResult& result,
                               const Targets& targets, const std::atomic<bool>* stop = nullptr) {
  Team<M> team(model, 1);
  return witness(team, store, result, targets, stop);
}

struct Replay {
  bool faithful = true;
  std::size_t step = 0;  // the first step that is not the model's; steps.size() if all are
};

/// Checks a run through the model alone: it starts in the initial state, each step starts where the
/// one before ended, and its action leads from there to exactly the state and marks it says. An
/// action that leads to two different states is a mismatch.
template <Model M>
Replay replay(M& model, std::span<const Step> run) {
  std::vector<std::byte> state(model.state_bytes());
  std::as_const(model).initial(state.data());
  for (std::size_t at = 0; at < run.size(); ++at) {
    const Step& step = run[at];
    if (step.before != state || step.after.size() != state.size()) return {false, at};
    bool taken = false;
    bool same = true;
    model.expand(state.data(), [&](const Transition& transition) {
      if (transition.action != step.action) return;
      taken = true;
      same = same && transition.marks == step.marks &&
             std::memcmp(transition.successor.data(), step.after.data(), state.size()) == 0;
    });
    if (!taken || !same) return {false, at};
    state = step.after;
  }
  return {true, run.size()};
}

}  // namespace drover::explore
