// Searches for state spaces beyond memory, which see a part and say how large it may be: compact
// breadth-first search, which keeps a hash of each state instead of the state, and random walks.
// All they report was really reached; what they do not report may still be reachable, so their
// results are never complete. No paths, no livelocks: those need the states.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "explore/coverage.hpp"
#include "explore/handle_hash.hpp"
#include "explore/model.hpp"
#include "explore/search_types.hpp"
#include "explore/team.hpp"

namespace drover::explore {

/// What a sampling search saw.
struct Sample {
  Incomplete stopped = Incomplete::none;  // before it was through by itself
  std::uint64_t states = 0;       // stored; of walks and swarms: an estimate of the different ones
  std::uint64_t transitions = 0;  // of walks: steps
  std::uint32_t depth = 0;
  std::uint64_t memory = 0;  // bytes of the table
  Marks seen = 0;
  double omitted = 0;  // compact: expected number of states taken for others
  double unseen = 0;   // walks, swarm: estimated chance that one more step, or state of one more
                       // search, is of a state not seen yet
};

namespace detail {

/// A hash table of 64-bit fingerprints.
class Fingerprints {
 public:
  explicit Fingerprints(std::uint64_t memory_limit)
      : memory_limit_(memory_limit), slots_(std::size_t{1} << 10) {}

  enum class Insertion : std::uint8_t { added, there, no_room };
  Insertion insert(StateBytes state) {
    if (10 * size_ >= 7 * slots_.size() && !grow()) return Insertion::no_room;
    const std::uint64_t print = std::max<std::uint64_t>(state_hash(state)[0], 1);
    std::uint64_t& slot = slots_[find(print)];
    if (slot == print) return Insertion::there;
    slot = print;
    ++size_;
    return Insertion::added;
  }
  std::uint64_t bytes() const { return slots_.size() * sizeof(std::uint64_t); }
  /// Two of n states have one fingerprint n (n - 1) / 2 / 2^64 times.
  double omitted() const {
    const auto n = static_cast<double>(size_);
    return n * (n - 1) / 2 / 18446744073709551616.0;
  }

 private:
  std::size_t find(std::uint64_t print) const {
    std::size_t at = print & (slots_.size() - 1);
    while (slots_[at] != 0 && slots_[at] != print) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  bool grow() {
    if (3 * bytes() > memory_limit_) return false;  // both tables for a moment
    std::vector<std::uint64_t> before(2 * slots_.size());
    before.swap(slots_);
    for (const std::uint64_t print : before) {
      if (print != 0) slots_[find(print)] = print;
    }
    return true;
  }

  std::uint64_t memory_limit_;
  std::vector<std::uint64_t> slots_;
  std::uint64_t size_ = 0;
};

/// A bit table, three bits for each state (a Bloom filter; Holzmann's bitstate hashing).
class Bitstate {
 public:
  /// `salt`: another hash function for each.
  explicit Bitstate(std::uint64_t memory_limit, std::uint64_t salt = 0)
      : words_(std::bit_floor(std::clamp<std::uint64_t>(memory_limit / 2, 1024, kMostBytes)) / 8),
        salt_(salt) {}

  using Insertion = Fingerprints::Insertion;
  Insertion insert(StateBytes state) {
    const auto [a, b] = state_hash(state, salt_);
    const std::uint64_t mask = words_.size() * 64 - 1;
    const double fill = static_cast<double>(ones_) / static_cast<double>(mask + 1);
    bool is_new = false;
    for (std::uint64_t k = 0; k < 3; ++k) {
      const std::uint64_t bit = (a + k * (b | 1U)) & mask;
      std::uint64_t& word = words_[bit / 64];
      const std::uint64_t one = std::uint64_t{1} << bit % 64;
      is_new = is_new || (word & one) == 0;
      ones_ += (word & one) == 0 ? 1 : 0;
      word |= one;
    }
    if (!is_new) return Insertion::there;
    // Each state that got in stands for 1 / (1 - p) that tried.
    const double p = fill * fill * fill;
    omitted_ += p / (1 - p);
    return Insertion::added;
  }
  std::uint64_t bytes() const { return words_.size() * sizeof(std::uint64_t); }
  double omitted() const { return omitted_; }
  bool half_full() const { return ones_ > words_.size() * 32; }

