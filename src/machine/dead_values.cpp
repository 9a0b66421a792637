// Liveness by statement and by state; see dead_values.hpp.
#include "machine/dead_values.hpp"

#include <algorithm>

#include "machine/may_act.hpp"
#include "mm/paths.hpp"
#include "mm/wp_copy.hpp"

namespace drover::machine {

using litmus::Instr;
using litmus::Op;
using mm::State;

void DeadValues::Future::add(const Future& other) {
  reads |= other.reads;
  changes |= other.changes;
  registers |= other.registers;
  forks = forks || other.forks;
}

namespace {

constexpr std::uint64_t kAllWords = ~std::uint64_t{0};

bool known(Op op) {
  switch (op) {
    case Op::mremap:  // a frame comes to another page
    case Op::crash:
      return false;
    default:
      return true;
  }
}

unsigned registers_of(const litmus::Expr& e) {
  unsigned registers = 0;
  if (e.a.is_register) registers |= 1U << e.a.value;
  if (e.fn != litmus::Fn::none && e.b.is_register) registers |= 1U << e.b.value;
  return registers;
}

}  // namespace

DeadValues::DeadValues(const litmus::Program& program)
    : program_(&program), known_(program.features == 0) {
  static_assert(litmus::kMaxPages * litmus::kMaxWords <= 64);
  static_assert(litmus::kMaxRegisters <= 8 && litmus::kMaxProcesses <= 8);
  condition_registers_.assign(program.actors.size(), 0);
  for (const litmus::Atom& atom : program.condition.atoms) {
    if (atom.kind == litmus::AtomKind::reg) {
      auto& registers = condition_registers_[atom.actor];
      registers = static_cast<std::uint8_t>(registers | 1U << atom.reg);
    }
    if (atom.kind == litmus::AtomKind::memory) condition_words_ |= word_bit(atom.page, atom.word);
  }
  for (const litmus::Actor& actor : program.actors) {
    if (actor.kind != litmus::ActorKind::thread && actor.kind != litmus::ActorKind::speculate) {
      known_ = false;
    }
    for (const Instr& i : actor.code) known_ = known_ && known(i.op);
    add_actor(actor);
  }
  classify();
}

void DeadValues::classify() {
  std::vector<Future*> kinds;
  for (auto& futures : futures_) {
    for (Future& f : futures) {
      const auto same = std::find_if(kinds.begin(), kinds.end(), [&](const Future* known) {
        return known->reads == f.reads && known->changes == f.changes && known->forks == f.forks;
      });
      f.kind = static_cast<std::uint16_t>(same - kinds.begin());
      if (same == kinds.end()) kinds.push_back(&f);
    }
  }
}

void DeadValues::read_through_reference(const Instr& i, Future& f) const {
  const litmus::Handle& handle = program_->handle_of(i.ref);
  f.reads |= word_bit(handle.first_page + (i.ref - handle.first_ref), i.word);
}

// What is not listed reads everything.
DeadValues::Future DeadValues::statement(const litmus::Actor& actor, const Instr& i) const {
  Future f;
  f.registers = static_cast<std::uint8_t>(registers_of(i.value));
  const auto own_mm = static_cast<std::uint8_t>(1U << program_->processes[actor.process].mm);
  switch (i.op) {
    case Op::load:
      f.reads = word_bit(i.page, i.word);
      break;
    case Op::dma_read:
      read_through_reference(i, f);
      break;
    case Op::fork:  // the consistent cut compares values
      f.forks = true;
      f.reads = kAllWords;
      f.changes = own_mm;
      break;
    case Op::exit:
    case Op::mmap:
    case Op::munmap:
    case Op::mprotect:
    case Op::madvise:
      f.changes = own_mm;
      break;
    case Op::assign:
    case Op::jump:
    case Op::branch_zero:
    case Op::store:
    case Op::wait:
    case Op::await:
    case Op::signal:
    case Op::get:
    case Op::pin:
    case Op::unpin:
    case Op::put:
    case Op::set_page_dirty:
    case Op::unpin_dirty:
    case Op::register_buffer:
    case Op::reg_mr:
    case Op::rereg_mr:
    case Op::dma_write:
    case Op::post_write:
    case Op::complete:
      break;
    default:
      f.reads = kAllWords;
      f.changes = 0xff;
      break;
  }
  return f;
}

// Backwards from the end of the code until nothing changes: jumps go both ways.
void DeadValues::add_actor(const litmus::Actor& actor) {
  std::vector<Future> futures(actor.code.size() + 1);
  for (std::size_t round = 0; round <= actor.code.size(); ++round) {
    bool changed = false;
    for (std::size_t pc = actor.code.size(); pc-- > 0;) {
      const Instr& i = actor.code[pc];
      Future after;
      if (i.op != Op::jump) after.add(futures[pc + 1]);
      if (i.op == Op::jump || i.op == Op::branch_zero) after.add(futures[i.target]);
      if (i.dst != litmus::kNone) {
        after.registers = static_cast<std::uint8_t>(after.registers & ~(1U << i.dst));
      }
      after.add(statement(actor, i));
      changed = changed || after.registers != futures[pc].registers ||
                after.reads != futures[pc].reads || after.changes != futures[pc].changes ||
                after.forks != futures[pc].forks;
      futures[pc] = after;
    }
    if (!changed) break;
  }
  futures_.push_back(std::move(futures));
}

// What all of them may still do.
DeadValues::Future DeadValues::rest(const State& s) const {
  Future rest;
  for (unsigned a = 0; a < program_->actors.size(); ++a) {
    if (program_->actors[a].kind != litmus::ActorKind::thread || !may_act(*program_, s, a))
      continue;
    rest.add(futures_[a][s.actors[a].pc]);
  }
  for (unsigned j = 0; j < program_->jobs; ++j) {  // a queued one may be a read
    if (s.jobs[j].state == mm::JobState::queued) rest.reads = kAllWords;
  }
  return rest;
}

// Registers of an actor that somebody may look at again, by bit; `acts`: whether it may_act().
unsigned DeadValues::live_registers(const State& s, unsigned actor, bool acts) const {
  unsigned live = condition_registers_[actor];
  const litmus::Actor& code = program_->actors[actor];
  if (code.kind != litmus::ActorKind::thread || !acts) return live;
  const std::uint8_t pc = s.actors[actor].pc;
  live |= futures_[actor][pc].registers;
  // Inside a statement its result may be there already.
  if (s.actors[actor].depth > 0 && code.code[pc].dst != litmus::kNone) {
    live |= 1U << code.code[pc].dst;
  }
  return live;
}

void DeadValues::clear_registers(State& s) const {
  for (unsigned a = 0; a < program_->actors.size(); ++a) {
    const unsigned live = live_registers(s, a, may_act(*program_, s, a));
    for (unsigned r = 0; r < program_->actors[a].registers.size(); ++r) {
      if ((live >> r & 1U) == 0) s.actors[a].regs[r] = 0;
    }
  }
}

// Of frames that a page table, a reference or a copy under way names: by that their page is known.
void DeadValues::clear_words(State& s, std::uint64_t read) const {
  if (read == kAllWords) return;
  std::array<std::uint64_t, mm::kMaxFrames> live{};
  std::uint64_t known = 0;
  const auto note = [&](std::uint8_t frame, unsigned page) {
    if (frame < mm::kFirstFrame) return;
    known |= std::uint64_t{1} << frame;
    live[frame] |= read >> (page * litmus::kMaxWords);
  };
  for (unsigned m = 0; m < program_->mms; ++m) {
    for (unsigned p = 0; p < program_->pages; ++p) {
      note(s.mms[m].pte[p].frame, p);
      note(s.mms[m].tlb[p].frame, p);
    }
  }
  for (const litmus::Handle& handle : program_->handles) {
    for (unsigned page = 0; page < handle.pages; ++page) {
      note(s.refs[handle.first_ref + page].frame, handle.first_page + page);
    }
  }
  for (unsigned a = 0; a < program_->actors.size(); ++a) {
    for (unsigned d = 0; d < s.actors[a].depth; ++d) {
      const mm::Activation& act = s.actors[a].stack[d];
      if (act.path != static_cast<std::uint8_t>(mm::Path::wp_page_copy)) continue;
      for (const std::uint8_t frame : act.frame) note(frame, act.arg[0]);
    }
  }
  for (unsigned frame = mm::kFirstFrame; frame < s.frames_end; ++frame) {
    if ((known >> frame & 1U) == 0) continue;
    for (unsigned w = 0; w < litmus::kMaxWords; ++w) {
      if ((live[frame] >> w & 1U) == 0) s.frames[frame].words[w] = {};
    }
  }
}

// Back from a fault: that only matters to leave_stale(), and to who ends the process meanwhile.
void DeadValues::forget_faults(State& s, unsigned mm_index) const {
  for (unsigned a = 0; a < program_->actors.size(); ++a) {
    const litmus::Actor& code = program_->actors[a];
    mm::Actor& actor = s.actors[a];
    if (code.kind != litmus::ActorKind::thread || actor.depth != 1) continue;
    if (program_->processes[code.process].mm != mm_index) continue;
    const mm::Activation& act = actor.stack[0];
    if (act.path != static_cast<std::uint8_t>(mm::Path::cpu_access) || act.point != 0) continue;
    actor.depth = 0;
    actor.stack[0] = {};
  }
}

namespace {

// Only whether write_protect_seq still is what a GUP-fast has seen decides anything. What it was
// long ago becomes a number it will not be again soon: it is made 0 or 1 after every step.
void forget_wp_seq(State& s, const litmus::Program& program) {
  constexpr std::uint8_t kLongAgo = 254;
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    for (unsigned d = 0; d < s.actors[a].depth; ++d) {
      mm::Activation& act = s.actors[a].stack[d];
      if (act.path != static_cast<std::uint8_t>(mm::Path::gup_fast)) continue;
      const std::uint8_t now = s.mms[act.arg[3]].wp_seq;
      act.arg[5] = act.arg[5] == now ? now & 1U : kLongAgo;
    }
  }
  for (unsigned m = 0; m < program.mms; ++m) s.mms[m].wp_seq &= 1U;
}

}  // namespace

