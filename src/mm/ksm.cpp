// Kernel samepage merging (mm/ksm.c), kernel-semantics 11: two pages of equal contents become one
// read-only KSM page. try_to_merge_two_pages, what ksmd and a test's ksm_scan do with it, and
// MADV_UNMERGEABLE (break_ksm).
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// ksm_merge(mm, page, mm, page): the page that becomes the KSM page, the one that is replaced by
// it. arg[4]: 0 while the first is protected, 1 for the second. arg[5]: the PTE's bits. frame[]:
// both pages, each with the scanner's reference.
enum Point : std::uint8_t { kLookUp, kLockPage, kProtect, kTest, kProtected, kReplace, kBroken };

Step give_up(Kernel& k) {
  for (std::uint8_t& frame : k.activation().frame) {
    if (frame != kNoFrame) put_page(k, frame);
    frame = kNoFrame;
  }
  mmap_unlock(k);
  return k.done();
}

bool same_contents(const Kernel& k, std::uint8_t left, std::uint8_t right) {
  for (unsigned w = 0; w < litmus::kMaxWords; ++w) {
    if (k.s.frames[left].words[w].value != k.s.frames[right].words[w].value) return false;
  }
  return true;
}

Step look_up(Kernel& k) {
  Activation& a = k.activation();
  const std::uint8_t first = k.pte(a.arg[0], a.arg[1]).frame;
  const std::uint8_t second = k.pte(a.arg[2], a.arg[3]).frame;
  if (!counted(first) || !counted(second) || first == second ||
      (k.s.frames[second].state & kKsm) != 0 || !same_contents(k, first, second)) {
    return k.done();
  }
  get_page(k, first);
  get_page(k, second);
  a.frame = {first, second};
  a.arg[4] = (k.s.frames[first].state & kKsm) != 0 ? 1 : 0;
  k.say("ksm finds two equal pages");
  return k.yield(kLockPage);
}

// K1
Step lock_page(Kernel& k) {
  const Activation& a = k.activation();
  const bool second = a.arg[4] != 0;
  if (!mmap_read_trylock(k, a.arg[second ? 2 : 0])) return k.blocked();
  if (!trylock_page(k, a.frame[second ? 1 : 0])) return give_up(k);
  return k.yield(kProtect);
}

// K2: a PTE that is read-only and clean is taken as it is; up to 5.18 even of an exclusive page.
Step protect(Kernel& k, unsigned mm, unsigned page, std::uint8_t frame) {
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  Pte& pte = k.pte(mm, page);
  if (pte.frame != frame) {
    ptl_unlock(k);
    unlock_page(k, frame);
    return give_up(k);
  }
  const bool exclusive =
      k.policy.ksm_wp_check == policy::ksm_wp_check::exclusive_too && anon_exclusive(k, frame);
  if ((pte.bits & (kPteWrite | kPteDirty)) == 0 && !exclusive) {
    ptl_unlock(k);
    return k.yield(kProtected);
  }
  k.activation().arg[5] = pte.bits;
  flush_tlb_page(k, mm, page);
  pte = Pte{};
  k.say("ksm clears the PTE");
  return k.yield(kTest);
}

// Nobody but the mapping, the scanner and the swap cache may hold the page.
Step test(Kernel& k, unsigned mm, unsigned page, std::uint8_t frame) {
  Frame& f = k.s.frames[frame];
  const std::uint8_t bits = k.activation().arg[5];
  const bool pinned = anon_exclusive(k, frame) && maybe_dma_pinned(k, frame);
  const bool refused = f.mapcount + 1 + (in_swap_cache(k, frame) ? 1 : 0) != f.refcount || pinned;
  if (refused) {
    k.pte(mm, page) = Pte{frame, bits};
    k.say("ksm: somebody else holds the page, refcount {}", f.refcount);
    ptl_unlock(k);
    unlock_page(k, frame);
    if (k.activation().arg[4] == 0) return give_up(k);
    k.activation().arg[4] = 2;
    return k.yield(kReplace);
  }
  f.flags = static_cast<std::uint8_t>(f.flags & ~kAnonExclusive);
  k.pte(mm, page) = Pte{frame, static_cast<std::uint8_t>(bits & ~(kPteWrite | kPteDirty))};
  k.say("ksm write-protects the page");
  ptl_unlock(k);
  return k.yield(kProtected);
}

// The first becomes the KSM page (kpage == NULL), then the second is protected.
Step first_protected(Kernel& k) {
  Activation& a = k.activation();
  if (a.arg[4] != 0) return k.yield(kReplace);
  k.s.frames[a.frame[0]].state |= kKsm;
  unlock_page(k, a.frame[0]);
  k.say("the page is a KSM page now");
  a.arg[4] = 1;
  mmap_unlock(k);
  return k.yield(kLockPage);
}

// break_cow: the second could not be merged, the first goes back to a page of its own.
Step break_first(Kernel& k) {
  Activation& a = k.activation();
  mmap_unlock(k);
  if (!mmap_read_trylock(k, a.arg[0])) return k.blocked();
  const unsigned fault = k.policy.ksm_unmerge_fault == policy::ksm_unmerge_fault::unshare
                             ? kFaultUnshare
                             : kFaultWrite;
  return k.call(Path::handle_mm_fault, kBroken,
                {a.arg[1], fault | kFaultLocked | kFaultForce, a.arg[0]});
}

