// Reads and writes of words; see memory_access.hpp.
#include "mm/memory_access.hpp"

#include "mm/page.hpp"
#include "mm/page_cache.hpp"

namespace drover::mm {
namespace {

// lifetime: the frame was freed, and may be anybody's by now.
bool freed(Kernel& k, std::uint8_t frame) {
  if (frame == kNoFrame || (k.s.frames[frame].flags & kAllocated) != 0) return false;
  k.violate(litmus::Property::lifetime);
  k.say("touches a page frame that was freed");
  return true;
}

// durability: a page that left the page cache will never be written to the disk.
void note_orphan(Kernel& k, const Frame& page) {
  const unsigned index = file_index(page);
  const bool lost = !in_page_cache(page) && (k.s.files[index].flags & kBeyondEof) == 0;
  if (!lost || k.program.object(index).backing == litmus::Backing::shmem) return;
  k.violate(litmus::Property::durability);
  k.say("writes to a page that is no part of the file any more");
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
  Frame& page = k.s.frames[frame];
  const bool file = is_file_page(page);
  if (file) note_orphan(k, page);
  if (must_stay_stable(k, frame)) {  // the checksum that goes to the disk with it does not fit
    k.violate(litmus::Property::durability);
    k.say("changes a page that the disk needs to be stable");
  }
  // Everybody may read a file.
  const unsigned audience = file ? kEverybody : 1U << mm;
  page.words[word] =
      Word{value, static_cast<std::uint8_t>(audience | (by_device ? kWrittenByDevice : 0U))};
}

void copy_word(Kernel& k, std::uint8_t from, std::uint8_t to, unsigned word) {
  if (from == kZeroFrame) {
    k.s.frames[to].words[word] = Word{0, kEverybody};
  } else if (!freed(k, from)) {
    k.s.frames[to].words[word] = k.s.frames[from].words[word];
  }
}

}  // namespace drover::mm
