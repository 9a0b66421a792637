// handle_mm_fault (mm/memory.c): the lock, the VMA check, and the anonymous cases that are not a
// write to a present page (do_anonymous_page). That one is do_wp_page, in wp_fault.cpp; pages that
// are swapped out are in swap_in.cpp.
#include "mm/huge_memory.hpp"
#include "mm/hugetlb.hpp"
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/numa_hinting.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kLock, kCheckVma, kPteLocked, kReturned, kPmdReturned };

Step finish(Kernel& k, int result) {
  if ((k.activation().arg[1] & kFaultLocked) == 0) mmap_unlock(k);
  return k.done(result);
}

// lock_vma_under_rcu (6.4+) or mmap_read_lock. A write-locked VMA makes the fault fall back to
// mmap_read_lock, which waits for the same writer: both wait until the writer is done.
bool lock(Kernel& k, unsigned mm, unsigned page) {
  if (k.policy.fork_vma_lock == design::policy::fork_vma_lock::per_vma) {
    return vma_read_trylock(k, mm, page);
  }
  return mmap_read_trylock(k, mm);
}

// do_anonymous_page: the zero page for a read, a new exclusive page for a write.
Step do_anonymous_page(Kernel& k, unsigned page, bool write, unsigned mm) {
  Pte& pte = k.pte(mm, page);
  if (!write) {
    pte = Pte{kZeroFrame, 0};
    k.say("maps the zero page");
  } else {
    const std::uint8_t frame = alloc_page(k);
    for (Word& word : k.s.frames[frame].words) word = Word{0, kEverybody};
    add_rmap(k, frame, mm);
    set_anon_exclusive(k, frame);
    const bool writable = (k.vma(mm, page) & kVmWrite) != 0;
    pte = Pte{frame, static_cast<std::uint8_t>(writable ? kPteWrite | kPteDirty : 0)};
    note_anon_vma(k, mm, page);
    k.say("maps a new zeroed page");
  }
  ptl_unlock(k);
  return finish(k, kFaultDone);
}

Step pte_locked(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned flags = k.activation().arg[1];
  const unsigned mm = k.activation().arg[2];
  if (is_migration_entry(k.pte(mm, page))) return k.blocked();  // migration_entry_wait
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const Pte pte = k.pte(mm, page);
  const bool write = (flags & kFaultWrite) != 0;
  if (is_swap_entry(pte)) {
    ptl_unlock(k);
    k.call(Path::do_swap_page, kReturned, {page, flags, mm, pte.bits, k.s.mms[mm].entry[page], 0});
    return Step::yield;
  }
  if (pte.frame == kNoFrame && is_file(k.program, page)) {
    ptl_unlock(k);
    k.call(Path::file_fault, kReturned, {page, flags, mm});
    return Step::yield;
  }
  if (pte.frame == kNoFrame) return do_anonymous_page(k, page, write, mm);
  if ((pte.bits & kPteHint) != 0) {
    do_numa_page(k, mm, page);
    ptl_unlock(k);
    return finish(k, kFaultDone);
  }
  if (write && (pte.bits & kPteUffdWp) != 0) {
    ptl_unlock(k);
    return k.call(Path::handle_userfault, kReturned, {page, flags, mm});
  }
  const bool unshare = (flags & kFaultUnshare) != 0;
  if ((write || unshare) && (pte.bits & kPteWrite) == 0 && pmd_mapped(k, mm, page)) {
    ptl_unlock(k);
    return k.call(Path::do_huge_pmd_wp_page, kPmdReturned, {page, flags, mm});
  }
  if ((write || unshare) && (pte.bits & kPteWrite) == 0) {
    return k.call(Path::do_wp_page, kReturned, {page, flags, mm});
  }
  ptl_unlock(k);  // spurious: somebody else handled it
  return finish(k, 0);
}

}  // namespace

Step handle_mm_fault(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned flags = k.activation().arg[1];
  const unsigned mm = k.activation().arg[2];
  switch (k.activation().point) {
    case kLock:
      if ((flags & kFaultLocked) == 0 && !lock(k, mm, page)) return k.blocked();
      return k.fused(kCheckVma);
    case kCheckVma: {
      const std::uint8_t vma = k.vma(mm, page);
      const std::uint8_t needed = (flags & kFaultWrite) != 0 ? kVmWrite : kVmRead;
      const bool forced = (flags & kFaultForce) != 0;
      if ((vma & kVmMapped) == 0 || ((vma & needed) == 0 && !forced)) return finish(k, -kEFAULT);
      if (is_hugetlb(k, page)) return k.call(Path::hugetlb_fault, kReturned, {page, flags, mm});
      return k.fused(kPteLocked);
    }
    case kPteLocked:
      return pte_locked(k);
    case kPmdReturned:
      return k.result() == kFaultFallback ? k.yield(kPteLocked) : finish(k, k.result());
    default:
      return finish(k, k.result());
  }
}

}  // namespace drover::mm
