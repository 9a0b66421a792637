// zap_page_range (mm/memory.c) and its callers munmap, mmap over a mapping, MADV_DONTNEED and exit
// (kernel-semantics 12). No version asks whether a page is pinned; the pin keeps the page alive.
#include "mm/huge_memory.hpp"
#include "mm/hugetlb.hpp"
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/mapping.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

enum Point : std::uint8_t { kDrain, kClear, kRemoveRmap, kFlush, kPut };

// arg: first page, end, mm, pages done, and which pages this call gathered (bit per page from the
// first, low byte first).
bool gathered(const Activation& a, unsigned index) {
  return (a.arg[4 + index / 8] >> index % 8 & 1U) != 0;
}

void set_gathered(Activation& a, unsigned index) {
  auto& bits = a.arg[4 + index / 8];
  bits = static_cast<std::uint8_t>(bits | 1U << index % 8);
}

// zap_nonpresent_ptes: a swap entry gives its slot back; a migration entry the page's mapping.
void zap_nonpresent(Kernel& k, unsigned page, unsigned mm) {
  const Pte old = k.pte(mm, page);
  if (old.bits == 0) return;
  std::uint8_t& entry = k.s.mms[mm].entry[page];
  forget_addresses(k, mm, page, 1);
  if (is_swap_entry(old)) free_swap_and_cache(k, entry);
  k.pte(mm, page) = Pte{};
  entry = 0;
  k.say("the {} entry goes", is_swap_entry(old) ? "swap" : "migration");
}

// zap_huge_pmd: one entry, one map count and one reference for the whole folio.
Step clear_pmd(Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  const std::uint8_t head = k.pte(mm, page).frame;
  for (unsigned p = page; p < page + pages; ++p) {
    leave_stale(k, mm, p, k.pte(mm, p));
    k.pte(mm, p) = Pte{};
  }
  forget_addresses(k, mm, page, pages);
  TlbEntry& entry = k.s.mms[mm].tlb[page];
  entry.frame = head;
  entry.bits |= kGathered | kGatheredPmd;
  set_gathered(k.activation(), page - k.activation().arg[0]);
  set_pmd_mapped(k, mm, page, false);
  k.say("the large folio is unmapped");
  return k.fused(kRemoveRmap);
}

// zap_pte_range: the PTE goes and the map count; the reference goes to the mmu_gather.
Step clear(Kernel& k, unsigned page, unsigned end, unsigned mm) {
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  TlbEntry& entry = k.s.mms[mm].tlb[page];
  // Two zaps of one page at once: the second waits for the flush of the first. (The kernel would
  // let it gather a page faulted in between; that window is not modelled.)
  if ((entry.bits & kGathered) != 0) {
    ptl_unlock(k);
    return k.blocked();
  }
  const unsigned pages = pages_of_entry(k, mm, page, end);
  if (pages == 0) {
    ptl_unlock(k);
    return k.yield(kClear);
  }
  if (pages > 1) return clear_pmd(k, mm, page, pages);
  const Pte old = k.pte(mm, page);
  if (old.frame == kNoFrame) {
    zap_nonpresent(k, page, mm);
    return k.fused(kRemoveRmap);
  }
  leave_stale(k, mm, page, old);
  forget_addresses(k, mm, page, 1);
  k.pte(mm, page) = Pte{};
  k.say("the page is unmapped");
  if (counted(old.frame)) {
    const bool dirty = (old.bits & kPteDirty) != 0;
    if (dirty && is_file_page(k.s.frames[old.frame])) set_page_dirty(k, old.frame);
    entry.frame = old.frame;
    entry.bits |= kGathered;
    set_gathered(k.activation(), page - k.activation().arg[0]);
  }
  return k.fused(kRemoveRmap);
}

Step remove(Kernel& k, unsigned page, unsigned end, unsigned mm) {
  unsigned pages = 1;
  if (gathered(k.activation(), k.activation().arg[3])) {
    const TlbEntry& entry = k.s.mms[mm].tlb[page];
    if ((entry.bits & kGatheredPmd) != 0) {
      remove_rmap_pmd(k, entry.frame, mm);
      const PageRange pmd = pmd_range(k.program, page);
      pages = pmd.end - pmd.first;
    } else {
      remove_rmap(k, entry.frame, mm);
    }
  }
  ptl_unlock(k);
  auto& done = k.activation().arg[3];
  done = static_cast<std::uint8_t>(done + pages);
  if (page + pages < end) return k.yield(kClear);
  k.activation().arg[3] = 0;
  return k.yield(kFlush);
}

// tlb_finish_mmu frees the gathered pages one by one, after the flush.
Step put_next(Kernel& k, unsigned first, unsigned end, unsigned mm) {
  auto& done = k.activation().arg[3];
  while (first + done < end) {
    TlbEntry& entry = k.s.mms[mm].tlb[first + done];
    const bool mine = gathered(k.activation(), done);
    done++;
    if (!mine) continue;
    const std::uint8_t frame = entry.frame;
    entry = TlbEntry{};
    free_swap_cache(k, frame);  // free_pages_and_swap_cache
    put_page(k, frame);
    if (first + done < end) return k.yield(kPut);
  }
  return k.done();
}

}  // namespace

