// NUMA balancing (kernel/sched/fair.c task_numa_work, mm/memory.c do_numa_page), kernel-semantics
// 9: a scan makes PTEs PROT_NONE so that the next access tells which CPU uses the page. The fault
// half is do_numa_page here; whether the page then moves is the migrate daemon's business.
#include "mm/numa_hinting.hpp"

#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

enum Point : std::uint8_t { kLock, kChangePte, kFlush };

// change_pte_range with MM_CP_PROT_NUMA: which private pages it leaves alone.
bool skips(const Kernel& k, std::uint8_t frame) {
  const Frame& page = k.s.frames[frame];
  switch (k.policy.numa_skip) {
    case policy::numa_skip::mapcount:
      return page.mapcount != 1;
    case policy::numa_skip::refcount:
      return page.refcount != 1;
    case policy::numa_skip::pinned_or_shared:
      return maybe_dma_pinned(k, frame) || page.mapcount != 1;
  }
  return false;
}

Step change_pte(Kernel& k, unsigned mm, unsigned page) {
  if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
  Pte& pte = k.pte(mm, page);
  if (counted(pte.frame) && (pte.bits & (kPteProtNone | kPteHint)) == 0 && !skips(k, pte.frame)) {
    leave_stale(k, mm, page, pte);
    pte.bits |= kPteHint;  // pte_savedwrite: the write bit is kept
    k.say("NUMA balancing makes the PTE PROT_NONE");
  }
  ptl_unlock(k);
  return k.yield(kFlush);
}

}  // namespace

// One page of one process, at any moment.
Step numa_scan(Kernel& k) {
  auto& arg = k.activation().arg;
  const litmus::Actor& daemon = k.code();
  switch (k.activation().point) {
    case kLock: {
      const unsigned candidates = k.program.mms * daemon.pages;
      const unsigned pick = k.choose(candidates);
      arg[0] = static_cast<std::uint8_t>(pick / daemon.pages);
      arg[1] = static_cast<std::uint8_t>(daemon.page + pick % daemon.pages);
      if ((k.s.mms[arg[0]].flags & kMmAlive) == 0) return k.blocked();
      if (!mmap_read_trylock(k, arg[0])) return k.blocked();
      return k.yield(kChangePte);
    }
    case kChangePte:
      return change_pte(k, arg[0], arg[1]);
    default:
      flush_tlb_page(k, arg[0], arg[1]);
      mmap_unlock(k);
      return k.done();
  }
}

// do_numa_page, under the page table lock. Up to 6.1 the write bit was saved in the PTE; since
// 6a56ccbcf6c6 (6.2) it is given to exclusive pages again.
void do_numa_page(Kernel& k, unsigned mm, unsigned page) {
  Pte& pte = k.pte(mm, page);
  pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteHint);
  k.say("do_numa_page maps the page again");
}

}  // namespace drover::mm
