// Reads and writes of words; see memory_access.hpp.
#include "mm/memory_access.hpp"

#include "mm/page.hpp"

namespace drover::mm {
namespace {

// lifetime: the frame was freed, and may be anybody's by now.
bool freed(Kernel& k, std::uint8_t frame) {
  if (frame == kNoFrame || (k.s.frames[frame].flags & kAllocated) != 0) return false;
  k.violate(litmus::Property::lifetime);
  k.say("touches a page frame that was freed");
  return true;
}

}  // namespace

std::int8_t read_word(Kernel& k, std::uint8_t frame, unsigned word, unsigned mm) {
  if (freed(k, frame) || frame == kNoFrame) return 0;
  const Word& w = k.s.frames[frame].words[word];
  if (frame != kZeroFrame && (w.audience >> mm & 1U) == 0) {
    k.violate(litmus::Property::isolation);
    k.say("sees a private write that another process made after they parted");
  }
  return w.value;
}

void write_word(Kernel& k, std::uint8_t frame, unsigned word, std::int8_t value, unsigned mm,
                bool by_device) {
  if (freed(k, frame) || frame == kNoFrame) return;
  if (frame == kZeroFrame) {
    k.violate(litmus::Property::sanity);  // everybody's zeros would change
    k.say("BUG: the zero page is written");
    return;
  }
  k.s.frames[frame].words[word] =
      Word{value, static_cast<std::uint8_t>(1U << mm | (by_device ? kWrittenByDevice : 0U))};
}

void copy_word(Kernel& k, std::uint8_t from, std::uint8_t to, unsigned word) {
  if (from == kZeroFrame) {
    k.s.frames[to].words[word] = Word{0, kEverybody};
  } else if (!freed(k, from)) {
    k.s.frames[to].words[word] = k.s.frames[from].words[word];
  }
}

}  // namespace drover::mm
