// Small hand-made tests, designs and results, so that what a report should say is known beforehand.
#pragma once

#include <string>
#include <utility>

#include "report/run.hpp"

namespace drover::report {

/// One process `parent` with one register r, one page `buf` with words x and y; ~exists (parent:r =
/// 0).
inline litmus::Program sample_program(std::string name = "sample") {
  litmus::Program program;
  program.name = std::move(name);
  program.file = program.name + ".litmus";
  program.hash = "0123456789abcdef0123456789abcdef";
  litmus::Object buf;
  buf.name = "buf";
  buf.words = {"x", "y"};
  program.objects = {buf};
  program.pages = 1;
  program.mms = 1;
  litmus::Process parent;
  parent.name = "parent";
  program.processes = {parent};
  litmus::Actor actor;
  actor.name = "parent";
  actor.process = 0;
  actor.registers = {"r"};
  program.actors = {actor};
  litmus::Atom atom;
  atom.kind = litmus::AtomKind::reg;
  atom.name = "parent:r";
  program.condition.atoms = {atom};
  litmus::CondNode is_zero;
  is_zero.op = litmus::CondOp::equal;
  is_zero.value = 0;
  program.condition.nodes = {is_zero};
  program.condition.quantifier = litmus::Quantifier::not_exists;
  program.condition.text = "(parent:r = 0)";
  return program;
}

inline design::Design sample_kernel(const std::string& version, unsigned release) {
  design::Design design;
  design.name = "linux-" + version;
  design.title = "Linux " + version;
  design.release = release;
  design.provenance.resize(design::switch_list().size());
  return design;
}

inline design::Design sample_proposal(const std::string& name) {
  design::Design design;
  design.name = name;
  design.title = "A proposal";
  design.provenance.resize(design::switch_list().size());
  return design;
}

/// A complete result with the counts given: outcome r=0 `positive` times, r=7 `negative` times.
inline verdict::CheckResult sample_result(std::uint64_t positive, std::uint64_t negative) {
  verdict::CheckResult result;
  result.positive = positive;
  result.negative = negative;
  if (positive > 0) result.outcomes[{0}] = positive;
  if (negative > 0) result.outcomes[{7}] = negative;
  result.verdict = positive == 0   ? litmus::Verdict::never
                   : negative == 0 ? litmus::Verdict::always
                                   : litmus::Verdict::sometimes;
  result.states = 42;
  return result;
}

/// A run that is as expected.
inline Run sample_run(const litmus::Program& program, const design::Design& design,
                      verdict::CheckResult result) {
  Run run;
  run.program = &program;
  run.design = &design;
  run.expected.verdict = result.verdict;
  run.result = std::move(result);
  return run;
}

inline Run incomplete(Run run, const std::string& why) {
  run.result.incomplete_reason = why;
  run.result.incomplete = explore::Incomplete::time;
  return run;
}

constexpr std::uint32_t bit(litmus::Property property) {
  return 1U << static_cast<unsigned>(property);
}

}  // namespace drover::report
