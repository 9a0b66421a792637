// Page accounting: allocation, references, pins, map counts, the page lock (kernel-semantics 1).
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// Whether a frame is an anonymous page with map count and exclusivity: the zero page is not, its
/// mappings are special PTEs without a reference (its refcount starts as 1 and only GUP changes
/// it).
[[nodiscard]] inline bool counted(std::uint8_t frame) {
  return frame >= kFirstFrame;
}

/// alloc_page: a frame with refcount 1 and no mapping. Throws std::runtime_error when the model's
/// frames are used up (the search then reports Incomplete).
std::uint8_t alloc_page(Kernel& k);

void get_page(Kernel& k, std::uint8_t frame);
/// put_page; frees the frame on the last reference. Reports balance when the count goes negative
/// and sanity when a mapped page is freed.
void put_page(Kernel& k, std::uint8_t frame);

/// page_add_anon_rmap / page_remove_rmap of a PTE of `mm`: map counts only, the reference is the
/// caller's.
void add_rmap(Kernel& k, std::uint8_t frame, unsigned mm);
void remove_rmap(Kernel& k, std::uint8_t frame, unsigned mm);

/// try_grab_page: one FOLL_GET or FOLL_PIN reference, by the design's pin_accounting.
void grab_page(Kernel& k, std::uint8_t frame, bool pin);
/// unpin_user_page.
void unpin_page(Kernel& k, std::uint8_t frame);
/// The second half of a FOLL_PIN by GUP-fast, which took one reference already.
void complete_pin(Kernel& k, std::uint8_t frame);
/// Whether pins of this frame are counted exactly, in Frame::pincount (compound_pincount).
[[nodiscard]] bool exact_pincount(const design::Switches& policy, const State& s,
                                  std::uint8_t frame);
/// What one FOLL_PIN adds to this frame's refcount.
[[nodiscard]] std::int16_t pin_weight(const design::Switches& policy, const State& s,
                                      std::uint8_t frame);

/// page_maybe_dma_pinned: refcount >= GUP_PIN_COUNTING_BIAS, or an exact pin count that is not 0.
[[nodiscard]] bool maybe_dma_pinned(const Kernel& k, std::uint8_t frame);

/// PG_anon_exclusive; always false in designs without it.
[[nodiscard]] bool anon_exclusive(const Kernel& k, std::uint8_t frame);
void set_anon_exclusive(Kernel& k, std::uint8_t frame);

/// set_page_dirty.
void set_page_dirty(Kernel& k, std::uint8_t frame);

[[nodiscard]] bool page_locked(const Kernel& k, std::uint8_t frame);
bool trylock_page(Kernel& k, std::uint8_t frame);
void unlock_page(Kernel& k, std::uint8_t frame);

}  // namespace drover::mm
