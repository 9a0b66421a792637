// A load or store of user space: the hardware's walk through TLB and page table, and the fault if
// that does not allow it. What the kernel does about the fault is in page_fault.cpp.
#include "mm/consistent_cut.hpp"
#include "mm/huge_memory.hpp"
#include "mm/memory_access.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kAccess, kFaulted };

// The translation this CPU uses for `page`: a stale TLB entry (if it has one and chooses to) or the
// PTE. Frame kNoFrame: the hardware raises a page fault.
std::uint8_t translate(Kernel& k, unsigned mm, unsigned page, bool write) {
  TlbEntry& stale = k.s.mms[mm].tlb[page];
  const auto this_cpu = static_cast<std::uint16_t>(1U << k.actor);
  if ((stale.cpus & this_cpu) != 0) {
    const bool usable = !write || (stale.bits & kPteWrite) != 0;
    if (usable && k.choose(2) == 1) {
      k.say("{} through a stale TLB entry", write ? "stores" : "loads");
      return stale.frame;
    }
    // A new walk or a fault replaces the entry on this CPU.
    stale.cpus = static_cast<std::uint16_t>(stale.cpus & ~this_cpu);
    if (stale.cpus == 0 && (stale.bits & (kGathered | kGatheredPmd)) == 0) stale = TlbEntry{};
  }
  Pte& pte = k.pte(mm, page);
  if (pte.frame == kNoFrame || (pte.bits & kPteInaccessible) != 0) return kNoFrame;
  if (pmd_cleared(k, mm, page)) return kNoFrame;
  if (write && (pte.bits & kPteWrite) == 0) return kNoFrame;
  if (write && pmd_mapped(k, mm, page)) {  // the dirty bit is the PMD's
    const PageRange pmd = pmd_range(k.program, page);
    for (unsigned p = pmd.first; p < pmd.end; ++p) k.pte(mm, p).bits |= kPteDirty;
  }
  if (write) pte.bits |= kPteDirty;
  return pte.frame;
}

Step access(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const bool write = i.op == litmus::Op::store;
  const unsigned mm = k.mm();
  const std::uint8_t frame = translate(k, mm, i.page, write);
  if (frame == kNoFrame) {
    k.say("page fault ({})", write ? "write" : "read");
    return k.call(Path::handle_mm_fault, kFaulted, {i.page, write ? kFaultWrite : 0U, mm});
  }
  if (write) {
    const std::int8_t value = k.evaluate(i.value);
    const std::int8_t before = k.s.frames[frame].words[i.word].value;
    write_word(k, frame, i.word, value, mm, false);
    note_store(k, mm, i.page, i.word, value != before);
  } else {
    k.set_register(i.dst, read_word(k, frame, i.word, mm));
  }
  return k.done();
}

}  // namespace

Step cpu_access(Kernel& k) {
  if (k.activation().point == kAccess) return access(k);
  if (k.result() < 0) {
    // As with a handler that parks the thread: it stops here for good, its memory stays.
    const bool bus = k.result() == kFaultSigbus;
    k.say("{}", bus ? "SIGBUS" : "SIGSEGV");
    k.self().flags |= kParked;
    k.s.processes[k.process()] |= bus ? kSigbus : kSigsegv;
    return k.done();
  }
  k.mark_backward();
  return k.yield(kAccess);  // the instruction is executed again; others may get in between
}

}  // namespace drover::mm
