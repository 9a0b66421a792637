// internal_get_user_pages_fast / gup_fast (mm/gup.c): walks the page tables with interrupts off and
// no lock (kernel-semantics 6). Every access is a step of its own; the closing checks (the PTE
// again, PG_anon_exclusive, write_protect_seq) are what the races are about.
#include "mm/gup.hpp"
#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: page, end, flags, mm, ref, write_protect_seq at the begin. frame[0]: the page being grabbed;
// frame[1] is not a frame here but nothing; the PTE's other bits are kept in the point's parity.
enum Point : std::uint8_t {
  kStart,
  kReadPte,
  kGrab,            // Q3a: +1
  kGrabPin,         // Q3b: +1023, or the exact pin count
  kRecheckPte,      // Q4
  kCheckExclusive,  // Q6
  kNextPage,
  kCheckSeq,  // Q8
  kFallBack,
  kUndoAll,
  kCheckFile,  // Q5
  kReadPmd,    // Q1 of `huge` memory
  kSlowPath,
  // The same with a PTE that was writable when read, and with a PMD that maps a large folio.
  kWritable = 16,
  kLeaf = 32,
};

struct Arguments {
  unsigned page, end, flags, mm, ref, seq;
};

bool counts_fork(const Kernel& k, const Arguments& a) {
  return k.policy.fork_wp_seq == policy::fork_wp_seq::yes && (a.flags & kGupPin) != 0;
}

// Q0
Step start(Kernel& k, const Arguments& a) {
  if ((k.s.mms[a.mm].flags & kMmAlive) == 0) return k.done(-kESRCH);
  if (k.policy.fork_pinned_page == policy::fork_pinned_page::block && (a.flags & kGupPin) != 0 &&
      k.s.mms[a.mm].forking != 0) {
    return k.blocked();  // down_read(mm_pinned_sem)
  }
  mark_has_pinned(k, a.mm, a.flags);
  if (counts_fork(k, a)) {
    const std::uint8_t seq = k.s.mms[a.mm].wp_seq;
    if ((seq & 1U) != 0) return k.yield(kFallBack);
    k.activation().arg[5] = seq;
  }
  k.say("GUP-fast begins");
  return k.yield(is_huge(k.program, a.page) ? kReadPmd : kReadPte);
}

// gup_fast_pmd_range: from here on the walk uses what the PMD said.
Step read_pmd(Kernel& k, const Arguments& a) {
  if (pmd_cleared(k, a.mm, a.page)) return k.yield(kFallBack);
  return k.yield(pmd_mapped(k, a.mm, a.page) ? kReadPte + kLeaf : kReadPte);
}

// 70cbc3cc78a9 (6.1, backported): the page table may have been unhooked since. A leaf is always
// compared with itself.
bool pmd_changed(const Kernel& k, const Arguments& a, unsigned leaf) {
  if (pmd_mapped(k, a.mm, a.page) != (leaf != 0)) return true;
  return pmd_cleared(k, a.mm, a.page) &&
         k.policy.gup_fast_pmd_recheck == policy::gup_fast_pmd_recheck::yes;
}

// 5.8: the lockless walk of a read-only GUP accepts writable PTEs only.
bool needs_writable(const Kernel& k, const Arguments& a) {
  if (is_shared_file(k.program, a.page)) return (a.flags & kGupWrite) != 0;
  return (a.flags & kGupWrite) != 0 ||
         ((a.flags & kGupFastOnly) == 0 && k.policy.gup_ro_cow == policy::gup_ro_cow::force_write);
}

// pte_devmap and FOLL_LONGTERM.
bool fast_refuses_dax(const Kernel& k, const Arguments& a) {
  return (a.flags & kGupLongterm) != 0 && is_file(k.program, a.page) &&
         k.program.object(a.page).backing == litmus::Backing::dax;
}

