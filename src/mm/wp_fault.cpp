// do_wp_page (mm/memory.c) for a small anonymous page: reuse it in place, or copy it. The copy is
// in wp_copy.cpp. Entered with the page table lock held and the PTE just read (kernel-semantics
// 3a).
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

enum Point : std::uint8_t { kDecide, kSleepOnPageLock, kReuse };

// wp_page_copy step C1: a reference keeps the old page alive, the page table lock is dropped.
Step copy(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  const Pte original = k.pte(mm, page);
  if (counted(original.frame)) get_page(k, original.frame);
  k.activation().frame[0] = original.frame;
  ptl_unlock(k);
  return k.become(Path::wp_page_copy, {page, flags, mm, original.bits});
}

// wp_page_reuse: only permissions grow, so no TLB flush. FAULT_FLAG_UNSHARE leaves the PTE alone.
Step reuse(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  Pte& pte = k.pte(mm, page);
  if ((flags & kFaultUnshare) == 0) {
    const bool writable = (k.vma(mm, page) & kVmWrite) != 0;
    pte.bits = static_cast<std::uint8_t>(pte.bits | kPteDirty | (writable ? kPteWrite : 0));
  }
  k.say("do_wp_page reuses the page");
  ptl_unlock(k);
  return k.done((flags & kFaultUnshare) != 0 ? kFaultDone : kFaultWrote);
}

// lock_page in do_wp_page sleeps: take a reference, drop the page table lock, look again
// afterwards.
Step sleep_on_page_lock(Kernel& k, unsigned page, unsigned mm) {
  k.activation().frame[0] = k.pte(mm, page).frame;
  k.activation().arg[3] = k.pte(mm, page).bits;
  get_page(k, k.activation().frame[0]);
  k.say("do_wp_page sleeps on the page lock");
  ptl_unlock(k);
  return k.yield(kSleepOnPageLock);
}

Step woken(Kernel& k, unsigned page, unsigned mm) {
  const std::uint8_t frame = k.activation().frame[0];
  if (page_locked(k, frame)) return k.blocked();
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const bool same = k.pte(mm, page) == Pte{frame, k.activation().arg[3]};
  put_page(k, frame);
  k.activation().frame[0] = kNoFrame;
  k.activation().arg[3] = 0;
  if (same) return k.fused(kDecide);
  ptl_unlock(k);
  return k.done(0);  // the fault is retried
}

// 5.9 to 5.17 (09854ba94c6a): any extra reference makes it a copy.
bool sole_reference(Kernel& k, const Frame& old) {
  k.say("do_wp_page: refcount {}, mapcount {}", old.refcount, old.mapcount);
  return old.refcount == 1 && old.mapcount == 1;
}

// 5.18 (53a05ad9f21d, d4c470970d45): as above, but a page still in this CPU's LRU batch is drained
// first, and the swap cache lets it go if it can.
bool sole_reference_after_drain(Kernel& k, std::uint8_t frame) {
  Frame& old = k.s.frames[frame];
  if (old.refcount > 3) {
    k.say("do_wp_page: refcount {}", old.refcount);
    return false;
  }
  if ((old.flags & kInLruBatch) != 0) {
    k.say("lru_add_drain drops the batch's reference");
    old.flags = static_cast<std::uint8_t>(old.flags & ~kInLruBatch);
    old.refcount--;
  }
  if (old.refcount == 2 && (old.flags & kPageLocked) == 0) try_to_free_swap(k, frame);
  k.say("do_wp_page: refcount {}", old.refcount);
  return old.refcount == 1;
}

// A KSM page is copied, but for 5.1 to 5.8 (reuse_ksm_page, 52d1e606ee73): its only user takes it.
Step ksm_page(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  const std::uint8_t frame = k.pte(mm, page).frame;
  Frame& old = k.s.frames[frame];
  const bool locked = (old.flags & kPageLocked) != 0;
  if (k.policy.wp_reuse_ksm == policy::wp_reuse_ksm::reuse_if_sole && old.refcount == 1 &&
      !in_swap_cache(k, frame) && !locked) {
    old.state = static_cast<std::uint8_t>(old.state & ~kKsm);
    k.say("do_wp_page: the only user of a KSM page");
    return k.fused(kReuse);
  }
  k.say("do_wp_page: a KSM page is copied");
  return copy(k, page, flags, mm);
}

