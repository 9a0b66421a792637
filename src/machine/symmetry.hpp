// Symmetry: of states that differ only in which of several interchangeable threads is which, one
// stands for all. Which permutations there are is automorphism.hpp's; here is which of them to
// apply to a state, and what that does to it.
//
// Sound because every permutation of the group maps steps to steps: the state graph of the
// representatives is the quotient (Clarke, Enders, Filkorn, Jha 1996; Emerson, Sistla 1996), on
// which violated marks, deadlocks and "a final state can be reached" are what they are on the whole
// graph. Outcomes of a final state are those of all its images. tests/verdict/symmetry_test.cpp
// takes steps and permutations in either order, in hundreds of states of thousands of programs.
//
// Finding the least of all images is as hard as graph isomorphism, and not needed: any image may
// stand for a state, a poorer choice only leaves more states. Actors are sorted by a key that does
// not depend on numbers. Where keys are equal and the actors name different frames, the images of
// these few permutations are built and the least taken.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "machine/automorphism.hpp"
#include "mm/state.hpp"

namespace drover::machine {

class Symmetry {
 public:
  explicit Symmetry(const litmus::Program& program);

  /// Whether nothing is interchangeable.
  [[nodiscard]] bool trivial() const { return group_.size() <= 1; }
  /// How many states one may stand for at most.
  [[nodiscard]] std::size_t order() const { return group_.size(); }
  [[nodiscard]] const std::vector<Automorphism>& group() const { return group_; }

  /// Permutations (of group()), one of which makes `s` its representative; the least of these
  /// images is to be taken. Valid until the next call.
  const std::vector<std::uint16_t>& candidates(const mm::State& s);
  /// The image of `from` under group()[which]. Frames keep their numbers, so `to` is not canonical.
  /// `to` must not be `from`.
  void apply(std::uint16_t which, const mm::State& from, mm::State& to) const;

 private:
  static constexpr unsigned kMostElements = 5040;  // of the group: seven threads
  static constexpr unsigned kMostCandidates = 24;

  /// Who comes first: for the actors that move, in order, who becomes this one.
  struct Choice {
    std::uint8_t actor;
    std::uint16_t next;  // index of a node; behind the last actor: of the permutation
  };
  using Node = std::vector<Choice>;
  std::uint16_t add_node(std::vector<std::uint16_t> elements, unsigned depth);
  void descend(std::uint16_t node, unsigned depth);

  /// What an actor and all that is its own looks like without any number that may be permuted.
  struct Key {
    std::uint64_t value = 0;
    std::uint64_t frames = 0;  // the numbers of frames it names, which `value` leaves out
    bool operator==(const Key&) const = default;
  };
  [[nodiscard]] Key key_of(const mm::State& s, unsigned actor) const;
  static void add_frame(std::uint8_t frame, Key& key);
  void add_locals(unsigned actor, unsigned pc, const mm::Activation& act, Key& key) const;
  void add_references(const mm::State& s, unsigned actor, Key& key) const;
  void add_address_space(const mm::State& s, unsigned mm, Key& key) const;
  void permute_actor(const Automorphism& by, unsigned actor, mm::Actor& a) const;

  const litmus::Program* program_;
  std::vector<Automorphism> group_;
  bool moves_mms_ = false;
  std::vector<std::uint8_t> moved_;                           // actors that do not always stay
  std::vector<std::vector<std::uint8_t>> refs_of_, jobs_of_;  // by actor
  std::vector<Node> nodes_;
  std::array<Key, litmus::kMaxActors> keys_{};
  std::vector<std::uint16_t> candidates_;
};

}  // namespace drover::machine
