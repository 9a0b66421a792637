// What the search needs of a model, and nothing else: fixed-size states as bytes, successors,
// marks. Nothing here or in this folder knows of pages, processes or files.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace drover::explore {

/// A state as it is stored: exactly Model::state_bytes() bytes; equal states are equal bytes.
using StateBytes = std::span<const std::byte>;

/// Who moved and which of his choices he took. Smaller is preferred among equally good witnesses.
struct Action {
  std::uint16_t actor = 0;
  std::uint16_t choice = 0;
  bool operator==(const Action&) const = default;
  auto operator<=>(const Action&) const = default;
};

/// A set of up to 32 facts a transition or a terminal state can show, by bit: a violated property,
/// "satisfies the condition", ... The search keeps the shallowest occurrences of each.
using Marks = std::uint32_t;

/// A transition out of the state being expanded.
struct Transition {
  StateBytes successor;
  Action action;
  Marks marks = 0;
  bool backward = false;  // goes back (a retry loop): every cycle must have such a transition
};

/// A Model is:
///   std::size_t state_bytes() const;                      bytes of one state, constant for a run
///   void initial(std::byte* out) const;                   writes the one initial state
///   template <class Emit> void expand(const std::byte* state, Emit&& emit);
///                                                         calls emit(const Transition&) for each
///                                                         successor; `successor` is valid during
///                                                         the call only. emit may return a bool:
///                                                         at false expand may leave the rest out,
///                                                         see offer()
///   Marks terminal(const std::byte* state);               called for a state without successors
/// expand and terminal may use scratch memory of the model: one model object per thread, copies of
/// the first.
///
/// Where reductions belong. They choose among what a Model emits, so the store and the searches
/// need not know of them; expand must only be a function of the state. Partial-order reduction: an
/// ample subset of the transitions, from footprints that only the model knows
/// (machine/ample.hpp), with at least one state of every cycle expanded in full, for which
/// Transition::backward is there. Symmetry: the least of the states equal up to a permutation; it
/// needs which parts are interchangeable and how to permute a state.
template <class M>
concept Model = requires(M m, const M c, std::byte* out, const std::byte* in,
                         void (*emit)(const Transition&)) {
  { c.state_bytes() } -> std::convertible_to<std::size_t>;
  {c.initial(out)};
  {m.expand(in, emit)};
  { m.terminal(in) } -> std::convertible_to<Marks>;
}
&&std::copy_constructible<M>;

/// Emits a transition; whether more are wanted.
template <class Emit>
bool offer(Emit&& emit, const Transition& transition) {
  if constexpr (std::is_same_v<decltype(emit(transition)), bool>) {
    return emit(transition);
  } else {
    emit(transition);
    return true;
  }
}

}  // namespace drover::explore