 private:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;
  std::vector<std::uint64_t> words_;
  std::uint64_t salt_;
  std::uint64_t ones_ = 0;
  double omitted_ = 0;
};

}  // namespace detail

/// Breadth-first with `Visited` in place of the store; the levels themselves are kept in full.
/// `on_terminal(StateBytes)` is called for every state without successors.
template <class Visited, Model M, class OnTerminal>
Sample compact_search(M& model, Visited visited, const SearchOptions& options,
                      OnTerminal&& on_terminal) {
  Sample sample;
  Watch watch(options);
  const std::size_t bytes = model.state_bytes();
  std::vector<std::byte> level(bytes);
  std::vector<std::byte> next;
  std::as_const(model).initial(level.data());
  visited.insert(StateBytes(level));
  sample.states = 1;
  std::uint64_t expanded = 0;
  for (; !level.empty() && sample.stopped == Incomplete::none; ++sample.depth) {
    next.clear();
    for (std::size_t at = 0; at < level.size() && sample.stopped == Incomplete::none; at += bytes) {
      if (expanded++ % Watch::kExpansionsBetweenLooks == 0) {
        sample.stopped = watch.look([&](double seconds) {
          return Progress{sample.states, sample.transitions, level.size() / bytes, sample.depth,
                          seconds,       visited.bytes()};
        });
      }
      bool terminal = true;
      model.expand(level.data() + at, [&](const Transition& transition) {
        terminal = false;
        ++sample.transitions;
        sample.seen |= transition.marks;
        const auto inserted = visited.insert(transition.successor);
        if (inserted == Visited::Insertion::no_room) sample.stopped = Incomplete::memory;
        if (inserted != Visited::Insertion::added) return;
        ++sample.states;
        next.insert(next.end(), transition.successor.begin(), transition.successor.end());
      });
      if (!terminal) continue;
      sample.seen |= model.terminal(level.data() + at);
      on_terminal(StateBytes(level.data() + at, bytes));
    }
    if (visited.bytes() + level.size() + next.size() > options.memory_limit) {
      sample.stopped = Incomplete::memory;
    }
    if ((sample.seen & options.stop_at) != 0) sample.stopped = Incomplete::first;
    level.swap(next);
  }
  sample.memory = visited.bytes();
  sample.omitted = visited.omitted();
  return sample;
}

namespace detail {

inline std::uint64_t draw(std::uint64_t& random) {
  return random = mixed(random + 0x9e3779b97f4a7c15U);
}

/// What walks and searches of a swarm have in common: they are taken by all workers of a team, each
/// as its number and the seed say, whoever takes it; all stop when one must.
template <Model M>
class SampledRuns {
 public:
  SampledRuns(Team<M>& team, const SearchOptions& options) : team_(team), watch_(options) {}

  Coverage& coverage() { return coverage_; }
  bool stopped() const { return stop_; }
  void stop(Sample& sample, Incomplete why) {
    sample.stopped = why;
    stop_ = true;
  }
  /// To be called by worker 0 now and then; false: return.
  bool look(Sample& sample, std::uint64_t states, std::uint64_t bytes) {
    const Incomplete why = watch_.look([&](double seconds) {
      return Progress{states, sample.transitions, 0, sample.depth, seconds, bytes};
    });
    if (why != Incomplete::none) stop(sample, why);
    return !stop_;
  }

  /// Calls one(worker, number, sample) for every number below `runs`; the sum of the samples.
  template <class One>
  Sample take(std::uint64_t runs, One&& one) {
    std::atomic<std::uint64_t> next = 0;
    std::vector<Sample> parts(team_.workers());
    team_.run([&](unsigned worker) {
      for (std::uint64_t run = next++; run < runs && !stop_; run = next++) {
        one(worker, run, parts[worker]);
      }
    });
    Sample sum;
    for (const Sample& part : parts) {
      sum.states += part.states;
      sum.transitions += part.transitions;
      sum.depth = std::max(sum.depth, part.depth);
      sum.seen |= part.seen;
      if (part.stopped != Incomplete::none) sum.stopped = part.stopped;
    }
    return sum;
  }

 private:
  Team<M>& team_;
  Watch watch_;
  Coverage coverage_;
  std::atomic<bool> stop_ = false;
};

}  // namespace detail

/// `walks` runs from the initial state, each taking one of its successors at random until there is
/// none, by all workers of `team`. The same walks for the same seed, whoever takes them.
template <Model M, class OnTerminal>
class Walks {
 public:
  Walks(Team<M>& team, const SearchOptions& options, OnTerminal& on_terminal)
      : team_(team), on_terminal_(on_terminal), runs_(team, options) {}

  Sample run(std::uint64_t walks, std::uint64_t seed) {
    Sample sum = runs_.take(walks, [&](unsigned worker, std::uint64_t walk, Sample& sample) {
      one(worker, detail::mixed(seed) ^ walk, sample);
    });
    sum.states = 1 + runs_.coverage().states();
    sum.unseen = runs_.coverage().unseen(sum.transitions);
    sum.memory = detail::Coverage::bytes();
    return sum;
  }

 private:
  static constexpr std::uint32_t kLongest = 100'000;  // steps

  void one(unsigned worker, std::uint64_t random, Sample& sample) {
    M& model = team_.model(worker);
    const std::size_t bytes = model.state_bytes();
    std::vector<std::byte> state(bytes);
    std::vector<std::byte> successors;
    std::vector<Marks> marks;
    std::as_const(model).initial(state.data());
    for (std::uint32_t step = 0; step < kLongest; ++step) {
      if (worker == 0 && sample.transitions % 1024 == 0 &&
          !runs_.look(sample, 0, detail::Coverage::bytes())) {
        return;
      }
      successors.clear();
      marks.clear();
      model.expand(state.data(), [&](const Transition& transition) {
        successors.insert(successors.end(), transition.successor.begin(),
                          transition.successor.end());
        marks.push_back(transition.marks);
      });
      sample.depth = std::max(sample.depth, step);
      if (marks.empty()) {
        sample.seen |= model.terminal(state.data());
        on_terminal_(worker, StateBytes(state));
        return;
      }
      const std::size_t choice = detail::scaled(detail::draw(random), marks.size());
      std::memcpy(state.data(), successors.data() + choice * bytes, bytes);
      sample.seen |= marks[choice];
      ++sample.transitions;
      runs_.coverage().note(StateBytes(state));
    }
  }

  Team<M>& team_;
  OnTerminal& on_terminal_;
  detail::SampledRuns<M> runs_;
};

}  // namespace drover::explore
