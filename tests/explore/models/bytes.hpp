// What the toy models share: a state that is a plain struct, and how it is emitted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "explore/model.hpp"

namespace drover::explore::models {

/// The struct stored in `bytes`. It must have no padding, or equal states could differ in bytes.
template <class State>
State read(const std::byte* bytes) {
  static_assert(std::has_unique_object_representations_v<State>);
  State state;
  std::memcpy(&state, bytes, sizeof state);
  return state;
}

template <class State>
StateBytes bytes_of(const State& state) {
  static_assert(std::has_unique_object_representations_v<State>);
  return {reinterpret_cast<const std::byte*>(&state), sizeof state};
}

inline Action action(unsigned actor, unsigned choice = 0) {
  return {static_cast<std::uint16_t>(actor), static_cast<std::uint16_t>(choice)};
}

}  // namespace drover::explore::models
