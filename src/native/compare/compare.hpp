// What a real kernel did against what the model of that kernel allows. Building and running the
// programs is real_run.hpp; printing is report/.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/program.hpp"
#include "machine/machine.hpp"
#include "native/qemu/guest.hpp"
#include "verdict/check.hpp"

namespace drover::native {

/// What one test did on one kernel, read from its program's output.
struct Observation {
  std::map<machine::Outcome, std::uint64_t> outcomes;  // with how often each was seen
  std::vector<std::string> frames;                     // "drover-pfn" evidence, as printed
  std::vector<std::string> warnings;                   // of the kernel
  std::string skipped;                                 // not runnable on this kernel: why
  std::string failed;                                  // it did not end as it should: how
};

/// Reads the lines of a test program. A line about another hash or a value that is no number is a
/// failure, never ignored.
[[nodiscard]] Observation read_observation(const litmus::Program& program,
                                           const qemu::TestOutput& output);

enum class Agreement : std::uint8_t {
  agrees,        // all that was seen is allowed; of an ordered test: exactly the one prediction
  forbidden,     // something was seen that the model forbids
  not_runnable,  // the test cannot be run there; why
  failed,        // the program or the kernel broke off, or the model's verdict is incomplete; why
};
[[nodiscard]] std::string_view name_of(Agreement agreement);  // "agrees", "FORBIDDEN outcome seen"

struct Comparison {
  std::string test, hash, kernel, design;
  bool ordered = false;
  Agreement agreement = Agreement::not_runnable;
  std::string why;                             // of not_runnable and failed
  std::vector<machine::Outcome> forbidden;     // seen, not allowed
  std::vector<machine::Outcome> not_observed;  // allowed, not seen (racy tests)
  litmus::Verdict predicted = litmus::Verdict::never;
  Observation observed;
  const litmus::Program* program = nullptr;  // must outlive the comparison
};

/// `model` is the result of the kernel's design.
[[nodiscard]] Comparison compare(const litmus::Program& program, bool ordered,
                                 Observation observation, const verdict::CheckResult& model);

}  // namespace drover::native
