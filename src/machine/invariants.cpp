// What must hold in every state (coherence, sanity) and at the end (balance). Isolation and
// lifetime are about accesses and are reported where those happen (mm/memory_access.cpp).
#include "machine/machine.hpp"
#include "mm/gup.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/swap.hpp"

namespace drover::machine {
namespace {

using litmus::Op;
using litmus::Property;
using mm::State;

explore::Marks bit(Property p) {
  return 1U << static_cast<unsigned>(p);
}

// A pipe or a socket keeps a snapshot: whether it follows later writes is nobody's promise.
bool promises_coherence(Op op) {
  return op != Op::vmsplice && op != Op::zerocopy_send && op != Op::pagemap;
}

// The page a FOLL_PIN of this mm names is exclusive as long as the mm maps it (5.19+,
// gup_must_unshare and page_try_share_anon_rmap): else a later write fault would move the owner
// away.
bool pins_are_exclusive(const State& s, const litmus::Program& program,
                        const design::Switches& switches) {
  if (switches.anon_exclusive != design::policy::anon_exclusive::yes) return true;
  for (const litmus::Handle& handle : program.handles) {
    const unsigned mm_index = program.processes[handle.process].mm;
    for (unsigned r = handle.first_ref; r < static_cast<unsigned>(handle.first_ref) + handle.pages;
         ++r) {
      const mm::Ref& ref = s.refs[r];
      if (!mm::handed_out(ref) || (ref.flags & mm::kRefPin) == 0 || ref.page == 0) continue;
      if (ref.frame < mm::kFirstFrame || s.mms[mm_index].pte[ref.page - 1U].frame != ref.frame) {
        continue;
      }
      if (mm::is_file_page(s.frames[ref.frame])) continue;
      if ((s.frames[ref.frame].flags & mm::kAnonExclusive) == 0) return false;
    }
  }
  return true;
}

bool coherent(const State& s, const litmus::Program& program) {
  for (const litmus::Handle& handle : program.handles) {
    if (!promises_coherence(handle.op)) continue;
    const unsigned mm_index = program.processes[handle.process].mm;
    for (unsigned r = handle.first_ref; r < static_cast<unsigned>(handle.first_ref) + handle.pages;
         ++r) {
      const mm::Ref& ref = s.refs[r];
      if (!mm::handed_out(ref) || ref.page == 0) continue;
      const std::uint8_t mapped = s.mms[mm_index].pte[ref.page - 1U].frame;
      if (mapped != mm::kNoFrame && mapped != ref.frame) return false;
    }
  }
  return true;
}

struct Mappings {
  std::uint8_t all = 0, writable = 0;
};

bool any_ptl_held(const State& s, const litmus::Program& program) {
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    if (s.actors[a].ptl != 0) return true;
  }
  return false;
}

// The invariants of kernel-semantics.md section 0, outside page table lock sections.
bool sane(const State& s, const litmus::Program& program, const design::Switches& switches) {
  const bool exclusive = switches.anon_exclusive == design::policy::anon_exclusive::yes;
  const bool locks = any_ptl_held(s, program);
  std::array<Mappings, mm::kMaxFrames> mappings{};
  for (unsigned m = 0; m < program.mms; ++m) {
    for (unsigned p = 0; p < program.pages; ++p) {
      const mm::Pte pte = s.mms[m].pte[p];
      if (pte.frame == mm::kNoFrame || (locks && mm::ptl_held(s, program, m, p))) continue;
      const mm::Frame& frame = s.frames[pte.frame];
      const bool writable = (pte.bits & mm::kPteWrite) != 0;
      if (pte.frame == mm::kZeroFrame) {
        if (writable) return false;
        continue;
      }
      if ((frame.flags & mm::kAllocated) == 0) return false;  // a freed page is mapped
      if (mm::is_file_page(frame)) {
        if (writable && !mm::is_shared_file(program, p)) return false;
        continue;
      }
      if (exclusive && writable && (frame.flags & mm::kAnonExclusive) == 0) return false;
      mappings[pte.frame].all++;
      if (writable) mappings[pte.frame].writable++;
    }
  }
  for (unsigned f = mm::kFirstFrame; f < s.frames_end; ++f) {
    if (mappings[f].all <= 1) continue;
    if (mappings[f].writable != 0) return false;  // a private page, writable and shared
    if ((s.frames[f].flags & mm::kAnonExclusive) != 0) return false;
  }
  return true;
}

}  // namespace

