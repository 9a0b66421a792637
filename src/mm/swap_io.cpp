// The swap device that is not synchronous (mm/page_io.c): it takes the words of a page under
// writeback one after the other, then end_swap_bio_write ends the writeback. Who starts the I/O is
// in reclaim.cpp.
#include <algorithm>

#include "mm/paths.hpp"
#include "mm/swap.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kPick, kTakeWord };

unsigned words_of_slot(const Kernel& k) {
  unsigned words = 0;
  for (unsigned page = 0; page < k.program.pages; ++page) words = std::max(words, k.words_of(page));
  return words;
}

}  // namespace

// At any moment, any page under writeback. frame[0]: the page; arg: its slot, the next word.
Step swap_io(Kernel& k) {
  Activation& a = k.activation();
  if (a.point == kPick) {
    std::array<std::uint8_t, litmus::kMaxSwapSlots> candidates{};
    unsigned n = 0;
    for (std::uint8_t slot = 0; slot < litmus::kMaxSwapSlots; ++slot) {
      const std::uint8_t cache = k.s.slots[slot].cache;
      if (cache != kNoFrame && (k.s.frames[cache].state & kWriteback) != 0) candidates[n++] = slot;
    }
    if (n == 0) return k.blocked();
    a.arg[0] = candidates[k.choose(n)];
    a.frame[0] = k.s.slots[a.arg[0]].cache;
  }
  Frame& page = k.s.frames[a.frame[0]];
  SwapSlot& slot = k.s.slots[a.arg[0]];
  if (a.arg[1] < words_of_slot(k)) {
    slot.words[a.arg[1]] = page.words[a.arg[1]];
    k.say("the swap device takes word {} of the page", a.arg[1]);
    a.arg[1]++;
    return k.yield(kTakeWord);
  }
  page.state = static_cast<std::uint8_t>(page.state & ~kWriteback);
  k.say("end_swap_bio_write: the writeback is over");
  return k.done();
}

}  // namespace drover::mm
