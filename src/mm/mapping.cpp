// What the system calls that change mappings share; see mapping.hpp.
#include "mm/mapping.hpp"

#include "mm/locks.hpp"
#include "mm/page.hpp"

namespace drover::mm {
namespace policy = design::policy;

bool change_refused(const Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  if (k.policy.pinned_mapping_change != policy::pinned_mapping_change::ebusy) return false;
  if ((k.s.mms[mm].flags & kMmHasPinned) == 0) return false;
  for (unsigned p = page; p < page + pages; ++p) {
    if (maybe_dma_pinned(k, k.s.mms[mm].pte[p].frame)) return true;
  }
  return false;
}

int begin_change(Kernel& k, unsigned page, unsigned pages, bool must_be_mapped) {
  const unsigned mm = k.mm();
  if (!mmap_write_trylock(k, mm)) return 0;
  if (!start_write_range(k, mm, page, pages)) {
    mmap_unlock(k);
    return 0;
  }
  int error = 0;
  for (unsigned p = page; must_be_mapped && p < page + pages; ++p) {
    if ((k.vma(mm, p) & kVmMapped) == 0) error = -kENOMEM;
  }
  if (error == 0 && change_refused(k, mm, page, pages)) error = -kEBUSY;
  if (error == 0) return 1;
  mmap_unlock(k);
  return error;
}

Step change_from(Kernel& k, unsigned point) {
  const bool pins_decide = k.policy.pinned_mapping_change == policy::pinned_mapping_change::ebusy;
  return pins_decide ? k.yield(point) : k.fused(point);
}

Step end_change(Kernel& k, int result) {
  mmap_unlock(k);
  k.set_register(k.instr().dst, result);
  if (result < 0) k.say("fails with errno {}", -result);
  return k.done(result);
}

void forget_addresses(Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  for (const litmus::Handle& handle : k.program.handles) {
    if (k.mm_of(handle.process) != mm) continue;
    for (unsigned r = handle.first_ref; r < static_cast<unsigned>(handle.first_ref) + handle.pages;
         ++r) {
      Ref& ref = k.s.refs[r];
      if (ref.page > page && ref.page <= page + pages) ref.page = 0;
    }
  }
}

}  // namespace drover::mm
