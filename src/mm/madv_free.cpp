// MADV_FREE (madvise_free_pte_range, mm/madvise.c), kernel-semantics 12: a promise that the
// contents may go. Reclaim, which takes them, is in rmap.cpp and reclaim.cpp.
#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kLock, kFreePte, kFlush, kSplit };

// What covers only a part of a large folio splits it first, if it can (split_folio); else the folio
// stays as it is. The look-up's reference is the one that the split keeps.
Step split(Kernel& k, std::uint8_t frame) {
  trylock_page(k, frame);
  get_page(k, frame);
  k.activation().frame[0] = frame;
  ptl_unlock(k);
  k.call(Path::split_huge_page, kSplit, {});
  k.activation().frame[0] = k.caller().frame[0];
  return Step::yield;
}

Step split_done(Kernel& k) {
  Activation& a = k.activation();
  const bool failed = k.result() < 0;
  unlock_page(k, a.frame[0]);
  put_page(k, a.frame[0]);
  a.frame[0] = kNoFrame;
  return k.yield(failed ? kFlush : kFreePte);
}

// madvise_free_huge_pmd: the folio is given up as a whole.
Step free_pmd(Kernel& k, unsigned mm, unsigned page) {
  const PageRange pmd = pmd_range(k.program, page);
  const std::uint8_t head = k.pte(mm, pmd.first).frame;
  const unsigned end = static_cast<unsigned>(k.instr().page) + k.instr().pages;
  const bool alone = folio_mapcount(k.s, head) == 1 && !page_locked(k, head);
  if (alone && (page > pmd.first || end < pmd.end)) return split(k, head);
  for (unsigned p = pmd.first; alone && p < pmd.end; ++p) {
    Pte& pte = k.pte(mm, p);
    leave_stale(k, mm, p, pte);
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteDirty);
  }
  if (alone) {
    Frame& folio = page_folio(k, head);
    folio.state = static_cast<std::uint8_t>((folio.state & ~kPageDirty) | kLazyFree);
    k.say("MADV_FREE marks the large folio clean and lazily freed");
  }
  ptl_unlock(k);
  auto& done = k.activation().arg[0];
  done = static_cast<std::uint8_t>(pmd.end - k.instr().page);
  return k.yield(done < k.instr().pages ? kFreePte : kFlush);
}

Step free_pte(Kernel& k, unsigned mm, unsigned page) {
  if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
  if (pmd_mapped(k, mm, page)) return free_pmd(k, mm, page);
  if (counted(k.pte(mm, page).frame) && is_large(k.s, k.pte(mm, page).frame)) {
    const std::uint8_t frame = k.pte(mm, page).frame;
    if (page_mapcount(k.s, frame) == 1 && !page_locked(k, frame)) return split(k, frame);
    ptl_unlock(k);
    return k.yield(kFlush);
  }
  Pte& pte = k.pte(mm, page);
  if (counted(pte.frame)) {
    Frame& frame = k.s.frames[pte.frame];
    const bool locked = (frame.flags & kPageLocked) != 0;
    // The lock and the map count stand in the way of what has a dirty mark of its own only: a page
    // that is dirty by its PTEs alone is given up here, whoever else maps it.
    const bool marked = in_swap_cache(k, pte.frame) || (frame.state & kPageDirty) != 0;
    const bool clearable = frame.mapcount == 1 && !locked &&
                           (!in_swap_cache(k, pte.frame) || try_to_free_swap(k, pte.frame));
    if (!marked || clearable) {
      // Still writable: the next store through the PTE sets its dirty bit and takes it back.
      leave_stale(k, mm, page, pte);
      pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteDirty);
      frame.state = static_cast<std::uint8_t>((frame.state & ~kPageDirty) | kLazyFree);
      k.say("MADV_FREE marks the page clean and lazily freed");
    }
  } else if (is_swap_entry(pte)) {
    free_swap_and_cache(k, k.s.mms[mm].entry[page]);
    k.s.mms[mm].entry[page] = 0;
    pte = Pte{};
  }
  ptl_unlock(k);
  k.activation().arg[0]++;
  return k.yield(k.activation().arg[0] < k.instr().pages ? kFreePte : kFlush);
}

}  // namespace

Step madvise_free(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  switch (k.activation().point) {
    case kLock:
      if (!mmap_read_trylock(k, mm)) return k.blocked();
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        if ((k.vma(mm, p) & kVmMapped) != 0) continue;
        mmap_unlock(k);
        k.set_register(i.dst, -kENOMEM);
        return k.done();
      }
      lru_add_drain(k);
      return k.fused(kFreePte);
    case kFreePte:
      return free_pte(k, mm, i.page + k.activation().arg[0]);
    case kSplit:
      return split_done(k);
    default:
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        flush_tlb_page(k, mm, p);
      }
      mmap_unlock(k);
      k.set_register(i.dst, 0);
      return k.done();
  }
}

}  // namespace drover::mm
