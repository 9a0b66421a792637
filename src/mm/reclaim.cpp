// Swap-out: shrink_folio_list (mm/vmscan.c) for one anonymous page, steps O1 to O7 of
// kernel-semantics 8, and who calls it: MADV_PAGEOUT and the reclaim daemon (kswapd).
#include "mm/hugetlb.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/lru.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// frame[0]: the page, isolated.
enum Point : std::uint8_t {
  kLockPage,
  kAddToSwap,
  kUnmapped,
  kPageout,
  kRelock,
  kRemoveMapping,
  kReleaseBuffers,
  kRemoveFilePage,
  kSplit
};

// try_to_unmap_flush: what try_to_unmap left to a batch.
void flush_tlb_frame(Kernel& k, std::uint8_t frame) {
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    for (unsigned page = 0; page < k.program.pages; ++page) {
      const TlbEntry& entry = k.s.mms[mm].tlb[page];
      if (entry.frame == frame && entry.cpus != 0) flush_tlb_page(k, mm, page);
    }
  }
}

// keep_locked, activate_locked: the page stays where it is.
Step keep(Kernel& k, const char* why) {
  const std::uint8_t frame = k.activation().frame[0];
  k.say("reclaim keeps the page: {}", why);
  flush_tlb_frame(k, frame);
  unlock_page(k, frame);
  putback_lru_page(k, frame);
  return k.done(-kEBUSY);
}

