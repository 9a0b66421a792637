// Faults of file mappings: filemap_fault with do_read_fault, do_cow_fault and do_shared_fault
// (mm/memory.c, mm/filemap.c), and wp_page_shared, the write fault on a shared page that is mapped
// read-only so that the file system hears of the first write (kernel-semantics 16).
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace {

// arg: page, flags, mm, next word, pte bits. frame[0]: the page of the file, frame[1]: its private
// copy.
enum Point : std::uint8_t { kLookup, kLockPage, kCopyWord, kInstall };

// The file page's bits: a shared page of a file without dirty tracking is mapped writable by a read
// as well (vm_page_prot).
unsigned file_pte_bits(const Kernel& k, unsigned page, unsigned flags, std::uint8_t vma) {
  const bool write = (flags & kFaultWrite) != 0;
  const bool may_write = (vma & kVmWrite) != 0 && is_shared_file(k.program, page) &&
                         (write || !tracks_dirty_pages(k.program, page));
  return (may_write ? kPteWrite : 0U) | (write ? kPteDirty : 0U);
}

// do_fault_around (mm/memory.c): a read fault maps what of the VMA's neighbourhood (16 pages) is in
// the page cache, is not locked and has an empty PTE. True if the page itself was among them.
bool fault_around(Kernel& k, unsigned page, unsigned mm) {
  const std::uint8_t vma = k.vma(mm, page);
  for (unsigned p = 0; p < k.program.pages; ++p) {
    const FilePage& file = k.s.files[p];
    if (k.object_of(p) != k.object_of(page) || k.vma(mm, p) != vma) continue;
    if ((file.flags & kBeyondEof) != 0 || file.frame == kNoFrame) continue;
    if (k.pte(mm, p) != Pte{} || (k.s.frames[file.frame].flags & kPageLocked) != 0) continue;
    get_page(k, file.frame);
    add_rmap(k, file.frame, mm);
    const unsigned none = (vma & kVmRead) != 0 ? 0U : kPteProtNone;  // under FOLL_FORCE
    k.pte(mm, p) = Pte{file.frame, static_cast<std::uint8_t>(none | file_pte_bits(k, p, 0, vma))};
    if (k.tracing()) k.say("do_fault_around maps {}", k.program.word_name(p, 0));
  }
  return k.pte(mm, page) != Pte{};
}

// filemap_fault: finds the page or reads it. (The read itself happens under the page lock, which
// every reader waits for: one step.)
Step lookup(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  const bool dax = k.program.object(page).backing == litmus::Backing::dax;  // no ->map_pages
  if ((flags & kFaultWrite) == 0 && !dax) {
    if (!ptl_trylock(k, mm, page)) return k.blocked();
    const bool mapped = fault_around(k, page, mm);
    ptl_unlock(k);
    if (mapped) return k.done(kFaultDone);
  }
  const FilePage& file = k.s.files[page];
  if ((file.flags & kBeyondEof) != 0) {
    k.say("the page is beyond the end of the file");
    return k.done(kFaultSigbus);
  }
  const std::uint8_t frame = file.frame != kNoFrame ? file.frame : read_page(k, page);
  get_page(k, frame);
  k.activation().frame[0] = frame;
  return k.yield(kLockPage);
}

bool copies(const Kernel& k, unsigned page, unsigned flags) {
  return (flags & kFaultWrite) != 0 && !is_shared_file(k.program, page);
}

Step lock_page(Kernel& k, unsigned page, unsigned flags) {
  Activation& a = k.activation();
  const std::uint8_t frame = a.frame[0];
  if ((flags & kFaultWrite) != 0 && !copies(k, page, flags) && must_stay_stable(k, frame)) {
    return k.blocked();  // in page_mkwrite, with the page lock, which writeback does without
  }
  if (!trylock_page(k, frame)) return k.blocked();
  if (!in_page_cache(k.s.frames[frame])) {
    k.say("the page was truncated meanwhile");
    unlock_page(k, frame);
    put_page(k, frame);
    a.frame[0] = kNoFrame;
    k.mark_backward();
    return k.yield(kLookup);
  }
  if (copies(k, page, flags)) {
    a.frame[1] = alloc_page(k);
    return k.yield(kCopyWord);
  }
  // do_page_mkwrite: it drops the page lock, takes it again and looks whether the page is still in
  // the file; nothing is known before that which is not known here.
  if ((flags & kFaultWrite) != 0 && tracks_dirty_pages(k.program, page)) page_mkwrite(k, frame);
  return k.yield(kInstall);
}

Step copy_next_word(Kernel& k, unsigned page) {
  Activation& a = k.activation();
  a.arg[3]++;
  k.s.frames[a.frame[1]].words[a.arg[3] - 1U] = k.s.frames[a.frame[0]].words[a.arg[3] - 1U];
  if (k.tracing()) k.say("do_cow_fault copies {}", k.program.word_name(page, a.arg[3] - 1U));
  return k.yield(a.arg[3] < k.words_of(page) ? kCopyWord : kInstall);
}

void drop_copy(Kernel& k) {
  Activation& a = k.activation();
  if (a.frame[1] != kNoFrame) put_page(k, a.frame[1]);
  a.frame[1] = kNoFrame;
}

Step install(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  Activation& a = k.activation();
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  const std::uint8_t frame = a.frame[0];
  Pte& pte = k.pte(mm, page);
  const bool raced = pte != Pte{};
  if (raced) {
    k.say("somebody mapped a page here meanwhile");
    drop_copy(k);
    put_page(k, frame);
  } else {
    const std::uint8_t vma = k.vma(mm, page);
    const unsigned none = (vma & kVmRead) != 0 ? 0U : kPteProtNone;  // under FOLL_FORCE
    if (a.frame[1] != kNoFrame) {
      add_rmap(k, a.frame[1], mm);
      set_anon_exclusive(k, a.frame[1]);
      pte = Pte{a.frame[1], static_cast<std::uint8_t>(kPteDirty | none |
                                                      ((vma & kVmWrite) != 0 ? kPteWrite : 0U))};
      note_anon_vma(k, mm, page);
      k.say("maps a private copy of the file page");
      put_page(k, frame);
    } else {
      add_rmap(k, frame, mm);  // the reference of the look-up becomes the mapping's
      pte = Pte{frame, static_cast<std::uint8_t>(none | file_pte_bits(k, page, flags, vma))};
      k.say("maps the file page {}", (pte.bits & kPteWrite) != 0 ? "writable" : "read-only");
    }
  }
  ptl_unlock(k);
  unlock_page(k, frame);
  return k.done(raced ? 0 : kFaultDone);
}

}  // namespace

