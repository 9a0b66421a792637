// Exhaustive search, strictly level by level: level k is exactly the states k steps from the
// initial one, however many threads work. What one of them does is in expansion.hpp. Neither paths
// (witness.hpp) nor cycles (livelock.hpp) are found here.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "explore/expansion.hpp"
#include "explore/model.hpp"
#include "explore/search_types.hpp"
#include "explore/state_access.hpp"
#include "explore/state_store.hpp"
#include "explore/team.hpp"

namespace drover::explore {

/// One run of the search; use breadth_first() below.
template <Model M, class OnTerminal>
class BreadthFirst {
 public:
  BreadthFirst(Team<M>& team, StateStore& store, const SearchOptions& options,
               OnTerminal& on_terminal)
      : team_(team), store_(store), options_(options), on_terminal_(on_terminal), watch_(options) {
    add_worker();
  }

  SearchResult run() {
    if (options_.checkpoint.resume != nullptr) {
      resume(*options_.checkpoint.resume);
    } else {
      result_.levels.push_back(0);
      insert_initial();
      result_.levels.push_back(store_.size());
    }
    while (result_.complete() && level_begin() < store_.size()) {
      expand_level();
      if (store_.size() > result_.levels.back()) result_.levels.push_back(store_.size());
      ++level_.depth;
      if (options_.stop_at != 0 && result_.complete() && (seen() & options_.stop_at) != 0) {
        result_.incomplete = Incomplete::first;
      }
    }
    result_ = so_far();
    for (const auto& worker : workers_) result_.remembered += worker->bytes();
    std::sort(result_.turning.begin(), result_.turning.end());
    for (Sighting& sighting : result_.marks) {
      std::sort(sighting.transitions.begin(), sighting.transitions.end());
      std::sort(sighting.terminals.begin(), sighting.terminals.end());
    }
    return std::move(result_);
  }

 private:
  using Worker = detail::Expansion<M>;
  /// Levels of fewer states are not worth waking the other threads.
  static constexpr StateIndex kWorthThreads = 1024;
  static constexpr StateIndex kMostLot = 256;

  void add_worker() {
    const typename Worker::Memory memory{options_.remember_after,
                                         options_.memory_limit / 16 / team_.workers()};
    workers_.push_back(std::make_unique<Worker>(store_, level_, memory));
  }

  StateIndex level_begin() const { return result_.levels[level_.depth]; }

  void insert_initial() {
    std::vector<std::byte> initial(store_.state_bytes());
    std::as_const(team_.model(0)).initial(initial.data());
    StateAccess access(store_);
    note(access.insert(initial.data()).room);
  }

  /// Goes on in the middle of a level, or at its end.
  void resume(const SearchPoint& point) {
    result_ = point.so_far;
    level_.depth = result_.level_count() - 1;
    resume_at_ = point.next;
  }

  /// Expands the states of level_.depth, which all are stored when this begins.
  void expand_level() {
    const StateIndex begin = level_begin();
    level_.end = result_.levels[level_.depth + 1];
    level_.next = std::max(begin, std::exchange(resume_at_, 0));
    const StateIndex states = level_.end - begin;
    const bool together = team_.workers() > 1 && states >= kWorthThreads;
    level_.lot = together ? std::min(kMostLot, states / (8 * team_.workers())) : kMostLot;
    for (bool done = false; !done && result_.complete();) {
      level_.pause = false;
      work(together);
      done = true;
      bool needs_room = false;
      for (const auto& worker : workers_) {
        worker->access().settle();
        done = done && worker->idle();
        needs_room = needs_room || worker->needs_room();
      }
      if (needs_room && result_.complete()) make_room();
      if (done && level_.settle) done = save() >= level_.end;
    }
  }

  /// Between two expansions: tells the caller, and ends the search if its time is over. The first
  /// state that is not expanded.
  StateIndex save() {
    level_.settle = false;
    const StateIndex next = std::min(level_.next.load(), level_.end);
    options_.checkpoint.save(SearchPoint{so_far(), next});
    if (result_.complete()) result_.incomplete = over_;
    return next;
  }

  void work(bool together) {
    const auto one = [this](unsigned number) {
      workers_[number]->work(
          team_.model(number),
          [&](StateIndex index, StateBytes bytes) { on_terminal_(number, index, bytes); },
          [&] { return number != 0 || look(); });
    };
    if (!together) return one(0);
    while (workers_.size() < team_.workers()) add_worker();
    team_.run(one);
  }

