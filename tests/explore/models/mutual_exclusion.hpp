// Peterson's lock for two processes and his filter lock for N. Both loop for ever, so there are no
// terminal states; every return to the non-critical section is a backward transition.
#pragma once

#include <array>
#include <cstdint>

#include "explore/model.hpp"
#include "models/bytes.hpp"

namespace drover::explore::models {

/// Mark of a transition into a state with two processes in the critical section.
inline constexpr Marks kBothCritical = 1;

/// flag[me] = true; turn = other; wait until !flag[other] or turn == me; critical; flag[me] =
/// false. Counted by hand: 20 states. Both in {idle, flagged}: 2*2 with either turn, 8. One in
/// {waiting, critical} and the other not: the turn is the other's, since who waits or is inside set
/// it last or was let in by a flag that is down: 2 * 4. Both waiting: 2. One critical, one waiting:
/// the one that waits gave the turn away last: 2.
class Peterson {
 public:
  struct State {
    std::array<std::uint8_t, 2> at;  // 0 idle, 1 flagged, 2 waiting, 3 critical
    std::uint8_t turn;
  };

  std::size_t state_bytes() const { return sizeof(State); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    for (unsigned me = 0; me < 2; ++me) {
      const unsigned other = 1 - me;
      State next = state;
      if (state.at[me] == 2 && state.at[other] != 0 && state.turn != me) continue;
      next.at[me] = static_cast<std::uint8_t>((state.at[me] + 1U) % 4U);
      if (state.at[me] == 1) next.turn = static_cast<std::uint8_t>(other);
      const bool both = next.at[0] == 3 && next.at[1] == 3;
      emit(Transition{bytes_of(next), action(me, state.at[me]), both ? kBothCritical : 0,
                      state.at[me] == 3});
    }
  }
  Marks terminal(const std::byte*) { return 0; }
};

/// For each level 1 .. N-1: level[me] = l; victim[l] = me; wait until no other is at l or above or
/// victim[l] != me. Then critical; then level[me] = 0. kFaulty leaves the victim out of account for
/// the last process, which then may enter beside another one.
template <unsigned kProcesses, bool kFaulty = false>
class FilterLock {
 public:
  struct State {
    std::array<std::uint8_t, kProcesses> level;   // 0 idle, 1 .. N-1
    std::array<std::uint8_t, kProcesses> phase;   // 0 at rest or level set, 1 waiting, 2 critical
    std::array<std::uint8_t, kProcesses> victim;  // of level 1 .. N-1; entry 0 stays 0
  };

  std::size_t state_bytes() const { return sizeof(State); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    for (unsigned me = 0; me < kProcesses; ++me) {
      State next = state;
      bool backward = false;
      if (state.phase[me] == 2) {
        next.phase[me] = 0;
        next.level[me] = 0;
        backward = true;
      } else if (state.phase[me] == 1) {
        if (must_wait(state, me)) continue;
        const bool last = state.level[me] == kProcesses - 1;
        next.phase[me] = last ? 2 : 0;
        if (!last) ++next.level[me];
      } else if (state.level[me] == 0) {
        next.level[me] = 1;
      } else {
        next.victim[state.level[me]] = static_cast<std::uint8_t>(me);
        next.phase[me] = 1;
      }
      unsigned critical = 0;
      for (const std::uint8_t phase : next.phase) critical += phase == 2;
      emit(Transition{bytes_of(next), action(me), critical > 1 ? kBothCritical : 0, backward});
    }
  }
  Marks terminal(const std::byte*) { return 0; }

 private:
  static bool must_wait(const State& state, unsigned me) {
    const unsigned level = state.level[me];
    if (state.victim[level] != me || (kFaulty && me + 1 == kProcesses)) return false;
    for (unsigned other = 0; other < kProcesses; ++other) {
      if (other != me && state.level[other] >= level) return true;
    }
    return false;
  }
};

}  // namespace drover::explore::models
