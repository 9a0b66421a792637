// Persistent sets of actors; see ample.hpp.
#include "machine/ample.hpp"

#include <algorithm>
#include <bit>

#include "machine/may_act.hpp"
#include "mm/paths.hpp"

namespace drover::machine {

using litmus::Op;
using mm::State;

void Ample::Use::add(const Use& other) {
  reads.add(other.reads);
  writes.add(other.writes);
  watches.add(other.watches);
  read_words |= other.read_words;
  written_words |= other.written_words;
  read_counts |= other.read_counts;
  written_counts |= other.written_counts;
  awaits |= other.awaits;
  signals |= other.signals;
  starts |= other.starts;
  exits |= other.exits;
}

// `this`: next steps of a chosen set; `future`: what somebody else may still do.
bool Ample::Use::conflicts(const Use& future) const {
  return writes.meets(future.writes) || writes.meets(future.reads) || reads.meets(future.writes) ||
         watches.meets(future.writes) || writes.meets(future.watches) ||
         ((written_words & (future.written_words | future.read_words)) |
          (read_words & future.written_words)) != 0 ||
         ((written_counts & (future.written_counts | future.read_counts)) |
          (read_counts & future.written_counts)) != 0 ||
         (awaits & future.signals) != 0;
}

Ample::Ample(const litmus::Program& program, const design::Switches& switches)
    : program_(&program), footprints_(program, switches), counts_zero_page_(program.refs > 0) {
  all_ = (Movers{1} << (program.actors.size() + program.jobs)) - 1U;
}

// Which frames each place names. Migration and swap entries name some too, but programs that have
// them touch all memory anyway.
void Ample::name_frames(const State& s) {
  const std::uint64_t none = counts_zero_page_ ? 1U : 3U;
  mapped_ = {};
  stale_ = {};
  forking_ = 0;
  for (unsigned m = 0; m < program_->mms; ++m) {
    if (s.mms[m].forking != 0) forking_ |= static_cast<std::uint8_t>(1U << m);
    for (unsigned p = 0; p < program_->pages; ++p) {
      const unsigned place = resource::place(m, program_->object_of[p]);
      mapped_[place] |= std::uint64_t{1} << s.mms[m].pte[p].frame & ~none;
      stale_[place] |= std::uint64_t{1} << s.mms[m].tlb[p].frame & ~none;
    }
  }
}

// `more`: frames that the actor's own activations name.
Ample::Use Ample::use_of(const State& s, const Footprint& f, std::uint64_t more) const {
  Use use;
  use.reads = f.reads;
  use.writes = f.writes;
  use.watches = f.watches;
  use.signals = f.signals;
  use.starts = f.starts;
  use.exits = f.exits;
  std::uint64_t frames = more;
  std::uint64_t stale = 0;
  bool all = f.all_memory;
  Resources named = f.reads;
  named.add(f.writes);
  for (unsigned half = 0; half < 2 && !all; ++half) {
    for (std::uint64_t bits = named.bits[half]; bits != 0; bits &= bits - 1) {
      const unsigned number = half * 64 + static_cast<unsigned>(std::countr_zero(bits));
      if (number < resource::kPlaces) {
        frames |= mapped_[number] | stale_[number];
        stale |= stale_[number];
      } else if (number >= resource::ref(0) && number < resource::job(0)) {
        frames |= std::uint64_t{1} << s.refs[number - resource::ref(0)].frame;
      } else if (number >= resource::job(0) && number < resource::kCount) {
        frames |= std::uint64_t{1} << s.jobs[number - resource::job(0)].frame;
      }
    }
  }
  if ((f.stores & forking_) != 0) {  // the store keeps the books of the consistent cut
    Footprint books;
    books.touch_all_memory();
    use.writes.add(books.writes);
    all = true;
  }
  frames = all ? ~std::uint64_t{0} : frames & ~std::uint64_t{counts_zero_page_ ? 1U : 3U};
  const std::uint8_t how =
      all ? kReadsWords | kWritesWords | kReadsCounts | kWritesCounts : f.frames;
  if ((how & kReadsWords) != 0) use.read_words = frames;
  if ((how & kWritesWords) != 0) use.written_words = frames;
  if ((how & kReadsCounts) != 0) use.read_counts = frames;
  // An access ends the stale entries it does not use, and then nobody may name their frame.
  use.written_counts = (how & kWritesCounts) != 0 ? frames : stale;
  return use;
}

void Ample::look_at_gate(const State& s, unsigned actor) {
  const litmus::Actor& code = program_->actors[actor];
  const mm::Actor& a = s.actors[actor];
  Mover& mover = movers_[actor];
  mover.gate = Gate::none;
  if (code.kind != litmus::ActorKind::thread) return;
  if ((s.processes[code.process] & mm::kStarted) == 0) {
    mover.gate = Gate::start;
    mover.needs = code.process;
    return;
  }
  const litmus::Instr& i = code.code[a.pc];
  if (i.op == Op::await && (s.events >> i.event & 1U) == 0) {
    mover.gate = Gate::event;
    mover.needs = i.event;
  }
  const bool waits = i.op == Op::wait || (i.op == Op::vfork && a.depth > 0);
  if (waits && (s.processes[i.process] & (mm::kExited | mm::kForkFailed)) == 0) {
    mover.gate = Gate::child;
    mover.needs = i.process;
  }
}

namespace {

std::uint64_t frames_of(const mm::Actor& actor) {
  std::uint64_t frames = 0;
  for (unsigned d = 0; d < actor.depth; ++d) {
    for (const std::uint8_t frame : actor.stack[d].frame) frames |= std::uint64_t{1} << frame;
  }
  return frames & ~std::uint64_t{3};
}

}  // namespace

// A load or store that needs no fault: only the word, and the dirty bit if it is the first store.
bool Ample::refine_access(const State& s, unsigned actor, Use& use) const {
  const litmus::Actor& code = program_->actors[actor];
  const mm::Actor& a = s.actors[actor];
  const litmus::Instr& i = code.code[a.pc];
  if (i.op != Op::load && i.op != Op::store) return false;
  const bool at_access =
      a.depth == 0 ||
      (a.depth == 1 && a.stack[0].path == static_cast<std::uint8_t>(mm::Path::cpu_access) &&
       a.stack[0].point == 0);
  const bool store = i.op == Op::store;
  const unsigned mm_index = program_->processes[code.process].mm;
  const mm::Mm& mm = s.mms[mm_index];
  const mm::Pte pte = mm.pte[i.page];
  if (!at_access || (mm.tlb[i.page].cpus >> actor & 1U) != 0) return false;
  if (pte.frame < mm::kFirstFrame || (pte.bits & mm::kPteInaccessible) != 0) return false;
  if (store && (pte.bits & mm::kPteWrite) == 0) return false;
  if (store && mm.forking != 0) return false;
  const unsigned place = resource::place(mm_index, program_->object_of[i.page]);
  const std::uint64_t frame = std::uint64_t{1} << pte.frame;
  use.reads.add(resource::process(code.process));
  use.reads.add(place);
  use.reads.add(resource::forking(mm_index));
  use.read_counts = frame;
  (store ? use.written_words : use.read_words) = frame;
  // faulting_at() tells whether the thread is inside of this statement.
  if (a.depth > 0 || (store && (pte.bits & mm::kPteDirty) == 0)) use.writes.add(place);
  return true;
}

// Steps that are known to touch less than their statement.
bool Ample::refine(const State& s, unsigned actor, Use& use) const {
  if (program_->features != 0) return false;
  const litmus::Actor& code = program_->actors[actor];
  const mm::Actor& a = s.actors[actor];
  if (code.kind == litmus::ActorKind::speculate && a.depth > 0) {
    use.read_counts = use.written_counts = frames_of(a);
    return true;
  }
  if (code.kind != litmus::ActorKind::thread) return false;
  if (a.depth > 0) {
    const mm::Activation& top = a.stack[a.depth - 1U];
    // wp_page_copy before it takes the page table lock (points kAllocate and kCopyWord).
    if (top.path == static_cast<std::uint8_t>(mm::Path::wp_page_copy) && top.point <= 1) {
      use.reads.add(resource::process(code.process));
      if (top.point == 0) return true;
      use.read_words = use.read_counts = std::uint64_t{1} << top.frame[0];
      use.written_words = std::uint64_t{1} << top.frame[1];
      return true;
    }
  }
  return refine_access(s, actor, use);
}

Ample::Use Ample::next_of(const State& s, unsigned actor) const {
  const litmus::Actor& code = program_->actors[actor];
  const mm::Actor& a = s.actors[actor];
  const Mover& mover = movers_[actor];
  Use use;
  if (!refine(s, actor, use)) {
    use = use_of(s, footprints_.statement(actor, a.pc), frames_of(a));
    use.signals = 0;
  }
  if (code.kind != litmus::ActorKind::thread) return use;
  if (mover.gate == Gate::event) use.awaits = static_cast<std::uint16_t>(1U << mover.needs);
  if (mover.gate == Gate::child) use.reads.add(resource::process(mover.needs));
  if (footprints_.may_finish(actor, a.pc)) {
    use.reads.add(resource::cpus(program_->processes[code.process].mm));
  }
  return use;
}

// In many states nobody has a choice to make.
bool Ample::several_can_move(const State& s) {
  unsigned can_move = 0;
  for (unsigned j = 0; j < program_->jobs; ++j) {
    if (s.jobs[j].state == mm::JobState::queued) ++can_move;
  }
  for (unsigned a = 0; a < program_->actors.size(); ++a) {
    if (!may_act(*program_, s, a)) continue;
    look_at_gate(s, a);
    if (movers_[a].gate == Gate::none) ++can_move;
  }
  return can_move > 1;
}

void Ample::look_at(const State& s, unsigned actor) {
  if (!may_act(*program_, s, actor)) return;
  const mm::Actor& a = s.actors[actor];
  movers_[actor].future = use_of(s, footprints_.future(actor, a.pc), frames_of(a));
  movers_[actor].next = next_of(s, actor);
  alive_ |= Movers{1} << actor;
}

bool Ample::opens(const Mover& gated, const Use& future) const {
  switch (gated.gate) {
    case Gate::none:
      return true;
    case Gate::start:
      return (future.starts >> gated.needs & 1U) != 0;
    case Gate::event:
      return (future.signals >> gated.needs & 1U) != 0;
    case Gate::child:
      return ((future.exits | future.starts) >> gated.needs & 1U) != 0;
  }
  return true;
}

// The others that may move before any of `chosen` does.
Ample::Movers Ample::active_without(Movers chosen) const {
  Movers active = 0;
  Use can;
  for (bool grew = true; grew;) {
    grew = false;
    for (Movers rest = alive_ & ~chosen & ~active; rest != 0; rest &= rest - 1) {
      const auto m = static_cast<unsigned>(std::countr_zero(rest));
      if (!opens(movers_[m], can)) continue;
      active |= Movers{1} << m;
      can.starts |= movers_[m].future.starts;
      can.exits |= movers_[m].future.exits;
      can.signals |= movers_[m].future.signals;
      grew = true;
    }
  }
  return active;
}

// The least persistent set with `seed` in it that adding one actor after the other finds.
Ample::Movers Ample::close(unsigned seed) const {
  Movers chosen = Movers{1} << seed;
  Use next = movers_[seed].next;
  for (;;) {
    Use together;
    Movers added = 0;
    const Movers active = active_without(chosen);
    for (Movers rest = active; rest != 0; rest &= rest - 1) {
      const auto m = static_cast<unsigned>(std::countr_zero(rest));
      together.add(movers_[m].future);
      if (next.conflicts(movers_[m].future)) added |= Movers{1} << m;
    }
    if (added == 0) {
      // They may hand frames to each other: what one can reach, all can.
      return next.conflicts(together) ? all_ : chosen;
    }
    for (Movers rest = added; rest != 0; rest &= rest - 1) {
      next.add(movers_[static_cast<unsigned>(std::countr_zero(rest))].next);
    }
    chosen |= added;
  }
}

Ample::Movers Ample::choose(const State& s) {
  alive_ = 0;
  const auto actors = static_cast<unsigned>(program_->actors.size());
  if (!several_can_move(s)) return all_;
  name_frames(s);
  for (unsigned a = 0; a < actors; ++a) look_at(s, a);
  for (unsigned j = 0; j < program_->jobs; ++j) {
    if (s.jobs[j].state != mm::JobState::queued) continue;
    Footprint f;
    f.writes.add(resource::job(j));
    f.frames = kReadsWords | kWritesWords | kReadsCounts | kWritesCounts;
    if (program_->features != 0) f.touch_all_memory();
    Mover& mover = movers_[actors + j];
    mover.gate = Gate::none;
    mover.next = mover.future = use_of(s, f, 0);
    alive_ |= Movers{1} << (actors + j);
  }
  Movers best = all_;
  int fewest = std::popcount(alive_);
  for (Movers rest = alive_; rest != 0 && fewest > 1; rest &= rest - 1) {
    const auto m = static_cast<unsigned>(std::countr_zero(rest));
    if (movers_[m].gate != Gate::none) continue;
    const Movers chosen = close(m);
    if (std::popcount(chosen) >= fewest) continue;
    fewest = std::popcount(chosen);
    best = chosen;
  }
  return best;
}

}  // namespace drover::machine
