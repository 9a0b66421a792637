// Dining philosophers: take the left fork, take the right fork, put both down.
#pragma once

#include <array>
#include <cstdint>

#include "explore/model.hpp"
#include "models/bytes.hpp"

namespace drover::explore::models {

/// Philosopher i is 0 thinking, 1 holding fork i, 2 eating with forks i and i+1 (cyclic). He can
/// only eat while his right neighbour holds nothing, so the states are the cyclic words over
/// {0,1,2} in which a 2 is followed by 0, and each is reachable. Their number is the trace of the
/// N-th power of the transfer matrix, whose eigenvalues are 0 and 1 +- sqrt 2: the companion Pell
/// number (1+sqrt 2)^N + (1-sqrt 2)^N, that is 14, 34, 82, 198 for N = 3 .. 6. The one terminal
/// state is the deadlock 11..1.
template <unsigned kPhilosophers>
class Philosophers {
 public:
  static constexpr Marks kDeadlock = 1U << 5;
  using State = std::array<std::uint8_t, kPhilosophers>;

  std::size_t state_bytes() const { return sizeof(State); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    for (unsigned me = 0; me < kPhilosophers; ++me) {
      const unsigned left = (me + kPhilosophers - 1) % kPhilosophers;
      const unsigned right = (me + 1) % kPhilosophers;
      if (state[me] == 0 && state[left] == 2) continue;
      if (state[me] == 1 && state[right] != 0) continue;
      State next = state;
      next[me] = static_cast<std::uint8_t>((state[me] + 1U) % 3U);
      emit(Transition{bytes_of(next), action(me), 0, state[me] == 2});
    }
  }
  Marks terminal(const std::byte*) { return kDeadlock; }
};

}  // namespace drover::explore::models
