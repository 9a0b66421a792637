// Final states: are all actors through, what do the condition's atoms say, and the text of a step.
#include <algorithm>

#include "machine/machine.hpp"
#include "mm/swap.hpp"

namespace drover::machine {

using litmus::Atom;
using litmus::AtomKind;
using mm::State;

bool Machine::finished(const State& s) const {
  for (unsigned a = 0; a < program_.actors.size(); ++a) {
    const litmus::Actor& code = program_.actors[a];
    const mm::Actor& actor = s.actors[a];
    if (actor.depth > 0) return false;
    if (code.kind != litmus::ActorKind::thread) continue;  // a daemon need not act
    const std::uint8_t process = s.processes[code.process];
    if ((process & mm::kStarted) == 0 || (process & mm::kExited) != 0) continue;
    if ((actor.flags & mm::kParked) == 0 && actor.pc < code.code.size()) return false;
  }
  return true;
}

namespace {

std::uint8_t frame_at(const State& s, const litmus::Program& program,
                      const litmus::FramePlace& place) {
  if (place.is_ref) return s.refs[place.ref].frame;
  return s.mms[program.processes[place.process].mm].pte[place.page].frame;
}

std::int16_t value_of(const State& s, const litmus::Program& program, const Atom& atom) {
  switch (atom.kind) {
    case AtomKind::reg:
      return s.actors[atom.actor].regs[atom.reg];
    case AtomKind::memory: {
      const auto* words = mm::contents_of(s, program.processes[atom.process].mm, atom.page);
      return words == nullptr ? kUnmapped : (*words)[atom.word].value;
    }
    case AtomKind::sigsegv:
      return (s.processes[atom.process] & mm::kSigsegv) != 0 ? 1 : 0;
    case AtomKind::sigbus:
      return (s.processes[atom.process] & mm::kSigbus) != 0 ? 1 : 0;
    case AtomKind::disk: {
      const mm::FilePage& file = s.files[atom.page];
      const bool direct = program.object(atom.page).backing == litmus::Backing::dax;
      const bool there = direct && file.frame != mm::kNoFrame;
      return (there ? s.frames[file.frame].words : file.disk)[atom.word].value;
    }
    case AtomKind::same_frame: {
      const std::uint8_t left = frame_at(s, program, atom.left);
      return left != mm::kNoFrame && left == frame_at(s, program, atom.right) ? 1 : 0;
    }
  }
  return 0;
}

bool evaluate(const litmus::Condition& c, const Outcome& outcome, unsigned index) {
  const litmus::CondNode& node = c.nodes[index];
  switch (node.op) {
    case litmus::CondOp::constant:
      return node.value != 0;
    case litmus::CondOp::equal:
      return outcome[node.atom] == node.value;
    case litmus::CondOp::not_equal:  // nothing mapped is no value at all
      return outcome[node.atom] != kUnmapped && outcome[node.atom] != node.value;
    case litmus::CondOp::land:
      return evaluate(c, outcome, node.left) && evaluate(c, outcome, node.right);
    case litmus::CondOp::lor:
      return evaluate(c, outcome, node.left) || evaluate(c, outcome, node.right);
    case litmus::CondOp::lnot:
      return !evaluate(c, outcome, node.left);
  }
  return false;
}

}  // namespace

Outcome Machine::outcome(const State& s) const {
  Outcome values(program_.condition.atoms.size());
  std::transform(program_.condition.atoms.begin(), program_.condition.atoms.end(), values.begin(),
                 [&](const Atom& atom) { return value_of(s, program_, atom); });
  return values;
}

std::vector<Outcome> Machine::outcomes(const State& s) const {
  std::vector<Outcome> all{outcome(s)};
  if (!symmetry_) return all;
  Outcome image(all.front().size());
  for (const Automorphism& by : symmetry_->group()) {
    for (std::size_t i = 0; i < image.size(); ++i) image[by.atoms[i]] = all.front()[i];
    if (std::find(all.begin(), all.end(), image) == all.end()) all.push_back(image);
  }
  return all;
}

bool Machine::holds(const Outcome& outcome) const {
  return evaluate(program_.condition, outcome, program_.condition.root);
}

explore::Marks Machine::terminal(const std::byte* state) {
  unpack(state, base_);
  if (!finished(base_)) return 1U << static_cast<unsigned>(litmus::Property::progress);
  explore::Marks marks = 0;
  for (const Outcome& seen : outcomes(base_)) {
    marks |= holds(seen) ? kMarkConditionTrue : kMarkConditionFalse;
  }
  if (!balanced(base_, program_, switches_)) {
    marks |= 1U << static_cast<unsigned>(litmus::Property::balance);
  }
  if ((program_.features & litmus::kFeatureFiles) != 0 && !durable(base_, program_)) {
    marks |= 1U << static_cast<unsigned>(litmus::Property::durability);
  }
  return marks;
}

StepText Machine::describe(const std::byte* state, explore::Action action) {
  StepText text;
  text.actor = action.actor;
  unpack(state, base_);
  trace_ = &text.notes;
  step(action.actor, action.choice);
  trace_ = nullptr;
  text.frames = names_;
  if (action.actor >= program_.actors.size()) {
    text.statement = "the device executes the posted operation";
    return text;
  }
  const litmus::Actor& code = program_.actors[action.actor];
  if (code.kind != litmus::ActorKind::thread) {
    text.statement = code.name;
    return text;
  }
  const litmus::Instr& i = code.code[base_.actors[action.actor].pc];
  text.statement = i.text;
  text.line = i.line;
  return text;
}

}  // namespace drover::machine
