// Huge PMDs (mm/huge_memory.c): one entry that maps a whole large folio. Its faults are in
// huge_wp_fault.cpp, how fork and zap treat it in fork.cpp and zap.cpp, the folio in
// large_folio.hpp.
//
// A PMD-mapped object has its bit in Mm::pmd_mapped, and its PTEs all say what the PMD says: who
// changes one changes all of them in the same step.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

[[nodiscard]] inline bool is_huge(const litmus::Program& program, unsigned page) {
  return (program.features & litmus::kFeatureHuge) != 0 &&
         program.object(page).huge != litmus::HugeMapping::none;
}
/// Whether a huge PMD of `mm` maps `page` (pmd_trans_huge).
[[nodiscard]] inline bool pmd_mapped(const Kernel& k, unsigned mm, unsigned page) {
  return (k.s.mms[mm].pmd_mapped >> k.program.object_of[page] & 1U) != 0;
}
/// Whether khugepaged has taken the page table of `page` away for the moment.
[[nodiscard]] inline bool pmd_cleared(const Kernel& k, unsigned mm, unsigned page) {
  return (k.s.mms[mm].pmd_cleared >> k.program.object_of[page] & 1U) != 0;
}
void set_pmd_mapped(Kernel& k, unsigned mm, unsigned page, bool mapped);
void set_pmd_cleared(Kernel& k, unsigned mm, unsigned page, bool cleared);

/// The virtual pages that share a PMD with `page`: its object's.
struct PageRange {
  unsigned first, end;
};
[[nodiscard]] PageRange pmd_range(const litmus::Program& program, unsigned page);

/// folio_add_anon_rmap_pmd, folio_remove_rmap_pmd: map counts only.
void add_rmap_pmd(Kernel& k, std::uint8_t frame, unsigned mm);
void remove_rmap_pmd(Kernel& k, std::uint8_t frame, unsigned mm);

/// __split_huge_pmd_locked: the same mappings by PTEs. Page table lock held.
void split_huge_pmd(Kernel& k, unsigned mm, unsigned page);

/// What change_pmd_range and other walks of page tables do at `page` of a range that ends at `end`,
/// page table lock held. Returns how many pages the entry there covers: 1 for a PTE, all pages of a
/// PMD that lies in the range from its first page on. 0: the PMD reaches beyond the range and was
/// split; the walk drops the lock and comes back.
[[nodiscard]] unsigned pages_of_entry(Kernel& k, unsigned mm, unsigned page, unsigned end);

/// vma_adjust_trans_huge: flags that change on a part of the range only split its PMD.
/// mmap_lock held for writing.
void split_partly_covered(Kernel& k, unsigned mm, unsigned page, unsigned pages);

}  // namespace drover::mm
