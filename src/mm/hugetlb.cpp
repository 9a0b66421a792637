// hugetlb_fault (mm/hugetlb.c): hugetlb_no_page and hugetlb_wp, the pool, unmap_ref_private, and
// what copy_hugetlb_page_range asks (kernel-semantics 3d, 4). The copy itself is wp_copy.cpp.
#include "mm/hugetlb.hpp"

#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;

namespace {

std::uint16_t page_bit(unsigned page) {
  return static_cast<std::uint16_t>(1U << page);
}

bool has(std::uint16_t pages, unsigned page) {
  return (pages >> page & 1U) != 0;
}

void clear(std::uint16_t& pages, unsigned page) {
  pages = static_cast<std::uint16_t>(pages & ~page_bit(page));
}

// Huge pages of the pool that are neither in use nor reserved.
unsigned free_huge_pages(const Kernel& k) {
  unsigned used = 0;
  for (const Frame& frame : k.s.frames) {
    used += (frame.flags & (kAllocated | kHugetlb)) == (kAllocated | kHugetlb) ? 1 : 0;
  }
  for (const Mm& mm : k.s.mms) {
    for (unsigned page = 0; page < k.program.pages; ++page) used += has(mm.hugetlb_reserved, page);
  }
  return used < k.program.hugetlb_pool ? k.program.hugetlb_pool - used : 0;
}

}  // namespace

bool is_hugetlb(const Kernel& k, unsigned page) {
  return k.program.objects[k.program.object_of[page]].hugetlb;
}

bool hugetlb_available(const Kernel& k, unsigned mm, unsigned page) {
  return k.program.hugetlb_pool == kNone || has(k.s.mms[mm].hugetlb_reserved, page) ||
         free_huge_pages(k) > 0;
}

std::uint8_t alloc_page_for(Kernel& k, unsigned mm, unsigned page) {
  const std::uint8_t frame = alloc_page(k);
  if (!is_hugetlb(k, page)) return frame;
  k.s.frames[frame].flags |= kHugetlb;
  clear(k.s.mms[mm].hugetlb_reserved, page);
  return frame;
}

bool hugetlb_reserve(Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  if (k.program.hugetlb_pool != kNone && free_huge_pages(k) < pages) return false;
  for (unsigned p = page; p < page + pages; ++p) {
    k.s.mms[mm].hugetlb_owner |= page_bit(p);
    k.s.mms[mm].hugetlb_reserved |= page_bit(p);
  }
  return true;
}

void hugetlb_unreserve(Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  for (unsigned p = page; p < page + pages; ++p) {
    clear(k.s.mms[mm].hugetlb_owner, p);
    clear(k.s.mms[mm].hugetlb_reserved, p);
    clear(k.s.mms[mm].hugetlb_unmapped, p);
  }
}

void hugetlb_move_reservation(Kernel& k, unsigned mm, unsigned from, unsigned to) {
  Mm& m = k.s.mms[mm];
  for (std::uint16_t* pages : {&m.hugetlb_owner, &m.hugetlb_reserved, &m.hugetlb_unmapped}) {
    if (has(*pages, from)) *pages |= page_bit(to);
    clear(*pages, from);
  }
}

bool hugetlb_looks_pinned(const Kernel& k, unsigned mm, std::uint8_t frame) {
  if ((k.s.mms[mm].flags & kMmHasPinned) == 0 || !maybe_dma_pinned(k, frame)) return false;
  switch (k.policy.fork_early_copy_hugetlb) {
    case policy::fork_early_copy_hugetlb::none:
      return false;
    case policy::fork_early_copy_hugetlb::pinned:  // 4eae4efa2c29 (5.12)
      return true;
    case policy::fork_early_copy_hugetlb::exclusive_and_pinned:
      return anon_exclusive(k, frame);
  }
  return false;
}

namespace {

// arg: page, flags, mm.
enum Point : std::uint8_t { kMutex, kPteLocked, kUnmapOthers };

// hugetlb_fault_mutex_table: one lock for one page of the file, so parent and child share it. It is
// held from the begin of the fault through the copy; who holds it is read off the activations.
bool fault_mutex_held_by_other(const Kernel& k, unsigned page) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Actor& other = k.s.actors[a];
    for (unsigned d = 0; a != k.actor && d < other.depth; ++d) {
      const Activation& act = other.stack[d];
      const bool faults =
          act.path == static_cast<std::uint8_t>(Path::hugetlb_fault) && act.point != kMutex;
      const bool copies = act.path == static_cast<std::uint8_t>(Path::wp_page_copy);
      if ((faults || copies) && act.arg[0] == page) return true;
    }
  }
  return false;
}

