// Swap cache and swap slots; see swap.hpp.
#include "mm/swap.hpp"

#include <algorithm>

#include "mm/page.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;

unsigned swap_slots(const litmus::Program& program) {
  return std::min<unsigned>(2U * program.pages * program.mms, litmus::kMaxSwapSlots);
}

bool swap_in_bypasses(const Kernel& k, std::uint8_t slot) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Actor& actor = k.s.actors[a];
    if (actor.depth == 0 || a == k.actor) continue;
    const Activation& act = actor.stack[actor.depth - 1U];
    const bool swaps_in = act.path == static_cast<std::uint8_t>(Path::do_swap_page);
    if (swaps_in && act.frame[0] != kNoFrame && act.arg[4] == slot && act.arg[5] == 0) return true;
  }
  return false;
}

std::uint8_t alloc_swap_slot(const Kernel& k) {
  const bool prepared = k.policy.swapin_bypass == policy::swapin_bypass::prepared;
  for (unsigned slot = 0; slot < swap_slots(k.program); ++slot) {
    if (k.s.slots[slot].count != 0 || k.s.slots[slot].cache != kNoFrame) continue;
    const auto number = static_cast<std::uint8_t>(slot);
    if (!prepared || !swap_in_bypasses(k, number)) return number;
  }
  return kNone;
}

void add_to_swap_cache(Kernel& k, std::uint8_t frame, std::uint8_t slot) {
  Frame& page = k.s.frames[frame];
  page.state |= kSwapCache;
  page.index = static_cast<std::uint8_t>(slot + 1);
  k.s.slots[slot].cache = frame;
  get_page(k, frame);
}

void delete_from_swap_cache(Kernel& k, std::uint8_t frame) {
  Frame& page = k.s.frames[frame];
  SwapSlot& slot = k.s.slots[page.index - 1U];
  slot.cache = kNoFrame;
  if (slot.count == 0) slot = SwapSlot{};
  page.index = 0;
  page.state = static_cast<std::uint8_t>(page.state & ~kSwapCache);
  put_page(k, frame);
}

unsigned page_swapcount(const Kernel& k, std::uint8_t frame) {
  if (!in_swap_cache(k, frame)) return 0;
  return k.s.slots[k.s.frames[frame].index - 1U].count;
}

bool try_to_free_swap(Kernel& k, std::uint8_t frame) {
  if (!in_swap_cache(k, frame) || (k.s.frames[frame].state & kWriteback) != 0) return false;
  if (page_swapcount(k, frame) != 0) return false;
  k.s.frames[frame].state |= kPageDirty;  // its slot is gone: memory has the only copy
  delete_from_swap_cache(k, frame);
  k.say("the page leaves the swap cache");
  return true;
}

bool stable_swap_writes(const Kernel& k) {
  return k.program.swap_device == litmus::SwapDevice::stable_disk;
}

bool reuse_swap_page(Kernel& k, std::uint8_t frame) {
  if (k.s.frames[frame].mapcount + page_swapcount(k, frame) > 1) return false;
  if (!in_swap_cache(k, frame)) return true;
  if ((k.s.frames[frame].state & kWriteback) != 0) return !stable_swap_writes(k);
  k.s.frames[frame].state |= kPageDirty;
  delete_from_swap_cache(k, frame);
  k.say("reuse_swap_page takes the page out of the swap cache");
  return true;
}

void free_swap_cache(Kernel& k, std::uint8_t frame) {
  if (!counted(frame) || !in_swap_cache(k, frame)) return;
  const Frame& page = k.s.frames[frame];
  if (page.mapcount == 0 && (page.flags & kPageLocked) == 0) try_to_free_swap(k, frame);
}

void swap_duplicate(Kernel& k, std::uint8_t slot) {
  k.s.slots[slot].count++;
}

void swap_free(Kernel& k, std::uint8_t slot) {
  SwapSlot& s = k.s.slots[slot];
  if (s.count == 0) {
    k.violate(litmus::Property::balance);
    return;
  }
  if (--s.count == 0 && s.cache == kNoFrame) s = SwapSlot{};
}

void free_swap_and_cache(Kernel& k, std::uint8_t slot) {
  const std::uint8_t cache = k.s.slots[slot].cache;
  swap_free(k, slot);
  if (cache != kNoFrame) free_swap_cache(k, cache);
}

const std::array<Word, litmus::kMaxWords>* contents_of(const State& s, unsigned mm, unsigned page) {
  const Pte pte = s.mms[mm].pte[page];
  if (pte.frame != kNoFrame) return &s.frames[pte.frame].words;
  const std::uint8_t entry = s.mms[mm].entry[page];
  if (is_migration_entry(pte)) return &s.frames[entry].words;
  if (!is_swap_entry(pte)) return nullptr;
  const std::uint8_t cache = s.slots[entry].cache;
  return cache != kNoFrame ? &s.frames[cache].words : &s.slots[entry].words;
}

}  // namespace drover::mm