  void make_room() {
    for (const auto& worker : workers_) worker->keep_bytes();
    note(store_.make_room(team_.crew()));
  }

  void note(StateStore::Room room) {
    if (room == StateStore::Room::out_of_memory) result_.incomplete = Incomplete::memory;
    if (room == StateStore::Room::too_many) result_.incomplete = Incomplete::states;
  }

  Marks seen() const {
    Marks seen = 0;
    const SearchResult sum = so_far();
    for (std::size_t bit = 0; bit < sum.marks.size(); ++bit) {
      if (sum.marks[bit].seen()) seen |= Marks{1} << bit;
    }
    return seen;
  }

  /// Called by worker 0 while all work.
  bool look() {
    const Incomplete why = watch_.look([&](double seconds) {
      std::uint64_t transitions = result_.transitions;
      for (const auto& worker : workers_) transitions += worker->transitions();
      // Those that the other threads have claimed count as expanded.
      const StateIndex next = std::min(level_.next.load(), level_.end) - workers_[0]->claimed();
      const std::uint64_t states = store_.size();
      return Progress{states,       transitions, states - next,
                      level_.depth, seconds,     store_.bytes_used()};
    });
    if (options_.checkpoint.save) {
      if (why != Incomplete::none) over_ = why;
      if (why != Incomplete::none || watch_.checkpoint_due()) level_.settle = true;
      return true;
    }
    if (why == Incomplete::none) return true;
    result_.incomplete = why;
    level_.pause = true;
    return false;
  }

  /// What this run and the one it goes on from found until now.
  SearchResult so_far() const {
    SearchResult sum = result_;
    sum.seconds += watch_.seconds();
    for (const auto& worker : workers_) add(*worker, sum);
    return sum;
  }

  static void add(const Worker& worker, SearchResult& sum) {
    sum.transitions += worker.transitions();
    sum.terminals += worker.terminals;
    sum.backward |= worker.backward;
    sum.turning.insert(sum.turning.end(), worker.turning.begin(), worker.turning.end());
    for (std::size_t bit = 0; bit < worker.marks.size(); ++bit) {
      const Sighting& from = worker.marks[bit];
      Sighting& to = sum.marks[bit];
      if (!from.seen() || from.steps > to.steps) continue;
      if (from.steps < to.steps) to = Sighting{from.steps, {}, {}};
      to.transitions.insert(to.transitions.end(), from.transitions.begin(), from.transitions.end());
      to.terminals.insert(to.terminals.end(), from.terminals.begin(), from.terminals.end());
    }
  }

  Team<M>& team_;
  StateStore& store_;
  const SearchOptions& options_;
  OnTerminal& on_terminal_;
  Watch watch_;
  detail::Level level_;
  std::vector<std::unique_ptr<Worker>> workers_;
  SearchResult result_;                 // but for what the workers hold, see so_far()
  StateIndex resume_at_ = 0;            // where the first level to expand goes on
  Incomplete over_ = Incomplete::none;  // why to end after the next save()
};

/// Clears `store` (unless the search goes on from a checkpoint), then explores every state
/// reachable from the model's initial one, within the limits, with all workers of `team`.
/// `on_terminal(unsigned worker, StateIndex, StateBytes)` is called for every state without
/// successors; each worker calls it in its own thread. The states stay in the store, level by
/// level, for witness() and find_livelock().
///
/// The store must be made for states of model.state_bytes() bytes. Of a complete search, everything
/// but `seconds` and the order of states within a level is the same for any number of workers.
/// Counts of an incomplete result tell what was done up to the end of the search; nothing that was
/// stored is lost.
template <Model M, class OnTerminal>
SearchResult breadth_first(Team<M>& team, StateStore& store, const SearchOptions& options,
                           OnTerminal&& on_terminal) {
  if (options.checkpoint.resume == nullptr) {
    store.clear(options.memory_limit, options.state_limit);
  }
  return BreadthFirst<M, std::remove_reference_t<OnTerminal>>(team, store, options, on_terminal)
      .run();
}

/// The same with a team of its own, of options.threads workers.
template <Model M, class OnTerminal>
SearchResult breadth_first(M& model, StateStore& store, const SearchOptions& options,
                           OnTerminal&& on_terminal) {
  Team<M> team(model, options.threads);
  return breadth_first(team, store, options, on_terminal);
}

template <Model M>
SearchResult breadth_first(M& model, StateStore& store, const SearchOptions& options = {}) {
  return breadth_first(model, store, options, [](unsigned, StateIndex, StateBytes) {});
}

}  // namespace drover::explore
