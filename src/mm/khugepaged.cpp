// collapse_huge_page (mm/khugepaged.c), kernel-semantics 15: the pages of an aligned range become
// one large folio, if nobody holds a reference to one of them. Who wants that: khugepaged and
// MADV_COLLAPSE. The race with GUP-fast is about the page table that is unhooked meanwhile.
#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: first page, mm, page being copied, whether khugepaged asks. frame[0]: head page of the new
// folio.
enum Point : std::uint8_t { kLock, kClearPmd, kIsolate, kCopyPage, kInstall };

bool empty(Pte pte) {
  return pte == Pte{} || pte.frame == kZeroFrame;
}

// What collapse_scan_pmd and __collapse_huge_page_isolate both look for: 0, or why not.
int unsuitable(const Kernel& k, unsigned mm, PageRange range, bool daemon) {
  bool writable = false;
  bool any = false;
  for (unsigned p = range.first; p < range.end; ++p) {
    if ((k.s.mms[mm].vma[p] & kVmMapped) == 0) return -kEINVAL;
    const Pte pte = k.s.mms[mm].pte[p];
    if (empty(pte)) continue;
    if (pte.frame == kNoFrame || (pte.bits & (kPteUffdWp | kPteInaccessible)) != 0) return -kEINVAL;
    any = true;
    writable = writable || (pte.bits & kPteWrite) != 0;
    const Frame& folio = page_folio(k, pte.frame);
    if ((folio.flags & (kPageLocked | kInLruBatch)) != 0 || (folio.state & kIsolated) != 0) {
      return -kEAGAIN;
    }
    // folio_expected_ref_count: any GUP or other reference beyond the mappings and the swap cache.
    const int cached = in_swap_cache(k, pte.frame) ? 1 : 0;
    if (folio.refcount != static_cast<int>(folio_mapcount(k.s, pte.frame)) + cached) {
      return -kEAGAIN;
    }
  }
  if (!any) return -kEINVAL;
  // Not if most pages are shared (max_ptes_shared, 71a2c112a0f6, 5.8; before that, if any is).
  const std::uint8_t rest = k.s.mms[mm].pte[range.end - 1].frame;
  if (daemon && counted(rest) && page_mapcount(k.s, rest) > 1) return -kEINVAL;
  // SCAN_PAGE_RO, gone in 7.2.
  const bool needs_writable =
      k.policy.collapse_needs_writable == policy::collapse_needs_writable::yes;
  return writable || !needs_writable ? 0 : -kEINVAL;
}

Step refuse(Kernel& k, int error) {
  k.say("collapse_huge_page gives up with errno {}", -error);
  mmap_unlock(k);
  return k.done(error);
}

Step lock(Kernel& k, unsigned mm, PageRange range) {
  if (!mmap_write_trylock(k, mm)) return k.blocked();
  if (!start_write_range(k, mm, range.first, range.end - range.first)) {
    mmap_unlock(k);
    return k.blocked();
  }
  if (pmd_mapped(k, mm, range.first)) {  // already one
    mmap_unlock(k);
    return k.done(0);
  }
  const int error = unsuitable(k, mm, range, k.activation().arg[3] != 0);
  if (error != 0) return refuse(k, error);
  return k.yield(kClearPmd);
}

// pmdp_collapse_flush: new walks find nothing here. A GUP-fast that has read the PMD goes on.
Step clear_pmd(Kernel& k, unsigned mm, PageRange range) {
  if (!ptl_trylock(k, mm, range.first)) return k.blocked();
  for (unsigned p = range.first; p < range.end; ++p) flush_tlb_page(k, mm, p);
  set_pmd_cleared(k, mm, range.first, true);
  ptl_unlock(k);
  k.say("khugepaged clears the PMD and flushes the TLBs");
  return k.yield(kIsolate);
}

// __collapse_huge_page_isolate: every page is locked and taken off the LRU, under the lock of the
// page table that is unhooked.
Step isolate(Kernel& k, unsigned mm, PageRange range) {
  if (!ptl_trylock(k, mm, range.first)) return k.blocked();
  const int error = unsuitable(k, mm, range, k.activation().arg[3] != 0);
  if (error != 0) {
    set_pmd_cleared(k, mm, range.first, false);
    ptl_unlock(k);
    return refuse(k, error);
  }
  for (unsigned p = range.first; p < range.end; ++p) {
    const std::uint8_t frame = k.pte(mm, p).frame;
    if (!counted(frame) || page_locked(k, frame)) continue;  // of a folio met before
    trylock_page(k, frame);
    isolate_lru_page(k, frame);
  }
  k.activation().frame[0] = alloc_large_folio(k, range.end - range.first);
  ptl_unlock(k);
  k.say("khugepaged isolates the pages");
  return k.yield(kCopyPage);
}

