// What the search needs of a model, and nothing else: fixed-size states as bytes, successors,
// marks. Nothing here or in this folder knows of pages, processes or files.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

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
  bool normal = false;    // FactoredModel::steps(): normalise() changes nothing and finds no marks,
                          // if the state was normal and had none
};

/// A part of a state, or what one way of looking at it shows of it.
struct View {
  std::uint8_t part = 0, look = 0;
  bool operator==(const View&) const = default;
};
// Looks: all of the part; what FactoredModel::normalise() and first_movers() look at; the names in
// it, in order; of the part that a name stands for, kNameUnused to kNameLost. Others are the
// model's own.
inline constexpr std::uint8_t kWholePart = 0, kNormalLook = 1, kOrderLook = 2, kNamesLook = 3,
                              kUseLook = 4, kOwnLooks = 5;
inline constexpr unsigned kMostLooks = 8;
// What happens to the part if nothing names it: nothing; it is cleared; that is a mark as well.
inline constexpr std::uint8_t kNameUnused = 0, kNameDropped = 1, kNameLost = 2;

/// A set of movers of a model, by bit.
using Movers = std::uint32_t;

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
///
/// A FactoredModel is one whose steps look at few parts of a state (StateShape), so that what a
/// step did can be remembered (transition_cache.hpp). Its expand is: for each mover, the steps it
/// has, and each successor normalised. It has also
///   bool factored() const;                                whether that can be used
///   unsigned movers() const;                              at most 32
///   bool selective() const;                               whether first_movers() ever leaves any
///   out Movers first_movers(const std::byte* state);          those whose steps are enough, as
///   long as
///                                                         there are some and none goes back
///   template <class Emit> bool steps(const std::byte* state, unsigned mover,
///                                    std::vector<View>& looked_at, Emit&& emit);
///                                                         the steps of one mover, not normalised,
///                                                         without the marks of normalise(); and
///                                                         what they depend on, in the order in
///                                                         which it was looked at. What is changed
///                                                         counts as looked at. False: these steps
///                                                         cannot be had so
///   template <class Emit> void expand_mover(const std::byte* state, unsigned mover, Emit&& emit);
///                                                         the same, as expand does it
///   Marks normalise(const std::byte* raw, std::byte* out);
///                                                         what steps leave to be done to a state,
///                                                         and marks of states. Depends on the
///                                                         kNormalLook of all parts, but that each
///                                                         part of `out` may depend on all of the
///                                                         same part of `raw`
///   Names names() const;                                  parts that can change places
///   Marks rename(const std::byte* normal, std::byte* out);
///                                                         gives names in order of first use, and
///                                                         clears parts that nothing names
///   void view(View view, const std::uint64_t* value, std::vector<std::uint8_t>& out);
///                                                         what is seen of a part with this value
template <class M>
concept Model = requires(M m, const M c, std::byte* out, const std::byte* in,
                         void (*emit)(const Transition&)) {
  { c.state_bytes() } -> std::convertible_to<std::size_t>;
  {c.initial(out)};
  {m.expand(in, emit)};
  { m.terminal(in) } -> std::convertible_to<Marks>;
}
&&std::copy_constructible<M>;

/// Parts that are known by names, numbers from `first` on that occur in other parts: which of them
/// has which name means nothing.
struct Names {
  static constexpr std::uint8_t kNoPart = 0xff;
  std::uint8_t first = 0;
  std::vector<std::uint8_t> part_of;  // by name; kNoPart: shares a part with others
  std::vector<std::uint8_t> shared;   // parts that several names stand for
  std::vector<std::uint8_t> order;    // parts with names in them, in the order in which these count
  Marks lost = 0;                     // see kNameLost
};

template <class M>
concept FactoredModel = Model<M> &&
    requires(M m, const M c, std::byte* out, const std::byte* in, std::vector<View>& looked_at,
             const std::uint64_t* value, std::vector<std::uint8_t>& seen,
             void (*emit)(const Transition&)) {
  { c.factored() } -> std::same_as<bool>;
  { c.movers() } -> std::same_as<unsigned>;
  { c.selective() } -> std::same_as<bool>;
  { m.first_movers(in) } -> std::same_as<Movers>;
  { m.steps(in, 0U, looked_at, emit) } -> std::same_as<bool>;
  {m.expand_mover(in, 0U, emit)};
  { m.normalise(in, out) } -> std::same_as<Marks>;
  { c.names() } -> std::same_as<Names>;
  { m.rename(in, out) } -> std::same_as<Marks>;
  {m.view(View{}, value, seen)};
};

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
