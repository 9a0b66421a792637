// __get_user_pages (mm/gup.c): under the mmap_lock, page by page, faulting in what is missing
// (kernel-semantics 5). Its entry points are the FOLL_ flags of its callers, in take_reference.cpp.
#include "mm/gup.hpp"
#include "mm/hugetlb.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: page, end, flags, mm, ref, pages taken so far.
enum Point : std::uint8_t { kLock, kWalk, kGrab, kFaulted, kUndo };

struct Arguments {
  unsigned page, end, flags, mm, ref;
};
Arguments arguments(Kernel& k) {
  const auto& a = k.activation().arg;
  return {a[0], a[1], a[2], a[3], a[4]};
}

// S1
Step lock(Kernel& k, const Arguments& a) {
  const std::uint8_t process_gone = k.s.mms[a.mm].flags & kMmAlive;
  if (process_gone == 0) return k.done(-kESRCH);
  // A long-term pin may come again with the lock still held.
  if (k.self().lock == LockKind::none && !mmap_read_trylock(k, a.mm)) return k.blocked();
  mark_has_pinned(k, a.mm, a.flags);
  return k.fused(kWalk);
}

// check_vma_flags. FOLL_FORCE may write to a private mapping only.
bool vma_allows(Kernel& k, const Arguments& a) {
  const std::uint8_t vma = k.vma(a.mm, a.page);
  if ((vma & kVmMapped) == 0) return false;
  const bool writes_readonly = (a.flags & kGupWrite) != 0 && (vma & kVmWrite) == 0;
  if (is_hugetlb(k, a.page) && writes_readonly &&
      k.policy.hugetlb_force_write == policy::hugetlb_force_write::refused) {
    return false;
  }
  if (is_file(k.program, a.page) && file_error(k, a.flags, a.page) != 0) return false;
  const bool shared_write = (a.flags & kGupWrite) != 0 && is_shared_file(k.program, a.page);
  if ((a.flags & kGupForce) != 0 && !shared_write) return true;
  return (vma & ((a.flags & kGupWrite) != 0 ? kVmWrite : kVmRead)) != 0;
}

// can_follow_write_pte: whether a FOLL_WRITE may use this PTE.
bool can_follow_write(Kernel& k, const Arguments& a, Pte pte) {
  if ((pte.bits & kPteWrite) != 0) return true;
  const bool cow_broken = (a.flags & kGupCowBroken) != 0 && (pte.bits & kPteDirty) != 0;
  const bool force = (a.flags & kGupForce) != 0;
  switch (k.policy.foll_force_write) {
    case policy::foll_force_write::cow_dirty:
      return force && cow_broken;
    case policy::foll_force_write::cow_dirty_any:
      return cow_broken;
    case policy::foll_force_write::exclusive:  // 5535be309971 (6.0)
      return force && (k.vma(a.mm, a.page) & kVmWrite) == 0 && anon_exclusive(k, pte.frame) &&
             (pte.bits & kPteUffdWp) == 0;
  }
  return false;
}

// should_force_cow_break (17839856fd58, 5.8): a read-only GUP of a COW mapping asks for write.
bool wants_write(const Kernel& k, const Arguments& a, Pte pte) {
  if ((a.flags & kGupWrite) != 0) return true;
  if (is_file(k.program, a.page) &&
      (pte.frame == kNoFrame || is_file_page(k.s.frames[pte.frame]))) {
    return !is_shared_file(k.program, a.page) &&
           k.policy.gup_ro_private_file == policy::gup_ro_private_file::force_copy;
  }
  if (pte.frame == kZeroFrame || pte.frame == kNoFrame) {
    return k.policy.gup_ro_zero_page == policy::gup_ro_zero_page::force_alloc;
  }
  return k.policy.gup_ro_cow == policy::gup_ro_cow::force_write;
}

// S8: the mmap_lock stays held, the page table lock does not: MADV_DONTNEED, other faults and
// reclaim get in between, and the fault then meets another PTE than the one that called for it.
Step fault_in(Kernel& k, const Arguments& a, unsigned fault_flags) {
  ptl_unlock(k);
  const unsigned force = (a.flags & kGupForce) != 0 || (a.flags & kGupWrite) == 0 ? kFaultForce : 0;
  k.call(Path::handle_mm_fault, kFaulted, {a.page, fault_flags | kFaultLocked | force, a.mm});
  return Step::yield;
}

