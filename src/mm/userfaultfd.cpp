// userfaultfd (mm/userfaultfd.c, fs/userfaultfd.c): write-protection of a range and its end, the
// fault that waits for it, and UFFDIO_MOVE. Memory is registered where the program first protects
// it.
#include "mm/huge_memory.hpp"
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

enum Point : std::uint8_t { kLock, kChangePte, kFlush };

// inc_tlb_flush_pending, dec_tlb_flush_pending
void change_pending(Kernel& k, unsigned mm, int by) {
  auto& flags = k.s.mms[mm].flags;
  flags = static_cast<std::uint8_t>(flags + by);
}

void change_pte(Kernel& k, unsigned mm, unsigned page) {
  const litmus::Instr& i = k.instr();
  Pte& pte = k.pte(mm, page);
  const bool mapped = counted(pte.frame);
  const bool entry = is_swap_entry(pte) || is_migration_entry(pte);  // they carry the bit as well
  if ((mapped || entry) && i.op == litmus::Op::uffd_wp) {
    if (mapped) leave_stale(k, mm, page, pte);
    pte.bits = static_cast<std::uint8_t>((pte.bits & ~kPteWrite) | kPteUffdWp);
    k.say("UFFDIO_WRITEPROTECT protects the page");
  } else if (mapped || entry) {
    pte.bits = static_cast<std::uint8_t>(pte.bits & ~kPteUffdWp);
    const bool restore =
        k.policy.uffd_wp_restore_write == policy::uffd_wp_restore_write::exclusive && mapped &&
        anon_exclusive(k, pte.frame) && (k.vma(mm, page) & kVmWrite) != 0;
    if (restore) pte.bits |= kPteWrite;
    k.say("UFFDIO_WRITEPROTECT ends, the PTE is {}", restore ? "writable" : "read-only");
  }
}

// change_pmd_range, as for mprotect.
Step change_entry(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  auto& done = k.activation().arg[0];
  const unsigned page = i.page + done;
  if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
  const unsigned pages = pages_of_entry(k, mm, page, static_cast<unsigned>(i.page) + i.pages);
  for (unsigned p = page; p < page + pages; ++p) change_pte(k, mm, p);
  ptl_unlock(k);
  done = static_cast<std::uint8_t>(done + pages);
  return k.yield(done < i.pages ? kChangePte : kFlush);
}

}  // namespace

// mwriteprotect_range: the mmap_lock for reading, so page faults get in between the PTE and the
// flush at the end of change_protection.
Step uffd_writeprotect(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  switch (k.activation().point) {
    case kLock:
      if (!mmap_read_trylock(k, mm)) return k.blocked();
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        if ((k.vma(mm, p) & kVmMapped) == 0) return end_change(k, -kENOENT);
      }
      change_pending(k, mm, kMmTlbFlushPending);
      return k.fused(kChangePte);
    case kChangePte:
      return change_entry(k);
    default:
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        flush_tlb_page(k, mm, p);
      }
      change_pending(k, mm, -kMmTlbFlushPending);
      return end_change(k, 0);
  }
}

// handle_userfault(page, flags, mm): a write fault on a protected page drops the mmap_lock and
// sleeps until the protection is taken away; then the fault is retried.
Step handle_userfault(Kernel& k) {
  enum : std::uint8_t { kDropLock, kAsleep };
  const auto& arg = k.activation().arg;
  const unsigned page = arg[0];
  const unsigned mm = arg[2];
  if (k.activation().point == kDropLock) {
    k.say("userfaultfd: the write waits until the protection is taken away");
    mmap_unlock(k);
    return k.yield(kAsleep);
  }
  if ((k.pte(mm, page).bits & kPteUffdWp) != 0) return k.blocked();
  // Callers inside GUP expect to hold the lock again.
  if ((arg[1] & kFaultLocked) != 0 && !mmap_read_trylock(k, mm)) return k.blocked();
  return k.done(kFaultDone);
}

namespace {

enum MovePoint : std::uint8_t { kBegin, kCleared, kMoved };

// move_pages_pte: -EBUSY for a page that may be pinned or is shared, before and after the PTE goes.
bool busy(const Kernel& k, std::uint8_t frame) {
  return maybe_dma_pinned(k, frame) || !anon_exclusive(k, frame);
}

}  // namespace

// UFFDIO_MOVE of one page (adef440691ba, 6.8) to an address where nothing is.
Step uffd_move(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm();
  Activation& a = k.activation();
  switch (a.point) {
    case kBegin: {
      if (!mmap_read_trylock(k, mm)) return k.blocked();
      if (!ptl_trylock(k, mm, i.page)) {
        mmap_unlock(k);
        return k.blocked();
      }
      const Pte pte = k.pte(mm, i.page);
      int error = 0;
      if ((k.vma(mm, i.to_page) & kVmMapped) == 0 || !counted(pte.frame)) error = -kENOENT;
      if (error == 0 && k.pte(mm, i.to_page) != Pte{}) error = -kEEXIST;
      if (error == 0 && (busy(k, pte.frame) || !trylock_page(k, pte.frame))) error = -kEBUSY;
      if (error != 0) {
        ptl_unlock(k);
        return end_change(k, error);
      }
      a.frame[0] = pte.frame;
      a.arg[0] = pte.bits;
      flush_tlb_page(k, mm, i.page);
      k.pte(mm, i.page) = Pte{};
      k.say("UFFDIO_MOVE clears the PTE");
      return k.yield(kCleared);
    }
    case kCleared: {
      const bool pinned = maybe_dma_pinned(k, a.frame[0]);
      const unsigned target = pinned ? i.page : i.to_page;
      k.pte(mm, target) =
          Pte{a.frame[0], pinned ? a.arg[0] : static_cast<std::uint8_t>(kPteWrite | kPteDirty)};
      if (!pinned) forget_addresses(k, mm, i.page, 1);
      note_anon_vma(k, mm, i.to_page);
      unlock_page(k, a.frame[0]);
      ptl_unlock(k);
      k.say("UFFDIO_MOVE {}", pinned ? "finds the page pinned meanwhile" : "moves the page");
      return end_change(k, pinned ? -kEBUSY : 0);
    }
    default:
      return k.done();
  }
}

}  // namespace drover::mm
