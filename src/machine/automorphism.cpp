// The search for automorphisms; see automorphism.hpp. One actor after the other gets an image, and
// what follows from it for all that its statements name is written down until something is named
// twice.
#include "machine/automorphism.hpp"

#include <algorithm>
#include <optional>

namespace drover::machine {
namespace {

using litmus::Actor;
using litmus::ActorKind;
using litmus::Atom;
using litmus::Expr;
using litmus::Instr;
using litmus::kNone;
using litmus::Op;

/// One part of a permutation that is yet to be found.
template <std::size_t N>
class Mapping {
 public:
  Mapping() {
    to_.fill(kNone);
    from_.fill(kNone);
  }
  /// Whether `a` may become `b`, now that it does.
  bool bind(std::uint8_t a, std::uint8_t b) {
    if (a == kNone || b == kNone) return a == b;
    if (to_[a] == kNone && from_[b] == kNone) {
      to_[a] = b;
      from_[b] = a;
    }
    return to_[a] == b;
  }
  /// What nobody names stays.
  bool complete() {
    for (std::size_t i = 0; i < N; ++i) {
      const auto same = static_cast<std::uint8_t>(i);
      if (to_[i] == kNone && !bind(same, same)) return false;
    }
    return true;
  }
  [[nodiscard]] const std::array<std::uint8_t, N>& images() const { return to_; }
  [[nodiscard]] std::uint8_t operator[](std::size_t i) const { return to_[i]; }
  [[nodiscard]] bool taken(std::uint8_t b) const { return from_[b] != kNone; }
  [[nodiscard]] bool moves() const {
    for (std::size_t i = 0; i < N; ++i) {
      if (to_[i] != kNone && to_[i] != i) return true;
    }
    return false;
  }

 private:
  std::array<std::uint8_t, N> to_, from_;
};

bool same(const Expr& a, const Expr& b) {
  return a.a == b.a && a.fn == b.fn && a.b == b.b;
}

/// Equal but for what may be permuted.
bool same_operands(const Instr& a, const Instr& b) {
  return a.op == b.op && a.dst == b.dst && a.page == b.page && a.pages == b.pages &&
         a.to_page == b.to_page && a.word == b.word && a.target == b.target && a.foll == b.foll &&
         a.prot == b.prot && a.gup == b.gup && a.advice == b.advice &&
         a.writable_mr == b.writable_mr && a.copies == b.copies && same(a.value, b.value);
}

/// A permutation in the making.
class Candidate {
 public:
  explicit Candidate(const litmus::Program& program) : program_(&program) {}

  [[nodiscard]] bool taken(std::uint8_t actor) const { return actors_.taken(actor); }

  /// Whether actor `a` may become `b`, now that it does.
  bool bind_actor(std::uint8_t a, std::uint8_t b) {
    const Actor& from = program_->actors[a];
    const Actor& to = program_->actors[b];
    const std::size_t mains = program_->processes.size();
    if (!actors_.bind(a, b) || from.kind != to.kind) return false;
    if (from.kind != ActorKind::thread) return a == b;
    if ((a < mains) != (b < mains) || from.code.size() != to.code.size()) return false;
    if (from.registers.size() != to.registers.size() || !bind_process(from.process, to.process)) {
      return false;
    }
    return std::equal(from.code.begin(), from.code.end(), to.code.begin(),
                      [&](const Instr& i, const Instr& j) { return bind_statement(i, j); });
  }

  /// After all actors: what is still missing, and whether it fits.
  std::optional<Automorphism> complete() {
    if (!refs_.complete() || !jobs_.complete() || !events_.complete() || !fits_processes() ||
        !processes_.complete() || !mms_.complete() || !actors_.complete()) {
      return {};
    }
    Automorphism found{actors_.images(),
                       processes_.images(),
                       mms_.images(),
                       refs_.images(),
                       jobs_.images(),
                       events_.images(),
                       {}};
    for (const Atom& atom : program_->condition.atoms) {
      const auto& atoms = program_->condition.atoms;
      const auto image = std::find_if(atoms.begin(), atoms.end(),
                                      [&](const Atom& other) { return becomes(atom, other); });
      if (image == atoms.end()) return {};
      found.atoms.push_back(static_cast<std::uint8_t>(image - atoms.begin()));
    }
    return found;
  }
  [[nodiscard]] bool moves_mms() const { return mms_.moves(); }

 private:
  bool bind_process(std::uint8_t a, std::uint8_t b) {
    if (a == kNone || b == kNone) return a == b;
    return processes_.bind(a, b) && mms_.bind(program_->processes[a].mm, program_->processes[b].mm);
  }

  bool bind_statement(const Instr& a, const Instr& b) {
    return same_operands(a, b) && bind_handle(a.ref, b.ref) && jobs_.bind(a.job, b.job) &&
           events_.bind(a.event, b.event) && bind_process(a.process, b.process);
  }

  /// A handle keeps its slots in order.
  bool bind_handle(std::uint8_t a, std::uint8_t b) {
    if (a == kNone || b == kNone) return a == b;
    const litmus::Handle& from = program_->handle_of(a);
    const litmus::Handle& to = program_->handle_of(b);
    if (a - from.first_ref != b - to.first_ref || from.pages != to.pages || from.op != to.op ||
        from.first_page != to.first_page || from.copies != to.copies) {
      return false;
    }
    for (unsigned i = 0; i < from.pages; ++i) {
      const auto slot = static_cast<std::uint8_t>(from.first_ref + i);
      const auto image = static_cast<std::uint8_t>(to.first_ref + i);
      if (!refs_.bind(slot, image)) return false;
    }
    return bind_process(from.process, to.process);
  }

