// truncate and hole punching (mm/truncate.c, unmap_mapping_range in mm/memory.c): the pages leave
// every page table and the page cache, whoever holds references to them (kernel-semantics 16).
#include <algorithm>

#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// arg: next page, end.
enum Point : std::uint8_t { kBegin, kUnmap, kDrop, kUnmapAgain };

bool punches(const Kernel& k) {
  return k.instr().op == litmus::Op::punch_hole;
}

Step end(Kernel& k, int result) {
  k.set_register(k.instr().dst, result);
  if (result < 0) k.say("fails with errno {}", -result);
  return k.done(result);
}

// Whether somebody other than the page cache and the page tables has a reference.
bool referenced(const Kernel& k, unsigned page) {
  const std::uint8_t frame = k.s.files[page].frame;
  return frame != kNoFrame && k.s.frames[frame].refcount > k.s.frames[frame].mapcount + 1;
}

// The proposals, and DAX (dax_layout_busy_page: its pages are the storage itself).
bool waits_for_references(const Kernel& k, unsigned page) {
  return k.policy.pinned_file_page == policy::pinned_file_page::wait ||
         k.program.object(page).backing == litmus::Backing::dax;
}

// i_size changes first: from here on a fault beyond it is a SIGBUS.
Step begin(Kernel& k) {
  const litmus::Instr& i = k.instr();
  unsigned first = 0;
  if (!punches(k)) {
    const int wanted = k.evaluate(i.value);
    if (wanted < 0) return end(k, -kEINVAL);
    first = std::min<unsigned>(static_cast<unsigned>(wanted), i.pages);
  }
  const unsigned last = static_cast<unsigned>(i.page) + i.pages;
  for (unsigned page = i.page + first; page < last; ++page) {
    if (!referenced(k, page)) continue;
    if (waits_for_references(k, page)) return k.blocked();
    if (k.policy.pinned_file_page == policy::pinned_file_page::refuse) return end(k, -kEBUSY);
  }
  for (unsigned page = i.page; !punches(k) && page < last; ++page) {
    std::uint8_t& flags = k.s.files[page].flags;
    const bool beyond = page >= i.page + first;
    flags = static_cast<std::uint8_t>(beyond ? flags | kBeyondEof : flags & ~kBeyondEof);
  }
  k.activation().arg[0] = static_cast<std::uint8_t>(i.page + first);
  k.activation().arg[1] = static_cast<std::uint8_t>(last);
  if (i.page + first == last) return end(k, 0);
  return k.yield(kUnmap);
}

// zap_pte_range on behalf of the file. truncate takes private copies too (even_cows), a hole leaves
// them. The flush of the gather is taken to happen at once: what other CPUs store meanwhile goes to
// a page that is lost anyway.
void unmap_one(Kernel& k, unsigned mm, unsigned page) {
  const Pte old = k.pte(mm, page);
  k.pte(mm, page) = Pte{};
  flush_tlb_page(k, mm, page);
  if (counted(old.frame)) {
    remove_rmap(k, old.frame, mm);
    put_page(k, old.frame);
  }
  k.say("unmap_mapping_range unmaps the page");
}

bool to_unmap(const Kernel& k, unsigned mm, unsigned page) {
  const Pte pte = k.s.mms[mm].pte[page];
  if (pte.frame == kNoFrame) return false;
  return !punches(k) || is_file_page(k.s.frames[pte.frame]);
}

Step next_page(Kernel& k) {
  auto& arg = k.activation().arg;
  arg[0]++;
  return arg[0] < arg[1] ? k.yield(kUnmap) : end(k, 0);
}

Step unmap(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const auto point = k.activation().point;
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    if (!to_unmap(k, mm, page)) continue;
    if (gather_pending(k, mm, page) || !ptl_trylock(k, mm, page)) return k.blocked();
    unmap_one(k, mm, page);
    ptl_unlock(k);
    return k.yield(point);
  }
  return point == kUnmap ? k.fused(kDrop) : next_page(k);
}

// truncate_inode_page, and the blocks of the file. A fault that held the page lock may have mapped
// a private copy meanwhile, which truncate_pagecache takes away by a second unmap_mapping_range.
Step drop(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  FilePage& file = k.s.files[page];
  if (file.frame != kNoFrame) {
    Frame& frame = k.s.frames[file.frame];
    if ((frame.flags & kPageLocked) != 0 || (frame.state & kWriteback) != 0) return k.blocked();
    if (frame.mapcount != 0) {  // faulted in again since
      k.mark_backward();
      return k.fused(kUnmap);
    }
    k.say("the page leaves the page cache, refcount {}", frame.refcount);
    delete_from_page_cache(k, file.frame);
  }
  for (Word& word : file.disk) word = Word{0, kEverybody};
  return punches(k) ? next_page(k) : k.yield(kUnmapAgain);
}

}  // namespace

Step truncate(Kernel& k) {
  switch (k.activation().point) {
    case kBegin:
      return begin(k);
    case kUnmap:
    case kUnmapAgain:
      return unmap(k);
    default:
      return drop(k);
  }
}

}  // namespace drover::mm
