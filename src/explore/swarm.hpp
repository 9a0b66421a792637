// Swarm: many small bitstate searches instead of one large one, each with another hash function and
// another order, so that each gets lost in another part of a state space beyond memory (Holzmann,
// Joshi, Groce: Swarm Verification Techniques, 2011). A search goes on from the state it found
// last, or, as often as its number says, from any open one: the first search of four never
// (depth-first in random order), the fourth always. What sampling.hpp says of samples is true here.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "explore/sampling.hpp"

namespace drover::explore {

/// `on_terminal(worker, StateBytes)` is called for every state without successors that a search
/// meets.
template <Model M, class OnTerminal>
class Swarm {
 public:
  /// The table of a search. Over when half of its bits are set: that is after some 31 million
  /// states.
  static constexpr std::uint64_t kTableBytes = std::uint64_t{1} << 24;

  Swarm(Team<M>& team, const SearchOptions& options, OnTerminal& on_terminal,
        std::uint64_t table_bytes = kTableBytes)
      : team_(team),
        options_(options),
        on_terminal_(on_terminal),
        most_open_bytes_(options.memory_limit / 2 / team.workers()),
        table_bytes_(std::min(table_bytes, most_open_bytes_)),
        runs_(team, options) {}

  /// That many searches, by all workers of the team. The same searches for the same seed, whoever
  /// makes them.
  Sample run(std::uint64_t searches, std::uint64_t seed) {
    Sample sum = runs_.take(searches, [&](unsigned worker, std::uint64_t number, Sample& sample) {
      search(worker, number, detail::mixed(detail::mixed(seed) ^ number), sample);
    });
    sum.unseen = searches < 2 ? 1 : runs_.coverage().unseen(sum.states);
    sum.states = runs_.coverage().states();
    sum.memory = detail::Coverage::bytes() + team_.workers() * table_bytes_;
    return sum;
  }

 private:
  /// Of one search.
  struct Open {
    std::vector<std::byte> states;  // found and not yet expanded
    std::vector<std::uint32_t> depths;
    std::uint64_t random = 0;
    unsigned jumps = 0;  // so many times of kOften
  };
  static constexpr unsigned kOften = 64;
  static constexpr std::array<unsigned, 4> kJumps = {0, 1, 8, kOften};

  void search(unsigned worker, std::uint64_t number, std::uint64_t random, Sample& sample) {
    M& model = team_.model(worker);
    detail::Bitstate visited(2 * table_bytes_, random);
    std::vector<std::byte> state(model.state_bytes());
    std::as_const(model).initial(state.data());
    Open open{state, {0}, random, kJumps[number % kJumps.size()]};
    visited.insert(StateBytes(state));
    note(StateBytes(state), sample);
    std::uint64_t expanded = 0;
    while (!open.depths.empty() && !runs_.stopped() && !visited.half_full()) {
      if (worker == 0 && expanded++ % Watch::kExpansionsBetweenLooks == 0 &&
          !runs_.look(sample, sample.states, table_bytes_)) {
        return;
      }
      const std::uint32_t depth = take_next(open, state);
      expand(worker, state, depth, open, visited, sample);
      if (open.states.size() > most_open_bytes_) return;
    }
  }

  /// Moves one of the open states to `state`; its depth.
  static std::uint32_t take_next(Open& open, std::vector<std::byte>& state) {
    const std::size_t bytes = state.size();
    const std::size_t last = open.depths.size() - 1;
    const bool jumps =
        open.jumps > 0 && detail::scaled(detail::draw(open.random), kOften) < open.jumps;
    const std::size_t one = jumps ? detail::scaled(detail::draw(open.random), last + 1) : last;
    std::memcpy(state.data(), open.states.data() + one * bytes, bytes);
    const std::uint32_t depth = open.depths[one];
    if (one != last) {
      std::memcpy(open.states.data() + one * bytes, open.states.data() + last * bytes, bytes);
      open.depths[one] = open.depths[last];
    }
    open.states.resize(last * bytes);
    open.depths.pop_back();
    return depth;
  }

  void expand(unsigned worker, const std::vector<std::byte>& state, std::uint32_t depth, Open& open,
              detail::Bitstate& visited, Sample& sample) {
    M& model = team_.model(worker);
    const std::size_t before = open.depths.size();
    bool terminal = true;
    model.expand(state.data(), [&](const Transition& transition) {
      terminal = false;
      ++sample.transitions;
      sample.seen |= transition.marks;
      const StateBytes successor = transition.successor;
      if (visited.insert(successor) != detail::Bitstate::Insertion::added) return;
      note(successor, sample);
      open.states.insert(open.states.end(), successor.begin(), successor.end());
      open.depths.push_back(depth + 1);
    });
    sample.depth = std::max(sample.depth, depth);
    if (terminal) {
      sample.seen |= model.terminal(state.data());
      on_terminal_(worker, StateBytes(state));
    }
    shuffle(open.states.data() + before * state.size(), open.depths.size() - before, state.size(),
            open.random);
    if ((sample.seen & options_.stop_at) != 0) runs_.stop(sample, Incomplete::first);
  }

  void note(StateBytes state, Sample& sample) {
    ++sample.states;
    runs_.coverage().note(state);
  }

  /// The same depth for all of them.
  static void shuffle(std::byte* states, std::size_t count, std::size_t bytes,
                      std::uint64_t& random) {
    for (std::size_t left = count; left > 1; --left) {
      std::byte* const one = states + detail::scaled(detail::draw(random), left) * bytes;
      std::byte* const last = states + (left - 1) * bytes;
      if (one != last) std::swap_ranges(one, one + bytes, last);
    }
  }

  Team<M>& team_;
  const SearchOptions& options_;
  OnTerminal& on_terminal_;
  const std::uint64_t most_open_bytes_, table_bytes_;
  detail::SampledRuns<M> runs_;
};

}  // namespace drover::explore