// K3: replace_page.
Step replace(Kernel& k, unsigned mm, unsigned page) {
  Activation& a = k.activation();
  if (a.arg[4] == 2) return break_first(k);
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const std::uint8_t kept = a.frame[0];
  const std::uint8_t old = a.frame[1];
  Pte& pte = k.pte(mm, page);
  if (pte.frame != old || (pte.bits & kPteWrite) != 0 || !same_contents(k, kept, old) ||
      (k.s.frames[kept].state & kKsm) == 0) {
    ptl_unlock(k);
    unlock_page(k, old);
    return give_up(k);
  }
  flush_tlb_page(k, mm, page);
  for (unsigned w = 0; w < litmus::kMaxWords; ++w) {
    auto& audience = k.s.frames[kept].words[w].audience;
    audience = static_cast<std::uint8_t>(audience | k.s.frames[old].words[w].audience);
  }
  get_page(k, kept);
  add_rmap(k, kept, mm);
  pte = Pte{kept, static_cast<std::uint8_t>(pte.bits & kPteProtNone)};
  remove_rmap(k, old, mm);
  free_swap_cache(k, old);
  put_page(k, old);
  k.say("ksm maps the KSM page instead");
  ptl_unlock(k);
  unlock_page(k, old);
  return give_up(k);
}

}  // namespace

Step ksm_merge(Kernel& k) {
  const Activation& a = k.activation();
  const unsigned which = a.arg[4] != 0 ? 1 : 0;
  const unsigned mm = a.arg[2 * which];
  const unsigned page = a.arg[2 * which + 1];
  switch (a.point) {
    case kLookUp:
      return look_up(k);
    case kLockPage:
      return lock_page(k);
    case kProtect:
      return protect(k, mm, page, a.frame[which]);
    case kTest:
      return test(k, mm, page, a.frame[which]);
    case kProtected:
      return first_protected(k);
    case kReplace:
      return replace(k, mm, page);
    default:
      return give_up(k);
  }
}

// A statement: all pages of the range that equal its first page are merged with it, as after enough
// scans of ksmd. The first waits in the unstable tree; the page that finds it there becomes the KSM
// page (try_to_merge_two_pages), and later ones find that one in the stable tree.
Step ksm_scan(Kernel& k) {
  const litmus::Instr& i = k.instr();
  auto& next = k.activation().arg[0];
  if (next == 0) lru_add_drain_all(k);  // scan_get_next_rmap_item, once for each scan
  if (++next >= i.pages) return k.done();
  const std::uint8_t first = k.pte(k.mm(), i.page).frame;
  const bool stable = counted(first) && (k.s.frames[first].state & kKsm) != 0;
  const unsigned scanned = static_cast<unsigned>(i.page) + next;
  if (stable) return k.call(Path::ksm_merge, 0, {k.mm(), i.page, k.mm(), scanned});
  return k.call(Path::ksm_merge, 0, {k.mm(), scanned, k.mm(), i.page});
}

// ksmd: at any moment, any two pages of its range, of one process or two.
Step ksm(Kernel& k) {
  if (k.activation().point != 0) return k.done();
  const litmus::Actor& daemon = k.code();
  const unsigned places = k.program.mms * daemon.pages;
  const unsigned first = k.choose(places);
  const unsigned second = k.choose(places);
  const auto mm_of = [&](unsigned place) { return place / daemon.pages; };
  const auto page_of = [&](unsigned place) { return daemon.page + place % daemon.pages; };
  const std::uint8_t left = k.pte(mm_of(first), page_of(first)).frame;
  const std::uint8_t right = k.pte(mm_of(second), page_of(second)).frame;
  if (!counted(left) || !counted(right) || left == right || !same_contents(k, left, right)) {
    return k.blocked();
  }
  return k.call(Path::ksm_merge, 1, {mm_of(first), page_of(first), mm_of(second), page_of(second)});
}

// break_ksm for each KSM page of the range: a write fault, or an unshare fault (6.2+).
Step unmerge_ksm(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  auto& done = k.activation().arg[0];
  if (k.self().lock == LockKind::none && !mmap_write_trylock(k, mm)) return k.blocked();
  while (done < i.pages) {
    const unsigned page = i.page + done;
    const std::uint8_t frame = k.pte(mm, page).frame;
    if (!counted(frame) || (k.s.frames[frame].state & kKsm) == 0) {
      done++;
      continue;
    }
    const unsigned fault = k.policy.ksm_unmerge_fault == policy::ksm_unmerge_fault::unshare
                               ? kFaultUnshare
                               : kFaultWrite;
    return k.call(Path::handle_mm_fault, 0, {page, fault | kFaultLocked | kFaultForce, mm});
  }
  mmap_unlock(k);
  k.set_register(i.dst, 0);
  return k.done();
}

}  // namespace drover::mm
