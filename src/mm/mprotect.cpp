// mprotect (change_protection, mm/mprotect.c), kernel-semantics 10: takes write permission away
// without asking about pins, and gives it back only where the design lets it.
#include "mm/huge_memory.hpp"
#include "mm/hugetlb.hpp"
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

enum Point : std::uint8_t { kBegin, kChangePte, kFlush };

// can_change_pte_writable (64fe24a3e05e, 6.0; without the dirty test later).
bool may_restore_write(const Kernel& k, unsigned page, Pte pte) {
  if (is_hugetlb(k, page)) return false;  // hugetlb_change_protection
  if (is_file_page(k.s.frames[pte.frame])) {
    // A shared page where no fault is wanted, or whose first write the file system knows of already
    // (change_pte_range: dirty_accountable; can_change_shared_pte_writable since 6.1).
    return is_shared_file(k.program, page) &&
           (!tracks_dirty_pages(k.program, page) || (pte.bits & kPteDirty) != 0);
  }
  if ((pte.bits & kPteUffdWp) != 0) return false;
  switch (k.policy.mprotect_restore_write) {
    case policy::mprotect_restore_write::never:
      return false;
    case policy::mprotect_restore_write::dirty_and_exclusive:  // of PTEs only
      return (pte.bits & kPteDirty) != 0 && anon_exclusive(k, pte.frame) &&
             !pmd_mapped(k, k.mm(), page);
    case policy::mprotect_restore_write::exclusive:
      return anon_exclusive(k, pte.frame);
  }
  return false;
}

void change_pte(Kernel& k, unsigned mm, unsigned page) {
  const litmus::Instr& i = k.instr();
  Pte& pte = k.pte(mm, page);
  if (is_migration_entry(pte) && (i.prot & litmus::kProtWrite) == 0) {
    // make_readable(_exclusive)_migration_entry: it will not come back writable.
    if (k.policy.anon_exclusive == policy::anon_exclusive::yes && (pte.bits & kPteWrite) != 0) {
      pte.bits |= kPteExclusive;
    }
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteWrite);
  }
  if (pte.frame != kNoFrame) {
    const Pte old = pte;
    if ((i.prot & litmus::kProtRead) == 0) {
      pte.bits = static_cast<std::uint8_t>((pte.bits & ~kPteWrite) | kPteProtNone);
    } else if ((i.prot & litmus::kProtWrite) == 0) {
      pte.bits = static_cast<std::uint8_t>(pte.bits & ~(kPteWrite | kPteProtNone));
    } else {
      pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteProtNone);
      if (may_restore_write(k, page, pte)) pte.bits |= kPteWrite;
    }
    const bool lost_rights =
        ((old.bits & ~pte.bits) & kPteWrite) != 0 || ((pte.bits & ~old.bits) & kPteProtNone) != 0;
    if (lost_rights) leave_stale(k, mm, page, old);
    if (lost_rights) k.say("mprotect takes rights from the PTE");
  }
}

// change_pmd_range, change_huge_pmd: a PMD that is covered whole changes as one entry.
Step change_entry(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  auto& changed = k.activation().arg[0];
  const unsigned page = i.page + changed;
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const unsigned pages = pages_of_entry(k, mm, page, static_cast<unsigned>(i.page) + i.pages);
  for (unsigned p = page; p < page + pages; ++p) change_pte(k, mm, p);
  ptl_unlock(k);
  changed = static_cast<std::uint8_t>(changed + pages);
  return k.yield(changed < i.pages ? kChangePte : kFlush);
}

}  // namespace

Step mprotect(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  switch (k.activation().point) {
    case kBegin: {
      const int begun = begin_change(k, i.page, i.pages, true);
      if (begun == 0) return k.blocked();
      if (begun < 0) return end_change(k, begun);
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        const bool read = (i.prot & litmus::kProtRead) != 0;
        const bool write = (i.prot & litmus::kProtWrite) != 0;
        k.vma(mm, p) = static_cast<std::uint8_t>((k.vma(mm, p) & ~(kVmRead | kVmWrite)) |
                                                 (read ? kVmRead : 0) | (write ? kVmWrite : 0));
      }
      return change_from(k, kChangePte);
    }
    case kChangePte:
      return change_entry(k);
    default:
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        flush_tlb_page(k, mm, p);
      }
      k.say("mprotect flushes the TLBs");
      return end_change(k, 0);
  }
}

}  // namespace drover::mm
