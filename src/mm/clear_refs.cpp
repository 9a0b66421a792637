// Writing 4 to /proc/PID/clear_refs (clear_refs_write, fs/proc/task_mmu.c), kernel-semantics 10:
// every writable PTE of the process is write-protected to catch the next write. The soft-dirty bits
// themselves are not modelled, only what they cost.
#include "mm/huge_memory.hpp"
#include "mm/hugetlb.hpp"
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

enum Point : std::uint8_t { kLock, kClearPte, kFlush };

// pte_is_pinned (9348b73c2e1b, 5.11): a pinned page must not be copied at its next write.
bool skips_pinned(const Kernel& k, unsigned mm, Pte pte) {
  return k.policy.soft_dirty_skip_pinned == policy::soft_dirty_skip_pinned::yes &&
         (k.s.mms[mm].flags & kMmHasPinned) != 0 && maybe_dma_pinned(k, pte.frame);
}

void clear_pte(Kernel& k, unsigned mm, unsigned page) {
  Pte& pte = k.pte(mm, page);
  if ((pte.bits & kPteWrite) == 0 || pte.frame == kNoFrame) return;
  if (!pmd_mapped(k, mm, page) && skips_pinned(k, mm, pte)) {  // clear_soft_dirty_pmd does not ask
    k.say("clear_refs skips the pinned page");
    return;
  }
  leave_stale(k, mm, page, pte);
  pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteWrite);
  k.say("clear_refs write-protects the page");
}

Step clear_entry(Kernel& k, unsigned mm) {
  auto& page = k.activation().arg[0];
  while (page < k.program.pages && is_hugetlb(k, page)) page++;  // not walked
  if (page >= k.program.pages) return k.yield(kFlush);
  if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
  const unsigned pages = pages_of_entry(k, mm, page, k.program.pages);
  for (unsigned p = page; p < page + pages; ++p) clear_pte(k, mm, p);
  ptl_unlock(k);
  page = static_cast<std::uint8_t>(page + pages);
  return k.yield(kClearPte);
}

}  // namespace

// The mmap_lock for reading before 29a951dfb3c3 (5.11): faults get in between PTE and flush.
Step clear_refs(Kernel& k) {
  const unsigned mm = k.mm();
  switch (k.activation().point) {
    case kLock: {
      const bool write = k.policy.clear_refs_lock == policy::clear_refs_lock::write;
      if (!(write ? mmap_write_trylock(k, mm) : mmap_read_trylock(k, mm))) return k.blocked();
      if (write && !start_write_range(k, mm, 0, k.program.pages)) {
        mmap_unlock(k);
        return k.blocked();
      }
      return k.fused(kClearPte);
    }
    case kClearPte:
      return clear_entry(k, mm);
    default:
      flush_tlb_mm(k, mm);
      mmap_unlock(k);
      k.set_register(k.instr().dst, 0);
      return k.done();
  }
}

}  // namespace drover::mm
