// Whether an actor may still do anything, now or later: what both reductions ask. Who may move
// right now is Machine's.
#pragma once

#include "mm/state.hpp"

namespace drover::machine {

/// False: the actor is through, parked by a signal, or its process is gone. A thread of a process
/// that is yet to be forked may.
[[nodiscard]] inline bool may_act(const litmus::Program& program, const mm::State& s,
                                  unsigned actor) {
  const litmus::Actor& code = program.actors[actor];
  const mm::Actor& a = s.actors[actor];
  if (a.depth > 0) return true;
  if (code.kind != litmus::ActorKind::thread) return a.pc < code.bound;
  if ((s.processes[code.process] & (mm::kExiting | mm::kExited | mm::kForkFailed)) != 0) {
    return false;
  }
  return (a.flags & mm::kParked) == 0 && a.pc < code.code.size();
}

}  // namespace drover::machine
