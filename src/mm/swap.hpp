// The swap cache and the swap slots: what of mm/swap_state.c and mm/swapfile.c the paths of
// swap-out (reclaim.cpp), swap-in (swap_in.cpp), fork, zap and COW share.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

[[nodiscard]] inline bool in_swap_cache(const Kernel& k, std::uint8_t frame) {
  return (k.s.frames[frame].state & kSwapCache) != 0;
}
[[nodiscard]] inline bool is_swap_entry(Pte pte) {
  return (pte.bits & kPteSwap) != 0;
}
[[nodiscard]] inline bool is_migration_entry(Pte pte) {
  return (pte.bits & kPteMigration) != 0;
}

/// get_swap_page: a free slot, or kNone when the device is full.
[[nodiscard]] std::uint8_t alloc_swap_slot(const Kernel& k);
/// add_to_swap_cache: the cache holds one reference.
void add_to_swap_cache(Kernel& k, std::uint8_t frame, std::uint8_t slot);
/// delete_from_swap_cache: drops that reference.
void delete_from_swap_cache(Kernel& k, std::uint8_t frame);
/// page_swapcount: the swap entries that name the page's slot; 0 outside of the swap cache.
[[nodiscard]] unsigned page_swapcount(const Kernel& k, std::uint8_t frame);
/// Swap slots of the machine: one per page of each process, and as many for pages that are in the
/// swap cache while no entry names them, as a copy of theirs may be swapped out meanwhile.
[[nodiscard]] unsigned swap_slots(const litmus::Program& program);
/// try_to_free_swap: takes the (locked) page out of the swap cache unless it is under writeback or
/// some entry still names its slot. Returns whether the page is not in the swap cache any more
/// because of this call.
bool try_to_free_swap(Kernel& k, std::uint8_t frame);
/// Whether another fault is reading this slot past the swap cache: SWAP_HAS_CACHE where
/// swapcache_prepare sets it (13ddaf26be32, 6.8).
[[nodiscard]] bool swap_in_bypasses(const Kernel& k, std::uint8_t slot);
/// Whether a page that is being written to swap must not change meanwhile (SWP_STABLE_WRITES).
[[nodiscard]] bool stable_swap_writes(const Kernel& k);
/// reuse_swap_page (up to 5.17): whether map count and swap count are one in all, the page being
/// taken out of the swap cache then. References do not count. Under writeback the page stays in the
/// cache, and is refused if the device needs stable pages.
bool reuse_swap_page(Kernel& k, std::uint8_t frame);
/// free_swap_cache: the same when the page lost its last mapping and its lock is free.
void free_swap_cache(Kernel& k, std::uint8_t frame);
/// swap_duplicate, swap_free: one more, one less swap entry names the slot.
void swap_duplicate(Kernel& k, std::uint8_t slot);
void swap_free(Kernel& k, std::uint8_t slot);
/// free_swap_and_cache: swap_free of an entry that is unmapped, and an unmapped page left in the
/// cache goes too.
void free_swap_and_cache(Kernel& k, std::uint8_t slot);

/// What `mm` would read at `page`: the words of the mapped frame, of the page in the swap cache or
/// behind a migration entry, or of the swap slot. nullptr: nothing is there.
[[nodiscard]] const std::array<Word, litmus::kMaxWords>* contents_of(const State& s, unsigned mm,
                                                                     unsigned page);

}  // namespace drover::mm
