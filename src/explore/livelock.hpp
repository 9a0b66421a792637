// States from which no terminal state can be reached any more: livelocks under strong fairness
// (every step that is possible again and again is taken at last). Only for complete searches.
//
// Without backward transitions there are no cycles (model.hpp): going forward from any state ends
// in a terminal state, or in one that has only backward transitions, a turning state. If all
// turning states can end, all states can. So walks from the turning states, which the search has
// listed, settle nearly every program at next to no cost.
//
// If a walk goes round in a circle, all states are looked at. No edges are stored. Whether a state
// can end is a bit; a state gets it from any successor that has it, and the states are swept,
// re-expanding those without it, until a sweep changes nothing. Sweeps alternate between descending
// and ascending indices: most steps lead to a later level, so the first, descending sweep settles
// nearly all states, mostly by their first successor, and one sweep more over the rest is needed
// for each time a shortest way to an end turns back to an earlier state, which the retry loops of a
// program bound. Bits are only ever set, so threads may sweep together: what is left when nothing
// changes does not depend on their order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "explore/model.hpp"
#include "explore/search_types.hpp"
#include "explore/state_access.hpp"
#include "explore/state_store.hpp"
#include "explore/team.hpp"

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
  LivelockSearch(Team<M>& team, StateStore& store, const SearchResult& result,
                 const SearchOptions& options)
      : team_(team),
        store_(store),
        result_(result),
        watch_(options),
        can_end_(store.slots() / 64 + 1),
        workers_(store.size() < kWorthThreads ? 1 : team.workers()) {
    for (unsigned worker = 0; worker < workers_; ++worker) {
      accesses_.push_back(std::make_unique<StateAccess>(store));
    }
    rest_.resize(workers_);
  }

  /// `walking`: try the turning states first.
  Livelock run(bool walking) {
    bool all_end = walking;
    for (auto turning = result_.turning.rbegin(); all_end && turning != result_.turning.rend();
         ++turning) {
      all_end = walk(store_.handle(*turning));
    }
    Livelock none;
    none.incomplete = incomplete_;
    if (all_end || incomplete_ != Incomplete::none) return none;
    sweep_all();
    std::vector<StateIndex> rest = gather();
    for (bool changed = true; changed && incomplete_ == Incomplete::none && !rest.empty();) {
      const std::size_t before = rest.size();
      sweep(rest);  // the other way round each time
      rest = gather();
      std::reverse(rest.begin(), rest.end());
      changed = rest.size() < before;
    }
    Livelock livelock;
    livelock.incomplete = incomplete_;
    if (incomplete_ == Incomplete::none) collect(livelock, std::move(rest));
    return livelock;
  }

 private:
  static constexpr std::uint64_t kWorthThreads = 4096;
  static constexpr StateIndex kLot = 256;

  template <class Work>
  void work(Work&& work) {
    if (workers_ == 1) return work(0U);
    team_.run(work);
  }

  /// Goes forward from a turning state, and on from other turning states it comes to, to one that
  /// can end; then the whole way can. False if the way comes back to a turning state of its own.
  bool walk(Handle handle) {
    std::vector<Handle> way;
    std::vector<Handle> turns;
    while (!can_end(handle)) {
      if (walked_++ % Watch::kExpansionsBetweenLooks == 0 && !look(0)) return true;
      way.push_back(handle);
      const Onward onward = go_on(handle);
      if (onward.ends) break;
      if (onward.turning) {
        if (std::find(turns.begin(), turns.end(), handle) != turns.end()) return false;
        turns.push_back(handle);
      }
      handle = onward.next;
    }
    for (const Handle state : way) set_can_end(state);
    return true;
  }

  struct Onward {
    bool ends = true;  // terminal, or a successor can end
    bool turning = true;
    Handle next = kNoHandle;  // the first forward successor, or else the first
  };
  Onward go_on(Handle handle) {
    Onward onward;
    StateAccess& access = *accesses_[0];
    team_.model(0).expand(access.read(handle), [&](const Transition& transition) {
      if (onward.next != kNoHandle && (transition.backward || !onward.turning)) return true;
      onward.turning = transition.backward;
      onward.next = access.find(transition.successor.data());
      onward.ends = can_end(onward.next);
      return !onward.ends;
    });
    return onward;
  }

  /// Looks at every state, the deepest first.
  void sweep_all() {
    std::atomic<StateIndex> done = 0;
    work([&](unsigned worker) {
      for (;;) {
        const StateIndex begin = done.fetch_add(kLot);
        if (begin >= store_.size() || !look(worker)) return;
        const StateIndex end = std::min(begin + kLot, store_.size());
        for (StateIndex at = begin; at < end; ++at) settle(worker, store_.size() - 1 - at);
      }
    });
  }

  void sweep(const std::vector<StateIndex>& rest) {
    std::atomic<std::size_t> done = 0;
    work([&](unsigned worker) {
      for (;;) {
        const std::size_t begin = done.fetch_add(kLot);
        if (begin >= rest.size() || !look(worker)) return;
        const std::size_t end = std::min<std::size_t>(begin + kLot, rest.size());
        for (std::size_t at = begin; at < end; ++at) settle(worker, rest[at]);
      }
    });
  }

  /// What the last sweep left over, ascending.
  std::vector<StateIndex> gather() {
    std::vector<StateIndex> rest;
    for (auto& part : rest_) {
      rest.insert(rest.end(), part.begin(), part.end());
      part.clear();
    }
    std::sort(rest.begin(), rest.end());
    return rest;
  }

  /// Sets the state's bit if it ends, or else leaves it to the next sweep.
  void settle(unsigned worker, StateIndex index) {
    const Handle handle = store_.handle(index);
    if (can_end(handle)) return;
    if (ends_from(team_.model(worker), *accesses_[worker], handle)) return set_can_end(handle);
    rest_[worker].push_back(index);
  }

  void set_can_end(Handle handle) {
    const std::uint64_t slot = store_.find_slot(handle);
    can_end_[slot / 64].fetch_or(std::uint64_t{1} << slot % 64, std::memory_order_relaxed);
  }

  /// Whether the state is terminal or has a successor known to end.
  bool ends_from(M& model, StateAccess& access, Handle handle) {
    bool terminal = true;
    bool ends = false;
    model.expand(access.read(handle), [&](const Transition& transition) {
      terminal = false;
      if (ends) return false;
      const Handle successor = access.find(transition.successor.data());
      if (successor != kNoHandle) ends = can_end(successor);
      return !ends;
    });
    return terminal || ends;
  }

  bool can_end(Handle handle) const {
    const std::uint64_t slot = store_.find_slot(handle);
    return slot != HandleSet::kNowhere &&
           (can_end_[slot / 64].load(std::memory_order_relaxed) >> slot % 64 & 1U) != 0;
  }

  void collect(Livelock& livelock, std::vector<StateIndex> rest) const {
    if (rest.empty()) return;
    std::sort(rest.begin(), rest.end());
    livelock.level = result_.level_of(rest.front());
    const StateIndex end = result_.levels[livelock.level + 1];
    rest.erase(std::lower_bound(rest.begin(), rest.end(), end), rest.end());
    livelock.states = std::move(rest);
  }

  bool look(unsigned worker) {
    if (worker == 0) {
      const Incomplete why = watch_.look([&](double seconds) {
        return Progress{store_.size(), result_.transitions, 0, 0, seconds, store_.bytes_used()};
      });
      if (why != Incomplete::none) incomplete_ = why;
    }
    return incomplete_.load(std::memory_order_relaxed) == Incomplete::none;
  }

  Team<M>& team_;
  StateStore& store_;
  const SearchResult& result_;
  Watch watch_;
  std::vector<std::atomic<std::uint64_t>> can_end_;  // by slot
  unsigned workers_;
  std::vector<std::unique_ptr<StateAccess>> accesses_;
  std::vector<std::vector<StateIndex>> rest_;  // by worker: states not known to end
  std::uint64_t walked_ = 0;
  std::atomic<Incomplete> incomplete_ = Incomplete::none;
};

/// The shallowest livelock among the states of a complete search of the team's model, whose states
/// `store` still holds. A search that saw no backward transition is taken to have no cycles, hence
/// no livelock, and costs nothing here. Stops early on the time limit (counted anew) and the stop
/// flag of `options`.
template <Model M>
Livelock find_livelock(Team<M>& team, StateStore& store, const SearchResult& result,
                       const SearchOptions& options = {}) {
  if (!result.complete() || !result.backward) return {};
  return LivelockSearch<M>(team, store, result, options).run(true);
}

/// The same without relying on Transition::backward but for whether there is any: for tests of
/// models.
template <Model M>
Livelock find_livelock_by_sweeping(M& model, StateStore& store, const SearchResult& result) {
  Team<M> team(model, 1);
  return LivelockSearch<M>(team, store, result, {}).run(false);
}

template <Model M>
Livelock find_livelock(M& model, StateStore& store, const SearchResult& result,
                       const SearchOptions& options = {}) {
  Team<M> team(model, options.threads);
  return find_livelock(team, store, result, options);
}

}  // namespace drover::explore