Step sigbus(Kernel& k, const char* why) {
  k.say("hugetlb_fault: {}", why);
  ptl_unlock(k);
  return k.done(kFaultSigbus);
}

// There is no huge zero page here: a read allocates, too, and maps the page read-only.
Step hugetlb_no_page(Kernel& k, unsigned page, bool write, unsigned mm) {
  if (has(k.s.mms[mm].hugetlb_unmapped, page)) {  // HPAGE_RESV_UNMAPPED
    return sigbus(k, "the page was taken away for its owner");
  }
  if (!hugetlb_available(k, mm, page)) return sigbus(k, "no huge page is free");
  const std::uint8_t frame = alloc_page_for(k, mm, page);
  for (Word& word : k.s.frames[frame].words) word = Word{0, kEverybody};
  add_rmap(k, frame, mm);
  set_anon_exclusive(k, frame);
  const bool writable = write && (k.vma(mm, page) & kVmWrite) != 0;
  k.pte(mm, page) =
      Pte{frame, static_cast<std::uint8_t>((writable ? kPteWrite : 0) | (write ? kPteDirty : 0))};
  k.say("maps a new zeroed huge page");
  ptl_unlock(k);
  return k.done(kFaultDone);
}

// The map count alone decides, in every version; references and pins are invisible.
Step hugetlb_wp(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  Pte& pte = k.pte(mm, page);
  const std::uint8_t frame = pte.frame;
  if ((k.s.frames[frame].flags & kPageLocked) != 0) {  // sleeps on it, then faults again
    ptl_unlock(k);
    return k.blocked();
  }
  const bool unshare = (flags & kFaultUnshare) != 0;
  k.say("hugetlb_wp: mapcount {}", k.s.frames[frame].mapcount);
  if (k.s.frames[frame].mapcount == 1) {
    set_anon_exclusive(k, frame);
    const bool writable = (k.vma(mm, page) & kVmWrite) != 0;
    if (!unshare) {
      pte.bits = static_cast<std::uint8_t>(pte.bits | kPteDirty | (writable ? kPteWrite : 0));
    }
    k.say("hugetlb_wp reuses the page");
    ptl_unlock(k);
    return k.done(unshare ? kFaultDone : kFaultWrote);
  }
  if (!hugetlb_available(k, mm, page)) {
    if (!has(k.s.mms[mm].hugetlb_owner, page)) return sigbus(k, "no huge page is free");
    ptl_unlock(k);
    k.say("hugetlb_wp: no huge page is free, but this process reserved the mapping");
    return k.yield(kUnmapOthers);
  }
  get_page(k, frame);
  k.activation().frame[0] = frame;
  ptl_unlock(k);
  return k.become(Path::wp_page_copy, {page, flags, mm, pte.bits});
}

// unmap_ref_private: the owner of the reservation must not fail, so who inherited the mapping loses
// the page, and its next fault gets SIGBUS.
Step unmap_ref_private(Kernel& k, unsigned page, unsigned mm) {
  const std::uint8_t frame = k.pte(mm, page).frame;
  for (unsigned other = 0; other < k.program.mms; ++other) {
    if (other != mm && ptl_held(k.s, k.program, other, page)) return k.blocked();
  }
  for (unsigned other = 0; other < k.program.mms; ++other) {
    Mm& m = k.s.mms[other];
    if (other == mm || has(m.hugetlb_owner, page)) continue;
    if (frame == kNoFrame || k.pte(other, page).frame != frame) continue;
    m.hugetlb_unmapped |= page_bit(page);
    k.pte(other, page) = Pte{};
    flush_tlb_page(k, other, page);
    remove_rmap(k, frame, other);
    put_page(k, frame);
    k.say("unmap_ref_private takes the page from another process");
  }
  k.mark_backward();
  return k.yield(kPteLocked);
}

}  // namespace

Step hugetlb_fault(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned flags = k.activation().arg[1];
  const unsigned mm = k.activation().arg[2];
  switch (k.activation().point) {
    case kMutex:
      if (fault_mutex_held_by_other(k, page)) return k.blocked();
      return k.fused(kPteLocked);
    case kPteLocked: {
      if (!ptl_trylock(k, mm, page)) return k.blocked();
      const Pte pte = k.pte(mm, page);
      if (pte.frame == kNoFrame) {
        return hugetlb_no_page(k, page, (flags & kFaultWrite) != 0, mm);
      }
      const bool breaks_cow = (flags & (kFaultWrite | kFaultUnshare)) != 0;
      if (breaks_cow && (pte.bits & kPteWrite) == 0) return hugetlb_wp(k, page, flags, mm);
      ptl_unlock(k);
      return k.done(0);
    }
    default:
      return unmap_ref_private(k, page, mm);
  }
}

}  // namespace drover::mm
