// MADV_FREE (madvise_free_pte_range, mm/madvise.c), kernel-semantics 12: a promise that the
// contents may go. Reclaim, which takes them, is in rmap.cpp and reclaim.cpp.
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kLock, kFreePte, kFlush };

Step free_pte(Kernel& k, unsigned mm, unsigned page) {
  if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
  Pte& pte = k.pte(mm, page);
  if (counted(pte.frame)) {
    Frame& frame = k.s.frames[pte.frame];
    const bool locked = (frame.flags & kPageLocked) != 0;
    if (frame.mapcount == 1 && !locked &&
        (!in_swap_cache(k, pte.frame) || try_to_free_swap(k, pte.frame))) {
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
