// exit_group and exit_mmap, and the parent's wait. The other threads of the process are killed
// where they next return to user space.
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kKillThreads, kExitMmap, kUnmapped };

bool other_threads_inside_kernel(const Kernel& k) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const auto& actor = k.program.actors[a];
    if (a != k.actor && actor.kind == litmus::ActorKind::thread && actor.process == k.process() &&
        position_of(k.s, a).depth != 0) {
      return true;
    }
  }
  return false;
}

// mm_users: a vfork child or parent that still runs here, or a remote access that holds the mm.
bool mm_used_by_others(const Kernel& k, unsigned mm) {
  for (unsigned p = 0; p < k.program.processes.size(); ++p) {
    const bool lives = (k.s.processes[p] & kStarted) != 0 && (k.s.processes[p] & kExited) == 0;
    if (p != k.process() && lives && k.mm_of(p) == mm) return true;
  }
  return false;
}

bool mm_locked_by_others(const Kernel& k, unsigned mm) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    if (a == k.actor) continue;
    const HeldLocks other = held_locks(k.s, a);
    if (other.lock != LockKind::none && other.lock_mm == mm) return true;
  }
  return false;
}

Step finished(Kernel& k) {
  k.s.processes[k.process()] |= kExited;
  k.say("the process is gone");
  return k.done();
}

}  // namespace

Step exit_mm(Kernel& k) {
  const unsigned mm = k.mm();
  switch (k.activation().point) {
    case kKillThreads:
      k.s.processes[k.process()] |= kExiting;
      return k.yield(kExitMmap);
    case kExitMmap:
      if (other_threads_inside_kernel(k)) return k.blocked();
      if (mm_used_by_others(k, mm)) return finished(k);
      if (mm_locked_by_others(k, mm)) return k.blocked();
      k.s.mms[mm].flags = static_cast<std::uint8_t>(k.s.mms[mm].flags & ~kMmAlive);
      k.s.mms[mm].vma = {};
      return k.call(Path::zap_page_range, kUnmapped, {0, k.program.pages, mm});
    default:
      k.s.mms[mm] = Mm{};
      return finished(k);
  }
}

Step wait_for_child(Kernel& k) {
  if ((k.s.processes[k.instr().process] & (kExited | kForkFailed)) == 0) return k.blocked();
  return k.done();
}

}  // namespace drover::mm
