// What a step of a run changed, in words: page tables, frames, references, locks, events.
// How the words are laid out beside the steps is in explain.hpp.
#pragma once

#include <string>
#include <vector>

#include "report/frame_names.hpp"
#include "verdict/witness.hpp"

namespace drover::report {

/// Tells a run step by step. The steps must come in their order.
class StateChanges {
 public:
  StateChanges(const litmus::Program& program, const mm::State& initial);

  /// The memory at the beginning: "parent: buf -> frame A, writable; buf.x=0 buf.y=0".
  [[nodiscard]] std::vector<std::string> beginning() const;
  /// What `step` changed, one line each.
  [[nodiscard]] std::vector<std::string> of(const verdict::WitnessStep& step);

 private:
  struct Step;  // one step being told
  const litmus::Program& program_;
  const mm::State initial_;
  FrameNames names_;
  std::uint32_t violated_ = 0;  // properties told already
};

}  // namespace drover::report