Step zap_page_range(Kernel& k) {
  const auto& arg = k.activation().arg;
  const unsigned first = arg[0];
  const unsigned end = arg[1];
  const unsigned mm = arg[2];
  switch (k.activation().point) {
    case kDrain:  // exit_mmap, unmap_region and zap_page_range begin with it
      lru_add_drain(k);
      return k.fused(kClear);
    case kClear:
      return clear(k, first + arg[3], end, mm);
    case kRemoveRmap:
      return remove(k, first + arg[3], end, mm);
    case kFlush:
      for (unsigned page = first; page < end; ++page) flush_tlb_page(k, mm, page);
      k.say("TLBs are flushed, then the pages are given back");
      return k.fused(kPut);
    default:
      return put_next(k, first, end, mm);
  }
}

namespace {

enum CallerPoint : std::uint8_t { kBegin, kZapped };

Step zap(Kernel& k, unsigned mm) {
  const litmus::Instr& i = k.instr();
  k.call(Path::zap_page_range, kZapped, {i.page, static_cast<unsigned>(i.page) + i.pages, mm});
  return change_from(k, k.activation().point);
}

}  // namespace

Step munmap(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  if (k.activation().point == kZapped) return end_change(k, 0);
  const int begun = begin_change(k, i.page, i.pages, false);
  if (begun == 0) return k.blocked();
  if (begun < 0) return end_change(k, begun);
  for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) k.vma(mm, p) = 0;
  hugetlb_unreserve(k, mm, i.page, i.pages);
  return zap(k, mm);
}

// MAP_FIXED over whatever is there.
Step mmap(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  if (k.activation().point == kZapped) {
    hugetlb_unreserve(k, mm, i.page, i.pages);
    if (is_hugetlb(k, i.page) && !hugetlb_reserve(k, mm, i.page, i.pages)) {
      return end_change(k, -kENOMEM);
    }
    for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
      k.vma(mm, p) = kVmMapped | kVmRead | kVmWrite;
    }
    return end_change(k, 0);
  }
  const int begun = begin_change(k, i.page, i.pages, false);
  if (begun == 0) return k.blocked();
  if (begun < 0) return end_change(k, begun);
  return zap(k, mm);
}

namespace {

Step dontneed(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  if (k.activation().point == kZapped) return end_change(k, 0);
  // The mmap_lock for reading. (7.2 takes only the VMA's read lock: for small private pages the
  // same paths are excluded.)
  if (!mmap_read_trylock(k, mm)) return k.blocked();
  if (is_hugetlb(k, i.page) && k.policy.hugetlb_dontneed == policy::hugetlb_dontneed::einval) {
    return end_change(k, -kEINVAL);
  }
  if (change_refused(k, mm, i.page, i.pages)) return end_change(k, -kEBUSY);
  for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
    if ((k.vma(mm, p) & kVmMapped) == 0) return end_change(k, -kENOMEM);
  }
  return zap(k, mm);
}

}  // namespace

// madvise_vma_behavior: the flags that fork looks at, and MADV_DONTNEED.
Step madvise(Kernel& k) {
  using litmus::Advice;
  const litmus::Instr& i = k.instr();
  if (i.advice == Advice::dontneed) return dontneed(k);
  if (i.advice == Advice::pageout) return k.become(Path::madvise_pageout, {});
  if (i.advice == Advice::free) return k.become(Path::madvise_free, {});
  if (i.advice == Advice::unmergeable) return k.become(Path::unmerge_ksm, {});
  if (i.advice == Advice::collapse) return k.become(Path::madvise_collapse, {});
  const unsigned mm = k.mm();
  if (ptl_held(k.s, k.program, mm, i.page) || !mmap_write_trylock(k, mm) ||
      !start_write_range(k, mm, i.page, i.pages)) {
    mmap_unlock(k);
    return k.blocked();
  }
  split_partly_covered(k, mm, i.page, i.pages);
  int result = 0;
  for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
    std::uint8_t& vma = k.vma(mm, p);
    if ((vma & kVmMapped) == 0) {
      result = -kENOMEM;
      continue;
    }
    switch (i.advice) {
      case Advice::dontfork:
        vma |= kVmDontCopy;
        break;
      case Advice::dofork:
        if (is_hugetlb(k, p) && k.policy.hugetlb_dofork == policy::hugetlb_dofork::einval) {
          result = -kEINVAL;
        } else {
          vma = static_cast<std::uint8_t>(vma & ~kVmDontCopy);
        }
        break;
      case Advice::wipeonfork:
        if (is_hugetlb(k, p)) {  // anonymous memory only
          result = -kEINVAL;
        } else {
          vma |= kVmWipeOnFork;
        }
        break;
      case Advice::keeponfork:
        vma = static_cast<std::uint8_t>(vma & ~kVmWipeOnFork);
        break;
      case Advice::dontneed:
      case Advice::pageout:
      case Advice::free:
      case Advice::unmergeable:
      case Advice::collapse:
        break;
    }
  }
  return end_change(k, result);
}

}  // namespace drover::mm
