// Comparisons as text; see print.hpp.
#include "native/compare/print.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace drover::native {
namespace {

constexpr std::size_t kLineWidth = 80;

char letter(Agreement agreement) {
  switch (agreement) {
    case Agreement::agrees:
      return '=';
    case Agreement::forbidden:
      return '!';
    case Agreement::not_runnable:
      return '.';
    case Agreement::failed:
      return 'x';
  }
  return '?';
}

std::string show(const Comparison& c, const machine::Outcome& outcome) {
  return verdict::to_string(c.program->condition, outcome);
}

bool satisfies(const litmus::Program& program, const machine::Outcome& outcome) {
  static const design::Switches kAny;  // the proposition does not depend on the design
  return machine::Machine(program, kAny, machine::Granularity::coarse).holds(outcome);
}

struct Seen {
  std::uint64_t positive = 0, negative = 0;
  [[nodiscard]] const char* observation() const {
    if (positive == 0) return "Never";
    return negative == 0 ? "Always" : "Sometimes";
  }
};

Seen count(const Comparison& c) {
  Seen seen;
  for (const auto& [outcome, times] : c.observed.outcomes) {
    (satisfies(*c.program, outcome) ? seen.positive : seen.negative) += times;
  }
  return seen;
}

std::array<std::size_t, 4> tally(const KernelReport& report) {
  std::array<std::size_t, 4> counts{};
  for (const Comparison& c : report.comparisons) counts[static_cast<std::size_t>(c.agreement)]++;
  return counts;
}

// One line per reason: a guest that ended early must not fill the screen. Reasons of one statement
// of one test ("line 7: ...") are in the test's own report only.
std::string reasons(const KernelReport& report, Agreement agreement) {
  std::map<std::string, std::vector<std::string>> tests;
  for (const Comparison& c : report.comparisons) {
    if (c.agreement == agreement && c.why != report.problem) tests[c.why].push_back(c.test);
  }
  std::string text;
  for (const auto& [why, names] : tests) {
    if (why.starts_with("line ")) continue;
    std::string who = names.front();
    if (names.size() > 1) who += fmt::format(" and {} more", names.size() - 1);
    text += fmt::format("  {}: {}", who, why).substr(0, 4 * kLineWidth) + "\n";
  }
  return text;
}

// How much of what is allowed the races showed: more time shows more.
std::string races(const KernelReport& report) {
  std::size_t tests = 0, allowed = 0, seen = 0;
  for (const Comparison& c : report.comparisons) {
    if (c.ordered || c.agreement != Agreement::agrees) continue;
    tests++;
    seen += c.observed.outcomes.size();
    allowed += c.observed.outcomes.size() + c.not_observed.size();
  }
  if (tests == 0) return "";
  return fmt::format("  {} racy tests showed {} of {} allowed outcomes\n", tests, seen, allowed);
}

}  // namespace

std::string histogram(const Comparison& c) {
  std::string text = fmt::format("Test {} on {} (model: {})\n", c.test, c.kernel, c.design);
  text += fmt::format("Histogram ({} states)\n", c.observed.outcomes.size());
  for (const auto& [outcome, times] : c.observed.outcomes) {
    text += fmt::format("{:<8}{}>{}\n", times, satisfies(*c.program, outcome) ? '*' : ':',
                        show(c, outcome));
  }
  const Seen seen = count(c);
  text += fmt::format("Observation {} {} {} {}\n", c.test, seen.observation(), seen.positive,
                      seen.negative);
  text += fmt::format("Model {}\n", to_string(c.predicted));
  text += fmt::format("Agreement {}{}{}\n", name_of(c.agreement), c.why.empty() ? "" : ": ", c.why);
  for (const auto& outcome : c.forbidden) text += "Forbidden " + show(c, outcome) + "\n";
  for (const auto& outcome : c.not_observed) text += "Not observed " + show(c, outcome) + "\n";
  for (const std::string& line : c.observed.frames) text += "Frames " + line + "\n";
  for (const std::string& line : c.observed.warnings) text += "Kernel " + line + "\n";
  return text + "Hash=" + c.hash + "\n";
}