// Q1, Q2
Step read_pte(Kernel& k, const Arguments& a, unsigned leaf) {
  const Pte pte = k.pte(a.mm, a.page);
  const bool writable = (pte.bits & kPteWrite) != 0;
  if (pte.frame == kNoFrame || (pte.bits & kPteInaccessible) != 0 ||
      pte.frame == kZeroFrame ||  // pte_special
      fast_refuses_dax(k, a) || refuses_p2pdma(k, a.page) || (!writable && needs_writable(k, a))) {
    return k.yield(kFallBack);
  }
  k.activation().frame[0] = pte.frame;
  k.say("GUP-fast reads a {} PTE", writable ? "writable" : "read-only");
  return k.yield((writable ? kGrab + kWritable : kGrab) + leaf);
}

Step undo(Kernel& k, bool whole_pin) {
  const std::uint8_t frame = k.activation().frame[0];
  if (whole_pin) {
    release_frame(k, k.activation().arg[2], frame);
  } else {
    put_page(k, frame);
  }
  k.activation().frame[0] = kNoFrame;
  return k.yield(kFallBack);
}

// df3a0a21b698 (5.8): try_grab_compound_head refuses before it takes a reference. (6.12 takes one
// and drops it at once, try_grab_folio_fast; the slow path that follows takes another.)
bool refuses_zone(Kernel& k, std::uint8_t frame) {
  constexpr unsigned kLongtermPin = kGupPin | kGupLongterm;
  return (k.activation().arg[2] & kLongtermPin) == kLongtermPin &&
         (k.s.frames[frame].flags & kUnpinnable) != 0 &&
         k.policy.longterm_migrate != policy::longterm_migrate::cma_slow;
}

// Q3a: try_get_compound_head; fails on a page that is being freed.
Step grab(Kernel& k, unsigned seen) {
  const std::uint8_t frame = k.activation().frame[0];
  if ((k.s.frames[frame].flags & kAllocated) == 0) {
    k.activation().frame[0] = kNoFrame;
    return k.yield(kFallBack);
  }
  if (refuses_zone(k, frame)) {
    k.say("GUP-fast: a long-term pin must not stay where the page lies");
    k.activation().frame[0] = kNoFrame;
    return k.yield(kFallBack);
  }
  get_page(k, frame);
  k.say("GUP-fast takes a reference, refcount {}", page_folio(k, frame).refcount);
  const bool second_add =
      (k.activation().arg[2] & kGupPin) != 0 &&
      (pin_weight(k.policy, k.s, frame) == kPinBias || exact_pincount(k.policy, k.s, frame));
  return k.yield((second_add ? kGrabPin : kRecheckPte) + seen);
}

// Q4. A PTE that lost or won rights differs as well.
Step recheck_pte(Kernel& k, const Arguments& a, unsigned writable, unsigned leaf) {
  const Pte pte = k.pte(a.mm, a.page);
  const bool same = pte.frame == k.activation().frame[0] && (pte.bits & kPteInaccessible) == 0 &&
                    ((pte.bits & kPteWrite) != 0) == (writable != 0) && !pmd_changed(k, a, leaf);
  if (!same) {
    k.say("GUP-fast: the PTE changed");
    return undo(k, true);
  }
  k.say("GUP-fast finds the PTE unchanged");
  record_reference(k, a.ref, a.page, a.flags, pte.frame);  // tentative: still ours to undo
  if (is_file(k.program, a.page)) return k.yield(kCheckFile + writable);
  return writable != 0 ? k.fused(kNextPage) : k.yield(kCheckExclusive);
}

// Q5: folio->mapping, which truncate may clear at any moment.
Step check_file(Kernel& k, const Arguments& a, unsigned writable) {
  if (fast_refuses_file(k, a.flags, k.activation().frame[0])) {
    k.say("GUP-fast: a long-term write pin of a file page is for the slow path");
    k.s.refs[a.ref] = Ref{};
    return undo(k, true);
  }
  return writable != 0 ? k.fused(kNextPage) : k.yield(kCheckExclusive);
}

