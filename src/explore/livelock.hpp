// States from which no terminal state can be reached any more: livelocks under strong fairness
// (every step that is possible again and again is taken at last). Only for complete searches.
//
// No edges are stored. Whether a state can end is a bit; a state gets it from any successor that
// has it, and the states are swept, re-expanding those without it, until a sweep changes nothing.
// Sweeps alternate between descending and ascending indices: most steps lead to a later level, so
// the first, descending sweep settles nearly all states, and one sweep more is needed for each time
// a shortest way to an end turns back to an earlier state, which the retry loops of a program
// bound.
#pragma once

#include <cstdint>
#include <vector>

#include "explore/model.hpp"
#include "explore/search_types.hpp"
#include "explore/state_store.hpp"

namespace drover::explore {

struct Livelock {
  Incomplete incomplete = Incomplete::none;  // if not none, `states` is empty and says nothing
  std::uint32_t level = 0;
  /// The states of the shallowest level that has any from which no terminal state is reachable. A
  /// bottom strongly connected component without a terminal state can be reached from each of them.
  std::vector<StateIndex> states;

  bool found() const { return !states.empty(); }
};

/// One run; use find_livelock() below.
template <Model M>
class LivelockSearch {
 public:
  LivelockSearch(M& model, const StateStore& store, const SearchResult& result,
                 const SearchOptions& options)
      : model_(model), store_(store), result_(result), watch_(options), can_end_(store.size()) {}

  Livelock run() {
    bool descending = true;
    bool changed = true;
    while (changed && incomplete_ == Incomplete::none) {
      changed = sweep(descending);
      descending = !descending;
    }
    Livelock livelock;
    livelock.incomplete = incomplete_;
    if (incomplete_ == Incomplete::none) collect(livelock);
    return livelock;
  }

 private:
  /// One pass over the states that are not known to end; whether it settled any.
  bool sweep(bool descending) {
    bool changed = false;
    for (StateIndex step = 0; step < store_.size(); ++step) {
      const StateIndex index = descending ? store_.size() - 1 - step : step;
      if (can_end_[index]) continue;
      if (expansions_++ % Watch::kExpansionsBetweenLooks == 0 && !look()) return false;
      if (!ends_from(index)) continue;
      can_end_[index] = true;
      changed = true;
    }
    return changed;
  }

  /// Whether the state is terminal or has a successor known to end.
  bool ends_from(StateIndex index) {
    bool terminal = true;
    bool ends = false;
    model_.expand(store_.state(index), [&](const Transition& transition) {
      terminal = false;
      if (ends) return;
      const StateIndex successor = store_.find(transition.successor.data());
      ends = successor != kAbsent && can_end_[successor];
    });
    return terminal || ends;
  }

  void collect(Livelock& livelock) const {
    for (std::uint32_t level = 0; level < result_.level_count(); ++level) {
      for (StateIndex index = result_.levels[level]; index < result_.levels[level + 1]; ++index) {
        if (!can_end_[index]) livelock.states.push_back(index);
      }
      livelock.level = level;
      if (livelock.found()) return;
    }
  }

  bool look() {
    incomplete_ = watch_.look([&](double seconds) {
      return Progress{store_.size(), result_.transitions, 0, 0, seconds, store_.bytes_used()};
    });
    return incomplete_ == Incomplete::none;
  }

  M& model_;
  const StateStore& store_;
  const SearchResult& result_;
  Watch watch_;
  std::vector<bool> can_end_;
  std::uint64_t expansions_ = 0;
  Incomplete incomplete_ = Incomplete::none;
};

/// The shallowest livelock among the states of a complete search of `model`, whose states `store`
/// still holds. A search that saw no backward transition is taken to have no cycles, hence no
/// livelock, and costs nothing here. Stops early on the time limit (counted anew) and the stop flag
/// of `options`.
template <Model M>
Livelock find_livelock(M& model, const StateStore& store, const SearchResult& result,
                       const SearchOptions& options = {}) {
  if (!result.complete() || !result.backward) return {};
  return LivelockSearch<M>(model, store, result, options).run();
}

}  // namespace drover::explore