Step file_fault(Kernel& k) {
  const auto& arg = k.activation().arg;
  const unsigned page = arg[0];
  const unsigned flags = arg[1];
  const unsigned mm = arg[2];
  switch (k.activation().point) {
    case kLookup:
      return lookup(k, page, flags, mm);
    case kLockPage:
      return lock_page(k, page, flags);
    case kCopyWord:
      return copy_next_word(k, page);
    default:
      return install(k, page, flags, mm);
  }
}

namespace {

enum SharedPoint : std::uint8_t { kBegin, kMkwrite, kMakeWritable };

// Entered with the page table lock held.
Step begin_shared(Kernel& k, unsigned page, unsigned mm) {
  Activation& a = k.activation();
  Pte& pte = k.pte(mm, page);
  if (!tracks_dirty_pages(k.program, page)) {
    pte.bits |= kPteWrite | kPteDirty;
    k.say("wp_page_shared makes the PTE writable");
    ptl_unlock(k);
    return k.done(kFaultWrote);
  }
  a.frame[0] = pte.frame;
  a.arg[4] = pte.bits;
  get_page(k, pte.frame);
  ptl_unlock(k);
  return k.yield(kMkwrite);
}

Step mkwrite(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  if (must_stay_stable(k, frame)) return k.blocked();
  if (!trylock_page(k, frame)) return k.blocked();
  if (!in_page_cache(k.s.frames[frame])) {
    unlock_page(k, frame);
    put_page(k, frame);
    return k.done(0);  // VM_FAULT_NOPAGE: the fault is retried
  }
  page_mkwrite(k, frame);
  return k.yield(kMakeWritable);
}

Step make_writable(Kernel& k, unsigned page, unsigned mm) {
  Activation& a = k.activation();
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  Pte& pte = k.pte(mm, page);
  const bool same = pte == Pte{a.frame[0], a.arg[4]};
  if (same) {
    pte.bits |= kPteWrite | kPteDirty;
    k.say("wp_page_shared makes the PTE writable");
  }
  ptl_unlock(k);
  unlock_page(k, a.frame[0]);
  put_page(k, a.frame[0]);
  return k.done(same ? kFaultWrote : 0);
}

}  // namespace

Step wp_page_shared(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned mm = k.activation().arg[2];
  switch (k.activation().point) {
    case kBegin:
      return begin_shared(k, page, mm);
    case kMkwrite:
      return mkwrite(k);
    default:
      return make_writable(k, page, mm);
  }
}

}  // namespace drover::mm
