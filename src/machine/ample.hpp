// Ample: which actors' steps are enough in a state (partial-order reduction). What steps touch is
// in footprint.hpp; that a state is expanded in full where a cycle may close is Machine::expand's.
//
// A set P of actors is enough in a state if nothing that the others can do from there, as long as
// no actor of P moves, conflicts with the next step of any actor of P (a persistent set: Godefroid,
// Partial-Order Methods for the Verification of Concurrent Systems, 1996). Whatever the others do
// first could as well be done afterwards, with the same final states. Conflicts are taken between
// the footprint of P's next steps and that of all the others' futures; actors that cannot move
// before P does (they wait for a signal, a child, or to be forked) do not count.
//
// What else is kept, and why. A run that shows something must not become one that does not:
//   - marks of a single step (isolation, lifetime, balance) depend on what it reads alone;
//   - coherence and sanity are about states, so a step of P must not end a violation that the
//     others could have caused: a step that changes a page table or a frame conflicts with all who
//     touch the frames it names, and one that drops a reference watches its page tables;
//   - on every cycle is a state that is expanded in full, so nobody is put off for ever, and a
//     livelock, from which no step leads out, stays reachable.
#pragma once

#include <array>
#include <cstdint>

#include "machine/footprint.hpp"

namespace drover::machine {

/// One thread's object: choose() uses scratch memory.
class Ample {
 public:
  Ample(const litmus::Program& program, const design::Switches& switches);

  /// A bit per actor and, after them, per device job.
  using Movers = std::uint32_t;

  /// Movers whose steps are enough in `s`; all of them if no smaller set is found. They may turn
  /// out to have no step now: then all must be taken.
  [[nodiscard]] Movers choose(const mm::State& s);
  [[nodiscard]] Movers all() const { return all_; }

 private:
  static constexpr unsigned kMovers = litmus::kMaxActors + litmus::kMaxJobs;

  /// A footprint in one state: with the frames it covers there.
  struct Use {
    Resources reads, writes, watches;
    std::uint64_t read_words = 0, written_words = 0, read_counts = 0, written_counts = 0;
    std::uint16_t awaits = 0, signals = 0;
    std::uint8_t starts = 0, exits = 0;

    void add(const Use& other);
    [[nodiscard]] bool conflicts(const Use& future) const;
  };
  enum class Gate : std::uint8_t { none, start, event, child };
  struct Mover {
    Gate gate = Gate::none;
    std::uint8_t needs = 0;  // the process or event of the gate
    Use next, future;
  };

  void name_frames(const mm::State& s);
  [[nodiscard]] Use use_of(const mm::State& s, const Footprint& f, std::uint64_t more) const;
  [[nodiscard]] bool several_can_move(const mm::State& s);
  void look_at(const mm::State& s, unsigned actor);
  void look_at_gate(const mm::State& s, unsigned actor);
  [[nodiscard]] Use next_of(const mm::State& s, unsigned actor) const;
  bool refine(const mm::State& s, unsigned actor, Use& use) const;
  bool refine_access(const mm::State& s, unsigned actor, Use& use) const;
  [[nodiscard]] Movers active_without(Movers chosen) const;
  [[nodiscard]] bool opens(const Mover& gated, const Use& future) const;
  [[nodiscard]] Movers close(unsigned seed) const;

  const litmus::Program* program_;
  Footprints footprints_;
  Movers all_ = 0;
  bool counts_zero_page_ = false;
  // Of the state looked at:
  std::array<Mover, kMovers> movers_{};
  Movers alive_ = 0;
  std::uint8_t forking_ = 0;
  std::array<std::uint64_t, resource::kPlaces> mapped_{}, stale_{};  // frames named by a place
};

}  // namespace drover::machine
