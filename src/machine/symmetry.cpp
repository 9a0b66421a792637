// Permuting states; see symmetry.hpp.
#include "machine/symmetry.hpp"

#include <algorithm>
#include <map>

#include "mm/paths.hpp"

namespace drover::machine {

using litmus::kNone;
using mm::State;

namespace {

/// Activation::arg by path, see mm/paths.def.
constexpr std::array kLocals = {
    "",
#define PATH(name, folder, locals) locals,
#include "mm/paths.def"
#undef PATH
};

/// A set of bits, each of which goes where its number goes.
template <std::size_t N>
unsigned permute_bits(unsigned bits, const std::array<std::uint8_t, N>& images) {
  unsigned out = bits >> N << N;
  for (unsigned i = 0; i < N; ++i) {
    if ((bits >> i & 1U) != 0) out |= 1U << images[i];
  }
  return out;
}

void mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
  hash ^= hash >> 29U;
}

}  // namespace

Symmetry::Symmetry(const litmus::Program& program)
    : program_(&program), group_(automorphisms(program, kMostElements)) {
  if (trivial()) return;
  const auto actors = static_cast<std::uint8_t>(program.actors.size());
  for (std::uint8_t actor = 0; actor < actors; ++actor) {
    const auto moves = [&](const Automorphism& a) { return a.actors[actor] != actor; };
    if (std::any_of(group_.begin(), group_.end(), moves)) moved_.push_back(actor);
  }
  for (const Automorphism& a : group_) {
    for (unsigned m = 0; m < program.mms; ++m) moves_mms_ = moves_mms_ || a.mms[m] != m;
  }
  refs_of_.resize(actors);
  jobs_of_.resize(actors);
  for (const litmus::Handle& handle : program.handles) {
    for (unsigned i = 0; i < handle.pages; ++i) {
      refs_of_[handle.actor].push_back(static_cast<std::uint8_t>(handle.first_ref + i));
    }
  }
  for (std::uint8_t a = 0; a < actors; ++a) {
    for (const litmus::Instr& i : program.actors[a].code) {
      const bool posts = i.op == litmus::Op::post_read || i.op == litmus::Op::post_write;
      if (posts) jobs_of_[a].push_back(i.job);
    }
  }
  std::vector<std::uint16_t> all(group_.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  add_node(all, 0);
}

// The permutations `elements` agree on who becomes one of the first `depth` actors that move.
std::uint16_t Symmetry::add_node(std::vector<std::uint16_t> elements, unsigned depth) {
  if (depth == moved_.size()) return elements.front();
  const auto number = static_cast<std::uint16_t>(nodes_.size());
  nodes_.emplace_back();
  std::map<std::uint8_t, std::vector<std::uint16_t>> by_actor;
  for (const std::uint16_t e : elements) {
    const auto& images = group_[e].actors;
    const auto source = std::find(images.begin(), images.end(), moved_[depth]);
    by_actor[static_cast<std::uint8_t>(source - images.begin())].push_back(e);
  }
  for (auto& [actor, rest] : by_actor) {
    const std::uint16_t next = add_node(std::move(rest), depth + 1);
    nodes_[number].push_back({actor, next});
  }
  return number;
}

const std::vector<std::uint16_t>& Symmetry::candidates(const State& s) {
  for (const std::uint8_t actor : moved_) keys_[actor] = key_of(s, actor);
  candidates_.clear();
  descend(0, 0);
  return candidates_;
}

// Least keys first. Of actors that are alike in everything any may come first.
void Symmetry::descend(std::uint16_t node, unsigned depth) {
  if (candidates_.size() == kMostCandidates) return;
  if (depth == moved_.size()) {
    candidates_.push_back(node);
    return;
  }
  const Node& choices = nodes_[node];
  std::uint64_t least = ~std::uint64_t{0};
  for (const Choice& choice : choices) least = std::min(least, keys_[choice.actor].value);
  for (auto choice = choices.begin(); choice != choices.end(); ++choice) {
    const Key& key = keys_[choice->actor];
    const auto alike = [&](const Choice& other) { return keys_[other.actor] == key; };
    if (key.value != least || std::any_of(choices.begin(), choice, alike)) continue;
    descend(choice->next, depth + 1);
  }
}

Symmetry::Key Symmetry::key_of(const State& s, unsigned actor) const {
  const mm::Actor& a = s.actors[actor];
  const litmus::Actor& code = program_->actors[actor];
  Key key;
  mix(key.value, a.pc | static_cast<unsigned>(a.flags) << 8U |
                     static_cast<unsigned>(a.lock) << 16U | static_cast<unsigned>(a.depth) << 24U);
  mix(key.value, static_cast<std::uint8_t>(a.result) |
                     (a.ptl == 0 ? 0U : 1U + (a.ptl - 1U) % litmus::kMaxObjects) << 8U);
  for (unsigned r = 0; r < code.registers.size(); ++r) {
    mix(key.value, static_cast<std::uint8_t>(a.regs[r]));
  }
  for (unsigned d = 0; d < a.depth; ++d) {
    const mm::Activation& act = a.stack[d];
    mix(key.value, act.path | static_cast<unsigned>(act.point) << 8U);
    add_locals(actor, a.pc, act, key);
  }
  add_references(s, actor, key);
  const unsigned process = code.process;
  if (process == kNone) return key;
  const unsigned mm = program_->processes[process].mm;
  for (unsigned p = 0; p < program_->pages; ++p) {
    mix(key.value, s.mms[mm].tlb[p].cpus >> actor & 1U);
  }
  if (moves_mms_) {
    mix(key.value, s.processes[process]);
    add_address_space(s, mm, key);
  }
  return key;
}

void Symmetry::add_locals(unsigned actor, unsigned pc, const mm::Activation& act, Key& key) const {
  const litmus::Actor& code = program_->actors[actor];
  const char* locals = kLocals[act.path];
  for (const std::uint8_t arg : act.arg) {
    const char kind = *locals == '\0' ? '.' : *locals++;
    const unsigned own = kind == 'r'   ? code.code[pc].ref
                         : kind == 'm' ? program_->processes[code.process].mm
                                       : 0U;
    mix(key.value, unsigned{arg} - own);
  }
  for (const std::uint8_t frame : act.frame) add_frame(frame, key);
}

// A frame number is no part of what an actor looks like, but whether there is one.
void Symmetry::add_frame(std::uint8_t frame, Key& key) {
  mix(key.value, frame < mm::kFirstFrame ? frame : mm::kFirstFrame);
  mix(key.frames, frame);
}

void Symmetry::add_references(const State& s, unsigned actor, Key& key) const {
  for (const std::uint8_t r : refs_of_[actor]) {
    const mm::Ref& ref = s.refs[r];
    mix(key.value, ref.page | static_cast<unsigned>(ref.flags) << 8U |
                       static_cast<unsigned>(static_cast<std::uint8_t>(ref.value)) << 16U);
    add_frame(ref.frame, key);
  }
  for (const std::uint8_t j : jobs_of_[actor]) {
    const mm::Job& job = s.jobs[j];
    mix(key.value, static_cast<unsigned>(job.state) |
                       static_cast<unsigned>(static_cast<std::uint8_t>(job.value)) << 8U);
    add_frame(job.frame, key);
  }
}

void Symmetry::add_address_space(const State& s, unsigned mm, Key& key) const {
  const mm::Mm& m = s.mms[mm];
  mix(key.value, m.flags | static_cast<unsigned>(m.wp_seq) << 8U |
                     static_cast<unsigned>(m.vma_write_locked) << 16U);
  for (unsigned p = 0; p < program_->pages; ++p) {
    mix(key.value, m.vma[p] | static_cast<unsigned>(m.pte[p].bits) << 8U |
                       static_cast<unsigned>(m.tlb[p].bits) << 16U);
    add_frame(m.pte[p].frame, key);
    add_frame(m.tlb[p].frame, key);
  }
}

void Symmetry::permute_actor(const Automorphism& by, unsigned actor, mm::Actor& a) const {
  if (a.lock != mm::LockKind::none) a.lock_mm = by.mms[a.lock_mm];
  if (a.ptl != 0) {
    const unsigned mm = (a.ptl - 1U) / litmus::kMaxObjects;
    const unsigned object = (a.ptl - 1U) % litmus::kMaxObjects;
    a.ptl = static_cast<std::uint8_t>(1U + by.mms[mm] * litmus::kMaxObjects + object);
  }
  const auto& code = program_->actors[actor].code;
  for (unsigned d = 0; d < a.depth; ++d) {
    mm::Activation& act = a.stack[d];
    const char* locals = kLocals[act.path];
    for (unsigned i = 0; locals[i] != '\0'; ++i) {
      if (locals[i] == 'm') act.arg[i] = by.mms[act.arg[i]];
      if (locals[i] == 'r' && act.arg[i] != kNone) {  // also behind the last slot of the handle
        const std::uint8_t slot = code[a.pc].ref;
        act.arg[i] = static_cast<std::uint8_t>(act.arg[i] + by.refs[slot] - slot);
      }
    }
  }
}

void Symmetry::apply(std::uint16_t which, const State& from, State& to) const {
  const Automorphism& by = group_[which];
  to.events = static_cast<std::uint16_t>(permute_bits(from.events, by.events));
  for (unsigned a = 0; a < program_->actors.size(); ++a) {
    mm::Actor& actor = to.actors[by.actors[a]];
    actor = from.actors[a];
    permute_actor(by, a, actor);
  }
  for (unsigned r = 0; r < program_->refs; ++r) to.refs[by.refs[r]] = from.refs[r];
  for (unsigned j = 0; j < program_->jobs; ++j) to.jobs[by.jobs[j]] = from.jobs[j];
  for (unsigned p = 0; p < program_->processes.size(); ++p) {
    to.processes[by.processes[p]] = from.processes[p];
  }
  for (unsigned m = 0; m < program_->mms; ++m) {
    mm::Mm& mm = to.mms[by.mms[m]];
    mm = from.mms[m];
    if (mm.forking != 0) mm.forking = static_cast<std::uint8_t>(by.mms[mm.forking - 1U] + 1U);
    for (unsigned p = 0; p < program_->pages; ++p) {
      mm.tlb[p].cpus = static_cast<std::uint16_t>(permute_bits(mm.tlb[p].cpus, by.actors));
    }
  }
  if (!moves_mms_) return;
  const auto permute_words = [&](auto& words) {
    for (mm::Word& word : words) {
      word.audience = static_cast<std::uint8_t>(permute_bits(word.audience, by.mms));
    }
  };
  for (unsigned f = 0; f < to.frames_end; ++f) permute_words(to.frames[f].words);
  if ((program_->features & litmus::kFeatureFiles) == 0) return;
  for (unsigned p = 0; p < program_->pages; ++p) permute_words(to.files[p].disk);
}

}  // namespace drover::machine
