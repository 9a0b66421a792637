// Large folios; see large_folio.hpp.
#include "mm/large_folio.hpp"

#include <algorithm>
#include <stdexcept>

#include "mm/page.hpp"

namespace drover::mm {

unsigned page_mapcount(const State& s, std::uint8_t frame) {
  const unsigned by_ptes = s.frames[frame].mapcount;
  return is_large(s, frame) ? by_ptes + large_folio(s, frame).entire_mapcount : by_ptes;
}

unsigned folio_mapcount(const State& s, std::uint8_t frame) {
  if (!is_large(s, frame)) return s.frames[frame].mapcount;
  const LargeFolio& folio = large_folio(s, frame);
  unsigned mappings = folio.entire_mapcount;
  for (const std::uint8_t page : folio.pages) {
    if (page != kNoFrame) mappings += s.frames[page].mapcount;
  }
  return mappings;
}

// page_trans_huge_mapcount: the page of the folio that is mapped most often decides.
bool folio_mapped_shared(const State& s, std::uint8_t frame) {
  if (!is_large(s, frame)) return s.frames[frame].mapcount > 1;
  for (const std::uint8_t page : large_folio(s, frame).pages) {
    if (page != kNoFrame && page_mapcount(s, page) > 1) return true;
  }
  return false;
}

unsigned large_folios(const litmus::Program& program) {
  if ((program.features & litmus::kFeatureHuge) == 0) return 0;
  const auto huge =
      std::count_if(program.objects.begin(), program.objects.end(),
                    [](const litmus::Object& o) { return o.huge != litmus::HugeMapping::none; });
  const std::size_t bound =
      static_cast<std::size_t>(huge) * program.mms + program.refs + program.actors.size();
  return static_cast<unsigned>(std::min<std::size_t>(bound, kMaxLargeFolios));
}

std::uint8_t alloc_large_folio(Kernel& k, unsigned pages) {
  const unsigned most = large_folios(k.program);
  for (unsigned number = 0; number < most; ++number) {
    LargeFolio& folio = k.s.folios[number];
    if (folio.pages[0] != kNoFrame) continue;
    folio = LargeFolio{};
    for (unsigned index = 0; index < pages; ++index) {
      const std::uint8_t frame = alloc_page(k);
      k.s.frames[frame].folio = static_cast<std::uint8_t>(number + 1);
      if (index > 0) k.s.frames[frame].refcount = 0;
      folio.pages[index] = frame;
    }
    return folio.pages[0];
  }
  throw std::runtime_error("the model's large folios are used up");
}

void free_large_folio(Kernel& k, std::uint8_t frame) {
  LargeFolio& folio = large_folio(k.s, frame);
  for (const std::uint8_t page : folio.pages) {
    if (page == kNoFrame) continue;
    k.s.frames[page] = Frame{};
    k.s.frames[page].flags = kFreed;
  }
  folio = LargeFolio{};
}

void split_into_pages(Kernel& k, std::uint8_t frame, std::int16_t references) {
  LargeFolio& folio = large_folio(k.s, frame);
  const Frame head = k.s.frames[folio.pages[0]];
  constexpr unsigned kOwn = kAnonExclusive;  // the rest is the folio's, and now each page's
  for (const std::uint8_t page : folio.pages) {
    if (page == kNoFrame) continue;
    Frame& small = k.s.frames[page];
    small.folio = 0;
    small.refcount = references;
    small.flags = static_cast<std::uint8_t>((head.flags & ~kOwn) | (small.flags & kOwn));
    small.state = head.state;
  }
  folio = LargeFolio{};
}

namespace {

bool tracks_owners(const Kernel& k) {
  return k.policy.wp_reuse_large_pte == design::policy::wp_reuse_large_pte::mm_id_owner;
}

}  // namespace

// folio_add_return_large_mapcount. An mm that finds no slot is not recorded: the shared bit is set.
void add_owner(Kernel& k, std::uint8_t frame, unsigned mm, unsigned mappings) {
  if (!tracks_owners(k)) return;
  LargeFolio& folio = large_folio(k.s, frame);
  const auto id = static_cast<std::uint8_t>(mm + 1);
  for (unsigned slot = 0; slot < 2; ++slot) {
    if (folio.mm_id[slot] != id) continue;
    folio.mm_id_mapcount[slot] = static_cast<std::uint8_t>(folio.mm_id_mapcount[slot] + mappings);
    return;
  }
  for (unsigned slot = 0; slot < 2; ++slot) {
    if (folio.mm_id[slot] != 0) continue;
    folio.mm_id[slot] = id;
    folio.mm_id_mapcount[slot] = static_cast<std::uint8_t>(mappings);
    if (folio_mapcount(k.s, frame) > mappings) folio.flags |= kFolioMappedShared;
    return;
  }
}

// folio_sub_return_large_mapcount. The bit is looked at only when a slot becomes free, or for an mm
// without one: it may stay set longer than necessary.
void remove_owner(Kernel& k, std::uint8_t frame, unsigned mm, unsigned mappings) {
  if (!tracks_owners(k)) return;
  LargeFolio& folio = large_folio(k.s, frame);
  const auto id = static_cast<std::uint8_t>(mm + 1);
  for (unsigned slot = 0; slot < 2; ++slot) {
    if (folio.mm_id[slot] != id) continue;
    auto& count = folio.mm_id_mapcount[slot];
    count = count > mappings ? static_cast<std::uint8_t>(count - mappings) : std::uint8_t{0};
    if (count > 0) return;
    folio.mm_id[slot] = 0;
    break;
  }
  const unsigned left = folio_mapcount(k.s, frame);
  if (folio.mm_id_mapcount[0] == left || folio.mm_id_mapcount[1] == left) {
    folio.flags = static_cast<std::uint8_t>(folio.flags & ~kFolioMappedShared);
  }
}

bool owner_may_reuse(Kernel& k, std::uint8_t frame) {
  const LargeFolio& folio = large_folio(k.s, frame);
  const unsigned mappings = folio_mapcount(k.s, frame);
  const int references = page_folio(k, frame).refcount;
  const bool shared = (folio.flags & kFolioMappedShared) != 0;
  k.say("do_wp_page: a large folio, refcount {}, mapcount {}, {}", references, mappings,
        shared ? "mapped by several processes" : "mapped by one process");
  return mappings > 1 && !shared && static_cast<int>(mappings) == references;
}

}  // namespace drover::mm
