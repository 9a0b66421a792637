// do_swap_page (mm/memory.c), steps I1 to I5 of kernel-semantics 8, and swapoff (try_to_unuse).
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: page, flags, mm, the entry's bits, slot, whether the page came from the swap cache.
// frame[0]: the page, with a reference that becomes the mapping's.
enum Point : std::uint8_t { kLookUp, kLockPage, kMap };

// Whether a page that only one entry names is read without a stop in the swap cache
// (SWP_SYNCHRONOUS_IO: zram, brd).
bool bypasses_cache(const Kernel& k, const SwapSlot& slot) {
  return k.program.swap_device == litmus::SwapDevice::zram &&
         k.policy.swapin_bypass != policy::swapin_bypass::no && slot.count == 1;
}

// I1, I2: the page in the swap cache, or a new one read from the device.
Step look_up(Kernel& k) {
  Activation& a = k.activation();
  SwapSlot& slot = k.s.slots[a.arg[4]];
  if (slot.cache != kNoFrame) {
    a.frame[0] = slot.cache;
    a.arg[5] = 1;
    get_page(k, slot.cache);
    k.say("do_swap_page finds the page in the swap cache, refcount {}",
          k.s.frames[slot.cache].refcount);
    return k.yield(kLockPage);
  }
  if (slot.count == 0) return k.done(0);  // somebody else was faster
  const bool bypass = bypasses_cache(k, slot);
  if (k.policy.swapin_bypass == policy::swapin_bypass::prepared && bypass &&
      swap_in_bypasses(k, a.arg[4])) {
    return k.blocked();  // swapcache_prepare fails: it sleeps and the fault is taken again
  }
  const std::uint8_t frame = alloc_page(k);
  k.s.frames[frame].words = slot.words;
  a.frame[0] = frame;
  if (!bypass) {
    add_to_swap_cache(k, frame, a.arg[4]);
    a.arg[5] = 1;
  } else {
    trylock_page(k, frame);
  }
  // lru_cache_add: it waits in this CPU's batch, with a reference, until that is full (seen on
  // 5.10.262: the write after a read that swapped in copies the page).
  if (k.choose(2) == 1) {
    k.s.frames[frame].flags |= kInLruBatch;
    get_page(k, frame);
  }
  k.say("do_swap_page reads the page{}", bypass ? "" : " into the swap cache");
  return k.yield(bypass ? kMap : kLockPage);
}

// I3: nobody may have taken the page out of the cache meanwhile.
Step lock_page(Kernel& k) {
  const Activation& a = k.activation();
  const std::uint8_t frame = a.frame[0];
  if (!trylock_page(k, frame)) return k.blocked();
  if (in_swap_cache(k, frame) && k.s.frames[frame].index == a.arg[4] + 1) return k.yield(kMap);
  unlock_page(k, frame);
  put_page(k, frame);
  k.say("do_swap_page: the page left the swap cache");
  return k.done(0);
}

void drain_from_batch(Kernel& k, std::uint8_t frame) {
  Frame& page = k.s.frames[frame];
  if ((page.flags & kInLruBatch) == 0) return;
  page.flags = static_cast<std::uint8_t>(page.flags & ~kInLruBatch);
  put_page(k, frame);
}

// should_try_to_free_swap: a write fault that only the cache and this fault stand in the way of.
bool should_try_to_free_swap(const Kernel& k, std::uint8_t frame, bool write) {
  return in_swap_cache(k, frame) && write && k.s.frames[frame].refcount == 2;
}

struct Mapping {
  bool exclusive = false, writable = false;
};

// I4: whether the mapping is exclusive, whether it is writable, and when the slot goes.
Mapping decide(Kernel& k, const Activation& a) {
  using Reuse = policy::swapin_reuse;
  const std::uint8_t frame = a.frame[0];
  const bool write = (a.arg[1] & kFaultWrite) != 0;
  const bool may_write = (k.vma(a.arg[2], a.arg[0]) & kVmWrite) != 0;
  const bool wp = (a.arg[3] & kPteUffdWp) != 0;
  if (k.policy.swapin_reuse == Reuse::mapcount_swapcount) {
    const bool reused = write && reuse_swap_page(k, frame);
    swap_free(k, a.arg[4]);
    return {reused, reused && may_write && !wp};
  }
  bool exclusive = false;
  if (k.policy.swapin_reuse == Reuse::swap_exclusive) {  // 1493a1913e34 (5.19)
    exclusive = (a.arg[3] & kPteExclusive) != 0 || a.arg[5] == 0;
    const bool writeback = a.arg[5] != 0 && (k.s.frames[frame].state & kWriteback) != 0;
    if (writeback && stable_swap_writes(k)) exclusive = false;
  }
  swap_free(k, a.arg[4]);
  // Before the references are compared (d4c470970d45, 5.18).
  if (write && a.arg[5] != 0) drain_from_batch(k, frame);
  if (should_try_to_free_swap(k, frame, write)) try_to_free_swap(k, frame);
  k.say("do_swap_page: {}refcount {}", exclusive ? "the entry says exclusive, " : "",
        k.s.frames[frame].refcount);
  exclusive = exclusive || k.s.frames[frame].refcount == 1;
  const bool maps_writable =
      write || k.policy.swapin_read_maps_writable == policy::swapin_read_maps_writable::yes;
  return {exclusive, exclusive && may_write && maps_writable && !wp};
}

