// Stale TLB entries; see tlb.hpp.
#include "mm/tlb.hpp"

namespace drover::mm {
namespace {

// A CPU that took a page fault at `page` has no entry for it: the fault invalidates it (Intel SDM
// vol. 3, 4.10.4.1), and the access is walked anew when the handler returns.
bool faulting_at(const Kernel& k, unsigned actor, const Position& a, unsigned page) {
  return a.depth > 0 && a.path[0] == static_cast<std::uint8_t>(Path::cpu_access) &&
         k.program.actors[actor].code[a.pc].page == page;
}

// The CPUs that may hold a translation of `page`: one per thread of the started processes of `mm`,
// but for the acting one, which is inside the kernel and does not touch user memory before its path
// ends.
std::uint16_t other_cpus(const Kernel& k, unsigned mm, unsigned page) {
  unsigned cpus = 0;
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const auto& actor = k.program.actors[a];
    if (a == k.actor || actor.kind != litmus::ActorKind::thread) continue;
    if (k.program.processes[actor.process].mm != mm) continue;
    const std::uint8_t flags = k.s.processes[actor.process];
    if ((flags & kStarted) == 0 || (flags & (kExiting | kExited)) != 0) continue;
    const Position at = position_of(k.s, a);
    if (at.depth == 0 && at.pc >= actor.code.size()) continue;  // never again
    if ((at.flags & kParked) != 0 || faulting_at(k, a, at, page)) continue;
    cpus |= 1U << a;
  }
  return static_cast<std::uint16_t>(cpus);
}

}  // namespace

void leave_stale(Kernel& k, unsigned mm, unsigned page, Pte old) {
  TlbEntry& entry = k.s.mms[mm].tlb[page];
  const std::uint16_t cpus = other_cpus(k, mm, page);
  if (cpus == 0 || old.frame == kNoFrame || (old.bits & kPteInaccessible) != 0) return;
  if ((entry.bits & kPteWrite) != 0 && entry.cpus != 0) return;  // an older, stronger entry stays
  entry.frame = old.frame;
  // A store through an entry of a clean PTE has to set the dirty bit first, and so walks anew.
  const bool stores = (old.bits & kPteWrite) != 0 && (old.bits & kPteDirty) != 0;
  entry.bits = static_cast<std::uint8_t>((entry.bits & (kGathered | kGatheredPmd)) |
                                         (stores ? kPteWrite : 0));
  entry.cpus = cpus;
}

void flush_tlb_page(Kernel& k, unsigned mm, unsigned page) {
  TlbEntry& entry = k.s.mms[mm].tlb[page];
  entry.cpus = 0;
  if ((entry.bits & (kGathered | kGatheredPmd)) != 0) {
    entry.bits = static_cast<std::uint8_t>(entry.bits & (kGathered | kGatheredPmd));
  } else {
    entry = TlbEntry{};
  }
}

void flush_tlb_mm(Kernel& k, unsigned mm) {
  for (unsigned page = 0; page < k.program.pages; ++page) flush_tlb_page(k, mm, page);
}

}  // namespace drover::mm
