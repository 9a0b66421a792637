// Page accounting; see page.hpp.
#include "mm/page.hpp"

#include <algorithm>
#include <stdexcept>

#include "mm/large_folio.hpp"
#include "mm/page_cache.hpp"

namespace drover::mm {
namespace policy = design::policy;

std::uint8_t alloc_page(Kernel& k) {
  for (unsigned f = kFirstFrame; f < kMaxFrames; ++f) {
    if (frame_in_use(k.s, f)) continue;
    Frame& frame = k.s.frames[f];
    frame = Frame{};
    frame.flags = kAllocated;
    frame.refcount = 1;
    k.s.frames_end = std::max(k.s.frames_end, static_cast<std::uint8_t>(f + 1));
    return static_cast<std::uint8_t>(f);
  }
  throw std::runtime_error("the model's page frames are used up");
}

void get_page(Kernel& k, std::uint8_t frame) {
  page_folio(k, frame).refcount++;
}

namespace {

// __free_pages on the last reference. A name that outlives the frame (a handle, a queued job, a
// stale TLB entry) keeps a tombstone, so that a later access through it can be told.
void free_if_unreferenced(Kernel& k, std::uint8_t frame) {
  Frame& page = page_folio(k, frame);
  if (page.refcount < 0) {
    k.violate(litmus::Property::balance);
    k.say("page refcount goes negative ({})", page.refcount);
    return;
  }
  if (page.refcount > 0) return;
  if (const unsigned mapcount = folio_mapcount(k.s, frame); mapcount != 0) {
    k.violate(litmus::Property::sanity);  // bad_page(): freeing a mapped page
    k.say("BUG: Bad page state: a page with mapcount {} is freed", mapcount);
  }
  if (is_large(k.s, frame)) return free_large_folio(k, frame);
  page = Frame{};
  page.flags = kFreed;
}

}  // namespace

void put_page(Kernel& k, std::uint8_t frame) {
  page_folio(k, frame).refcount--;
  free_if_unreferenced(k, frame);
}

void add_rmap(Kernel& k, std::uint8_t frame, unsigned mm) {
  if (!counted(frame)) return;
  k.s.frames[frame].mapcount++;
  if (is_large(k.s, frame)) add_owner(k, frame, mm, 1);
}

void remove_rmap(Kernel& k, std::uint8_t frame, unsigned mm) {
  if (!counted(frame)) return;
  Frame& page = k.s.frames[frame];
  if (page.mapcount == 0) {
    k.violate(litmus::Property::balance);
    return;
  }
  page.mapcount--;
  if (is_large(k.s, frame)) remove_owner(k, frame, mm, 1);
}

// 47e29d32afba (5.7): hpage_pincount of compound pages of more than two small pages; 5232c63f46fd
// (5.18) of all large folios.
bool exact_pincount(const design::Switches& switches, const State& s, std::uint8_t frame) {
  return switches.pin_accounting != policy::pin_accounting::get_only &&
         ((s.frames[frame].flags & kHugetlb) != 0 || s.frames[frame].folio != 0);
}

std::int16_t pin_weight(const design::Switches& switches, const State& s, std::uint8_t frame) {
  // c8070b787519 (6.5): pinning the zero page leaves its refcount alone.
  if (frame == kZeroFrame && switches.zero_page_pin_counted == policy::zero_page_pin_counted::no) {
    return 0;
  }
  const bool bias = switches.pin_accounting == policy::pin_accounting::bias;
  return bias && !exact_pincount(switches, s, frame) ? kPinBias : 1;
}

void grab_page(Kernel& k, std::uint8_t frame, bool pin) {
  Frame& page = page_folio(k, frame);
  page.refcount =
      static_cast<std::int16_t>(page.refcount + (pin ? pin_weight(k.policy, k.s, frame) : 1));
  if (pin && exact_pincount(k.policy, k.s, frame)) page.pincount++;
}

void complete_pin(Kernel& k, std::uint8_t frame) {
  Frame& page = page_folio(k, frame);
  if (exact_pincount(k.policy, k.s, frame)) {
    page.pincount++;
    k.say("GUP-fast makes it a pin, pin count {}", page.pincount);
    return;
  }
  page.refcount = static_cast<std::int16_t>(page.refcount + kPinBias - 1);
  k.say("GUP-fast makes it a pin, refcount {}", page.refcount);
}

void unpin_page(Kernel& k, std::uint8_t frame) {
  Frame& page = page_folio(k, frame);
  if (exact_pincount(k.policy, k.s, frame)) {
    if (page.pincount == 0) {
      k.violate(litmus::Property::balance);
      k.say("pin count goes negative");
    } else {
      page.pincount--;
    }
  }
  page.refcount = static_cast<std::int16_t>(page.refcount - pin_weight(k.policy, k.s, frame));
  free_if_unreferenced(k, frame);
}

bool maybe_dma_pinned(const Kernel& k, std::uint8_t frame) {
  if (!counted(frame)) return false;
  if (exact_pincount(k.policy, k.s, frame)) return page_folio(k, frame).pincount > 0;
  return page_folio(k, frame).refcount >= kPinBias;
}

bool anon_exclusive(const Kernel& k, std::uint8_t frame) {
  return counted(frame) && (k.s.frames[frame].flags & kAnonExclusive) != 0;
}

void set_anon_exclusive(Kernel& k, std::uint8_t frame) {
  if (k.policy.anon_exclusive == policy::anon_exclusive::yes && counted(frame)) {
    k.s.frames[frame].flags |= kAnonExclusive;
  }
}

void set_page_dirty(Kernel& k, std::uint8_t frame) {
  if (is_file_page(k.s.frames[frame])) return set_file_page_dirty(k, frame);
  // Other programs cannot tell, and do not pack Frame::state.
  if ((k.program.features & litmus::kFeatureFolioState) == 0 || !counted(frame)) return;
  page_folio(k, frame).state |= kPageDirty;
}

bool page_locked(const Kernel& k, std::uint8_t frame) {
  return (page_folio(k, frame).flags & kPageLocked) != 0;
}

bool trylock_page(Kernel& k, std::uint8_t frame) {
  if (page_locked(k, frame)) return false;
  page_folio(k, frame).flags |= kPageLocked;
  return true;
}

void unlock_page(Kernel& k, std::uint8_t frame) {
  Frame& folio = page_folio(k, frame);
  folio.flags = static_cast<std::uint8_t>(folio.flags & ~kPageLocked);
}

}  // namespace drover::mm
