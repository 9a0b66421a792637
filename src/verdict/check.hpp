// check(): one litmus test under one design, exhaustively: its outcomes, its verdict, the
// properties it violates. How that compares with what the test expects is in expectation.hpp; the
// runs that show it are in witness.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "design/design.hpp"
#include "explore/search_types.hpp"
#include "litmus/program.hpp"
#include "machine/machine.hpp"

namespace drover::verdict {

/// A check that can be killed and go on.
struct CheckpointOptions {
  std::string file;     // empty: none. If it is there, the check goes on from it
  double every = 60;    // seconds
  std::string version;  // of the program; a checkpoint of another one is refused
  std::function<void(const std::string&)> say;  // what became of the checkpoints
};

/// How states are visited. Only exhaustive searches are ever complete; the others are for state
/// spaces beyond memory (explore/sampling.hpp).
enum class Mode : std::uint8_t { exhaustive, fingerprints, bitstate, walks, swarm };

struct CheckOptions {
  Mode mode = Mode::exhaustive;
  std::uint64_t runs = 0, seed = 1;  // walks, or searches of the swarm
  machine::Granularity granularity = machine::Granularity::coarse;
  double time_limit = std::numeric_limits<double>::infinity();  // seconds
  std::uint64_t memory_limit = explore::kUnlimited;             // bytes of stored states
  std::uint64_t state_limit = explore::kUnlimited;
  unsigned threads = 1;  // of this one search
  std::uint64_t remember_after = explore::SearchOptions{}.remember_after;
  bool reduction = false;  // leave out steps whose order does not matter (machine/ample.hpp)
  bool symmetry = false;   // one state for all that differ in which thread is which
  bool audit = false;      // search again without either; a difference throws
  bool first = false;      // stop when a property is violated
  explore::StateStore* arena = nullptr;  // memory to reuse from check to check, one for each thread
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const explore::Progress&)> progress;
  CheckpointOptions checkpoint;
};

struct CheckResult {
  std::string design;
  /// Always, Sometimes, Never over all final states; unsupported when the design lacks an
  /// operation. Of an incomplete search: what was seen so far, and never to be shown as a verdict.
  litmus::Verdict verdict = litmus::Verdict::never;
  std::string unsupported;  // which operation, if the verdict is unsupported
  explore::Incomplete incomplete = explore::Incomplete::none;
  std::string incomplete_reason;  // "time limit", "page frames used up", ...; empty: complete
  std::map<machine::Outcome, std::uint64_t> outcomes;  // final states by outcome, see same_outcomes
  std::uint64_t positive = 0, negative = 0;  // final states that satisfy the proposition, and not
  std::uint32_t violated = 0;                // bit per litmus::Property
  std::uint64_t states = 0, transitions = 0;
  std::uint32_t depth = 0;         // steps of the longest shortest run
  std::uint64_t memory = 0;        // bytes of the state store and of what is remembered of steps
  std::uint64_t state_bytes = 0;   // bytes of one packed state
  std::uint64_t interchanges = 1;  // how many states one stands for at most, by symmetry
  double seconds = 0;

  [[nodiscard]] bool complete() const { return incomplete_reason.empty(); }
  [[nodiscard]] bool violates(litmus::Property p) const {
    return (violated >> static_cast<unsigned>(p) & 1U) != 0;
  }
};

/// The operation of `program` that `design` lacks, or "".
[[nodiscard]] std::string unsupported_operation(const litmus::Program& program,
                                                const design::Design& design);

/// Never throws on any program; a model limit that is hit makes the result incomplete. With
/// CheckOptions::audit, throws std::logic_error if the reduction changed the result (a bug).
[[nodiscard]] CheckResult check(const litmus::Program& program, const design::Design& design,
                                const CheckOptions& options = {});

/// Whether the same outcomes were seen, however many final states have each: with the reduction
/// final states that differ in nothing anybody will look at are one.
[[nodiscard]] bool same_outcomes(const CheckResult& a, const CheckResult& b);

/// Why the check cannot go on from the checkpoint that is there, or "". It throws
/// std::invalid_argument with that.
[[nodiscard]] std::string checkpoint_refusal(const litmus::Program& program,
                                             const design::Design& design,
                                             const CheckOptions& options);

/// "parent:r=0;" ... as herd prints a state: each atom and its value.
[[nodiscard]] std::string to_string(const litmus::Condition& condition,
                                    const machine::Outcome& outcome);

}  // namespace drover::verdict
