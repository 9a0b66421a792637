// wp_page_copy (mm/memory.c): the COW copy, kernel-semantics 3e. C1 (reference, page table lock
// dropped) was done by do_wp_page; the data is copied with no lock held, so devices and stale TLB
// entries may write the old page meanwhile and the copy misses that.
#include "mm/wp_copy.hpp"

#include "mm/hugetlb.hpp"
#include "mm/locks.hpp"
#include "mm/mapping.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/swap.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace {

// arg: page, flags, mm, original pte bits, next word. frame: old, new.
enum Point : std::uint8_t { kAllocate, kCopyWord, kInstall, kExchange, kPutOld };

// C2, one word a step.
Step copy_next_word(Kernel& k, unsigned page) {
  Activation& a = k.activation();
  copy_word(k, a.frame[0], a.frame[1], a.arg[4]);
  a.arg[4]++;
  if (k.tracing()) k.say("wp_page_copy copies {}", k.program.word_name(page, a.arg[4] - 1U));
  return k.yield(a.arg[4] < k.words_of(page) ? kCopyWord : kInstall);
}

// C4: the PTE may have changed while the page table lock was dropped.
Step install(Kernel& k, unsigned page, unsigned mm) {
  if (!ptl_trylock(k, mm, page)) return k.blocked();
  Activation& a = k.activation();
  if (k.pte(mm, page) == Pte{a.frame[0], a.arg[3]}) return k.fused(kExchange);
  k.say("wp_page_copy: the PTE changed, the copy is dropped");
  ptl_unlock(k);
  put_page(k, a.frame[1]);
  a.frame[1] = kNoFrame;
  return k.fused(kPutOld);
}

// C5, C6: clear and flush, then install; old page loses the mapping and its reference.
Step exchange(Kernel& k, unsigned page, unsigned flags, unsigned mm) {
  Activation& a = k.activation();
  const std::uint8_t old = a.frame[0];
  const std::uint8_t fresh = a.frame[1];
  flush_tlb_page(k, mm, page);
  const bool unshare = (flags & kFaultUnshare) != 0;
  const bool writable = !unshare && (k.vma(mm, page) & kVmWrite) != 0;
  add_rmap(k, fresh, mm);
  set_anon_exclusive(k, fresh);
  const bool readable = (k.vma(mm, page) & kVmRead) != 0;  // not so under FOLL_FORCE of PROT_NONE
  k.pte(mm, page) =
      Pte{fresh, static_cast<std::uint8_t>((writable ? kPteWrite : 0) | (unshare ? 0 : kPteDirty) |
                                           (readable ? 0 : kPteProtNone))};
  note_anon_vma(k, mm, page);
  if (counted(old)) {
    remove_rmap(k, old, mm);
    put_page(k, old);
  }
  k.say("wp_page_copy installs the copy");
  a.frame[1] = kNoFrame;
  ptl_unlock(k);
  return k.yield(kPutOld);
}

}  // namespace

void drop_vain_copy(State& s, const litmus::Program& program, unsigned actor) {
  Actor& a = s.actors[actor];
  if (a.depth == 0) return;
  Activation& act = a.stack[a.depth - 1U];
  if (act.path != static_cast<std::uint8_t>(Path::wp_page_copy) || act.point > kInstall) return;
  const unsigned page = act.arg[0];
  if (s.mms[act.arg[2]].pte[page] == Pte{act.frame[0], act.arg[3]}) return;
  if (act.frame[1] != kNoFrame) s.frames[act.frame[1]] = Frame{};
  act.frame[1] = kNoFrame;
  act.arg[4] = static_cast<std::uint8_t>(program.object(page).words.size());
  act.point = kPutOld;
}

Step wp_page_copy(Kernel& k) {
  const unsigned page = k.activation().arg[0];
  const unsigned flags = k.activation().arg[1];
  const unsigned mm = k.activation().arg[2];
  switch (k.activation().point) {
    case kAllocate:
      k.activation().frame[1] = alloc_page_for(k, mm, page);
      return k.yield(kCopyWord);
    case kCopyWord:
      return copy_next_word(k, page);
    case kInstall:
      return install(k, page, mm);
    case kExchange:
      return exchange(k, page, flags, mm);
    default:  // C7: the reference of C1
      free_swap_cache(k, k.activation().frame[0]);
      if (counted(k.activation().frame[0])) put_page(k, k.activation().frame[0]);
      k.say("wp_page_copy drops its reference to the old page");
      return k.done((flags & kFaultUnshare) != 0 ? kFaultDone : kFaultWrote);
  }
}

}  // namespace drover::mm
