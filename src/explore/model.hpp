// What the search needs of a model, and nothing else: fixed-size states as bytes, successors,
// marks. Nothing here or in this folder knows of pages, processes or files.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

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
  bool backward =
      false;  // may lie on a cycle (a retry loop); only such make the search look for livelocks
};

/// A Model is:
///   std::size_t state_bytes() const;                      bytes of one state, constant for a run
///   void initial(std::byte* out) const;                   writes the one initial state
///   template <class Emit> void expand(const std::byte* state, Emit&& emit);
///                                                         calls emit(const Transition&) for each
///                                                         successor; `successor` is valid during
///                                                         the call only
///   Marks terminal(const std::byte* state);               called for a state without successors
/// expand and terminal may use scratch memory of the model: one model object per thread.
template <class M>
concept Model = requires(M m, const M c, std::byte* out, const std::byte* in,
                         void (*emit)(const Transition&)) {
  { c.state_bytes() } -> std::convertible_to<std::size_t>;
  {c.initial(out)};
  {m.expand(in, emit)};
  { m.terminal(in) } -> std::convertible_to<Marks>;
};

}  // namespace drover::explore
