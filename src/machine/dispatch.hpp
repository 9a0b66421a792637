// From statements and path numbers to the functions of mm/ and device/.
#pragma once

#include "mm/kernel.hpp"

namespace drover::machine {

/// The path that executes a statement; Path::none for statements local to the actor.
[[nodiscard]] mm::Path path_of(litmus::Op op);
/// The path of a daemon.
[[nodiscard]] mm::Path path_of(litmus::ActorKind daemon);
/// Runs the current path of `k` up to the end of this turn.
mm::Step run_path(mm::Kernel& k);

}  // namespace drover::machine