// The last mapping of `frame` in the range is gone: release_pte_page.
bool mapped_again(const Kernel& k, unsigned mm, unsigned from, unsigned end, std::uint8_t frame) {
  for (unsigned p = from; p < end; ++p) {
    const std::uint8_t other = k.s.mms[mm].pte[p].frame;
    if (counted(other) && &page_folio(k, other) == &page_folio(k, frame)) return true;
  }
  return false;
}

// __collapse_huge_page_copy: copy, clear the PTE, drop the old page.
Step copy_page(Kernel& k, unsigned mm, PageRange range) {
  Activation& a = k.activation();
  const unsigned page = range.first + a.arg[2];
  const std::uint8_t target = large_folio(k.s, a.frame[0]).pages[a.arg[2]];
  const std::uint8_t old = k.pte(mm, page).frame;
  for (unsigned w = 0; w < k.words_of(page); ++w) {
    copy_word(k, old == kNoFrame ? kZeroFrame : old, target, w);
  }
  k.pte(mm, page) = Pte{};
  if (counted(old)) {
    remove_rmap(k, old, mm);
    if (!mapped_again(k, mm, page + 1, range.end, old)) {
      unlock_page(k, old);
      putback_lru_page(k, old);
    }
    free_swap_cache(k, old);
    put_page(k, old);
  }
  k.say("khugepaged copies a page into the large folio");
  a.arg[2]++;
  return k.yield(page + 1 < range.end ? kCopyPage : kInstall);
}

Step install(Kernel& k, unsigned mm, PageRange range) {
  if (!ptl_trylock(k, mm, range.first)) return k.blocked();
  Activation& a = k.activation();
  const std::uint8_t head = a.frame[0];
  const bool writable = (k.vma(mm, range.first) & kVmWrite) != 0;
  for (unsigned p = range.first; p < range.end; ++p) {
    const std::uint8_t frame = large_folio(k.s, head).pages[p - range.first];
    set_anon_exclusive(k, frame);
    k.pte(mm, p) = Pte{frame, static_cast<std::uint8_t>(kPteDirty | (writable ? kPteWrite : 0))};
  }
  add_rmap_pmd(k, head, mm);  // the allocation's reference becomes the mapping's
  set_pmd_mapped(k, mm, range.first, true);
  set_pmd_cleared(k, mm, range.first, false);
  a.frame[0] = kNoFrame;
  ptl_unlock(k);
  mmap_unlock(k);
  k.say("khugepaged maps the large folio");
  return k.done();
}

}  // namespace

Step collapse_huge_page(Kernel& k) {
  const Activation& a = k.activation();
  const PageRange range = pmd_range(k.program, a.arg[0]);
  const unsigned mm = a.arg[1];
  switch (a.point) {
    case kLock:
      return lock(k, mm, range);
    case kClearPmd:
      return clear_pmd(k, mm, range);
    case kIsolate:
      return isolate(k, mm, range);
    case kCopyPage:
      return copy_page(k, mm, range);
    default:
      return install(k, mm, range);
  }
}

// MADV_COLLAPSE (7d8faaf15545, 6.1) of one aligned range. Pages in LRU batches are drained first.
Step madvise_collapse(Kernel& k) {
  enum : std::uint8_t { kStart, kCollapsed };
  const litmus::Instr& i = k.instr();
  if (k.activation().point == kCollapsed) {
    k.set_register(i.dst, k.result());
    return k.done();
  }
  if (k.policy.madv_collapse == policy::madv_collapse::absent) {
    k.set_register(i.dst, -kEINVAL);
    return k.done();
  }
  lru_add_drain_all(k);
  return k.call(Path::collapse_huge_page, kCollapsed, {i.page, k.mm()});
}

namespace {

// dup_mmap holds the child's mmap_lock, too, from the begin to the end.
bool being_forked(const Kernel& k, unsigned mm) {
  for (unsigned parent = 0; parent < k.program.mms; ++parent) {
    if (k.s.mms[parent].forking == mm + 1) return true;
  }
  return false;
}

}  // namespace

// khugepaged: at any moment, in any process that maps the range.
Step khugepaged(Kernel& k) {
  if (k.activation().point != 0) return k.done();
  const unsigned mm = k.choose(k.program.mms);
  const unsigned page = k.code().page;
  if ((k.s.mms[mm].flags & kMmAlive) == 0 || being_forked(k, mm)) return k.blocked();
  if (pmd_mapped(k, mm, page)) return k.blocked();
  return k.call(Path::collapse_huge_page, 1, {page, mm, 0, 1});
}

}  // namespace drover::mm