explore::Marks violated_invariants(const State& s, const litmus::Program& program,
                                   const design::Switches& switches) {
  explore::Marks marks = 0;
  if (!coherent(s, program)) marks |= bit(Property::coherence);
  if (!sane(s, program, switches) || !pins_are_exclusive(s, program, switches))
    marks |= bit(Property::sanity);
  return marks;
}

namespace {

std::uint8_t head_of(const State& s, std::uint8_t frame) {
  const std::uint8_t folio = s.frames[frame].folio;
  return folio == 0 ? frame : s.folios[folio - 1U].pages[0];
}

}  // namespace

bool balanced(const State& s, const litmus::Program& program, const design::Switches& switches) {
  std::array<int, mm::kMaxFrames> references{};
  std::array<int, mm::kMaxFrames> mapped{}, entire{}, pins{};
  std::array<int, litmus::kMaxSwapSlots> entries{};
  references[mm::kZeroFrame] = 1;
  for (unsigned m = 0; m < program.mms; ++m) {
    for (unsigned p = 0; p < program.pages; ++p) {
      const mm::Pte pte = s.mms[m].pte[p];
      if (mm::is_swap_entry(pte)) entries[s.mms[m].entry[p]]++;
      const std::uint8_t frame = pte.frame;
      if (frame < mm::kFirstFrame) continue;
      // A huge PMD is one reference and one mapping of the folio.
      const bool by_pmd = (s.mms[m].pmd_mapped >> program.object_of[p] & 1U) != 0;
      if (by_pmd && p != program.object(p).first_page) continue;
      references[head_of(s, frame)]++;
      (by_pmd ? entire : mapped)[frame]++;
    }
  }
  for (unsigned r = 0; r < program.refs; ++r) {
    const mm::Ref& ref = s.refs[r];
    if ((ref.flags & mm::kRefHeld) == 0) continue;
    const bool pin = (ref.flags & mm::kRefPin) != 0;
    const std::uint8_t head = head_of(s, ref.frame);
    references[head] += pin ? mm::pin_weight(switches, s, ref.frame) : 1;
    if (!pin && mm::handed_out(ref)) {
      references[head] += static_cast<int>(mm::further_copies(switches, program.handle_of(r)));
    }
    pins[head] += pin && mm::exact_pincount(switches, s, ref.frame) ? 1 : 0;
  }
  for (const mm::FilePage& file : s.files) {
    if (file.frame != mm::kNoFrame) references[file.frame]++;
  }
  for (unsigned slot = 0; slot < litmus::kMaxSwapSlots; ++slot) {
    if (s.slots[slot].count != entries[slot]) return false;
    if (s.slots[slot].cache != mm::kNoFrame) references[s.slots[slot].cache]++;
  }
  for (unsigned f = mm::kZeroFrame; f < mm::kMaxFrames; ++f) {
    const mm::Frame& frame = s.frames[f];
    if (f != mm::kZeroFrame && (frame.flags & mm::kAllocated) == 0) continue;
    const int batch = (frame.flags & mm::kInLruBatch) != 0 ? 1 : 0;
    const bool heads = frame.folio != 0 && head_of(s, static_cast<std::uint8_t>(f)) == f;
    if (heads && s.folios[frame.folio - 1U].entire_mapcount != entire[f]) return false;
    if (frame.refcount != references[f] + batch || frame.mapcount != mapped[f] ||
        frame.pincount != pins[f]) {
      return false;
    }
  }
  return true;
}

namespace {

// Whether something will still make the page dirty: a dirty PTE when it is unmapped, or a reference
// for writing when it is released.
bool can_become_dirty(const State& s, const litmus::Program& program, std::uint8_t frame) {
  for (unsigned m = 0; m < program.mms; ++m) {
    for (unsigned p = 0; p < program.pages; ++p) {
      const mm::Pte pte = s.mms[m].pte[p];
      if (pte.frame == frame && (pte.bits & mm::kPteDirty) != 0) return true;
    }
  }
  for (unsigned r = 0; r < program.refs; ++r) {
    const mm::Ref& ref = s.refs[r];
    if (ref.frame == frame && mm::handed_out(ref) && (ref.flags & mm::kRefWrite) != 0) return true;
  }
  return false;
}

}  // namespace

bool durable(const State& s, const litmus::Program& program) {
  for (unsigned p = 0; p < program.pages; ++p) {
    const std::uint8_t frame = s.files[p].frame;
    if (frame == mm::kNoFrame || !mm::tracks_dirty_pages(program, p)) continue;
    if ((s.frames[frame].state & (mm::kPageDirty | mm::kWriteback)) != 0) continue;
    if (mm::differs_from_disk(s, program, p) && !can_become_dirty(s, program, frame)) return false;
  }
  return true;
}

}  // namespace drover::machine
