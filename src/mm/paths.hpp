// The functions of the kernel paths of this folder, one per entry of paths.def. Each runs from one
// preemption point to the next; its arguments are in Kernel::activation().arg, documented here.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

#define DROVER_PATH_mm(name) Step name(Kernel& k);
#define DROVER_PATH_device(name)
#define PATH(name, folder, locals) DROVER_PATH_##folder(name)
#include "mm/paths.def"
#undef PATH
#undef DROVER_PATH_device
#undef DROVER_PATH_mm

// --- Arguments
// ------------------------------------------------------------------------------------
// handle_mm_fault(page, flags, mm): flags below. Result 0, kFaultWrote, -EFAULT (SIGSEGV) or
//   kFaultSigbus. hugetlb_fault: the same, of hugetlb memory.
// do_wp_page(page, flags, mm), wp_page_copy(page, flags, mm, original pte bits): the same; entered
//   with the page table lock held.
inline constexpr unsigned kFaultWrite = 1, kFaultUnshare = 2, kFaultLocked = 4, kFaultForce = 8;
/// VM_FAULT_WRITE: do_wp_page made the page private to the mm, though perhaps not writable.
/// kFaultDone: the fault changed the mapping otherwise. 0: it found nothing to do.
/// kFaultFallback: do_huge_pmd_wp_page left it to the PTE.
inline constexpr int kFaultWrote = 1, kFaultDone = 2, kFaultFallback = 3;
// do_huge_pmd_wp_page(page, flags, mm): the same, or kFaultFallback; page table lock not held.
// split_huge_page(): frame[0] is a page of the folio, locked, with one reference, which stays.
//   Result 0, or -errno: the folio is as large as before.
// collapse_huge_page(page, mm): page is the first of its object. Result 0 or -errno.

// gup_slow, gup_fast(page, end, flags, mm, ref): pins pages page .. end-1 of mm into reference
// slots
//   from `ref` on; ref == kNone (one page only) leaves the frame in the caller's frame[0] instead.
//   Result 0 or -EFAULT; all or nothing, as the callers treat a short count as failure.
inline constexpr unsigned kGupWrite = litmus::kFollWrite, kGupForce = litmus::kFollForce,
                          kGupLongterm = litmus::kFollLongterm, kGupPin = 8,
                          kGupCowBroken = 16,  // FOLL_COW: a write fault already broke COW
    kGupKeepLock = 32,                         // leave the mmap_lock held (access_remote_vm)
    kGupFastOnly = 64,                         // get_user_pages_fast_only
    kGupRefused = 128;  // the caller does not want what it got (io_pin_pages)

// try_to_unmap(mode): frame[0] is the page, locked. Result 0: no PTE maps it any more; -EAGAIN.
inline constexpr unsigned kUnmapToSwap = 0, kUnmapToMigration = 1, kUnmapLazyFree = 2;
// remove_migration_ptes(): frame[0] the page the entries name, frame[1] the page to map.
// shrink_page(): frame[0] is the page, isolated with a reference, which it drops. Result 0: freed.
// migrate_page(): the same; result 0: migrated.
// migrate_longterm(ref, end, ref, flags, 0, first ref of the handle): see migrate_longterm.cpp.
// handle_userfault(page, flags, mm): as handle_mm_fault, for a write to a protected page.
// do_swap_page(page, flags, mm, pte bits, slot): as handle_mm_fault, which it replaces.

// file_fault(page, flags, mm): as handle_mm_fault, which calls it without the page table lock.
// wp_page_shared(page, flags, mm): as do_wp_page, which it replaces, page table lock held.
/// VM_FAULT_SIGBUS: the page lies beyond the end of the file. Below 0, but no errno.
inline constexpr int kFaultSigbus = -100;
// writeback_page(): frame[0] is the page, with a reference, which it drops. Result 0.

// zap_page_range(page, end, mm): unmaps pages; the caller holds the mmap_lock. Result 0.

}  // namespace drover::mm
