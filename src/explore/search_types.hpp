// What a search is told and what it reports: limits, progress, counts, where marks were seen.
// The searches themselves are templates over the model, in breadth_first.hpp and beside it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "explore/model.hpp"
#include "explore/state_store.hpp"

namespace drover::explore {

/// Why a search ended before every reachable state was expanded.
enum class Incomplete : std::uint8_t {
  none,
  time,
  memory,
  interrupted,
  states,
  first,
  sampled  // it was not meant to: sampling.hpp
};

/// A snapshot of a running search.
struct Progress {
  std::uint64_t states = 0;       // stored
  std::uint64_t transitions = 0;  // generated
  std::uint64_t frontier = 0;     // stored and not yet expanded
  std::uint32_t depth = 0;        // steps from the initial state to the level being expanded
  double seconds = 0;             // since the search began
  std::uint64_t memory = 0;       // bytes of the state store
};

struct SearchPoint;

/// When and how a search saves itself, and where it goes on.
struct Checkpointing {
  double every = std::numeric_limits<double>::infinity();  // seconds
  /// Called between two expansions, with no thread at work and all successors stored; and once more
  /// when the search is interrupted or its time is over.
  std::function<void(const SearchPoint&)> save;
  /// The search goes on from here: the store holds its states already. Not owned.
  const SearchPoint* resume = nullptr;
};

struct SearchOptions {
  std::uint64_t state_limit = kUnlimited;
  std::uint64_t memory_limit = kUnlimited;  // bytes, see StateStore::bytes_used()
  double time_limit = std::numeric_limits<double>::infinity();  // seconds
  unsigned threads = 1;
  /// Expansions of a thread before it remembers what steps did (transition_cache.hpp), at least 1;
  /// small searches are over before that pays. kUnlimited: never.
  std::uint64_t remember_after = 8192;
  Marks stop_at = 0;  // end (Incomplete::first) after the level in which one of these was seen
  const std::atomic<bool>* stop = nullptr;        // set by a signal handler, for instance
  std::function<void(const Progress&)> progress;  // called about once in progress_interval
  double progress_interval = 1.0;                 // seconds
  Checkpointing checkpoint;
};

/// One transition, named by the state it leaves.
struct TransitionRef {
  StateIndex source = 0;
  Action action;
  bool operator==(const TransitionRef&) const = default;
  auto operator<=>(const TransitionRef&) const = default;
};

/// Where a mark was seen after the fewest steps: all its occurrences after that many steps.
struct Sighting {
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

  /// Steps from the initial state: the level of a terminal state, that of a transition's source
  /// and 1.
  std::uint32_t steps = kNever;
  std::vector<TransitionRef> transitions;
  std::vector<StateIndex> terminals;

  bool seen() const { return steps != kNever; }
};

struct SearchResult {
  Incomplete incomplete = Incomplete::none;
  std::uint64_t transitions = 0;
  std::uint64_t terminals = 0;      // states without successors
  bool backward = false;            // a transition said it may lie on a cycle
  std::vector<StateIndex> turning;  // states with successors, by backward transitions only
  double seconds = 0;
  std::uint64_t remembered = 0;  // bytes of what threads remembered of steps at the end
  /// Level k holds the states [levels[k], levels[k + 1]); the last entry is the number of states.
  /// If the search is incomplete the last level may lack states.
  std::vector<StateIndex> levels;
  std::array<Sighting, std::numeric_limits<Marks>::digits> marks;

  bool complete() const { return incomplete == Incomplete::none; }
  std::uint64_t states() const { return levels.back(); }
  std::uint32_t level_count() const { return static_cast<std::uint32_t>(levels.size() - 1); }
  std::uint32_t level_of(StateIndex index) const {
    const auto next = std::upper_bound(levels.begin(), levels.end(), index);
    return static_cast<std::uint32_t>(next - levels.begin()) - 1;
  }
};

/// A search under way: all that is not in the store.
struct SearchPoint {
  SearchResult so_far;  // its last level is under way, or complete if `next` is the end
  StateIndex next = 0;  // states before it are expanded, those from it on are not
};

/// Looks at clock and stop flag for a search, every so many expansions.
class Watch {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint64_t kExpansionsBetweenLooks = 4096;

  explicit Watch(const SearchOptions& options)
      : options_(options), begin_(Clock::now()), reported_(begin_) {}

  double seconds() const { return since(begin_, Clock::now()); }

  /// Whether a checkpoint is due; if so, the next one is due from now.
  bool checkpoint_due() {
    const double now = seconds();
    if (now - saved_ < options_.checkpoint.every) return false;
    saved_ = now;
    return true;
  }

  /// none to go on, or why to stop. `make_progress` is called if a report is due.
  template <class MakeProgress>
  Incomplete look(MakeProgress&& make_progress) {
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      return Incomplete::interrupted;
    }
    const Clock::time_point now = Clock::now();
    if (since(begin_, now) >= options_.time_limit) return Incomplete::time;
    if (options_.progress && since(reported_, now) >= options_.progress_interval) {
      reported_ = now;
      options_.progress(make_progress(since(begin_, now)));
    }
    return Incomplete::none;
  }

 private:
  static double since(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  }

  const SearchOptions& options_;
  Clock::time_point begin_;
  Clock::time_point reported_;
  double saved_ = 0;
};

}  // namespace drover::explore
