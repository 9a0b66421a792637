// Systems of a few states whose searches, runs and livelocks are known by hand, and random graphs.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "explore/model.hpp"
#include "models/bytes.hpp"

namespace drover::explore::models {

/// A reader spins on a flag: it looks, and if the flag is down it pauses and looks again. The
/// writer raises the flag and ends; if it `may_quit` it may end without having raised it. Then the
/// reader spins for ever: a livelock from the state after that first step.
class Spin {
 public:
  struct State {
    std::uint8_t writer;  // 0 not begun, 1 ended
    std::uint8_t flag;
    std::uint8_t reader;  // 0 looks, 1 pauses, 2 ended
  };

  explicit Spin(bool may_quit) : may_quit_(may_quit) {}
  std::size_t state_bytes() const { return sizeof(State); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    const auto move = [&](unsigned actor, unsigned choice, State next, bool backward) {
      emit(Transition{bytes_of(next), action(actor, choice), 0, backward});
    };
    if (state.writer == 0) {
      move(0, 0, {1, 1, state.reader}, false);
      if (may_quit_) move(0, 1, {1, 0, state.reader}, false);
    }
    if (state.reader == 0) {
      move(1, 0, {state.writer, state.flag, static_cast<std::uint8_t>(state.flag != 0 ? 2 : 1)},
           false);
    }
    if (state.reader == 1) move(1, 1, {state.writer, state.flag, 0}, true);
  }
  Marks terminal(const std::byte*) { return 1; }

 private:
  bool may_quit_;
};

/// Actors that each take a fixed number of steps in order; a step may have to wait for a step of
/// another. The only terminal state is the end of all, or a deadlock. A state is how many steps
/// each did.
class Schedule {
 public:
  static constexpr unsigned kActors = 3;
  using State = std::array<std::uint8_t, kActors>;
  struct Wait {
    unsigned actor, step;       // this step (from 0) of this actor
    unsigned for_actor, steps;  // must wait until that actor has done so many steps
  };

  Schedule(State lengths, std::vector<Wait> waits) : lengths_(lengths), waits_(std::move(waits)) {}
  std::size_t state_bytes() const { return sizeof(State); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    for (unsigned actor = kActors;
         actor-- > 0;) {  // the larger actor first, to try the order of runs
      if (state[actor] == lengths_[actor] || blocked(state, actor)) continue;
      State next = state;
      ++next[actor];
      const Marks marks = next[actor] == lengths_[actor] ? 2U << actor : 0U;
      emit(Transition{bytes_of(next), action(actor, state[actor]), marks});
    }
  }
  Marks terminal(const std::byte*) { return 1; }

 private:
  bool blocked(const State& state, unsigned actor) const {
    for (const Wait& wait : waits_) {
      if (wait.actor == actor && wait.step == state[actor] && state[wait.for_actor] < wait.steps) {
        return true;
      }
    }
    return false;
  }
  State lengths_;
  std::vector<Wait> waits_;
};

/// A chain of `length` steps with states of `width` bytes; counts up in the first bytes, fills the
/// rest.
class Chain {
 public:
  Chain(std::uint64_t length, std::size_t width)
      : length_(length), width_(width), scratch_(width + 8) {}
  std::size_t state_bytes() const { return width_; }
  void initial(std::byte* out) const { write(out, 0); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    std::uint64_t at = 0;
    std::memcpy(&at, bytes, width_ < 8 ? width_ : 8);
    if (at == length_) return;
    write(scratch_.data(), at + 1);
    emit(Transition{StateBytes(scratch_.data(), width_), action(0), at + 1 == length_ ? 1U : 0U});
  }
  Marks terminal(const std::byte*) { return 2; }

 private:
  void write(std::byte* out, std::uint64_t value) const {
    std::memcpy(out, &value, width_ < 8 ? width_ : 8);
    for (std::size_t at = 8; at < width_; ++at) out[at] = static_cast<std::byte>(value + at);
  }
  std::uint64_t length_;
  std::size_t width_;
  std::vector<std::byte> scratch_;
};

/// A random directed graph. The name of a node is its state; `emit_seed` shuffles the order in
/// which successors are emitted and changes nothing else, so results that claim not to depend on
/// storage order must not change with it.
class RandomGraph {
 public:
  struct Edge {
    std::uint32_t to;
    Action action;
    Marks marks;
  };

  RandomGraph(unsigned seed, unsigned nodes, unsigned edges, unsigned actors, unsigned emit_seed)
      : edges_(nodes) {
    std::mt19937 random(seed);
    const auto below = [&random](unsigned bound) {
      return static_cast<std::uint32_t>(random() % bound);
    };
    for (unsigned edge = 0; edge < edges; ++edge) {
      std::vector<Edge>& out = edges_[below(nodes)];
      const std::uint32_t to = below(nodes);
      const Marks marks = below(nodes / 2) == 0 ? 1U << below(3) : 0U;
      const unsigned actor = below(actors);
      out.push_back({to, models::action(actor, static_cast<unsigned>(out.size())), marks});
    }
    std::mt19937 order(emit_seed);
    for (std::vector<Edge>& out : edges_) std::shuffle(out.begin(), out.end(), order);
  }
  std::size_t state_bytes() const { return sizeof(std::uint32_t); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(std::uint32_t)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    for (const Edge& edge : edges_[read<std::uint32_t>(bytes)]) {
      emit(Transition{bytes_of(edge.to), edge.action, edge.marks, true});
    }
  }
  Marks terminal(const std::byte* bytes) { return 8U << (read<std::uint32_t>(bytes) % 2); }

  const std::vector<Edge>& edges(std::uint32_t node) const { return edges_[node]; }
  std::uint32_t nodes() const { return static_cast<std::uint32_t>(edges_.size()); }

 private:
  std::vector<std::vector<Edge>> edges_;
};

}  // namespace drover::explore::models