  /// Whether forks, address spaces and what is mapped at the start are what they were.
  [[nodiscard]] bool fits_processes() {
    for (std::size_t p = 0; p < program_->processes.size(); ++p) {
      const litmus::Process& from = program_->processes[p];
      const litmus::Process& to = program_->processes[processes_[p]];
      if (from.vforked != to.vforked || !bind_process(from.parent, to.parent)) return false;
    }
    return std::all_of(program_->objects.begin(), program_->objects.end(), [&](const auto& object) {
      return object.state == litmus::InitialPage::unmapped ||
             processes_[object.process] == object.process;
    });
  }

  [[nodiscard]] bool becomes(const litmus::FramePlace& a, const litmus::FramePlace& b) const {
    if (a.is_ref != b.is_ref) return false;
    return a.is_ref ? refs_[a.ref] == b.ref
                    : processes_[a.process] == b.process && a.page == b.page;
  }
  [[nodiscard]] bool becomes(const Atom& a, const Atom& b) const {
    if (a.kind != b.kind) return false;
    switch (a.kind) {
      case litmus::AtomKind::reg:
        return actors_[a.actor] == b.actor && a.reg == b.reg;
      case litmus::AtomKind::memory:
        return processes_[a.process] == b.process && a.page == b.page && a.word == b.word;
      case litmus::AtomKind::sigsegv:
      case litmus::AtomKind::sigbus:
        return processes_[a.process] == b.process;
      case litmus::AtomKind::same_frame:
        return (becomes(a.left, b.left) && becomes(a.right, b.right)) ||
               (becomes(a.left, b.right) && becomes(a.right, b.left));
      case litmus::AtomKind::disk:
        return a.page == b.page && a.word == b.word;
    }
    return false;
  }

  const litmus::Program* program_;
  Mapping<litmus::kMaxActors> actors_;
  Mapping<litmus::kMaxProcesses> processes_, mms_;
  Mapping<litmus::kMaxRefs> refs_;
  Mapping<litmus::kMaxJobs> jobs_;
  Mapping<litmus::kMaxEvents> events_;
};

/// Kernel paths that go through address spaces in the order of their numbers, and let others in
/// between (rmap walks, most of all): there address spaces are not interchangeable.
bool orders_mms(const Instr& i) {
  switch (i.op) {
    case Op::move_pages:
    case Op::swapoff:
    case Op::uffd_move:
    case Op::ksm_scan:
    case Op::truncate:
    case Op::punch_hole:
    case Op::fsync:
    case Op::crash:
      return true;
    case Op::madvise:
      return i.advice == litmus::Advice::pageout || i.advice == litmus::Advice::free ||
             i.advice == litmus::Advice::unmergeable || i.advice == litmus::Advice::collapse;
    default:
      return false;
  }
}

bool orders_mms(const litmus::Program& program) {
  constexpr unsigned kOrdering = litmus::kFeatureSwap | litmus::kFeatureMigration |
                                 litmus::kFeatureHuge | litmus::kFeatureZones;
  return (program.features & kOrdering) != 0 ||
         std::any_of(program.actors.begin(), program.actors.end(), [](const Actor& actor) {
           const bool daemon = actor.kind != ActorKind::thread;
           return (daemon && actor.kind != ActorKind::speculate) ||
                  std::any_of(actor.code.begin(), actor.code.end(),
                              [](const Instr& i) { return orders_mms(i); });
         });
}

class Search {
 public:
  Search(const litmus::Program& program, unsigned most)
      : program_(program), most_(most), mms_stay_(orders_mms(program)) {}

  /// False if there are more than `most`. The first `fixed` actors stay who they are.
  bool run(unsigned fixed) {
    fixed_ = fixed;
    found_.clear();
    return extend(Candidate(program_), 0);
  }
  std::vector<Automorphism> found() { return std::move(found_); }

 private:
  bool extend(const Candidate& candidate, std::uint8_t actor) {
    if (actor == program_.actors.size()) {
      Candidate whole = candidate;
      auto complete = whole.complete();
      if (!complete || (mms_stay_ && whole.moves_mms())) return true;
      if (found_.size() == most_) return false;
      found_.push_back(*std::move(complete));
      return true;
    }
    const std::uint8_t first = actor < fixed_ ? actor : std::uint8_t{0};
    const auto end = actor < fixed_ ? actor + 1U : program_.actors.size();
    for (std::uint8_t image = first; image < end; ++image) {
      Candidate next = candidate;
      if (next.taken(image) || !next.bind_actor(actor, image)) continue;
      if (!extend(next, static_cast<std::uint8_t>(actor + 1))) return false;
    }
    return true;
  }

  const litmus::Program& program_;
  unsigned most_, fixed_ = 0;
  bool mms_stay_;
  std::vector<Automorphism> found_;
};

}  // namespace

std::vector<Automorphism> automorphisms(const litmus::Program& program, unsigned most) {
  Search search(program, most);
  unsigned fixed = 0;
  while (!search.run(fixed)) ++fixed;  // those that leave some actors alone are a group as well
  return search.found();
}

}  // namespace drover::machine
