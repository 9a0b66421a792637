// Run and the words for where it stands; see run.hpp.
#include "report/run.hpp"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "report/text.hpp"

namespace drover::report {

using litmus::Quantifier;
using litmus::Verdict;

Run make_run(const litmus::Program& program, const design::Design& design,
             const design::Registry& registry, verdict::CheckResult result) {
  Run run;
  run.program = &program;
  run.design = &design;
  run.expected = verdict::expected(program, design, registry);
  run.differences = verdict::differences(run.expected, result);
  run.result = std::move(result);
  return run;
}

Standing standing(const Run& run) {
  if (!run.differences.empty()) return Standing::differs;
  if (!run.result.complete()) return Standing::incomplete;
  const bool stated = run.expected.verdict.has_value() || run.expected.must_violate != 0;
  return stated ? Standing::as_expected : Standing::unstated;
}

const char* to_string(Standing standing) {
  switch (standing) {
    case Standing::as_expected:
      return "as expected";
    case Standing::unstated:
      return "no expectation";
    case Standing::differs:
      return "differs";
    case Standing::incomplete:
      return "incomplete";
  }
  return "";
}

std::size_t Tally::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

std::string to_string(const Tally& tally) {
  const std::size_t differ = tally.of(Standing::differs);
  std::string text =
      fmt::format("{} as expected, {} {}, {} incomplete", tally.of(Standing::as_expected), differ,
                  differ == 1 ? "differs" : "differ", tally.of(Standing::incomplete));
  if (const std::size_t unstated = tally.of(Standing::unstated); unstated > 0) {
    text += fmt::format(", {} without expectation", unstated);
  }
  return text;
}

Validation validation(const Run& run) {
  const verdict::CheckResult& result = run.result;
  if (result.verdict == Verdict::unsupported) return Validation::open;
  const bool complete = result.complete();
  switch (run.program->condition.quantifier) {
    case Quantifier::exists:
      if (result.positive > 0) return Validation::ok;
      return complete ? Validation::no : Validation::open;
    case Quantifier::not_exists:
      if (result.positive > 0) return Validation::no;
      return complete ? Validation::ok : Validation::open;
    case Quantifier::forall:
      if (result.negative > 0) return Validation::no;
      return complete ? Validation::ok : Validation::open;
  }
  return Validation::open;
}

const char* to_string(Validation validation) {
  switch (validation) {
    case Validation::ok:
      return "Ok";
    case Validation::no:
      return "No";
    case Validation::open:
      return "Unknown";
  }
  return "";
}

char letter(const verdict::CheckResult& result) {
  if (!result.complete()) return '?';
  switch (result.verdict) {
    case Verdict::always:
      return 'A';
    case Verdict::sometimes:
      return 'S';
    case Verdict::never:
      return 'N';
    case Verdict::unsupported:
      return '-';
  }
  return '?';
}

const char* observation(const verdict::CheckResult& result) {
  return result.complete() ? litmus::to_string(result.verdict) : "Incomplete";
}

std::string short_name(std::string_view design) {
  constexpr std::string_view kPrefix = "linux-";
  if (design.starts_with(kPrefix)) design.remove_prefix(kPrefix.size());
  return std::string(design);
}

std::string quantified(const litmus::Condition& condition) {
  std::string text;  // as herd prints it: no spaces around = and !=
  for (const char c : condition.text) {
    const bool equals = c == '=' || c == '!';
    if (equals && text.ends_with(' ')) text.pop_back();
    if (c == ' ' && text.ends_with('=')) continue;
    text += c;
  }
  switch (condition.quantifier) {
    case Quantifier::exists:
      return "exists " + text;
    case Quantifier::not_exists:
      return "~exists " + text;
    case Quantifier::forall:
      return "forall " + text;
  }
  return text;
}

std::vector<std::string> property_names(std::uint32_t bits) {
  std::vector<std::string> names;
  for (unsigned p = 0; p < litmus::kProperties; ++p) {
    if ((bits >> p & 1U) != 0) names.emplace_back(to_string(static_cast<litmus::Property>(p)));
  }
  return names;
}

}  // namespace drover::report
