// dup_mmap and copy_page_range (kernel/fork.c, mm/memory.c), kernel-semantics 4: what the child
// gets of each page, and the one TLB flush at the very end. vfork and the start of the child as
// well.
#include "mm/consistent_cut.hpp"
#include "mm/gup.hpp"
#include "mm/huge_memory.hpp"
#include "mm/hugetlb.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg[0]: page, arg[1]: next word of an early copy (read by consistent_cut.cpp).
// frame[0]: source, frame[1]: early copy.
enum Point : std::uint8_t {
  kLock,
  kNextVma,
  kCopyPte,
  kShareEntry,
  kCopyWord,
  kEndVma,
  kFlush,
  kFailed,
  kCleaned
};

unsigned child_mm(const Kernel& k) {
  return k.mm_of(k.instr().process);
}

void start_process(Kernel& k, unsigned process) {
  k.s.processes[process] |= kStarted;
}

// F1, and dup_mm's copy of the VMAs: VM_DONTCOPY ones are not in the child.
Step lock(Kernel& k) {
  const unsigned parent = k.mm();
  const bool blocks = k.policy.fork_pinned_page == policy::fork_pinned_page::block;
  if (blocks && pin_held(k, parent)) return k.blocked();  // down_write(mm_pinned_sem)
  if (!mmap_write_trylock(k, parent)) return k.blocked();
  Mm& child = k.s.mms[child_mm(k)];
  child.flags |= kMmAlive;
  for (unsigned page = 0; page < k.program.pages; ++page) {
    const std::uint8_t vma = k.vma(parent, page);
    if ((vma & kVmDontCopy) != 0) continue;
    child.vma[page] = vma;
    if ((vma & kVmWipeOnFork) != 0) {  // its anon_vma is not inherited either
      child.vma[page] = static_cast<std::uint8_t>(vma & ~kVmAnonVma);
    }
  }
  begin_cut(k, parent, child_mm(k));
  k.say("fork: write-locks the mmap_lock");
  return k.fused(kNextVma);
}

bool counts(const Kernel& k, unsigned page) {
  if (is_hugetlb(k, page)) {  // 623a1ddfeb23 (5.19)
    return k.policy.fork_wp_seq_hugetlb == policy::fork_wp_seq_hugetlb::yes;
  }
  return k.policy.fork_wp_seq == policy::fork_wp_seq::yes;
}

// F1', F2, F4: the next VMA whose page tables are copied, from arg[0] on.
Step next_vma(Kernel& k) {
  const unsigned parent = k.mm();
  auto& page = k.activation().arg[0];
  for (; page < k.program.pages; ++page) {
    const std::uint8_t vma = k.vma(parent, page);
    if ((vma & kVmMapped) == 0) continue;
    if (k.policy.fork_vma_lock == policy::fork_vma_lock::per_vma &&
        !vma_start_write(k, parent, k.object_of(page))) {
      return k.blocked();
    }
    if ((vma & (kVmDontCopy | kVmWipeOnFork)) != 0) continue;
    // F3, vma_needs_copy (before 5.19 in copy_page_range): the child faults in itself what was only
    // read, the pages of a file and the zero page.
    if ((vma & kVmAnonVma) == 0 && !is_hugetlb(k, page)) continue;
    if (counts(k, page)) {
      k.s.mms[parent].wp_seq++;
      k.say("fork: write_protect_seq becomes odd");
      return k.yield(kCopyPte);
    }
    return k.fused(kCopyPte);
  }
  k.say("fork: no VMA is left");
  return k.yield(kFlush);
}

// Whether fork treats the page as pinned. The test is racy by design, see gup_fast.cpp.
bool looks_pinned(const Kernel& k, unsigned page, std::uint8_t frame) {
  if (is_hugetlb(k, page)) return hugetlb_looks_pinned(k, k.mm(), frame);
  const Frame& f = k.s.frames[frame];
  if (is_file_page(f)) return false;  // only anonymous pages are copied early
  if (k.policy.fork_pinned_page == policy::fork_pinned_page::share ||
      k.policy.fork_pinned_page == policy::fork_pinned_page::block) {
    return false;
  }
  switch (k.policy.fork_pinned_test) {
    case policy::fork_pinned_test::any_reference:
      return page_folio(k, frame).refcount > static_cast<int>(folio_mapcount(k.s, frame));
    case policy::fork_pinned_test::exclusive_and_maybe_pinned:
      if (!anon_exclusive(k, frame) || (k.s.mms[k.mm()].flags & kMmHasPinned) == 0) return false;
      // fb3d824d1a46 (5.19): the child's own reference is taken before the test, and counts.
      return maybe_dma_pinned(k, frame) ||
             (!exact_pincount(k.policy, k.s, frame) && f.refcount + 1 >= kPinBias);
    case policy::fork_pinned_test::maybe_pinned:
      break;
  }
  return (k.s.mms[k.mm()].flags & kMmHasPinned) != 0 && maybe_dma_pinned(k, frame);
}

