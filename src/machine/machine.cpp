// The steps of a Machine: who may move, where a step ends, what is checked after it.
#include "machine/machine.hpp"

#include <algorithm>
#include <cstring>

#include "device/paths.hpp"
#include "machine/dispatch.hpp"
#include "machine/may_act.hpp"

namespace drover::machine {

using litmus::Op;
using mm::Kernel;
using mm::State;
using mm::Step;

Machine::Machine(const litmus::Program& program, const design::Switches& switches,
                 Granularity granularity)
    : program_(program), switches_(switches), granularity_(granularity) {
  lay_out();
  packed_.resize(packed_bytes_ + sizeof(Overrun));
}

bool Machine::may_move(const State& s, unsigned actor) const {
  if (!may_act(program_, s, actor)) return false;
  const litmus::Actor& code = program_.actors[actor];
  return s.actors[actor].depth > 0 || code.kind != litmus::ActorKind::thread ||
         (s.processes[code.process] & mm::kStarted) != 0;
}

// Executes what no other actor can observe, so that it never is a state of its own.
void Machine::skip_local(State& s, unsigned actor) const {
  const litmus::Actor& code = program_.actors[actor];
  if (code.kind != litmus::ActorKind::thread) return;
  mm::Actor& a = s.actors[actor];
  const Kernel k(s, program_, switches_, actor);
  while (a.pc < code.code.size()) {
    const litmus::Instr& i = code.code[a.pc];
    if (i.op == Op::assign) {
      if (i.dst != litmus::kNone) a.regs[i.dst] = k.evaluate(i.value);
      a.pc++;
    } else if (i.op == Op::jump || (i.op == Op::branch_zero && k.evaluate(i.value) == 0)) {
      a.pc = i.target;
    } else if (i.op == Op::branch_zero) {
      a.pc++;
    } else {
      break;
    }
  }
}

void Machine::begin_statement(State& s, unsigned actor) const {
  const litmus::Actor& code = program_.actors[actor];
  const mm::Path path = code.kind == litmus::ActorKind::thread
                            ? path_of(code.code[s.actors[actor].pc].op)
                            : path_of(code.kind);
  s.actors[actor].depth = 1;
  s.actors[actor].stack[0] = mm::Activation{};
  s.actors[actor].stack[0].path = static_cast<std::uint8_t>(path);
}

void Machine::end_statement(Kernel& k) const {
  mm::Actor& a = k.self();
  if ((a.flags & mm::kParked) != 0) return;  // stays at the access that faulted
  if (program_.actors[k.actor].kind == litmus::ActorKind::swap_io) return;  // always ready
  a.pc++;
  skip_local(k.s, k.actor);
}

// A path that blocks after only its own activations changed has not moved at all: whoever waits for
// a lock waits at the statement's begin, or where its last step ended.
bool Machine::only_self_changed(unsigned actor) const {
  const auto* before = reinterpret_cast<const std::byte*>(&base_);
  const auto* after = reinterpret_cast<const std::byte*>(&next_);
  const std::size_t self = offsetof(State, actors) + actor * sizeof(mm::Actor);
  const std::size_t self_end = self + sizeof(mm::Actor);
  for (const Segment& segment : segments_) {
    std::size_t begin = segment.offset;
    const std::size_t end = begin + segment.bytes;
    if (begin < self_end && self < end) {  // this segment overlaps the actor's own record
      if (begin < self && std::memcmp(before + begin, after + begin, self - begin) != 0)
        return false;
      begin = self_end;
    }
    if (begin < end && std::memcmp(before + begin, after + begin, end - begin) != 0) return false;
  }
  return true;
}

// One step of k.actor. Returns false if it cannot move now.
bool Machine::run(Kernel& k) {
  if (k.self().depth == 0) begin_statement(k.s, k.actor);
  for (bool first = true;; first = false) {
    const Step result = run_path(k);
    if (result == Step::blocked) return !first && !only_self_changed(k.actor);
    if (result == Step::done) {
      if (k.self().depth > 0) continue;  // the caller goes on at once
      k.self().result = 0;
      end_statement(k);
      return true;
    }
    k.self().result = 0;
    if (result == Step::yield) return true;
    if (result == Step::fused && granularity_ == Granularity::fine) return true;
  }
}

namespace {

// Threads of a process that is gone will never run: one representative state for all of them.
void bury_threads(State& s, const litmus::Program& program) {
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    const litmus::Actor& code = program.actors[a];
    if (code.kind != litmus::ActorKind::thread) continue;
    if ((s.processes[code.process] & mm::kExited) == 0 || s.actors[a].depth != 0) continue;
    s.actors[a].pc = static_cast<std::uint8_t>(code.code.size());
  }
}

}  // namespace

