// The reverse map (mm/rmap.c): try_to_unmap replaces every PTE that maps a page by a swap entry or
// a migration entry, remove_migration_ptes does the opposite. Reclaim and migration, which call
// them, are in files of their own. Entered with the page locked.
#include "mm/rmap.hpp"

#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: kUnmap* mode, mm, page, the PTE's bits. frame[0]: the page.
enum Point : std::uint8_t { kFind, kTest };

// rmap_walk: the next mapping from the cursor on, in anon_vma order (parents first).
bool find_mapping(const Kernel& k, Activation& a) {
  for (unsigned mm = a.arg[1]; mm < k.program.mms; ++mm) {
    for (unsigned page = mm == a.arg[1] ? a.arg[2] : 0; page < k.program.pages; ++page) {
      if (k.s.mms[mm].pte[page].frame != a.frame[0] || pmd_cleared(k, mm, page)) continue;
      a.arg[1] = static_cast<std::uint8_t>(mm);
      a.arg[2] = static_cast<std::uint8_t>(page);
      return true;
    }
  }
  return false;
}

// O4, M2: ptep_clear_flush. The flush of a page that is to be swapped out is batched
// (should_defer_flush) and forced before it is written.
Step clear(Kernel& k) {
  Activation& a = k.activation();
  if (!find_mapping(k, a)) return k.done();
  const unsigned mm = a.arg[1];
  const unsigned page = a.arg[2];
  if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
  if (pmd_mapped(k, mm, page)) {  // TTU_SPLIT_HUGE_PMD
    split_huge_pmd(k, mm, page);
    ptl_unlock(k);
    return k.yield(kFind);
  }
  const Pte old = k.pte(mm, page);
  a.arg[3] = old.bits;
  if (a.arg[0] != kUnmapToMigration) {
    leave_stale(k, mm, page, old);
  } else {
    flush_tlb_page(k, mm, page);
  }
  if ((old.bits & kPteDirty) != 0) set_page_dirty(k, old.frame);
  k.pte(mm, page) = Pte{};
  k.say("try_to_unmap clears the PTE");
  return k.yield(kTest);  // GUP-fast saw the PTE before, or sees it gone
}

// page_try_share_anon_rmap (6c287605fd56, 5.19): an exclusive page that may be pinned stays mapped.
bool refuses(const Kernel& k, std::uint8_t frame, bool to_swap) {
  using Skip = policy::swap_skip_pinned;
  if (!anon_exclusive(k, frame) || !maybe_dma_pinned(k, frame)) return false;
  if (!to_swap) {
    return k.policy.migrate_unmap_pinned == policy::migrate_unmap_pinned::refused_if_exclusive;
  }
  return k.policy.swap_skip_pinned == Skip::at_unmap_too ||
         k.policy.swap_skip_pinned == Skip::after_unmap_too;
}

// A page that MADV_FREE gave up: its contents go if it is still clean. 6c8e2a256915 (5.18,
// backported) also asks whether somebody holds a reference that is no mapping: a GUP that did not
// dirty the page yet.
Step discard(Kernel& k, unsigned mm, unsigned page, std::uint8_t bits) {
  const std::uint8_t frame = k.activation().frame[0];
  Frame& f = k.s.frames[frame];
  const bool referenced = k.policy.madv_free_ref_check == policy::madv_free_ref_check::yes &&
                          f.refcount != 1 + f.mapcount;
  if ((f.state & kPageDirty) != 0 || referenced) {
    k.pte(mm, page) = Pte{frame, bits};
    f.state = static_cast<std::uint8_t>(f.state & ~kLazyFree);
    k.say("try_to_unmap: the freed page is used again, its PTE comes back");
    ptl_unlock(k);
    return k.done(-kEAGAIN);
  }
  remove_rmap(k, frame, mm);
  put_page(k, frame);
  k.say("try_to_unmap discards the freed page");
  ptl_unlock(k);
  return k.yield(kFind);
}