// To the page `pages` further on.
Step next_page(Kernel& k, unsigned pages = 1) {
  ptl_unlock(k);
  auto& arg = k.activation().arg;
  k.activation().frame = {};
  arg[1] = 0;
  const unsigned object = k.object_of(arg[0]);
  const std::uint8_t vma = k.vma(k.mm(), arg[0]);
  arg[0] = static_cast<std::uint8_t>(arg[0] + pages);
  const bool same_vma =
      arg[0] < k.program.pages && k.object_of(arg[0]) == object && k.vma(k.mm(), arg[0]) == vma;
  return k.yield(same_vma ? kCopyPte : kEndVma);
}

// copy_present_page: the copy is made under both page table locks, but user space of the other
// threads stores through the PTE, which stays as it was unless the design protects it first.
// (hugetlb drops the locks and compares the PTE afterwards; the mmap_lock keeps everybody out.)
Step begin_early_copy(Kernel& k, unsigned page) {
  Pte& pte = k.pte(k.mm(), page);
  if (is_hugetlb(k, page) && !hugetlb_available(k, child_mm(k), page)) {
    k.say("fork: the page looks pinned, but no huge page is free for the child");
    if (counts(k, page)) k.s.mms[k.mm()].wp_seq++;
    ptl_unlock(k);
    return k.yield(kFailed);
  }
  k.say("fork: the page looks pinned, it is copied for the child");
  if (k.policy.fork_early_copy_wrprotects_parent ==
      policy::fork_early_copy_wrprotects_parent::yes) {
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteWrite);
    flush_tlb_page(k, k.mm(), page);
  }
  k.activation().frame[0] = pte.frame;
  k.activation().frame[1] = alloc_page_for(k, child_mm(k), page);
  return k.yield(kCopyWord);
}

// copy_nonpresent_pte. 1493a1913e34, 6c287605fd56 (5.19): what was exclusive to the parent no
// longer is. No version asks here whether the page behind a migration entry is pinned.
void copy_nonpresent_pte(Kernel& k, unsigned page) {
  Pte& pte = k.pte(k.mm(), page);
  const std::uint8_t entry = k.s.mms[k.mm()].entry[page];
  if (pte.bits == 0) {
    k.say("fork: nothing is mapped here");
    return;
  }
  if (is_swap_entry(pte)) {
    swap_duplicate(k, entry);
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteExclusive);
    k.say("fork: the child gets the swap entry too");
  } else {
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~(kPteExclusive | kPteWrite));
    k.say("fork: both migration entries become read-only");
  }
  k.pte(child_mm(k), page) = Pte{kNoFrame, static_cast<std::uint8_t>(pte.bits & ~kPteUffdWp)};
  k.s.mms[child_mm(k)].entry[page] = entry;
}

void clear_anon_exclusive(Kernel& k, std::uint8_t frame) {
  auto& flags = k.s.frames[frame].flags;
  flags = static_cast<std::uint8_t>(flags & ~kAnonExclusive);
}

// copy_huge_pmd, first half: one reference and one map count for the whole folio. A folio that
// looks pinned has its PMD split (d042035eaf5f, 5.9), and its pages go one by one.
Step copy_pmd(Kernel& k) {
  const unsigned first = k.activation().arg[0];
  const std::uint8_t head = k.pte(k.mm(), first).frame;
  const PageRange pmd = pmd_range(k.program, first);
  if (looks_pinned(k, first, head)) {
    k.say("fork: the large folio looks pinned");
    split_huge_pmd(k, k.mm(), first);
    ptl_unlock(k);
    return k.yield(kCopyPte);
  }
  get_page(k, head);
  add_rmap_pmd(k, head, child_mm(k));
  for (unsigned p = pmd.first; p < pmd.end; ++p) clear_anon_exclusive(k, k.pte(k.mm(), p).frame);
  k.say("fork: the large folio does not look pinned, it will be shared");
  return k.yield(kShareEntry);
}

// F6, first half: the pin test, and what the child's mapping adds to the counts.
Step copy_entry(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned parent = k.mm();
  if (!ptl_trylock(k, parent, page)) return k.blocked();
  const Pte pte = k.pte(parent, page);
  if (pmd_mapped(k, parent, page)) return copy_pmd(k);
  if (pte.frame == kNoFrame) {
    copy_nonpresent_pte(k, page);
    return next_page(k);
  }
  if (pte.frame == kZeroFrame) {
    k.pte(child_mm(k), page) = Pte{kZeroFrame, 0};
    k.say("fork: the child gets the zero page too");
    return next_page(k);
  }
  if (looks_pinned(k, page, pte.frame)) {
    if (is_hugetlb(k, page) || k.policy.fork_pinned_page == policy::fork_pinned_page::copy) {
      return begin_early_copy(k, page);
    }
    k.say("fork: the page looks pinned, it is left out of the child");
    k.vma(child_mm(k), page) = 0;
    return next_page(k);
  }
  get_page(k, pte.frame);
  add_rmap(k, pte.frame, child_mm(k));
  // page_try_dup_anon_rmap (5.19): an unpinned page becomes shared, so no longer exclusive.
  clear_anon_exclusive(k, pte.frame);
  k.say("fork: the page does not look pinned, it will be shared");
  return k.yield(kShareEntry);  // GUP-fast and stores of other threads see the PTE still writable
}

