// The oracle of the tests: a search with std::map and std::set that shares no code with src/explore
// but the model interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "explore/model.hpp"

namespace drover::explore::models {

struct NaiveResult {
  std::map<std::string, std::uint32_t> steps;  // of each state, its bytes as characters
  std::vector<std::uint64_t> level_sizes;
  std::uint64_t transitions = 0;
  std::uint64_t terminals = 0;
  Marks transition_marks = 0;  // all that occurred
};

inline std::string characters(StateBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <Model M>
NaiveResult naive_search(M model) {
  NaiveResult result;
  std::string first(model.state_bytes(), '\0');
  model.initial(reinterpret_cast<std::byte*>(first.data()));
  std::vector<std::string> level = {first};
  result.steps[first] = 0;
  for (std::uint32_t depth = 0; !level.empty(); ++depth) {
    result.level_sizes.push_back(level.size());
    std::vector<std::string> next;
    for (const std::string& state : level) {
      std::uint64_t successors = 0;
      model.expand(reinterpret_cast<const std::byte*>(state.data()),
                   [&](const Transition& transition) {
                     ++successors;
                     result.transition_marks |= transition.marks;
                     std::string bytes = characters(transition.successor);
                     if (result.steps.emplace(bytes, depth + 1).second)
                       next.push_back(std::move(bytes));
                   });
      result.transitions += successors;
      result.terminals += successors == 0;
    }
    level = std::move(next);
  }
  return result;
}

}  // namespace drover::explore::models