// 3a: a small page.
bool may_reuse_small(Kernel& k, std::uint8_t frame) {
  const Frame& old = k.s.frames[frame];
  switch (k.policy.wp_reuse) {
    case policy::wp_reuse::mapcount_swapcount:  // reuse_swap_page: references are invisible
      k.say("do_wp_page: mapcount {}, swap count {}", old.mapcount, page_swapcount(k, frame));
      return reuse_swap_page(k, frame);
    case policy::wp_reuse::refcount_strict:
      return sole_reference(k, old);
    case policy::wp_reuse::refcount_swapaware:
    case policy::wp_reuse::exclusive_or_refcount:
      return sole_reference_after_drain(k, frame);
  }
  return false;
}

// A page of a large folio that is mapped by PTEs (kernel-semantics 3b): the references are those of
// the whole folio.
bool may_reuse_large(Kernel& k, std::uint8_t frame) {
  switch (k.policy.wp_reuse_large_pte) {
    case policy::wp_reuse_large_pte::mapcount: {  // page_trans_huge_mapcount
      const bool shared = folio_mapped_shared(k.s, frame);
      k.say("do_wp_page: {} mapped by several processes", shared ? "a page is" : "no page is");
      return !shared;
    }
    case policy::wp_reuse_large_pte::refcount:
      k.say("do_wp_page: refcount {}", page_folio(k, frame).refcount);
      return page_folio(k, frame).refcount == 1;
    case policy::wp_reuse_large_pte::never:
      k.say("do_wp_page: a page of a large folio");
      return false;
    case policy::wp_reuse_large_pte::mm_id_owner:
      return owner_may_reuse(k, frame);
  }
  return false;
}

Step decide(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  const std::uint8_t frame = k.pte(mm, page).frame;
  // 6ce64428d620 (5.12, backported): a UFFDIO_WRITEPROTECT may not have flushed yet.
  if (k.policy.uffd_wp_flush == policy::uffd_wp_flush::yes &&
      k.s.mms[mm].flags >= kMmTlbFlushPending) {
    flush_tlb_page(k, mm, page);
  }
  if (frame == kZeroFrame) {
    k.say("do_wp_page: the zero page is copied");
    return copy(k, page, flags, mm);
  }
  if (is_file_page(k.s.frames[frame])) {
    if (is_shared_file(k.program, page)) return k.become(Path::wp_page_shared, {page, flags, mm});
    k.say("do_wp_page: the page of the file is copied");
    return copy(k, page, flags, mm);
  }
  if (anon_exclusive(k, frame)) {  // 6c287605fd56 (5.19): nothing else is looked at
    k.say("do_wp_page: PG_anon_exclusive");
    return k.fused(kReuse);
  }
  if ((k.s.frames[frame].state & kKsm) != 0) return ksm_page(k, page, flags, mm);
  const bool locked = page_locked(k, frame);
  const bool sleeps = k.policy.wp_reuse_lock == policy::wp_reuse_lock::sleep;
  if (locked && sleeps) return sleep_on_page_lock(k, page, mm);
  const bool unlocked_owner_test =
      is_large(k.s, frame) &&
      k.policy.wp_reuse_large_pte == policy::wp_reuse_large_pte::mm_id_owner;
  bool reusable = is_large(k.s, frame) ? may_reuse_large(k, frame) : may_reuse_small(k, frame);
  if (reusable && locked && !unlocked_owner_test) {
    k.say("do_wp_page: trylock_page fails");
    reusable = false;
  }
  if (!reusable) return copy(k, page, flags, mm);
  set_anon_exclusive(k, frame);
  return k.fused(kReuse);
}

}  // namespace

Step do_wp_page(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned flags = k.activation().arg[1];
  const unsigned mm = k.activation().arg[2];
  switch (k.activation().point) {
    case kDecide:
      return decide(k, page, flags, mm);
    case kSleepOnPageLock:
      return woken(k, page, mm);
    default:
      return reuse(k, page, flags, mm);
  }
}

}  // namespace drover::mm
