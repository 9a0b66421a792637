// LRU batches and isolation; see lru.hpp.
#include "mm/lru.hpp"

#include "mm/large_folio.hpp"
#include "mm/page.hpp"

namespace drover::mm {

void lru_add_drain(Kernel& k) {
  bool waiting = false;
  for (std::uint8_t f = kFirstFrame; f < frames_end(k.s); ++f) {
    waiting = waiting || (k.s.frames[f].flags & kInLruBatch) != 0;
  }
  if (!waiting || k.choose(2) == 0) return;
  k.say("lru_add_drain empties this CPU's batch");
  lru_add_drain_all(k);
}

void lru_add_drain_all(Kernel& k) {
  for (std::uint8_t f = kFirstFrame; f < frames_end(k.s); ++f) {
    Frame& frame = k.s.frames[f];
    if ((frame.flags & kInLruBatch) == 0) continue;
    frame.flags = static_cast<std::uint8_t>(frame.flags & ~kInLruBatch);
    put_page(k, f);
  }
}

bool isolate_lru_page(Kernel& k, std::uint8_t frame) {
  Frame& page = page_folio(k, frame);
  if ((page.flags & kInLruBatch) != 0 || (page.state & kIsolated) != 0) return false;
  page.state |= kIsolated;
  get_page(k, frame);
  return true;
}

void putback_lru_page(Kernel& k, std::uint8_t frame) {
  Frame& page = page_folio(k, frame);
  page.state = static_cast<std::uint8_t>(page.state & ~kIsolated);
  put_page(k, frame);
}

}  // namespace drover::mm
