// How many different states a sample has met, and how likely a further one is new, from bits.
// Shared by all threads of a sampling search.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "explore/handle_hash.hpp"
#include "explore/model.hpp"

namespace drover::explore::detail {

/// 128 bits that depend on every bit of a state, and on `salt`.
inline std::array<std::uint64_t, 2> state_hash(StateBytes state, std::uint64_t salt = 0) {
  std::uint64_t a = 0x9e3779b97f4a7c15U ^ salt;
  std::uint64_t b = state.size() + salt;
  for (std::size_t at = 0; at < state.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, state.data() + at, std::min(sizeof(word), state.size() - at));
    a = mixed(a ^ word);
    b = mixed(b + word * 0xd6e8feb86659fd93U);
  }
  return {a, b};
}

class Coverage {
 public:
  Coverage() : once_(kWords), twice_(kWords) {}

  /// One more draw: a step of a walk, a state of one search of a swarm.
  void note(StateBytes state) {
    const std::uint64_t bit = state_hash(state)[0] % (kWords * 64);
    const std::uint64_t one = std::uint64_t{1} << bit % 64;
    const auto before = once_[bit / 64].fetch_or(one, std::memory_order_relaxed);
    if ((before & one) != 0) twice_[bit / 64].fetch_or(one, std::memory_order_relaxed);
  }

  /// About how many different states were drawn, by linear counting (Whang 1990).
  std::uint64_t states() const {
    const double bits = static_cast<double>(kWords) * 64;
    const double full = std::min(static_cast<double>(count(once_)), bits - 1) / bits;
    return static_cast<std::uint64_t>(std::llround(-bits * std::log1p(-full)));
  }
  /// The chance that a further draw is of a state not drawn yet, by Good and Turing: the part of
  /// the draws whose state no other drew.
  double unseen(std::uint64_t draws) const {
    if (draws == 0) return 0;
    return static_cast<double>(count(once_) - count(twice_)) / static_cast<double>(draws);
  }
  static constexpr std::uint64_t bytes() { return 2 * kWords * sizeof(std::uint64_t); }

 private:
  using Bits = std::vector<std::atomic<std::uint64_t>>;
  static constexpr std::uint64_t kWords = std::uint64_t{1} << 19;  // 4 MiB each

  static std::uint64_t count(const Bits& bits) {
    std::uint64_t ones = 0;
    for (const auto& word : bits) ones += static_cast<std::uint64_t>(std::popcount(word.load()));
    return ones;
  }

  Bits once_, twice_;
};

}  // namespace drover::explore::detail