// split_folio_to_list; the isolation is the reference it keeps.
Step split(Kernel& k, std::uint8_t frame) {
  k.call(Path::split_huge_page, kSplit, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

// O2, O3. feb889fb40fa (5.11, backported): a page that may be pinned is not even added.
Step add_to_swap(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  const bool lazyfree = (page_folio(k, frame).state & kLazyFree) != 0;
  if (in_swap_cache(k, frame) && (k.s.frames[frame].state & kWriteback) != 0) {
    return keep(k, "it is under writeback");
  }
  if (lazyfree && is_large(k.s, frame)) return split(k, frame);
  if (is_file_page(k.s.frames[frame])) {
    // Dirty pages of a file are the flusher's.
    const std::uint8_t state = k.s.frames[frame].state;
    if ((state & (kPageDirty | kWriteback)) != 0) return keep(k, "it has to be written back");
  } else if (!in_swap_cache(k, frame) && !lazyfree) {
    if (k.policy.swap_skip_pinned != policy::swap_skip_pinned::none && maybe_dma_pinned(k, frame)) {
      return keep(k, "it may be pinned");
    }
    // Swap may have room for the folio as a whole; then its pages go one by one, too.
    if (is_large(k.s, frame)) return split(k, frame);
    const std::uint8_t slot = alloc_swap_slot(k);
    if (slot == kNone) return keep(k, "swap is full");
    add_to_swap_cache(k, frame, slot);
    k.s.frames[frame].state |= kPageDirty;
    k.say("reclaim adds the page to the swap cache");
  }
  k.call(Path::try_to_unmap, kUnmapped, {lazyfree ? kUnmapLazyFree : kUnmapToSwap});
  k.activation().frame[0] = frame;
  return Step::yield;
}

Step unmapped(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  if (k.s.frames[frame].mapcount != 0) return keep(k, "it is still mapped");
  // d824ec2a1546 (6.4, backported): GUP-fast may have pinned it since the test in add_to_swap.
  if (k.policy.swap_skip_pinned == policy::swap_skip_pinned::after_unmap_too &&
      maybe_dma_pinned(k, frame)) {
    return keep(k, "it may be pinned by now");
  }
  const bool dirty = (k.s.frames[frame].state & kPageDirty) != 0;
  if (is_file_page(k.s.frames[frame])) {
    return dirty ? keep(k, "it has to be written back") : k.fused(kReleaseBuffers);
  }
  return k.fused(dirty && in_swap_cache(k, frame) ? kPageout : kRemoveMapping);
}

// filemap_release_folio, try_to_free_buffers: it looks at the buffers only. The proposal compares
// the reference count with the map count and what the cache and the isolation hold.
Step release_buffers(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  Frame& page = k.s.frames[frame];
  if ((page.state & kHasBuffers) == 0) return k.fused(kRemoveFilePage);
  const bool unreferenced_only =
      k.policy.release_buffers == policy::release_buffers::unreferenced_only;
  if (unreferenced_only && page.refcount > page.mapcount + 2) {
    return keep(k, "somebody holds a reference");
  }
  page.state = static_cast<std::uint8_t>(page.state & ~kHasBuffers);
  k.say("try_to_free_buffers: the page has no buffer heads any more");
  return k.yield(kRemoveFilePage);
}

// __remove_mapping of a file page.
Step remove_file_page(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  Frame& page = k.s.frames[frame];
  if (!in_page_cache(page)) return keep(k, "it was truncated");
  if (page.refcount != 2 || (page.state & kPageDirty) != 0) {
    return keep(k, "somebody holds a reference");
  }
  flush_tlb_frame(k, frame);
  if (differs_from_disk(k.s, k.program, file_index(page))) {
    k.violate(litmus::Property::durability);
    k.say("what was written to the page never reached the disk");
  }
  k.say("reclaim drops the clean page of the file");
  delete_from_page_cache(k, frame);
  unlock_page(k, frame);
  putback_lru_page(k, frame);
  return k.done();
}

// O6: pageout and is_page_cache_freeable. Only the isolation and the swap cache may hold it.
Step pageout(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  Frame& page = k.s.frames[frame];
  if (page.refcount != 2) return keep(k, "somebody holds a reference");
  flush_tlb_frame(k, frame);
  page.state = static_cast<std::uint8_t>(page.state & ~kPageDirty);
  if (k.program.swap_device == litmus::SwapDevice::zram) {
    k.s.slots[page.index - 1U].words = page.words;  // __swap_writepage of a synchronous device
  } else {
    page.state |= kWriteback;  // until swap_io.cpp ends it
  }
  unlock_page(k, frame);
  k.say("reclaim writes the page to swap");
  return k.yield(kRelock);
}

// The write may be over, and the page is not locked: a fault may have mapped it again meanwhile.
Step relock(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  const bool writeback = (k.s.frames[frame].state & kWriteback) != 0;
  if (writeback) k.say("reclaim leaves the page to the swap device");
  if (writeback || !trylock_page(k, frame)) {
    putback_lru_page(k, frame);
    return k.done(-kEBUSY);
  }
  if (!in_swap_cache(k, frame)) return keep(k, "it left the swap cache");
  return k.fused(kRemoveMapping);
}

// O7: __remove_mapping freezes the refcount at what it knows of.
Step remove_mapping(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  Frame& page = k.s.frames[frame];
  const bool cached = in_swap_cache(k, frame);
  if (page.refcount != (cached ? 2 : 1) || (page.state & kPageDirty) != 0) {
    return keep(k, "somebody holds a reference");
  }
  flush_tlb_frame(k, frame);
  k.say("reclaim frees the page");
  if (cached) delete_from_swap_cache(k, frame);
  unlock_page(k, frame);
  putback_lru_page(k, frame);
  return k.done();
}

}  // namespace

Step shrink_page(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  switch (k.activation().point) {
    case kLockPage:  // O1
      if (!trylock_page(k, frame)) {
        putback_lru_page(k, frame);
        k.say("reclaim: trylock_page fails");
        return k.done(-kEBUSY);
      }
      return k.yield(kAddToSwap);
    case kSplit:
      if (k.result() < 0) return keep(k, "the large folio cannot be split");
      return k.fused(kAddToSwap);
    case kAddToSwap:
      return add_to_swap(k);
    case kUnmapped:
      return unmapped(k);
    case kPageout:
      return pageout(k);
    case kRelock:
      return relock(k);
    case kRemoveMapping:
      return remove_mapping(k);
    case kReleaseBuffers:
      return release_buffers(k);
    default:
      return remove_file_page(k);
  }
}

namespace {

enum PageoutPoint : std::uint8_t { kDrain, kIsolate, kShrunk };

// madvise_cold_or_pageout_pte_range: pages that nobody else maps.
Step isolate(Kernel& k, unsigned page, unsigned end) {
  if (page >= end) {
    mmap_unlock(k);
    k.set_register(k.instr().dst, 0);
    return k.done();
  }
  const unsigned mm = k.mm();
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const std::uint8_t frame = k.pte(mm, page).frame;
  const bool candidate = counted(frame) && page_mapcount(k.s, frame) == 1;
  const bool isolated = candidate && isolate_lru_page(k, frame);
  ptl_unlock(k);
  if (!isolated) {
    if (candidate) k.say("MADV_PAGEOUT: the page is in an LRU batch");
    k.activation().arg[0]++;
    return k.yield(kIsolate);
  }
  k.say("MADV_PAGEOUT isolates the page, refcount {}", page_folio(k, frame).refcount);
  k.call(Path::shrink_page, kShrunk, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

}  // namespace

// MADV_PAGEOUT (5.4+). Without swap in the kernel it does nothing; here there always is swap.
// The kernel isolates all pages of a page table before it reclaims them; here they go one by one.
Step madvise_pageout(Kernel& k) {
  const litmus::Instr& i = k.instr();
  auto& done = k.activation().arg[0];
  switch (k.activation().point) {
    case kDrain:
      if (!mmap_read_trylock(k, k.mm())) return k.blocked();
      for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
        const bool mapped = (k.vma(k.mm(), p) & kVmMapped) != 0;
        if (mapped && !is_hugetlb(k, p)) continue;
        mmap_unlock(k);
        k.set_register(i.dst, mapped ? -kEINVAL : -kENOMEM);  // can_madv_lru_vma
        return k.done();
      }
      lru_add_drain(k);
      return k.fused(kIsolate);
    case kIsolate:
      return isolate(k, i.page + done, static_cast<unsigned>(i.page) + i.pages);
    default:
      done++;
      return k.fused(kIsolate);
  }
}

// kswapd: at any moment, any page of its range that some process maps or that waits in the swap
// cache. (It reclaims what was not referenced lately; any page can be that.)
Step reclaim(Kernel& k) {
  enum : std::uint8_t { kPick, kDone };
  if (k.activation().point == kDone) return k.done();
  const litmus::Actor& daemon = k.code();
  std::array<std::uint8_t, kMaxFrames> candidates{};
  unsigned n = 0;
  std::uint64_t seen = 0;
  const auto add = [&](std::uint8_t frame) {
    if (!counted(frame) || (seen >> frame & 1U) != 0) return;
    seen |= 1ULL << frame;
    const Frame& page = page_folio(k, frame);
    if ((page.flags & kInLruBatch) == 0 && (page.state & kIsolated) == 0) candidates[n++] = frame;
  };
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    for (unsigned p = daemon.page; p < static_cast<unsigned>(daemon.page) + daemon.pages; ++p) {
      const Pte pte = k.pte(mm, p);
      add(is_swap_entry(pte) ? k.s.slots[k.s.mms[mm].entry[p]].cache : pte.frame);
    }
  }
  for (unsigned p = daemon.page; p < static_cast<unsigned>(daemon.page) + daemon.pages; ++p) {
    add(k.s.files[p].frame);
  }
  if (n == 0) return k.blocked();
  const std::uint8_t frame = candidates[k.choose(n)];
  isolate_lru_page(k, frame);
  k.say("reclaim isolates the page, refcount {}", page_folio(k, frame).refcount);
  k.call(Path::shrink_page, kDone, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

}  // namespace drover::mm