// S3 to S6
Step walk(Kernel& k, const Arguments& a) {
  if (!vma_allows(k, a)) return k.fused(kUndo);
  if (!ptl_trylock(k, a.mm, a.page)) return k.blocked();
  const Pte pte = k.pte(a.mm, a.page);
  const bool write = wants_write(k, a, pte);
  if (pte.frame == kNoFrame || (pte.bits & kPteHint) != 0)
    return fault_in(k, a, write ? kFaultWrite : 0);
  if (write) {
    if (!can_follow_write(k, a, pte)) return fault_in(k, a, kFaultWrite);
  } else if ((pte.bits & kPteWrite) == 0 && must_unshare(k, a.flags, pte.frame, a.page)) {
    k.say("get_user_pages: the page must be unshared first");
    return fault_in(k, a, kFaultUnshare);
  }
  if (refuses_p2pdma(k, a.page)) {
    ptl_unlock(k);
    k.activation().arg[2] |= kGupRefused;
    return k.fused(kUndo);
  }
  return k.fused(kGrab);
}

// S7: one atomic add, under the page table lock.
Step grab(Kernel& k, const Arguments& a) {
  const std::uint8_t frame = k.pte(a.mm, a.page).frame;
  const bool pin = (a.flags & kGupPin) != 0;
  grab_page(k, frame, pin);
  const bool dirty = (k.pte(a.mm, a.page).bits & kPteDirty) != 0;
  if ((a.flags & kGupWrite) != 0 && !dirty) set_page_dirty(k, frame);  // FOLL_TOUCH
  record_reference(k, a.ref, a.page, a.flags, frame);
  k.say("{} takes a reference, refcount {}", pin ? "FOLL_PIN" : "FOLL_GET",
        page_folio(k, frame).refcount);
  ptl_unlock(k);
  if (a.page + 1 < a.end) {
    auto& arg = k.activation().arg;
    arg[0]++;
    arg[4]++;
    arg[5]++;
    arg[2] = static_cast<std::uint8_t>(arg[2] & ~kGupCowBroken);
    return k.yield(kWalk);
  }
  if (k.instr().op == litmus::Op::register_buffer && io_uring_refuses(k)) {
    auto& arg = k.activation().arg;
    arg[4]++;
    arg[5]++;
    arg[2] |= kGupRefused;
    return k.yield(kUndo);  // until then others see the references
  }
  if ((a.flags & kGupKeepLock) == 0) mmap_unlock(k);
  return k.done();
}

Step faulted(Kernel& k, const Arguments& a) {
  if (k.result() < 0) return k.fused(kUndo);
  // faultin_page: remember that COW was broken though the VMA is not writable.
  if (k.result() == kFaultWrote && (k.vma(a.mm, a.page) & kVmWrite) == 0) {
    k.activation().arg[2] |= kGupCowBroken;
  }
  k.mark_backward();
  return k.yield(kWalk);
}

}  // namespace

namespace {

Step fail(Kernel& k, const Arguments& a) {
  int error = is_file(k.program, a.page) ? file_error(k, a.flags, a.page) : 0;
  if ((a.flags & kGupRefused) != 0) {
    error = refuses_p2pdma(k, a.page) ? -kEREMOTEIO : -kEOPNOTSUPP;
  }
  const int result = error != 0 ? error : -kEFAULT;
  k.say("get_user_pages fails with {}", result == -kEFAULT      ? "EFAULT"
                                        : result == -kEREMOTEIO ? "EREMOTEIO"
                                                                : "EOPNOTSUPP");
  mmap_unlock(k);
  return k.done(result);
}

}  // namespace

Step gup_slow(Kernel& k) {
  const Arguments a = arguments(k);
  switch (k.activation().point) {
    case kLock:
      return lock(k, a);
    case kWalk:
      return walk(k, a);
    case kGrab:
      return grab(k, a);
    case kFaulted:
      return faulted(k, a);
    default:  // kUndo: the callers give back a short count
      if (k.activation().arg[5] > 0) {
        const unsigned ref = a.ref - 1;
        release_frame(k, a.flags, k.s.refs[ref].frame);
        k.s.refs[ref] = Ref{};
        k.activation().arg[4]--;
        k.activation().arg[5]--;
        return k.yield(kUndo);
      }
      return fail(k, a);
  }
}

}  // namespace drover::mm
