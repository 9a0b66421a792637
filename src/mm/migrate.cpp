// migrate_pages (mm/migrate.c) for one anonymous page, steps M1 to M5 of kernel-semantics 9, and
// who calls it: move_pages(2) and the migrate daemon (compaction, NUMA balancing).
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// frame[0]: the page, isolated; frame[1]: the new one. arg[0]: whether it was moved.
enum Point : std::uint8_t { kLockPage, kUnmap, kMove, kRestored };

Step unmap(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  k.call(Path::try_to_unmap, kMove, {kUnmapToMigration});
  k.activation().frame[0] = frame;
  return Step::yield;
}

// M3, M4: folio_migrate_mapping. The isolation and the swap cache are the references it knows; any
// other one means somebody uses the page by its frame.
Step move(Kernel& k) {
  Activation& a = k.activation();
  const std::uint8_t old = a.frame[0];
  Frame& page = k.s.frames[old];
  const bool cached = in_swap_cache(k, old);
  a.arg[0] = page.mapcount == 0 && page.refcount == 1 + (cached ? 1 : 0) ? 1 : 0;
  std::uint8_t target = old;
  if (a.arg[0] != 0) {
    target = alloc_page(k);
    trylock_page(k, target);  // until all its mappings are there: do_wp_page needs the lock
    Frame& fresh = k.s.frames[target];
    fresh.words = page.words;
    fresh.state = static_cast<std::uint8_t>(page.state & ~(kIsolated | kSwapCache));
    if (cached) {
      const auto slot = static_cast<std::uint8_t>(page.index - 1U);
      const std::uint8_t entries = k.s.slots[slot].count;
      k.s.slots[slot].count++;  // the slot stays while the cache changes hands
      delete_from_swap_cache(k, old);
      add_to_swap_cache(k, target, slot);
      k.s.slots[slot].count = entries;
    }
    a.frame[1] = target;
    k.say("migration moves the page");
  } else {
    k.say("migration fails: refcount {}", page.refcount);
  }
  k.call(Path::remove_migration_ptes, kRestored, {0, 0});
  k.activation().frame = {old, target};
  return Step::yield;
}

Step restored(Kernel& k) {
  Activation& a = k.activation();
  const bool moved = a.arg[0] != 0;
  unlock_page(k, a.frame[0]);
  putback_lru_page(k, a.frame[0]);
  if (moved) {
    unlock_page(k, a.frame[1]);
    put_page(k, a.frame[1]);  // the allocation's own
  }
  return k.done(moved ? 0 : -kEBUSY);
}

}  // namespace

Step migrate_page(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  switch (k.activation().point) {
    case kLockPage:  // M1; asynchronous callers give up, synchronous ones sleep: both are possible
      // folio_wait_writeback, under the page lock that a writeback does not need
      if ((k.s.frames[frame].state & kWriteback) != 0) return k.blocked();
      if (!trylock_page(k, frame)) return k.blocked();
      return k.yield(kUnmap);
    case kUnmap:
      return unmap(k);
    case kMove:
      return move(k);
    default:
      return restored(k);
  }
}

namespace {

enum CallerPoint : std::uint8_t { kIsolate, kMigrated };

}  // namespace

// move_pages(2) to another node. The real call reports one status per page; here the result is that
// of the first page with an error: -EFAULT where nothing or the zero page is mapped, before 6.12
// also where no page is (add_page_for_migration), -EBUSY for a page that could not be moved,
// whatever its status says. A page that is not present (-ENOENT) is none. Pages in LRU batches were
// drained (lru_cache_disable).
Step move_pages(Kernel& k) {
  const litmus::Instr& i = k.instr();
  auto& arg = k.activation().arg;
  if (k.activation().point == kMigrated) {
    if (k.result() < 0 && arg[1] == 0) arg[1] = kEBUSY;
    arg[0]++;
    return k.fused(kIsolate);
  }
  if (arg[0] >= i.pages) {
    k.set_register(i.dst, -arg[1]);
    return k.done();
  }
  const unsigned page = i.page + arg[0];
  const unsigned mm = k.mm();
  if (!mmap_read_trylock(k, mm)) return k.blocked();
  if (!ptl_trylock(k, mm, page)) {
    mmap_unlock(k);
    return k.blocked();
  }
  const std::uint8_t frame = k.pte(mm, page).frame;
  const std::uint8_t vma = k.vma(mm, page);
  const bool hidden = (k.pte(mm, page).bits & kPteInaccessible) != 0 &&
                      k.policy.move_pages_prot_none == policy::move_pages_prot_none::enoent;
  bool isolated = false;
  // Without MPOL_MF_MOVE_ALL only pages that nobody else maps.
  if (!hidden && counted(frame) && k.s.frames[frame].mapcount == 1) {
    Frame& f = k.s.frames[frame];
    if ((f.flags & kInLruBatch) != 0) {
      f.flags = static_cast<std::uint8_t>(f.flags & ~kInLruBatch);
      put_page(k, frame);
    }
    isolated = isolate_lru_page(k, frame);
  }
  ptl_unlock(k);
  mmap_unlock(k);
  if (!isolated) {
    arg[0]++;
    // follow_page(FOLL_DUMP): no_page_table says -EFAULT of anonymous memory without a PTE.
    const bool empty =
        k.pte(mm, page) == Pte{} && k.policy.move_pages_empty == policy::move_pages_empty::efault;
    const bool refused = (vma & kVmMapped) == 0 || frame == kZeroFrame || empty;
    if (!hidden && arg[1] == 0 && (refused || frame != kNoFrame))
      arg[1] = refused ? kEFAULT : kEBUSY;
    return k.yield(kIsolate);
  }
  k.say("move_pages isolates the page, refcount {}", k.s.frames[frame].refcount);
  k.call(Path::migrate_page, kMigrated, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

// Compaction (or NUMA balancing): at any moment, any mapped page of its range.
Step migrate(Kernel& k) {
  if (k.activation().point == kMigrated) return k.done();
  const litmus::Actor& daemon = k.code();
  std::array<std::uint8_t, kMaxFrames> candidates{};
  unsigned n = 0;
  std::uint64_t seen = 0;
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    for (unsigned p = daemon.page; p < static_cast<unsigned>(daemon.page) + daemon.pages; ++p) {
      const std::uint8_t frame = k.pte(mm, p).frame;
      if (!counted(frame) || (seen >> frame & 1U) != 0) continue;
      seen |= 1ULL << frame;
      const Frame& page = k.s.frames[frame];
      if ((page.flags & kInLruBatch) == 0 && (page.state & kIsolated) == 0) {
        candidates[n++] = frame;
      }
    }
  }
  if (n == 0) return k.blocked();
  const std::uint8_t frame = candidates[k.choose(n)];
  isolate_lru_page(k, frame);
  k.say("compaction isolates the page, refcount {}", k.s.frames[frame].refcount);
  k.call(Path::migrate_page, kMigrated, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

}  // namespace drover::mm