Step install_entry(Kernel& k) {
  Activation& a = k.activation();
  const std::uint8_t frame = a.frame[0];
  const unsigned mm = a.arg[1];
  const unsigned page = a.arg[2];
  if (a.arg[0] == kUnmapLazyFree) return discard(k, mm, page, a.arg[3]);
  const std::uint8_t bits = a.arg[3];
  const bool to_swap = a.arg[0] == kUnmapToSwap;
  if (refuses(k, frame, to_swap)) {
    k.pte(mm, page) = Pte{frame, bits};
    k.say("try_to_unmap: the page may be pinned, its PTE comes back");
    ptl_unlock(k);
    return k.done(-kEAGAIN);
  }
  if (is_file_page(k.s.frames[frame])) {  // nothing to remember: a fault finds it in the cache
    remove_rmap(k, frame, mm);
    put_page(k, frame);
    ptl_unlock(k);
    return k.yield(kFind);
  }
  unsigned entry = bits & kPteUffdWp;
  if (anon_exclusive(k, frame)) {
    entry |= kPteExclusive;
    k.s.frames[frame].flags = static_cast<std::uint8_t>(k.s.frames[frame].flags & ~kAnonExclusive);
  }
  if (to_swap) {
    const auto slot = static_cast<std::uint8_t>(k.s.frames[frame].index - 1U);
    swap_duplicate(k, slot);
    k.s.mms[mm].entry[page] = slot;
    entry |= kPteSwap;
  } else {
    k.s.mms[mm].entry[page] = frame;
    entry |= kPteMigration | (bits & (kPteWrite | kPteDirty));
  }
  k.pte(mm, page) = Pte{kNoFrame, static_cast<std::uint8_t>(entry)};
  remove_rmap(k, frame, mm);
  put_page(k, frame);
  k.say("try_to_unmap installs a {} entry", to_swap ? "swap" : "migration");
  ptl_unlock(k);
  return k.yield(kFind);
}

}  // namespace

Step try_to_unmap(Kernel& k) {
  return k.activation().point == kFind ? clear(k) : install_entry(k);
}

void remove_migration_pte(Kernel& k, unsigned mm, unsigned page, std::uint8_t frame) {
  Pte& pte = k.pte(mm, page);
  const bool writable = (pte.bits & kPteWrite) != 0 && (k.vma(mm, page) & kVmWrite) != 0;
  if ((pte.bits & (kPteExclusive | kPteWrite)) != 0) set_anon_exclusive(k, frame);
  const bool readable = (k.vma(mm, page) & kVmRead) != 0;
  pte = Pte{frame,
            static_cast<std::uint8_t>((pte.bits & (kPteDirty | kPteUffdWp)) |
                                      (writable ? kPteWrite : 0) | (readable ? 0 : kPteProtNone))};
  k.s.mms[mm].entry[page] = 0;
  get_page(k, frame);
  add_rmap(k, frame, mm);
  k.say("remove_migration_ptes maps the page {}", writable ? "writable" : "read-only");
}

// What the entries say of the mappings comes back, of the new page or, when the migration failed,
// of the old one. arg: mm, page cursor. frame[0]: the old page, frame[1]: the page to map.
Step remove_migration_ptes(Kernel& k) {
  Activation& a = k.activation();
  const std::uint8_t frame = a.frame[1];
  for (unsigned mm = a.arg[0]; mm < k.program.mms; ++mm) {
    for (unsigned page = mm == a.arg[0] ? a.arg[1] : 0; page < k.program.pages; ++page) {
      const bool ours =
          is_migration_entry(k.pte(mm, page)) && k.s.mms[mm].entry[page] == a.frame[0];
      if (!ours) continue;
      a.arg[0] = static_cast<std::uint8_t>(mm);
      a.arg[1] = static_cast<std::uint8_t>(page);
      if (!ptl_trylock(k, mm, page)) return k.blocked();
      remove_migration_pte(k, mm, page, frame);
      ptl_unlock(k);
      return k.yield(0);
    }
  }
  return k.done();
}

}  // namespace drover::mm
