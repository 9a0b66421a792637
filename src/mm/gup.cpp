// What gup_slow.cpp and gup_fast.cpp share; see gup.hpp.
#include "mm/gup.hpp"

#include "mm/large_folio.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;

bool must_unshare(const Kernel& k, unsigned flags, std::uint8_t frame, unsigned page) {
  if ((flags & kGupWrite) != 0) return false;
  if (is_file_page(k.s.frames[frame])) {
    // 84209e87c696 (6.2): a long-term pin must not stay on a page of the file in a COW mapping.
    return k.policy.gup_ro_private_file == policy::gup_ro_private_file::copy_if_longterm &&
           (flags & kGupPin) != 0 && (flags & kGupLongterm) != 0 &&
           (page == kNone || !is_shared_file(k.program, page));
  }
  if (frame == kZeroFrame) {
    // 84209e87c696 (6.2): a long-term pin must not stay on the zero page of a COW mapping.
    return k.policy.gup_ro_zero_page == policy::gup_ro_zero_page::alloc_if_longterm &&
           (flags & kGupPin) != 0 && (flags & kGupLongterm) != 0;
  }
  switch (k.policy.gup_ro_cow) {
    case policy::gup_ro_cow::unshare_anon:
      return (flags & kGupPin) != 0 && !anon_exclusive(k, frame);
    case policy::gup_ro_cow::unshare_mapcount:  // Arcangeli's mapcount_unshare tree (2021)
      return folio_mapped_shared(k.s, frame);
    default:
      return false;
  }
}

void record_reference(Kernel& k, unsigned ref, unsigned page, unsigned flags, std::uint8_t frame) {
  if (ref == kNone) {
    k.caller().frame[0] = frame;
    return;
  }
  k.s.refs[ref] = Ref{
      frame, static_cast<std::uint8_t>(page + 1),
      static_cast<std::uint8_t>(kRefHeld | kRefTentative | ((flags & kGupPin) != 0 ? kRefPin : 0) |
                                ((flags & kGupWrite) != 0 ? kRefWrite : 0)),
      0};
}

unsigned further_copies(const design::Switches& policy, const litmus::Handle& handle) {
  return policy.vmsplice_ref == policy::vmsplice_ref::pin ? 0U : handle.copies - 1U;
}

void release_frame(Kernel& k, unsigned flags, std::uint8_t frame) {
  if ((flags & kGupPin) != 0) {
    unpin_page(k, frame);
  } else {
    put_page(k, frame);
  }
}

bool unpinnable(const design::Switches& policy, litmus::Zone zone) {
  if (zone == litmus::Zone::movable) {
    return policy.longterm_migrate == policy::longterm_migrate::cma_movable;
  }
  return zone == litmus::Zone::cma && policy.longterm_migrate != policy::longterm_migrate::none;
}

bool checks_zones(const Kernel& k, unsigned flags) {
  return (k.program.features & litmus::kFeatureZones) != 0 && (flags & kGupLongterm) != 0 &&
         k.policy.longterm_migrate != policy::longterm_migrate::none;
}

void mark_has_pinned(Kernel& k, unsigned mm, unsigned flags) {
  if ((flags & kGupPin) != 0 && k.policy.has_pinned == policy::has_pinned::sticky) {
    k.s.mms[mm].flags |= kMmHasPinned;
  }
}

bool pin_held(const Kernel& k, unsigned mm) {
  for (const litmus::Handle& handle : k.program.handles) {
    if (k.mm_of(handle.process) != mm) continue;
    for (unsigned r = handle.first_ref; r < handle.first_ref + handle.pages; ++r) {
      if ((k.s.refs[r].flags & kRefPin) != 0) return true;
    }
  }
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Position at = position_of(k.s, a);
    for (unsigned d = 0; d < at.depth; ++d) {
      const bool gup = at.path[d] == static_cast<std::uint8_t>(Path::gup_fast) ||
                       at.path[d] == static_cast<std::uint8_t>(Path::gup_slow);
      if (!gup) continue;
      const Activation& act = k.s.actors[a].stack[d];
      if (act.arg[3] == mm && (act.arg[2] & kGupPin) != 0) return true;
    }
    // process_vm_writev keeps its reference across the copy.
    if (at.depth == 0 || at.path[0] != static_cast<std::uint8_t>(Path::process_vm)) continue;
    const litmus::Instr& i = k.program.actors[a].code[at.pc];
    if (k.policy.process_vm_ref == policy::process_vm_ref::pin && k.mm_of(i.process) == mm) {
      return true;
    }
  }
  return false;
}

}  // namespace drover::mm
