// mremap to a given range (mremap_to, move_page_tables, mm/mremap.c): what is mapped there goes,
// the PTEs move, pages and pins stay.
#include "mm/huge_memory.hpp"
#include "mm/hugetlb.hpp"
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

enum Point : std::uint8_t { kBegin, kUnmapTarget, kMoveVma, kMovePte, kFlush };

// References follow: the owner's address of a pinned page is now the new one.
void move_addresses(Kernel& k, unsigned mm, unsigned from, unsigned to) {
  for (const litmus::Handle& handle : k.program.handles) {
    if (k.mm_of(handle.process) != mm) continue;
    for (unsigned r = handle.first_ref; r < static_cast<unsigned>(handle.first_ref) + handle.pages;
         ++r) {
      if (k.s.refs[r].page == from + 1) k.s.refs[r].page = static_cast<std::uint8_t>(to + 1);
    }
  }
}

// The new page table's lock nests inside; nobody faults there while the mmap_lock is write-held.
void move_pte(Kernel& k, unsigned mm, unsigned from, unsigned to) {
  const Pte pte = k.pte(mm, from);
  leave_stale(k, mm, from, pte);
  k.pte(mm, from) = Pte{};
  k.pte(mm, to) = pte;
  auto& entry = k.s.mms[mm].entry;
  entry[to] = entry[from];
  entry[from] = 0;
  move_addresses(k, mm, from, to);
}

// move_page_tables: a PMD moves whole to an address that is aligned for it (move_huge_pmd).
Step move_entry(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  auto& moved = k.activation().arg[0];
  const unsigned from = i.page + moved;
  const unsigned to = i.to_page + moved;
  if (!ptl_trylock(k, mm, from)) return k.blocked();
  if (pmd_mapped(k, mm, from) &&
      (!is_huge(k.program, to) || to != pmd_range(k.program, to).first)) {
    split_huge_pmd(k, mm, from);
    ptl_unlock(k);
    return k.yield(kMovePte);
  }
  const unsigned pages = pages_of_entry(k, mm, from, static_cast<unsigned>(i.page) + i.pages);
  for (unsigned p = 0; p < pages; ++p) move_pte(k, mm, from + p, to + p);
  if (pages > 1) {
    set_pmd_mapped(k, mm, from, false);
    set_pmd_mapped(k, mm, to, true);
  }
  ptl_unlock(k);
  moved = static_cast<std::uint8_t>(moved + pages);
  return k.yield(moved < i.pages ? kMovePte : kFlush);
}

Step begin(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  const int begun = begin_change(k, i.page, i.pages, true);
  if (begun == 0) return k.blocked();
  if (begun < 0) return end_change(k, begun == -kENOMEM ? -kEFAULT : begun);
  if (is_hugetlb(k, i.page) && k.policy.hugetlb_mremap == policy::hugetlb_mremap::einval) {
    return end_change(k, -kEINVAL);
  }
  for (unsigned p = 0; p < i.pages; ++p) {
    if ((k.vma(mm, i.to_page + p) & kVmMapped) == 0) continue;
    if (change_refused(k, mm, i.to_page, i.pages)) return end_change(k, -kEBUSY);
    return k.fused(kUnmapTarget);
  }
  return change_from(k, kMoveVma);
}

// do_munmap of the target range.
Step unmap_target(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  const unsigned end = static_cast<unsigned>(i.to_page) + i.pages;
  if (!start_write_range(k, mm, i.to_page, i.pages)) return k.blocked();
  for (unsigned p = i.to_page; p < end; ++p) k.vma(mm, p) = 0;
  hugetlb_unreserve(k, mm, i.to_page, i.pages);
  k.call(Path::zap_page_range, kMoveVma, {i.to_page, end, mm});
  return change_from(k, k.activation().point);
}

Step move_vma(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  for (unsigned p = 0; p < i.pages; ++p) {
    k.vma(mm, i.to_page + p) = k.vma(mm, i.page + p);
    k.vma(mm, i.page + p) = 0;
    hugetlb_move_reservation(k, mm, i.page + p, i.to_page + p);
  }
  return k.fused(kMovePte);
}

}  // namespace

Step mremap(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  switch (k.activation().point) {
    case kBegin:
      return begin(k);
    case kUnmapTarget:
      return unmap_target(k);
    case kMoveVma:
      return move_vma(k);
    case kMovePte:
      return move_entry(k);
    default:
      for (unsigned p = 0; p < i.pages; ++p) flush_tlb_page(k, mm, i.page + p);
      return end_change(k, 0);
  }
}

}  // namespace drover::mm
