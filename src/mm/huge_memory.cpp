// Huge PMDs; see huge_memory.hpp.
#include "mm/huge_memory.hpp"

#include "mm/large_folio.hpp"
#include "mm/page.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace {

void set_bit(const Kernel& k, std::uint8_t& objects, unsigned page, bool value) {
  const unsigned bit = 1U << k.program.object_of[page];
  objects = static_cast<std::uint8_t>(value ? objects | bit : objects & ~bit);
}

}  // namespace

void set_pmd_mapped(Kernel& k, unsigned mm, unsigned page, bool mapped) {
  set_bit(k, k.s.mms[mm].pmd_mapped, page, mapped);
}

void set_pmd_cleared(Kernel& k, unsigned mm, unsigned page, bool cleared) {
  set_bit(k, k.s.mms[mm].pmd_cleared, page, cleared);
}

PageRange pmd_range(const litmus::Program& program, unsigned page) {
  const litmus::Object& object = program.object(page);
  return {object.first_page, static_cast<unsigned>(object.first_page) + object.pages};
}

void add_rmap_pmd(Kernel& k, std::uint8_t frame, unsigned mm) {
  large_folio(k.s, frame).entire_mapcount++;
  add_owner(k, frame, mm, 1);
}

void remove_rmap_pmd(Kernel& k, std::uint8_t frame, unsigned mm) {
  LargeFolio& folio = large_folio(k.s, frame);
  if (folio.entire_mapcount == 0) {
    k.violate(litmus::Property::balance);
    return;
  }
  folio.entire_mapcount--;
  remove_owner(k, frame, mm, 1);
}

// pmdp_invalidate flushes the TLBs; each PTE takes a reference and a map count of its own, and
// PG_anon_exclusive of the head page goes to all pages (they have it here already).
void split_huge_pmd(Kernel& k, unsigned mm, unsigned page) {
  const PageRange range = pmd_range(k.program, page);
  const std::uint8_t head = k.pte(mm, range.first).frame;
  const unsigned pages = range.end - range.first;
  for (unsigned p = range.first; p < range.end; ++p) {
    flush_tlb_page(k, mm, p);
    k.s.frames[k.pte(mm, p).frame].mapcount++;
  }
  Frame& folio = page_folio(k, head);
  folio.refcount = static_cast<std::int16_t>(folio.refcount + static_cast<int>(pages) - 1);
  add_owner(k, head, mm, pages);
  remove_rmap_pmd(k, head, mm);
  set_pmd_mapped(k, mm, page, false);
  k.say("the huge PMD is split into PTEs, refcount {}", folio.refcount);
}

unsigned pages_of_entry(Kernel& k, unsigned mm, unsigned page, unsigned end) {
  if (!pmd_mapped(k, mm, page)) return 1;
  const PageRange range = pmd_range(k.program, page);
  if (page == range.first && end >= range.end) return range.end - range.first;
  split_huge_pmd(k, mm, page);
  return 0;
}

void split_partly_covered(Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  for (unsigned p = page; p < page + pages; ++p) {
    if (!pmd_mapped(k, mm, p)) continue;
    const PageRange range = pmd_range(k.program, p);
    if (page > range.first || page + pages < range.end) split_huge_pmd(k, mm, p);
  }
}

}  // namespace drover::mm
