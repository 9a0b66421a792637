// do_huge_pmd_wp_page (mm/huge_memory.c), kernel-semantics 3c: a write to, or the unsharing of, a
// page that a read-only huge PMD maps. Result kFaultFallback: the PMD is split (or was meanwhile),
// and the fault goes on at its PTE. Up to 5.7 the folio is copied whole instead.
#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: page, flags, mm, the PMD's bits, next page and next word of a copy. frame: the folio's head
// page, the copy's.
enum Point : std::uint8_t {
  kLockPmd,
  kSleepOnPageLock,
  kReuse,
  kSplit,
  kAllocate,
  kCopyWord,
  kInstall
};

// pmd_same
bool pmd_same(const Kernel& k, unsigned mm, unsigned page, Pte original) {
  return pmd_mapped(k, mm, page) && k.s.mms[mm].pte[pmd_range(k.program, page).first] == original;
}

Step reuse(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  const bool unshare = (flags & kFaultUnshare) != 0;
  const bool writable = (k.vma(mm, page) & kVmWrite) != 0;
  const PageRange pmd = pmd_range(k.program, page);
  for (unsigned p = pmd.first; !unshare && p < pmd.end; ++p) {
    Pte& pte = k.pte(mm, p);
    pte.bits = static_cast<std::uint8_t>(pte.bits | kPteDirty | (writable ? kPteWrite : 0));
  }
  k.say("do_huge_pmd_wp_page reuses the large folio");
  ptl_unlock(k);
  return k.done(unshare ? kFaultDone : kFaultWrote);
}

// lock_page after the trylock failed: with a reference, and without the page table lock.
Step sleep_on_page_lock(Kernel& k, unsigned mm, unsigned page) {
  Activation& a = k.activation();
  const Pte pmd = k.pte(mm, pmd_range(k.program, page).first);
  a.frame[0] = pmd.frame;
  a.arg[3] = pmd.bits;
  get_page(k, a.frame[0]);
  k.say("do_huge_pmd_wp_page sleeps on the page lock");
  ptl_unlock(k);
  return k.yield(kSleepOnPageLock);
}

Step woken(Kernel& k, unsigned page, unsigned mm) {
  Activation& a = k.activation();
  if (page_locked(k, a.frame[0]) || !ptl_trylock(k, mm, page)) return k.blocked();
  const bool same = pmd_same(k, mm, page, Pte{a.frame[0], a.arg[3]});
  put_page(k, a.frame[0]);
  a.frame[0] = kNoFrame;
  a.arg[3] = 0;
  if (same) return k.fused(kLockPmd);
  ptl_unlock(k);
  return k.done(0);  // the fault is retried
}

// Not reusable: split the PMD after the page table lock was dropped, or copy 2 MiB (up to 5.7;
// 3917c80280c9).
Step fall_back(Kernel& k, unsigned mm, unsigned page) {
  if (k.policy.thp_wp_fallback == policy::thp_wp_fallback::split) {
    ptl_unlock(k);
    return k.yield(kSplit);
  }
  Activation& a = k.activation();
  const Pte pmd = k.pte(mm, pmd_range(k.program, page).first);
  a.frame[0] = pmd.frame;
  a.arg[3] = pmd.bits;
  get_page(k, a.frame[0]);
  ptl_unlock(k);
  k.say("do_huge_pmd_wp_page copies the large folio");
  return k.yield(kAllocate);
}

bool reusable(Kernel& k, std::uint8_t head) {
  const int references = page_folio(k, head).refcount;
  if (k.policy.wp_reuse_thp == policy::wp_reuse_thp::mapcount) {
    // reuse_swap_page, page_trans_huge_mapcount: pins are invisible.
    const bool shared = folio_mapped_shared(k.s, head);
    k.say("do_huge_pmd_wp_page: {} mapped by several processes",
          shared ? "a page is" : "no page is");
    return !shared;
  }
  k.say("do_huge_pmd_wp_page: refcount {}", references);
  return references == 1;
}

