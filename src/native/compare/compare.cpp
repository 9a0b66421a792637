// What a real kernel did against what the model allows; see compare.hpp.
#include "native/compare/compare.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace drover::native {
namespace {

constexpr int kSkipped = 77;  // the exit status of a program that cannot run here

// "drover-outcome NAME HASH n=COUNT ATOM=VALUE ..."; atoms may contain blanks, so each is searched
// for by its name, in their order.
std::optional<std::pair<machine::Outcome, std::uint64_t>> read_outcome(
    const litmus::Program& program, std::string_view line) {
  const auto number_at = [&](std::size_t at) -> std::optional<std::int64_t> {
    std::int64_t value = 0;
    const auto end = std::from_chars(line.data() + at, line.data() + line.size(), value);
    if (end.ec != std::errc()) return std::nullopt;
    return value;
  };
  std::size_t at = line.find(" n=");
  if (at == std::string_view::npos) return std::nullopt;
  const auto count = number_at(at + 3);
  if (!count || line.find(program.hash) == std::string_view::npos) return std::nullopt;
  machine::Outcome outcome;
  for (const litmus::Atom& atom : program.condition.atoms) {
    const std::string label = " " + atom.name + "=";
    at = line.find(label, at);
    if (at == std::string_view::npos) return std::nullopt;
    at += label.size();
    if (line.substr(at).starts_with("unmapped")) {
      outcome.push_back(machine::kUnmapped);
      continue;
    }
    const auto value = number_at(at);
    if (!value) return std::nullopt;
    outcome.push_back(static_cast<std::int16_t>(*value));
  }
  return std::pair{outcome, static_cast<std::uint64_t>(*count)};
}

// The rest of a line after "KEYWORD NAME ".
std::string text_after_name(std::string_view line, std::string_view keyword) {
  line.remove_prefix(keyword.size());
  const std::size_t blank = line.find(' ', line.find_first_not_of(' '));
  return std::string(blank == std::string_view::npos ? line : line.substr(blank + 1));
}

std::string ending_text(const qemu::TestOutput& output) {
  if (output.ending == qemu::Ending::exited) {
    return fmt::format("its program exited with status {}", output.status);
  }
  std::string text(qemu::name_of(output.ending));
  if (!output.why.empty()) text += ": " + output.why;
  return text;
}

}  // namespace

std::string_view name_of(Agreement agreement) {
  switch (agreement) {
    case Agreement::agrees:
      return "agrees";
    case Agreement::forbidden:
      return "FORBIDDEN outcome seen";
    case Agreement::not_runnable:
      return "not runnable";
    case Agreement::failed:
      return "failed";
  }
  return "";
}

Observation read_observation(const litmus::Program& program, const qemu::TestOutput& output) {
  Observation seen;
  seen.warnings = output.warnings;
  for (const std::string& line : output.lines) {
    if (line.starts_with("drover-outcome ")) {
      const auto outcome = read_outcome(program, line);
      if (outcome) {
        seen.outcomes[outcome->first] += outcome->second;
      } else if (seen.failed.empty()) {
        seen.failed = "unreadable output: " + line;
      }
    } else if (line.starts_with("drover-pfn ")) {
      seen.frames.push_back(text_after_name(line, "drover-pfn "));
    } else if (line.starts_with("drover-skip ")) {
      seen.skipped = text_after_name(line, "drover-skip ");
    } else if (line.starts_with("drover-error ") && seen.failed.empty()) {
      seen.failed = text_after_name(line, "drover-error ");
    }
  }
  const bool exited = output.ending == qemu::Ending::exited;
  if (exited && output.status == kSkipped && seen.skipped.empty()) seen.skipped = "no reason given";
  const bool ran = exited && (output.status == 0 || output.status == kSkipped);
  if (!ran && seen.failed.empty()) seen.failed = ending_text(output);
  if (ran && seen.skipped.empty() && seen.outcomes.empty() && seen.failed.empty()) {
    seen.failed = "its program printed no outcome";
  }
  return seen;
}

Comparison compare(const litmus::Program& program, bool ordered, Observation observation,
                   const verdict::CheckResult& model) {
  Comparison result;
  result.test = program.name;
  result.hash = program.hash;
  result.design = model.design;
  result.ordered = ordered;
  result.predicted = model.verdict;
  result.program = &program;
  result.observed = std::move(observation);
  const Observation& seen = result.observed;
  for (const auto& [outcome, count] : seen.outcomes) {
    if (!model.outcomes.contains(outcome)) result.forbidden.push_back(outcome);
  }
  for (const auto& [outcome, count] : model.outcomes) {
    if (!seen.outcomes.contains(outcome)) result.not_observed.push_back(outcome);
  }
  if (!model.complete()) {
    result.agreement = Agreement::failed;
    result.why = "the model's check is incomplete: " + model.incomplete_reason;
  } else if (!model.unsupported.empty()) {
    result.agreement = Agreement::not_runnable;
    result.why = "the design lacks " + model.unsupported;
  } else if (!seen.skipped.empty()) {
    result.agreement = Agreement::not_runnable;
    result.why = seen.skipped;
  } else if (!result.forbidden.empty()) {
    result.agreement = Agreement::forbidden;  // even if the program failed later
  } else if (!seen.failed.empty()) {
    result.agreement = Agreement::failed;
    result.why = seen.failed;
  } else {
    result.agreement = Agreement::agrees;
  }
  return result;
}

}  // namespace drover::native
