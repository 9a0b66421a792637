// Stale TLB entries: who may still use what a PTE said before, and the flushes that end it.
//
// A CPU may fill its TLB speculatively at any time, so at the moment a PTE loses rights every other
// CPU that runs the mm may hold the old translation. Only that window is kept in the state; a PTE
// that gains rights needs no entry, because a CPU that still has the old one just takes a fault.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// Remember `old` of `page` as possibly cached by the other CPUs of `mm`, before the PTE changes.
void leave_stale(Kernel& k, unsigned mm, unsigned page, Pte old);
/// flush_tlb_page / flush_tlb_range on all CPUs. On x86 the IPI waits for a GUP-fast walker with
/// interrupts off; machines with broadcast invalidation (arm64) do not wait, and neither does the
/// model, so that its Never covers both.
void flush_tlb_page(Kernel& k, unsigned mm, unsigned page);
void flush_tlb_mm(Kernel& k, unsigned mm);

/// Whether a zap has taken a page away at this address and not flushed yet. The record of stale
/// entries is that zap's until then: another path that takes rights away there waits. (The kernel
/// would let it go on; that window is not modelled.)
[[nodiscard]] inline bool gather_pending(const Kernel& k, unsigned mm, unsigned page) {
  return (k.s.mms[mm].tlb[page].bits & (kGathered | kGatheredPmd)) != 0;
}

}  // namespace drover::mm
