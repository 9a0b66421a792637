// herd7's log format; see herd.hpp. Scripts grep these lines: change none of herd's own.
#include "report/herd.hpp"

#include <fmt/format.h>

#include <iterator>

namespace drover::report {
namespace {

const char* modality(litmus::Quantifier quantifier) {
  switch (quantifier) {
    case litmus::Quantifier::exists:
      return "Allowed";
    case litmus::Quantifier::not_exists:
      return "Forbidden";
    case litmus::Quantifier::forall:
      return "Required";
  }
  return "";
}

}  // namespace

std::string herd_block(const Run& run) {
  const litmus::Program& program = *run.program;
  const verdict::CheckResult& result = run.result;
  std::string out;
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "Test {} {}\n", program.name, modality(program.condition.quantifier));
  fmt::format_to(at, "States {}\n", result.outcomes.size());
  for (const auto& [outcome, states] : result.outcomes) {
    fmt::format_to(at, "{}\n", verdict::to_string(program.condition, outcome));
  }
  fmt::format_to(at, "{}\n", to_string(validation(run)));
  fmt::format_to(at, "Witnesses\n");
  fmt::format_to(at, "Positive: {} Negative: {}\n", result.positive, result.negative);
  fmt::format_to(at, "Condition {}\n", quantified(program.condition));
  fmt::format_to(at, "Observation {} {} {} {}\n", program.name, observation(result),
                 result.positive, result.negative);
  fmt::format_to(at, "Time {} {:.2f}\n", program.name, result.seconds);
  fmt::format_to(at, "Design {}\n", run.design->name);
  for (const std::string& property : property_names(result.violated)) {
    fmt::format_to(at, "Property {} violated\n", property);
  }
  if (!result.unsupported.empty()) fmt::format_to(at, "Unsupported {}\n", result.unsupported);
  if (!result.complete()) {
    fmt::format_to(at, "Incomplete {} ({} states seen)\n", result.incomplete_reason, result.states);
  }
  for (const std::string& difference : run.differences) {
    fmt::format_to(at, "Differs {}\n", difference);
  }
  fmt::format_to(at, "Hash={}\n", program.hash);
  return out;
}

}  // namespace drover::report
