// check_and_migrate_movable_pages, before 5.13 check_and_migrate_cma_pages (mm/gup.c): a long-term
// pin moves the pages it has taken out of CMA and ZONE_MOVABLE. Called in a loop by
// take_reference.cpp, which takes the pages again; one page is moved by migrate.cpp.
#include "mm/gup.hpp"
#include "mm/lru.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

using Failure = policy::longterm_migrate_failure;

// arg: references from .. to, cursor, FOLL_ flags, status, first reference of the handle.
// Result: 0: all may stay; -EAGAIN: nothing is held any more, take it again and look again;
// -EBUSY: take it again, wherever it lies; -ENOMEM.
enum Point : std::uint8_t { kCollect, kUnpin, kMigrate, kMigrated, kUndo };
enum Status : std::uint8_t { kCollected = 1, kIsolatedSome = 2, kFailed = 4 };

Step collected(Kernel& k) {
  auto& arg = k.activation().arg;
  arg[2] = arg[0];
  if ((arg[4] & kCollected) == 0) return k.done();
  if ((arg[4] & kIsolatedSome) == 0) {
    if (k.policy.longterm_migrate_failure == Failure::pin_in_place) return k.done();
    if (k.policy.longterm_migrate_failure == Failure::enomem_spin) {  // the pins are kept
      arg[4] = 0;
      k.mark_backward();
      return k.yield(kCollect);
    }
  }
  return k.yield(kUnpin);
}

// collect_longterm_unpinnable_pages, one page. The isolated pages are a list of the caller's.
Step collect(Kernel& k) {
  auto& arg = k.activation().arg;
  if (arg[2] == arg[1]) return collected(k);
  Ref& ref = k.s.refs[arg[2]++];
  if (!counted(ref.frame) || (k.s.frames[ref.frame].flags & kUnpinnable) == 0) {
    return k.fused(kCollect);
  }
  arg[4] |= kCollected;
  if ((k.s.frames[ref.frame].flags & kInLruBatch) != 0) lru_add_drain_all(k);
  if (isolate_lru_page(k, ref.frame)) {
    arg[4] |= kIsolatedSome;
    ref.flags |= kRefIsolated;
    k.say("the long-term pin must not stay here: it isolates the page");
  } else {
    k.say("the long-term pin must not stay here, but somebody else has isolated the page");
  }
  return k.yield(kCollect);
}

// "We can't migrate pages with unexpected references."
Step unpin(Kernel& k) {
  auto& arg = k.activation().arg;
  Ref& ref = k.s.refs[arg[2]++];
  release_frame(k, arg[3], ref.frame);
  ref = (ref.flags & kRefIsolated) != 0 ? Ref{ref.frame, 0, kRefIsolated, 0} : Ref{};
  k.say("the long-term pin drops the page again");
  if (arg[2] < arg[1]) return k.yield(kUnpin);
  arg[2] = arg[0];
  return k.yield(kMigrate);
}

Step finish(Kernel& k) {
  auto& arg = k.activation().arg;
  if ((arg[4] & kFailed) == 0) return k.done(-kEAGAIN);
  if (k.policy.longterm_migrate_failure == Failure::pin_in_place) {
    k.say("the long-term pin stays where the page lies (migrate_allow = false)");
    return k.done(-kEBUSY);
  }
  k.say("the long-term pin fails with ENOMEM");
  arg[2] = arg[5];
  return k.fused(kUndo);
}

// migrate_pages, which tries a page up to ten times: one try stands for all, at any moment.
Step migrate_next(Kernel& k) {
  auto& arg = k.activation().arg;
  while (arg[2] < arg[1] && (k.s.refs[arg[2]].flags & kRefIsolated) == 0) arg[2]++;
  if (arg[2] == arg[1]) return finish(k);
  const std::uint8_t frame = k.s.refs[arg[2]].frame;
  k.s.refs[arg[2]++] = Ref{};
  k.call(Path::migrate_page, kMigrated, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

// What GUP-fast had taken: its caller gets a short count and drops it.
Step undo(Kernel& k) {
  auto& arg = k.activation().arg;
  if (arg[2] == arg[0]) return k.done(-kENOMEM);
  Ref& ref = k.s.refs[arg[2]++];
  release_frame(k, arg[3], ref.frame);
  ref = Ref{};
  return k.yield(kUndo);
}

}  // namespace

Step migrate_longterm(Kernel& k) {
  switch (k.activation().point) {
    case kCollect:
      return collect(k);
    case kUnpin:
      return unpin(k);
    case kMigrate:
      return migrate_next(k);
    case kMigrated:
      if (k.result() < 0) k.activation().arg[4] |= kFailed;
      return k.fused(kMigrate);
    default:
      return undo(k);
  }
}

}  // namespace drover::mm
