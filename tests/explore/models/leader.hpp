// Leader election in a unidirectional ring of N processes (Dolev, Klawe, Rodeh, An O(n log n)
// unidirectional distributed algorithm for extrema finding in a circle, 1982), 8 bytes a process.
// For tests and benchmarks. bench/models/leader.{pml,m} are the same.
#pragma once

#include <array>
#include <cstdint>

#include "explore/model.hpp"
#include "models/bytes.hpp"

namespace drover::explore::models {

/// An active process sends the greatest number it stands for, hears that of the active process
/// before it (kOne), passes it on, and so hears that of the one before that (kTwo). It stays active
/// if the first of these is greater than the second and its own, and stands for it from then on.
/// The others become relays. A process that hears its own number is the only active one and
/// announces the winner; whose number that is, leads.
///
/// Steps: wake up, receive and act, send. A process that has something to send receives nothing;
/// wakes up before it receives. Variables that are not needed any more are 0.
///
/// The numbers around the ring are 1, h, 2, h + 1, 3 ..: smaller and larger ones in turn, so that
/// more than one process survives the first round.
template <unsigned kProcesses>
class Leader {
  static_assert(kProcesses >= 2 && kProcesses <= 15);

 public:
  static constexpr Marks kTwoLeaders = 1;
  static constexpr Marks kElected = 2;     // of a terminal state: one leads, the others know
  static constexpr Marks kNotElected = 4;  // of a terminal state
  static constexpr Marks kFull = 8;        // a channel would have overflown: counts are void

  std::size_t state_bytes() const { return sizeof(State); }
  void initial(std::byte* out) const { std::memset(out, 0, sizeof(State)); }

  template <class Emit>
  void expand(const std::byte* bytes, Emit&& emit) {
    const auto state = read<State>(bytes);
    for (unsigned me = 0; me < kProcesses; ++me) {
      State next = state;
      Marks marks = 0;
      if (field(state[me], kPending, 2) != kNothing) {
        marks = send(next, me);
      } else if (field(state[me], kPhase, 3) == kAsleep) {
        next[me] = with(with(state[me], kPhase, 3, kActive), kMaximum, 4, number(me));
        say(next[me], kOne, number(me));
      } else if (field(state[me], kPhase, 3) <= kRelay && state[me] >> kChannel != 0) {
        receive(next[me], me);
        const bool leads = field(next[me], kPhase, 3) == kLeader;
        marks = leads && leaders(next) > 1 ? kTwoLeaders : 0;
      } else {
        continue;
      }
      emit(Transition{bytes_of(next), action(me), marks});
    }
  }

  Marks terminal(const std::byte* bytes) {
    const auto state = read<State>(bytes);
    bool elected = leaders(state) == 1;
    for (const std::uint64_t process : state) elected &= field(process, kPhase, 3) > kRelay;
    return elected ? kElected : kNotElected;
  }

 private:
  using State = std::array<std::uint64_t, kProcesses>;

  enum : unsigned { kAsleep = 0, kActive = 1, kRelay = 2, kFollower = 3, kLeader = 4 };
  enum : unsigned { kNothing = 0, kOne = 1, kTwo = 2, kWinner = 3 };
  // A process and the channel that leads to it.
  enum : unsigned {
    kPending = 0,   // 2 + 4 bits: kind and number of the message to be sent
    kPhase = 6,     // 3 bits: kAsleep ..
    kMaximum = 9,   // 4 bits: what it stands for
    kBefore = 13,   // 4 bits: what the active process before it stands for, between kOne and kTwo
    kKnows = 17,    // 1 bit: announced the winner
    kChannel = 18,  // 5 messages of 2 + 4 bits, the oldest first; 0 for none
  };
  static constexpr unsigned kMessage = 6;
  static constexpr unsigned kCapacity = 5;

  static unsigned number(unsigned me) {
    return me / 2 + 1 + (me % 2 != 0 ? (kProcesses + 1) / 2 : 0);
  }

  static unsigned field(std::uint64_t process, unsigned shift, unsigned bits) {
    return static_cast<unsigned>(process >> shift) & ((1U << bits) - 1U);
  }
  static std::uint64_t with(std::uint64_t process, unsigned shift, unsigned bits, unsigned value) {
    const std::uint64_t mask = ((std::uint64_t{1} << bits) - 1) << shift;
    return (process & ~mask) | std::uint64_t{value} << shift;
  }
  static void say(std::uint64_t& process, unsigned kind, unsigned value) {
    process = with(process, kPending, kMessage, kind | value << 2);
  }

  static Marks send(State& state, unsigned me) {
    std::uint64_t& to = state[(me + 1) % kProcesses];
    unsigned shift = kChannel;
    while (field(to, shift, kMessage) != 0) shift += kMessage;
    if (shift == kChannel + kCapacity * kMessage) return kFull;
    to = with(to, shift, kMessage, field(state[me], kPending, kMessage));
    state[me] = with(state[me], kPending, kMessage, 0);
    return 0;
  }

  static void receive(std::uint64_t& process, unsigned me) {
    const unsigned kind = field(process, kChannel, 2);
    const unsigned value = field(process, kChannel + 2, 4);
    const std::uint64_t rest = process >> (kChannel + kMessage) << kChannel;
    process = (process & ((std::uint64_t{1} << kChannel) - 1)) | rest;
    if (kind == kWinner) {
      if (field(process, kKnows, 1) == 0) say(process, kWinner, value);
      process = with(process, kMaximum, 8, 0);
      process = with(process, kPhase, 3, value == number(me) ? kLeader : kFollower);
    } else if (field(process, kPhase, 3) == kRelay) {
      say(process, kind, value);
    } else {
      compare(process, kind, value);
    }
  }

  /// What an active process does with a number.
  static void compare(std::uint64_t& process, unsigned kind, unsigned value) {
    const unsigned mine = field(process, kMaximum, 4);
    const unsigned before = field(process, kBefore, 4);
    if (kind == kOne) {
      if (value == mine) {
        process = with(process, kKnows, 1, 1);
        say(process, kWinner, value);
      } else {
        process = with(process, kBefore, 4, value);
        say(process, kTwo, value);
      }
    } else if (before > value && before > mine) {
      process = with(with(process, kBefore, 4, 0), kMaximum, 4, before);
      say(process, kOne, before);
    } else {
      process = with(with(process, kMaximum, 8, 0), kPhase, 3, kRelay);
    }
  }

  static unsigned leaders(const State& state) {
    unsigned count = 0;
    for (const std::uint64_t process : state) count += field(process, kPhase, 3) == kLeader;
    return count;
  }
};

}  // namespace drover::explore::models
