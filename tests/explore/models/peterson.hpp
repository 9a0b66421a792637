// Peterson's mutual exclusion for N processes (G. L. Peterson, Myths about the mutual exclusion
// problem, 1981), packed into 16 bytes for up to 7. For tests and benchmarks; the lock that looks
// at all others in one step is in mutual_exclusion.hpp. bench/models/peterson.{pml,m} are the same.
#pragma once

#include <cstdint>

#include "explore/model.hpp"
#include "models/bytes.hpp"

namespace drover::explore::models {

/// For l = 1 .. N-1: level[me] = l; last[l] = me; for each other k: wait until level[k] < l or
/// last[l] != me. Then critical; then level[me] = 0. Each assignment is one step, so is each passed
/// wait; the last wait of a level goes on to the next level or into the critical section. l and k
/// are 1 and 0 where they are not needed. last[] begins as 0, the first process.
template <unsigned kProcesses>
class PetersonLock {
  static_assert(kProcesses >= 2 && kProcesses <= 7);

 public:
  static constexpr Marks kBothInside = 1;  // two processes in the critical section

  std::size_t state_bytes() const { return sizeof(State); }

  void initial(std::byte* out) const {
    State state{};
    for (unsigned me = 0; me < kProcesses; ++me) state.set(me, 1U << kTrying);
    std::memcpy(out, &state, sizeof state);
  }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    for (unsigned me = 0; me < kProcesses; ++me) {
      State next = state;
      if (!step(next, me)) continue;
      const unsigned at = field(state.node(me), kAt, 2);
      emit(Transition{bytes_of(next), action(me, at), violations(next, me), at == kInside});
    }
  }

  /// Whoever waits at a level is let on by the next to come or by the one before him leaving.
  Marks terminal(const std::byte*) { return 0; }

 private:
  enum : unsigned { kSet = 0, kClaim = 1, kWait = 2, kInside = 3 };
  // A process, and the entry of last[] of the same index, in 16 bits.
  enum : unsigned {
    kAt = 0,      // 2 bits: kSet ..
    kTrying = 2,  // 3 bits, l
    kOther = 5,   // 3 bits, k
    kLevel = 8,   // 3 bits, level[me]
    kLast = 11,   // 3 bits, last[me]
  };

  /// Processes of the low word; either word takes few values (the store keeps equal words once).
  static constexpr unsigned kLow = (kProcesses + 1) / 2;

  // Whole words, so that a changed field is not written short and read back long.
  struct State {
    std::uint64_t low;
    std::uint64_t high;

    static unsigned shift_of(unsigned index) { return 16 * (index < kLow ? index : index - kLow); }
    unsigned node(unsigned index) const {
      return static_cast<unsigned>((index < kLow ? low : high) >> shift_of(index)) & 0xffffU;
    }
    void set(unsigned index, unsigned node) {
      std::uint64_t& word = index < kLow ? low : high;
      const unsigned shift = shift_of(index);
      word = (word & ~(std::uint64_t{0xffff} << shift)) | std::uint64_t{node} << shift;
    }
  };

  static unsigned field(unsigned node, unsigned shift, unsigned bits) {
    return (node >> shift) & ((1U << bits) - 1U);
  }
  static unsigned with(unsigned node, unsigned shift, unsigned bits, unsigned value) {
    const unsigned mask = ((1U << bits) - 1U) << shift;
    return (node & ~mask) | value << shift;
  }

  /// The next step of a process; false if he has to wait.
  static bool step(State& state, unsigned me) {
    const unsigned node = state.node(me);
    const unsigned level = field(node, kTrying, 3);
    switch (field(node, kAt, 2)) {
      case kSet:
        state.set(me, with(with(node, kLevel, 3, level), kAt, 2, kClaim));
        return true;
      case kClaim:
        state.set(me, with(with(node, kOther, 3, me == 0 ? 1 : 0), kAt, 2, kWait));
        state.set(level, with(state.node(level), kLast, 3, me));
        return true;
      case kWait:
        return wait(state, me);
      default:  // leaves
        state.set(me, with(with(with(node, kLevel, 3, 0), kTrying, 3, 1), kAt, 2, kSet));
        return true;
    }
  }

  static bool wait(State& state, unsigned me) {
    unsigned node = state.node(me);
    const unsigned level = field(node, kTrying, 3);
    unsigned other = field(node, kOther, 3);
    if (field(state.node(other), kLevel, 3) >= level && field(state.node(level), kLast, 3) == me) {
      return false;
    }
    if (++other == me) ++other;
    if (other >= kProcesses) {
      const bool enters = level == kProcesses - 1;
      node = with(node, kAt, 2, enters ? kInside : kSet);
      if (!enters) node = with(node, kTrying, 3, level + 1);
      other = 0;
    }
    state.set(me, with(node, kOther, 3, other));
    return true;
  }

  static Marks violations(const State& state, unsigned mover) {
    if (field(state.node(mover), kAt, 2) != kInside) return 0;
    unsigned inside = 0;
    for (unsigned i = 0; i < kProcesses; ++i) inside += field(state.node(i), kAt, 2) == kInside;
    return inside > 1 ? kBothInside : 0;
  }
};

}  // namespace drover::explore::models