Step decide(Kernel& k, unsigned page, unsigned mm) {
  const PageRange pmd = pmd_range(k.program, page);
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const Pte entry = k.pte(mm, pmd.first);
  if (!pmd_mapped(k, mm, page) || (entry.bits & kPteWrite) != 0) {  // somebody else was faster
    ptl_unlock(k);
    return k.done(0);
  }
  if (anon_exclusive(k, entry.frame)) {  // 6c287605fd56 (5.19)
    k.say("do_huge_pmd_wp_page: PG_anon_exclusive");
    return k.fused(kReuse);
  }
  if (page_locked(k, entry.frame)) return sleep_on_page_lock(k, mm, page);
  if (!reusable(k, entry.frame)) return fall_back(k, mm, page);
  for (unsigned p = pmd.first; p < pmd.end; ++p) set_anon_exclusive(k, k.pte(mm, p).frame);
  return k.fused(kReuse);
}

// __split_huge_pmd takes the lock again: the PMD may be another by now.
Step split(Kernel& k, unsigned page, unsigned mm) {
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  if (pmd_mapped(k, mm, page)) split_huge_pmd(k, mm, page);
  ptl_unlock(k);
  return k.done(kFaultFallback);
}

Step copy_next_word(Kernel& k, unsigned page) {
  Activation& a = k.activation();
  const unsigned pages = pmd_range(k.program, page).end - pmd_range(k.program, page).first;
  copy_word(k, large_folio(k.s, a.frame[0]).pages[a.arg[4]],
            large_folio(k.s, a.frame[1]).pages[a.arg[4]], a.arg[5]);
  if (++a.arg[5] == k.words_of(page)) {
    a.arg[5] = 0;
    a.arg[4]++;
  }
  return k.yield(a.arg[4] < pages ? kCopyWord : kInstall);
}

// do_huge_pmd_wp_page of 4.18, out_mn: pmdp_huge_clear_flush_notify, then the copy.
Step install(Kernel& k, unsigned page, unsigned mm) {
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  Activation& a = k.activation();
  const std::uint8_t old = a.frame[0];
  const std::uint8_t fresh = a.frame[1];
  a.frame = {};
  put_page(k, old);  // of fall_back
  if (!pmd_same(k, mm, page, Pte{old, a.arg[3]})) {
    put_page(k, fresh);
    ptl_unlock(k);
    return k.done(0);
  }
  const PageRange pmd = pmd_range(k.program, page);
  const bool writable = (k.vma(mm, page) & kVmWrite) != 0;
  for (unsigned p = pmd.first; p < pmd.end; ++p) {
    flush_tlb_page(k, mm, p);
    k.pte(mm, p) = Pte{large_folio(k.s, fresh).pages[p - pmd.first],
                       static_cast<std::uint8_t>(kPteDirty | (writable ? kPteWrite : 0))};
  }
  add_rmap_pmd(k, fresh, mm);
  remove_rmap_pmd(k, old, mm);
  put_page(k, old);
  k.say("do_huge_pmd_wp_page installs the copy");
  ptl_unlock(k);
  return k.done(kFaultWrote);
}

}  // namespace

Step do_huge_pmd_wp_page(Kernel& k) {
  Activation& a = k.activation();
  const unsigned page = a.arg[0];
  const unsigned flags = a.arg[1];
  const unsigned mm = a.arg[2];
  switch (a.point) {
    case kLockPmd:
      return decide(k, page, mm);
    case kSleepOnPageLock:
      return woken(k, page, mm);
    case kReuse:
      return reuse(k, page, flags, mm);
    case kSplit:
      return split(k, page, mm);
    case kAllocate: {
      const PageRange pmd = pmd_range(k.program, page);
      a.frame[1] = alloc_large_folio(k, pmd.end - pmd.first);
      return k.yield(kCopyWord);
    }
    case kCopyWord:
      return copy_next_word(k, page);
    default:
      return install(k, page, mm);
  }
}

}  // namespace drover::mm