Step map(Kernel& k) {
  Activation& a = k.activation();
  const unsigned page = a.arg[0];
  const unsigned mm = a.arg[2];
  const std::uint8_t frame = a.frame[0];
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  Pte& pte = k.pte(mm, page);
  if (pte != Pte{kNoFrame, a.arg[3]} || k.s.mms[mm].entry[page] != a.arg[4]) {
    k.say("do_swap_page: the PTE changed");
    ptl_unlock(k);
    unlock_page(k, frame);
    put_page(k, frame);
    return k.done(0);
  }
  const Mapping mapping = decide(k, a);
  const bool write = (a.arg[1] & kFaultWrite) != 0;
  const bool readable = (k.vma(mm, page) & kVmRead) != 0;
  pte = Pte{frame,
            static_cast<std::uint8_t>((mapping.writable ? kPteWrite : 0) |
                                      (mapping.exclusive && write ? kPteDirty : 0) |
                                      (a.arg[3] & kPteUffdWp) | (readable ? 0 : kPteProtNone))};
  k.s.mms[mm].entry[page] = 0;
  add_rmap(k, frame, mm);
  if (mapping.exclusive) set_anon_exclusive(k, frame);
  unlock_page(k, frame);
  k.say("do_swap_page maps the page {}", mapping.writable ? "writable" : "read-only");
  if (write && !mapping.exclusive && (a.arg[3] & kPteUffdWp) == 0) {  // I5
    a.frame[0] = kNoFrame;
    return k.become(Path::do_wp_page, {page, a.arg[1], mm});
  }
  ptl_unlock(k);
  return k.done(write ? kFaultWrote : kFaultDone);
}

}  // namespace

Step do_swap_page(Kernel& k) {
  switch (k.activation().point) {
    case kLookUp:
      return look_up(k);
    case kLockPage:
      return lock_page(k);
    default:
      return map(k);
  }
}

namespace {

// try_to_unuse waits for the page lock and for the end of a writeback.
bool busy(const Kernel& k, std::uint8_t frame) {
  const Frame& page = k.s.frames[frame];
  return (page.flags & kPageLocked) != 0 || (page.state & kWriteback) != 0;
}

// unuse_pte: the page is mapped as a read fault would, but never writable.
Step unuse_pte(Kernel& k, unsigned mm, unsigned page) {
  const std::uint8_t slot = k.s.mms[mm].entry[page];
  SwapSlot& s = k.s.slots[slot];
  if (s.cache != kNoFrame && busy(k, s.cache)) return k.blocked();
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  if (s.cache == kNoFrame) {
    const std::uint8_t fresh = alloc_page(k);
    k.s.frames[fresh].words = s.words;
    add_to_swap_cache(k, fresh, slot);
    put_page(k, fresh);
  }
  const std::uint8_t frame = s.cache;
  Pte& pte = k.pte(mm, page);
  const bool exclusive = (pte.bits & kPteExclusive) != 0;
  const bool readable = (k.vma(mm, page) & kVmRead) != 0;
  pte = Pte{frame,
            static_cast<std::uint8_t>((pte.bits & kPteUffdWp) | (readable ? 0 : kPteProtNone))};
  k.s.mms[mm].entry[page] = 0;
  get_page(k, frame);
  add_rmap(k, frame, mm);
  if (exclusive) set_anon_exclusive(k, frame);
  swap_free(k, slot);
  try_to_free_swap(k, frame);
  ptl_unlock(k);
  k.say("swapoff maps the page of a swap entry");
  return k.yield(0);
}

}  // namespace

// sys_swapoff, try_to_unuse: every swap entry of every process is resolved; what the cache still
// holds without an entry goes.
Step swapoff(Kernel& k) {
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    for (unsigned page = 0; page < k.program.pages; ++page) {
      if (is_swap_entry(k.pte(mm, page))) return unuse_pte(k, mm, page);
    }
  }
  for (SwapSlot& slot : k.s.slots) {
    if (slot.cache == kNoFrame) continue;
    if (busy(k, slot.cache)) return k.blocked();
    try_to_free_swap(k, slot.cache);
  }
  k.set_register(k.instr().dst, 0);
  return k.done();
}

}  // namespace drover::mm
