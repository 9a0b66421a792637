// Transient references and event order: the speculate daemon (what a page-cache look-up, compaction
// or memory failure does to a refcount for a moment), signal and await.
#include "mm/large_folio.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace {

enum Point : std::uint8_t { kTake, kHolding };

Step take(Kernel& k) {
  const litmus::Actor& daemon = k.code();
  std::array<std::uint8_t, kMaxFrames> candidates{};
  unsigned n = 0;
  std::uint64_t seen = 0;
  for (unsigned mm = 0; mm < k.program.mms; ++mm) {
    for (unsigned p = daemon.page; p < static_cast<unsigned>(daemon.page) + daemon.pages; ++p) {
      const std::uint8_t frame = k.pte(mm, p).frame;
      if (!counted(frame) || (seen >> frame & 1U) != 0) continue;
      if (daemon.page_lock && page_locked(k, frame)) continue;
      seen |= 1ULL << frame;
      candidates[n++] = frame;
    }
  }
  if (n == 0) return k.blocked();
  const std::uint8_t frame = candidates[k.choose(n)];
  get_page(k, frame);
  if (daemon.page_lock) trylock_page(k, frame);
  k.activation().frame[0] = frame;
  k.say("takes a speculative reference, refcount {}", page_folio(k, frame).refcount);
  return k.yield(kHolding);
}

}  // namespace

Step speculate(Kernel& k) {
  if (k.activation().point == kTake) return take(k);
  const std::uint8_t frame = k.activation().frame[0];
  if (k.code().page_lock) unlock_page(k, frame);
  put_page(k, frame);
  return k.done();
}

Step signal_event(Kernel& k) {
  k.s.events = static_cast<std::uint16_t>(k.s.events | 1U << k.instr().event);
  return k.done();
}

Step await_event(Kernel& k) {
  if ((k.s.events >> k.instr().event & 1U) == 0) return k.blocked();
  return k.done();
}

}  // namespace drover::mm