void Machine::finish_step(Kernel& k) {
  marks_ = k.violated;
  backward_ = k.backward;
  if (raw_) {
    fits_ = fits_ && next_.frames_end <= frames_;
    normal_ = stays_normal();
  } else {
    marks_ |= normalise_next();
    if (symmetry_) to_representative();
    marks_ |= rename_next();
  }
  pack(next_, packed_.data());
}

// What is not the doing of the one who moved, and looks at all of the state. What it looks at is
// written down in views.cpp.
explore::Marks Machine::normalise_next() {
  bury_threads(next_, program_);
  if (dead_values_) {
    dead_values_->clear(next_);  // write_protect_seq as well
  } else {
    forget_wp_seq(next_, program_);
  }
  return violated_invariants(next_, program_, switches_);
}

// image_ becomes the canonical image of next_.
void Machine::make_image(std::uint16_t which) {
  copy_used(next_, image_);
  symmetry_->apply(which, next_, image_);
  Renumbering names;
  canonicalise(image_, program_, frames_, names);
}

// next_ becomes the least of its images that symmetry.hpp asks to compare.
void Machine::to_representative() {
  const auto& candidates = symmetry_->candidates(next_);
  std::uint16_t best = candidates.front();
  if (candidates.size() > 1) least_.clear();
  for (std::size_t i = 0; candidates.size() > 1 && i < candidates.size(); ++i) {
    make_image(candidates[i]);
    pack(image_, packed_.data());
    if (i != 0 && std::memcmp(packed_.data(), least_.data(), packed_bytes_) >= 0) continue;
    least_.assign(packed_.begin(), packed_.end());
    best = candidates[i];
  }
  if (best == 0) return;  // the identity
  copy_used(next_, image_);
  symmetry_->apply(best, next_, image_);
  copy_used(image_, next_);
}

void Machine::image(const std::byte* state, std::uint16_t which, std::byte* out) {
  unpack(state, next_);
  make_image(which);
  pack_exactly(image_, out);
}

explore::Marks Machine::rename_next() {
  return canonicalise(next_, program_, frames_, names_) ? 0 : kLost;
}

explore::Marks Machine::normalise(const std::byte* raw, std::byte* out) {
  unpack(raw, next_);
  const explore::Marks marks = normalise_next();
  pack_exactly(next_, out);
  return marks;
}

explore::Marks Machine::rename(const std::byte* normal, std::byte* out) {
  unpack(normal, next_);
  const explore::Marks marks = rename_next();
  pack_exactly(next_, out);
  return marks;
}

explore::Movers Machine::first_movers(const std::byte* state) {
  if (!ample_) return (explore::Movers{1} << movers()) - 1U;
  unpack(state, base_);
  return ample_->choose(base_);
}

bool Machine::step_device(unsigned job) {
  last_choice_ = true;
  moved_ = device::job_ready(base_, job);
  if (!moved_) return true;
  copy_used(base_, next_);
  Kernel k(next_, program_, switches_, 0);
  k.trace = trace_;
  device::run_job(k, job);
  finish_step(k);
  return true;
}

namespace {

// Choices of one step are numbered mixed-radix, the first one made being the least significant
// digit.
std::array<std::uint8_t, 8> digits_of(unsigned choice, const Kernel& k) {
  std::array<std::uint8_t, 8> digits{};
  for (unsigned c = 0; c < k.choices_made; ++c) {
    digits[c] = static_cast<std::uint8_t>(choice % k.choice_limit[c]);
    choice /= k.choice_limit[c];
  }
  return digits;
}

}  // namespace

// Step number `choice` of the actor. False when the actor cannot move. What choices there are is
// found out by running: a step whose choices were not the wanted ones is run again.
bool Machine::step(unsigned actor, unsigned choice) {
  if (actor >= program_.actors.size()) {
    return step_device(actor - static_cast<unsigned>(program_.actors.size()));
  }
  last_choice_ = true;
  moved_ = false;
  if (!may_move(base_, actor)) return false;
  std::array<std::uint8_t, 8> wanted{};
  for (;;) {
    copy_used(base_, next_);
    if (trace_ != nullptr) trace_->clear();
    Kernel k(next_, program_, switches_, actor);
    k.trace = trace_;
    k.choice = wanted;
    moved_ = run(k);
    wanted = digits_of(choice, k);
    if (wanted != k.choice) continue;
    unsigned combinations = 1;
    for (unsigned c = 0; c < k.choices_made; ++c) combinations *= k.choice_limit[c];
    last_choice_ = choice + 1 >= combinations;
    if (moved_) finish_step(k);
    return true;
  }
}

}  // namespace drover::machine