// F6, second half: ptep_set_wrprotect in the parent (no flush before F8), the child's PTE.
void share_pte(Kernel& k, unsigned page) {
  Pte& pte = k.pte(k.mm(), page);
  if ((pte.bits & kPteWrite) != 0) {
    leave_stale(k, k.mm(), page, pte);
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteWrite);
  }
  // The child's VMA is not registered with the userfaultfd (no UFFD_FEATURE_EVENT_FORK).
  k.pte(child_mm(k), page) = Pte{pte.frame, static_cast<std::uint8_t>(pte.bits & ~kPteUffdWp)};
}

Step share_entry(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  PageRange entry{page, page + 1};
  if (pmd_mapped(k, k.mm(), page)) {
    entry = pmd_range(k.program, page);
    set_pmd_mapped(k, child_mm(k), page, true);
  }
  for (unsigned p = entry.first; p < entry.end; ++p) share_pte(k, p);
  k.say("fork: the page is write-protected and shared");
  return next_page(k, entry.end - entry.first);
}

Step copy_next_word(Kernel& k) {
  Activation& a = k.activation();
  const unsigned page = a.arg[0];
  copy_word(k, a.frame[0], a.frame[1], a.arg[1]);
  if (k.tracing()) k.say("fork: copies {}", k.program.word_name(page, a.arg[1]));
  a.arg[1]++;
  if (a.arg[1] < k.words_of(page)) return k.yield(kCopyWord);
  add_rmap(k, a.frame[1], child_mm(k));
  set_anon_exclusive(k, a.frame[1]);
  const bool writable = (k.vma(k.mm(), page) & kVmWrite) != 0;
  k.pte(child_mm(k), page) =
      Pte{a.frame[1], static_cast<std::uint8_t>(kPteDirty | (writable ? kPteWrite : 0) |
                                                (k.pte(k.mm(), page).bits & kPteProtNone))};
  return next_page(k);
}

// F8: only now can no CPU use what it knew before; then the locks go and the child runs.
Step flush(Kernel& k) {
  const unsigned parent = k.mm();
  flush_tlb_mm(k, parent);
  end_cut(k, parent, child_mm(k));
  mmap_unlock(k);
  start_process(k, k.instr().process);
  k.set_register(k.instr().dst, 0);
  k.say("fork: flushes the parent's TLBs; the child starts");
  return k.done();
}

// dup_mmap gives up: the child's half-made address space goes, and no child starts.
Step fail(Kernel& k) {
  flush_tlb_mm(k, k.mm());
  k.s.mms[k.mm()].forking = 0;
  mmap_unlock(k);
  k.s.mms[child_mm(k)].vma = {};
  return k.call(Path::zap_page_range, kCleaned, {0, k.program.pages, child_mm(k)});
}

Step failed(Kernel& k) {
  k.s.mms[child_mm(k)] = Mm{};
  k.s.processes[k.instr().process] |= kForkFailed;
  k.set_register(k.instr().dst, -kENOMEM);
  k.say("fork fails with ENOMEM");
  return k.done();
}

}  // namespace

Step dup_mmap(Kernel& k) {
  switch (k.activation().point) {
    case kLock:
      return lock(k);
    case kNextVma:
      return next_vma(k);
    case kCopyPte:
      return copy_entry(k);
    case kShareEntry:
      return share_entry(k);
    case kCopyWord:
      return copy_next_word(k);
    case kEndVma: {  // F7
      const bool counted_vma = counts(k, k.activation().arg[0] - 1U);
      if (counted_vma) k.s.mms[k.mm()].wp_seq++;
      k.say("fork: the VMA is done");
      return counted_vma ? k.yield(kNextVma) : k.fused(kNextVma);
    }
    case kFailed:
      return fail(k);
    case kCleaned:
      return failed(k);
    default:
      return flush(k);
  }
}

// CLONE_VM | CLONE_VFORK: the child borrows the address space, the parent waits until it is gone.
Step vfork(Kernel& k) {
  enum { kBegin, kWait };
  const unsigned child = k.instr().process;
  if (k.activation().point == kBegin) {
    start_process(k, child);
    return k.yield(kWait);
  }
  if ((k.s.processes[child] & kExited) == 0) return k.blocked();
  k.set_register(k.instr().dst, 0);
  return k.done();
}

}  // namespace drover::mm
