// Exhaustive search, strictly level by level: level k is exactly the states k steps from the
// initial one. One thread, deterministic. Neither paths (witness.hpp) nor cycles (livelock.hpp) are
// found here.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "explore/model.hpp"
#include "explore/search_types.hpp"
#include "explore/state_store.hpp"

namespace drover::explore {

/// Successors waiting to be looked up: collected until the batch is full, so that the cache misses
/// of their lookups overlap.
class SuccessorBatch {
 public:
  static constexpr std::size_t kSize = 64;

  explicit SuccessorBatch(std::size_t state_bytes)
      : state_bytes_(state_bytes), states_(kSize * state_bytes) {}

  /// Adds a copy of the successor; true if the batch is full now.
  bool add(const StateStore& store, const std::byte* successor) {
    std::byte* const copy = states_.data() + count_ * state_bytes_;
    copy_state(copy, successor, state_bytes_);
    const std::uint64_t hash = store.hash(copy);
    store.prefetch(hash);
    hashes_[count_] = hash;
    return ++count_ == kSize;
  }

  /// Inserts all and empties the batch. Outcome other than inserted or present: some were not
  /// stored.
  StateStore::Outcome insert_into(StateStore& store) {
    StateStore::Outcome worst = StateStore::Outcome::inserted;
    for (std::size_t at = 0; at < count_; ++at) {
      const auto inserted = store.insert(states_.data() + at * state_bytes_, hashes_[at]);
      if (inserted.index == kAbsent) worst = inserted.outcome;
    }
    count_ = 0;
    return worst;
  }

 private:
  std::size_t state_bytes_;
  std::size_t count_ = 0;
  std::vector<std::byte> states_;
  std::array<std::uint64_t, kSize> hashes_{};
};

/// One run of the search; use breadth_first() below.
template <Model M, class OnTerminal>
class BreadthFirst {
 public:
  BreadthFirst(M& model, StateStore& store, const SearchOptions& options, OnTerminal& on_terminal)
      : model_(model),
        store_(store),
        on_terminal_(on_terminal),
        watch_(options),
        batch_(store.state_bytes()) {}

  SearchResult run() {
    result_.levels.push_back(0);
    insert_initial();
    result_.levels.push_back(store_.size());
    while (result_.complete() && level_begin() < store_.size()) {
      expand_level();
      if (store_.size() > result_.levels.back()) result_.levels.push_back(store_.size());
      ++depth_;
    }
    result_.seconds = watch_.seconds();
    return std::move(result_);
  }

 private:
  StateIndex level_begin() const { return result_.levels[depth_]; }

  void insert_initial() {
    std::vector<std::byte> initial(store_.state_bytes());
    std::as_const(model_).initial(initial.data());
    note(store_.insert(initial.data()).outcome);
  }

  /// Expands the states of level depth_, which all are stored when this begins.
  void expand_level() {
    const StateIndex end = result_.levels[depth_ + 1];
    for (StateIndex index = level_begin(); index < end; ++index) {
      if (index % Watch::kExpansionsBetweenLooks == 0 && !look(index)) return;
      expand(index);
      if (!result_.complete()) return;
    }
    flush();
  }

  void expand(StateIndex index) {
    const std::byte* const state = store_.state(index);
    const std::uint64_t before = result_.transitions;
    model_.expand(state, [&](const Transition& transition) {
      ++result_.transitions;
      result_.backward |= transition.backward;
      if (transition.marks != 0) [[unlikely]] {
        sight(transition.marks, depth_ + 1, [&](Sighting& sighting) {
          sighting.transitions.push_back({index, transition.action});
        });
      }
      if (batch_.add(store_, transition.successor.data())) flush();
    });
    if (result_.transitions == before) terminal(index, state);
  }

  void terminal(StateIndex index, const std::byte* state) {
    ++result_.terminals;
    sight(model_.terminal(state), depth_,
          [&](Sighting& sighting) { sighting.terminals.push_back(index); });
    on_terminal_(index, StateBytes(state, store_.state_bytes()));
  }

  template <class Add>
  void sight(Marks marks, std::uint32_t steps, Add&& add) {
    for (; marks != 0; marks &= marks - 1) {
      Sighting& sighting = result_.marks[static_cast<std::size_t>(std::countr_zero(marks))];
      if (steps > sighting.steps) continue;
      if (steps < sighting.steps) sighting = Sighting{steps, {}, {}};
      add(sighting);
    }
  }

  void flush() { note(batch_.insert_into(store_)); }

  void note(StateStore::Outcome outcome) {
    if (outcome == StateStore::Outcome::out_of_memory) result_.incomplete = Incomplete::memory;
    if (outcome == StateStore::Outcome::too_many) result_.incomplete = Incomplete::states;
  }

  bool look(StateIndex index) {
    result_.incomplete = watch_.look([&](double seconds) {
      return Progress{store_.size(), result_.transitions, store_.size() - index, depth_,
                      seconds,       store_.bytes_used()};
    });
    return result_.complete();
  }

  M& model_;
  StateStore& store_;
  OnTerminal& on_terminal_;
  Watch watch_;
  SuccessorBatch batch_;
  SearchResult result_;
  std::uint32_t depth_ = 0;  // level being expanded
};

/// Clears `store`, then explores every state reachable from the model's initial one, within the
/// limits. `on_terminal(StateIndex, StateBytes)` is called for every state without successors, in
/// order of discovery. The states stay in the store, level by level, for witness() and
/// find_livelock().
///
/// The store must be made for states of model.state_bytes() bytes. Counts of an incomplete result
/// tell what was done up to the end of the search; nothing that was stored is lost.
template <Model M, class OnTerminal>
SearchResult breadth_first(M& model, StateStore& store, const SearchOptions& options,
                           OnTerminal&& on_terminal) {
  store.clear(options.memory_limit, options.state_limit);
  return BreadthFirst<M, std::remove_reference_t<OnTerminal>>(model, store, options, on_terminal)
      .run();
}

template <Model M>
SearchResult breadth_first(M& model, StateStore& store, const SearchOptions& options = {}) {
  return breadth_first(model, store, options, [](StateIndex, StateBytes) {});
}

}  // namespace drover::explore
