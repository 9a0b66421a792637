// Kernel: what a path sees while one actor makes one step: the state, the program, the policy.
// Also how a path says where its step ends. Locks, page counts and TLBs are in files of their own.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "design/design.hpp"
#include "litmus/program.hpp"
#include "mm/state.hpp"

namespace drover::mm {

/// The paths by name; see paths.def.
enum class Path : std::uint8_t {
  none,
#define PATH(name, folder, locals) name,
#include "mm/paths.def"
#undef PATH
};

/// How a path ends one turn of its resume-point switch.
enum class Step : std::uint8_t {
  fused,    // what follows is protected by a lock held: a new step only under --granularity=fine
  yield,    // a preemption point: another actor can observe or change what follows
  blocked,  // cannot go on (a lock, an event); nothing was changed in this turn
  called,   // another path was entered or replaced this one
  done,     // the path returned; Kernel::result() holds its result
};

// errno values, as in include/uapi/asm-generic/errno-base.h.
inline constexpr int kEPERM = 1, kENOENT = 2, kESRCH = 3, kEAGAIN = 11, kENOMEM = 12, kEACCES = 13,
                     kEFAULT = 14, kEBUSY = 16, kEEXIST = 17, kEINVAL = 22, kENOSYS = 38,
                     kEOPNOTSUPP = 95, kEREMOTEIO = 121;

/// One actor's view of the kernel during one step. Paths change `s` only through this step.
class Kernel {
 public:
  Kernel(State& state, const litmus::Program& litmus_program, const design::Switches& switches,
         unsigned acting)
      : s(state), program(litmus_program), policy(switches), actor(acting) {}

  State& s;
  const litmus::Program& program;
  const design::Switches& policy;
  const unsigned actor;

  // --- Where the actor stands -------------------------------------------------------------------
  [[nodiscard]] Actor& self() { return s.actors[actor]; }
  [[nodiscard]] Activation& activation() { return self().stack[self().depth - 1U]; }
  /// The activation that called the current one.
  [[nodiscard]] Activation& caller() { return self().stack[self().depth - 2U]; }
  [[nodiscard]] const litmus::Actor& code() const { return program.actors[actor]; }
  /// The statement being executed (not for daemons).
  [[nodiscard]] const litmus::Instr& instr() const {
    return program.actors[actor].code[s.actors[actor].pc];
  }
  [[nodiscard]] unsigned process() const { return program.actors[actor].process; }
  /// The actor's own address space.
  [[nodiscard]] unsigned mm() const { return program.processes[process()].mm; }
  [[nodiscard]] unsigned mm_of(unsigned process_index) const {
    return program.processes[process_index].mm;
  }
  [[nodiscard]] unsigned object_of(unsigned page) const { return program.object_of[page]; }
  [[nodiscard]] unsigned words_of(unsigned page) const {
    return static_cast<unsigned>(program.objects[program.object_of[page]].words.size());
  }
  [[nodiscard]] Pte& pte(unsigned mm_index, unsigned page) { return s.mms[mm_index].pte[page]; }
  [[nodiscard]] std::uint8_t& vma(unsigned mm_index, unsigned page) {
    return s.mms[mm_index].vma[page];
  }

  // --- How a step ends --------------------------------------------------------------------------
  /// Continue at `point`; a step ends here only under --granularity=fine.
  Step fused(unsigned point);
  /// The step ends; the next one of this actor continues at `point`.
  Step yield(unsigned point);
  /// Nothing can be done now. Only before anything was changed in this turn.
  Step blocked() { return Step::blocked; }
  /// The path returns `result` (0 or more: success, negative: -errno).
  Step done(int result = 0);
  /// Enters `path`; this path resumes at `resume` when it returns.
  Step call(Path path, unsigned resume, std::initializer_list<unsigned> args);
  /// Replaces the current path by `path` (a tail call); locals `frame` are kept.
  Step become(Path path, std::initializer_list<unsigned> args);
  /// Result of the path called last.
  [[nodiscard]] int result() { return self().result; }

  /// A non-deterministic choice among 0 .. n-1; the machine explores all of them.
  unsigned choose(unsigned n);

  // --- What the step shows ----------------------------------------------------------------------
  void violate(litmus::Property p) { violated |= 1U << static_cast<unsigned>(p); }
  std::uint32_t violated = 0;
  /// The path went back to an earlier resume point: runs through here may be cyclic.
  void mark_backward() { backward = true; }
  bool backward = false;

  [[nodiscard]] bool tracing() const { return trace != nullptr; }
  /// Adds a line to the witness text. Guard by tracing() where the arguments cost anything.
  template <class... A>
  void say(fmt::format_string<A...> format, A&&... a) {
    if (trace != nullptr) trace->push_back(fmt::format(format, std::forward<A>(a)...));
  }
  std::vector<std::string>* trace = nullptr;

  // --- Expressions and registers ----------------------------------------------------------------
  [[nodiscard]] std::int8_t evaluate(const litmus::Expr& e) const;
  void set_register(unsigned index, int value) {
    if (index != kNone) self().regs[index] = static_cast<std::int8_t>(value);
  }

  // Choices: set by the machine before the step; see choose().
  std::array<std::uint8_t, 8> choice{}, choice_limit{};
  unsigned choices_made = 0;
};

}  // namespace drover::mm
