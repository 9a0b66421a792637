// split_huge_page_to_list (mm/huge_memory.c), kernel-semantics 15: a large folio becomes small
// pages, if nobody holds a reference that is neither a mapping nor the caller's. Who wants that:
// reclaim, and madvise on a part of the folio.
#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"
#include "mm/rmap.hpp"
#include "mm/swap.hpp"

namespace drover::mm {
namespace {

// frame[0]: a page of the folio, which is locked; the caller holds one reference and keeps it, on
// that page. arg[0]: pages unmapped so far.
enum Point : std::uint8_t { kCheck, kUnmap, kFreeze };

unsigned pages_in(const LargeFolio& folio) {
  unsigned n = 0;
  while (n < folio.pages.size() && folio.pages[n] != kNoFrame) ++n;
  return n;
}

// can_split_folio
Step check(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  const int references = page_folio(k, frame).refcount;
  if (references != static_cast<int>(folio_mapcount(k.s, frame)) + 1) {
    k.say("split_huge_page: somebody holds a reference, refcount {}", references);
    return k.done(-kEBUSY);
  }
  return k.yield(kUnmap);
}

// unmap_folio: every mapping becomes migration entries; of a page that may be pinned it stays.
Step unmap(Kernel& k) {
  Activation& a = k.activation();
  const LargeFolio& folio = large_folio(k.s, a.frame[0]);
  if (a.arg[0] >= pages_in(folio)) return k.fused(kFreeze);
  const std::uint8_t page = folio.pages[a.arg[0]++];
  k.call(Path::try_to_unmap, kUnmap, {kUnmapToMigration});
  k.activation().frame[0] = page;
  return Step::yield;
}

// remap_page: all PTEs in one step. The page lock keeps faults away until it is over, and GUP-fast
// leaves migration entries to them; fork, which copies the entries, sees each of them before or
// after.
void remap(Kernel& k, const std::array<std::uint8_t, litmus::kMaxFolioPages>& pages) {
  for (const std::uint8_t frame : pages) {
    for (unsigned mm = 0; frame != kNoFrame && mm < k.program.mms; ++mm) {
      for (unsigned page = 0; page < k.program.pages; ++page) {
        if (is_migration_entry(k.pte(mm, page)) && k.s.mms[mm].entry[page] == frame) {
          remove_migration_pte(k, mm, page, frame);
        }
      }
    }
  }
}

bool page_tables_free(const Kernel& k, const LargeFolio& folio) {
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    for (unsigned page = 0; page < k.program.pages; ++page) {
      const bool entry = is_migration_entry(k.s.mms[mm].pte[page]);
      for (const std::uint8_t frame : folio.pages) {
        const bool ours = entry && frame != kNoFrame && k.s.mms[mm].entry[page] == frame;
        if (ours && ptl_held(k.s, k.program, mm, page)) return false;
      }
    }
  }
  return true;
}

Step freeze(Kernel& k) {
  const std::uint8_t kept = k.activation().frame[0];
  const LargeFolio folio = large_folio(k.s, kept);
  if (!page_tables_free(k, folio)) return k.blocked();
  const bool sole = page_folio(k, kept).refcount == 1;
  if (!sole) {
    k.say("split_huge_page fails: refcount {}", page_folio(k, kept).refcount);
    remap(k, folio.pages);
    return k.done(-kEAGAIN);
  }
  split_into_pages(k, kept, 1);
  remap(k, folio.pages);
  for (const std::uint8_t page : folio.pages) {
    if (page == kNoFrame || page == kept) continue;
    Frame& f = k.s.frames[page];
    f.state = static_cast<std::uint8_t>(f.state & ~kIsolated);
    unlock_page(k, page);
    put_page(k, page);
  }
  k.say("split_huge_page makes small pages of the large folio");
  return k.done();
}

}  // namespace

Step split_huge_page(Kernel& k) {
  switch (k.activation().point) {
    case kCheck:
      return check(k);
    case kUnmap:
      return unmap(k);
    default:
      return freeze(k);
  }
}

}  // namespace drover::mm
