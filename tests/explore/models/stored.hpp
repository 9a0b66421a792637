// The bytes of states in a store, for tests: slow and simple.
#pragma once

#include <vector>

#include "explore/state_access.hpp"

namespace drover::explore::models {

inline std::vector<std::byte> stored(StateStore& store, StateIndex index) {
  StateAccess access(store);
  const StateBytes bytes = access.bytes(store.handle(index));
  return {bytes.begin(), bytes.end()};
}

}  // namespace drover::explore::models