void DeadValues::view_actor(const State& s, unsigned actor, std::vector<std::uint8_t>& out) const {
  const mm::Actor& a = s.actors[actor];
  const litmus::Actor& code = program_->actors[actor];
  const bool thread = code.kind == litmus::ActorKind::thread;
  const std::uint16_t kind = thread ? futures_[actor][a.pc].kind : std::uint16_t{0};
  unsigned set = 0;
  for (unsigned r = 0; r < code.registers.size(); ++r) set |= a.regs[r] != 0 ? 1U << r : 0U;
  const bool dead = (set & ~live_registers(s, actor, true)) != 0;
  const bool dead_if_gone = (set & ~live_registers(s, actor, false)) != 0;
  const bool more = a.pc < (thread ? code.code.size() : code.bound);
  out.insert(out.end(), {static_cast<std::uint8_t>(kind), static_cast<std::uint8_t>(kind >> 8),
                         a.flags, a.depth, dead, dead_if_gone, more});
  for (unsigned d = 0; d < a.depth; ++d) {
    const mm::Activation& act = a.stack[d];
    out.insert(out.end(), {act.path, act.point});
    const bool locals = act.path == static_cast<std::uint8_t>(mm::Path::gup_fast) ||
                        act.path == static_cast<std::uint8_t>(mm::Path::wp_page_copy);
    if (locals) out.insert(out.end(), act.arg.begin(), act.arg.end());
  }
}

void DeadValues::view_frame(const State& s, unsigned frame, std::vector<std::uint8_t>& out) {
  unsigned set = 0;
  for (unsigned w = 0; w < litmus::kMaxWords; ++w) {
    const mm::Word& word = s.frames[frame].words[w];
    set |= word.value != 0 || word.audience != 0 ? 1U << w : 0U;
  }
  out.push_back(static_cast<std::uint8_t>(set));
}

void DeadValues::clear(State& s) const {
  clear_registers(s);
  forget_wp_seq(s, *program_);
  if (!known_) return;
  for (unsigned a = 0; a < program_->actors.size(); ++a) mm::drop_vain_copy(s, *program_, a);
  const Future rest = this->rest(s);
  clear_words(s, rest.reads | condition_words_);
  for (unsigned m = 0; m < program_->mms; ++m) {
    if ((rest.changes >> m & 1U) != 0) continue;
    forget_faults(s, m);
    if (!rest.forks) s.mms[m].flags = static_cast<std::uint8_t>(s.mms[m].flags & ~mm::kMmHasPinned);
  }
}

}  // namespace drover::machine