Step next_page(Kernel& k, const Arguments& a) {
  k.activation().frame[0] = kNoFrame;
  auto& arg = k.activation().arg;
  if (a.page + 1 < a.end) {
    arg[0]++;
    arg[4]++;
    return k.yield(is_huge(k.program, arg[0]) ? kReadPmd : kReadPte);
  }
  return counts_fork(k, a) ? k.yield(kCheckSeq) : k.done();
}

// Back to the first page of the call, for the slow path or because fork got in between.
Step undo_all(Kernel& k, const Arguments& a) {
  const unsigned first = k.instr().page;
  if ((k.s.refs[a.ref].flags & kRefHeld) != 0) {
    release_frame(k, a.flags, k.s.refs[a.ref].frame);
    k.s.refs[a.ref] = Ref{};
  }
  if (a.page == first) return k.yield(kFallBack);
  k.activation().arg[0]--;
  k.activation().arg[4]--;
  return k.yield(kUndoAll);
}

// Q8 of a walk that stopped early: if fork got in between, what it has pinned goes, too
// (lockless_pages_from_mm).
Step stop(Kernel& k, const Arguments& a) {
  if (a.page == k.instr().page || !counts_fork(k, a)) return k.fused(kSlowPath);
  if (k.s.mms[a.mm].wp_seq == a.seq) return k.yield(kSlowPath);
  k.say("GUP-fast: write_protect_seq changed, everything is unpinned");
  return k.yield(kUndoAll);
}

// What was pinned so far stays; the slow path takes the rest. get_user_pages_fast_only gives up.
Step fall_back(Kernel& k, const Arguments& a) {
  if ((a.flags & kGupFastOnly) == 0) {
    k.say("GUP-fast falls back to the slow path");
    k.activation().frame = {};
    if (checks_zones(k, a.flags)) {  // for take_reference: what the slow path took is looked at
      k.caller().arg[0] = static_cast<std::uint8_t>(a.page - k.instr().page);
      k.caller().arg[1] = 1;
    }
    return k.become(Path::gup_slow, {a.page, a.end, a.flags, a.mm, a.ref, a.page - k.instr().page});
  }
  const unsigned first = k.instr().page;
  if (a.page > first) {
    k.activation().arg[0]--;
    k.activation().arg[4]--;
    release_frame(k, a.flags, k.s.refs[a.ref - 1].frame);
    k.s.refs[a.ref - 1] = Ref{};
    return k.yield(kSlowPath);
  }
  return k.done(-kEFAULT);
}

}  // namespace

Step gup_fast(Kernel& k) {
  const auto& arg = k.activation().arg;
  const Arguments a{arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]};
  const unsigned writable = k.activation().point & kWritable;
  const unsigned leaf = k.activation().point & kLeaf;
  switch (k.activation().point & ~static_cast<unsigned>(kWritable | kLeaf)) {
    case kStart:
      return start(k, a);
    case kReadPmd:
      return read_pmd(k, a);
    case kReadPte:
      return read_pte(k, a, leaf);
    case kGrab:
      return grab(k, writable + leaf);
    case kGrabPin:
      complete_pin(k, k.activation().frame[0]);
      return k.yield(kRecheckPte + writable + leaf);
    case kRecheckPte:
      return recheck_pte(k, a, writable, leaf);
    case kCheckFile:
      return check_file(k, a, writable);
    case kCheckExclusive:
      if (must_unshare(k, a.flags, k.activation().frame[0], kNone)) {
        k.say("GUP-fast: the page must be unshared first");
        k.s.refs[a.ref] = Ref{};
        return undo(k, true);
      }
      return k.fused(kNextPage);
    case kNextPage:
      return next_page(k, a);
    case kCheckSeq:
      if (k.s.mms[a.mm].wp_seq == a.seq) {
        k.say("GUP-fast: no fork got in between");
        return k.done();
      }
      k.say("GUP-fast: write_protect_seq changed, everything is unpinned");
      return k.yield(kUndoAll);
    case kFallBack:
      return stop(k, a);
    case kSlowPath:
      return fall_back(k, a);
    default:
      return undo_all(k, a);
  }
}

}  // namespace drover::mm