std::string table(const std::vector<KernelReport>& reports) {
  std::size_t width = 4;
  for (const KernelReport& report : reports) {
    for (const Comparison& c : report.comparisons) width = std::max(width, c.test.size());
  }
  std::string text;
  for (std::size_t k = 0; k < reports.size(); ++k) {
    text += fmt::format("{:>2} {}", k + 1, reports[k].kernel);
    if (reports[k].design.empty()) {
      text += " (not run)\n";
      continue;
    }
    text += fmt::format(" {} as {}{}\n", reports[k].release, reports[k].design,
                        reports[k].exact_design ? "" : " (nearest lower)");
  }
  text += fmt::format("{:<{}}", "", width);
  for (std::size_t k = 0; k < reports.size(); ++k) text += fmt::format(" {:>2}", k + 1);
  text += "\n";
  const std::size_t tests = reports.empty() ? 0 : reports.front().comparisons.size();
  for (std::size_t t = 0; t < tests; ++t) {
    text += fmt::format("{:<{}}", reports.front().comparisons[t].test, width);
    for (const KernelReport& report : reports) {
      text += fmt::format("  {}", letter(report.comparisons[t].agreement));
    }
    text += "\n";
  }
  text += "\n= agrees  ! FORBIDDEN outcome seen  x failed  . not runnable\n";
  for (const KernelReport& report : reports) {
    const auto n = tally(report);
    text += fmt::format("{}: {} agree, {} forbidden, {} failed, {} not runnable\n", report.kernel,
                        n[0], n[1], n[3], n[2]);
    if (!report.problem.empty()) text += fmt::format("  {}\n", report.problem);
    text += races(report) + reasons(report, Agreement::failed) +
            reasons(report, Agreement::not_runnable);
  }
  return text;
}

std::string ktap(const std::vector<KernelReport>& reports) {
  std::string text = fmt::format("KTAP version 1\n1..{}\n", reports.size());
  for (std::size_t k = 0; k < reports.size(); ++k) {
    const KernelReport& report = reports[k];
    text += fmt::format("  KTAP version 1\n  # Subtest: {}\n  1..{}\n", report.kernel,
                        report.comparisons.size());
    if (!report.problem.empty()) text += fmt::format("  # problem: {}\n", report.problem);
    bool good = true;
    for (std::size_t t = 0; t < report.comparisons.size(); ++t) {
      const Comparison& c = report.comparisons[t];
      const bool ok = c.agreement == Agreement::agrees || c.agreement == Agreement::not_runnable;
      good = good && ok;
      text += fmt::format("  {}ok {} {}", ok ? "" : "not ", t + 1, c.test);
      if (c.agreement == Agreement::not_runnable) text += " # SKIP " + c.why;
      text += "\n";
      if (!ok) text += fmt::format("  # {} {}\n", name_of(c.agreement), c.why);
    }
    text += fmt::format("{}ok {} {}\n", good ? "" : "not ", k + 1, report.kernel);
  }
  return text;
}

nlohmann::ordered_json json(const std::vector<KernelReport>& reports) {
  nlohmann::ordered_json root;
  root["schema"] = "drover.run/1";
  for (const KernelReport& report : reports) {
    nlohmann::ordered_json kernel;
    kernel["kernel"] = report.kernel;
    kernel["release"] = report.release;
    kernel["version"] = report.version;
    kernel["design"] = report.design;
    kernel["exact_design"] = report.exact_design;
    if (!report.problem.empty()) kernel["problem"] = report.problem;
    for (const Comparison& c : report.comparisons) {
      nlohmann::ordered_json test;
      test["test"] = c.test;
      test["hash"] = c.hash;
      test["ordered"] = c.ordered;
      test["agreement"] = name_of(c.agreement);
      if (!c.why.empty()) test["why"] = c.why;
      test["model"] = to_string(c.predicted);
      test["outcomes"] = nlohmann::ordered_json::array();
      for (const auto& [outcome, times] : c.observed.outcomes) {
        test["outcomes"].push_back({{"outcome", show(c, outcome)}, {"times", times}});
      }
      for (const auto& outcome : c.forbidden) test["forbidden"].push_back(show(c, outcome));
      for (const auto& outcome : c.not_observed) test["not_observed"].push_back(show(c, outcome));
      if (!c.observed.frames.empty()) test["frames"] = c.observed.frames;
      if (!c.observed.warnings.empty()) test["warnings"] = c.observed.warnings;
      kernel["tests"].push_back(test);
    }
    root["kernels"].push_back(kernel);
  }
  return root;
}

}  // namespace drover::native
