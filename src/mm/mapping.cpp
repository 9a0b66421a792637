// What the system calls that change mappings share; see mapping.hpp.
#include "mm/mapping.hpp"

#include "mm/hugetlb.hpp"
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
  merge_vmas(k, k.mm());
  mmap_unlock(k);
  k.set_register(k.instr().dst, result);
  if (result < 0) k.say("fails with errno {}", -result);
  return k.done(result);
}

void note_anon_vma(Kernel& k, unsigned mm, unsigned page) {
  if ((k.vma(mm, page) & kVmAnonVma) != 0 || is_hugetlb(k, page)) return;
  const std::uint8_t vma = k.vma(mm, page);
  const auto same_vma = [&](unsigned p) {
    return k.object_of(p) == k.object_of(page) && k.vma(mm, p) == vma;
  };
  unsigned first = page;
  unsigned end = page + 1;
  while (first > 0 && same_vma(first - 1)) --first;
  while (end < k.program.pages && same_vma(end)) ++end;
  for (unsigned p = first; p < end; ++p) k.vma(mm, p) |= kVmAnonVma;
}

void merge_vmas(Kernel& k, unsigned mm) {
  constexpr unsigned kRest = 0xffU & ~unsigned{kVmAnonVma};
  for (unsigned p = 0; p < k.program.pages; ++p) {
    if ((k.vma(mm, p) & kVmAnonVma) == 0) continue;
    const auto joins = [&](unsigned other) {
      return k.object_of(other) == k.object_of(p) &&
             (k.vma(mm, other) & kRest) == (k.vma(mm, p) & kRest);
    };
    for (unsigned q = p + 1; q < k.program.pages && joins(q); ++q) k.vma(mm, q) |= kVmAnonVma;
    for (unsigned q = p; q > 0 && joins(q - 1); --q) k.vma(mm, q - 1) |= kVmAnonVma;
  }
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
