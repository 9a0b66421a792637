// Large folios: which frames are one folio, and how its mappings are counted. The huge PMDs that
// map them are in huge_memory.hpp, what small pages share with them in page.hpp.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// The frame that keeps what belongs to the folio as a whole: refcount, pincount, the page lock,
/// LRU and swap cache state. A small page is its own folio. (page_folio,
/// include/linux/page-flags.h)
[[nodiscard]] inline Frame& page_folio(State& s, std::uint8_t frame) {
  const std::uint8_t folio = s.frames[frame].folio;
  return s.frames[folio == 0 ? frame : s.folios[folio - 1U].pages[0]];
}
[[nodiscard]] inline const Frame& page_folio(const State& s, std::uint8_t frame) {
  const std::uint8_t folio = s.frames[frame].folio;
  return s.frames[folio == 0 ? frame : s.folios[folio - 1U].pages[0]];
}
[[nodiscard]] inline Frame& page_folio(Kernel& k, std::uint8_t frame) {
  return page_folio(k.s, frame);
}
[[nodiscard]] inline const Frame& page_folio(const Kernel& k, std::uint8_t frame) {
  return page_folio(static_cast<const State&>(k.s), frame);
}

/// folio_test_large.
[[nodiscard]] inline bool is_large(const State& s, std::uint8_t frame) {
  return s.frames[frame].folio != 0;
}
[[nodiscard]] inline LargeFolio& large_folio(State& s, std::uint8_t frame) {
  return s.folios[s.frames[frame].folio - 1U];
}
[[nodiscard]] inline const LargeFolio& large_folio(const State& s, std::uint8_t frame) {
  return s.folios[s.frames[frame].folio - 1U];
}

/// page_mapcount: mappings of this page, by PTEs and by PMDs.
[[nodiscard]] unsigned page_mapcount(const State& s, std::uint8_t frame);
/// folio_mapcount: mappings of all pages of the folio, a PMD being one.
[[nodiscard]] unsigned folio_mapcount(const State& s, std::uint8_t frame);
/// folio_maybe_mapped_shared and what came before it: whether more than one process maps some page.
[[nodiscard]] bool folio_mapped_shared(const State& s, std::uint8_t frame);

/// Large folios that can exist at once: one per mapping of `huge` memory, one per reference that
/// outlives the mapping, and one that each actor is about to map (a copy, a collapse). At most
/// kMaxLargeFolios.
[[nodiscard]] unsigned large_folios(const litmus::Program& program);
/// Allocates a folio of `pages` frames, refcount 1, not mapped; returns its head frame. Throws
/// std::runtime_error as alloc_page does.
std::uint8_t alloc_large_folio(Kernel& k, unsigned pages);
/// The frames of a folio whose last reference went, as freed pages.
void free_large_folio(Kernel& k, std::uint8_t frame);
/// __split_huge_page on a frozen folio: its pages become small ones, each with `references`.
void split_into_pages(Kernel& k, std::uint8_t frame, std::int16_t references);

/// _mm_id of designs that track owners: `mm` has `mappings` more or fewer than before, and the map
/// counts say so already.
void add_owner(Kernel& k, std::uint8_t frame, unsigned mm, unsigned mappings);
void remove_owner(Kernel& k, std::uint8_t frame, unsigned mm, unsigned mappings);

/// __wp_can_reuse_large_anon_folio (1da190f4d0a6, 6.15): all references are mappings, and all
/// mappings are of one mm.
[[nodiscard]] bool owner_may_reuse(Kernel& k, std::uint8_t frame);

}  // namespace drover::mm
