// `drover run --random`: random ordered programs on real kernels; a disagreement is made small.
#include <fmt/format.h>

#include "cli/real_runs.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "native/random/scenario.hpp"

namespace drover::cli {
namespace {

using native::Agreement;
using native::Scenario;

// Disagreements often have one cause, and each takes many boots to become small.
constexpr unsigned kShrunkPerKernel = 3;

std::vector<litmus::Program> programs_of(const std::vector<Scenario>& scenarios) {
  std::vector<litmus::Program> programs(scenarios.size());
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    // Outputs are told apart by the test's name, which smaller ones share.
    Scenario named = scenarios[i];
    named.name += fmt::format(".{}", i);
    (void)native::is_usable(named, &programs[i]);
  }
  return programs;
}

struct Batch {
  std::vector<litmus::Program> programs;  // the reports point to them
  std::vector<native::KernelReport> reports;
};

Batch run_batch(const std::vector<Scenario>& scenarios, const RealRuns& options,
                const kernels::KernelCache& cache, const Session& session) {
  Batch batch{.programs = programs_of(scenarios), .reports = {}};
  const auto built = native::build_tests(batch.programs, options.run, &stop_on_signals(),
                                         [](const std::string& line) { print_note(line); });
  batch.reports = run_on_all(built, cache, options, session);
  return batch;
}

Scenario smallest(const Scenario& scenario, const std::string& kernel, const RealRuns& options,
                  const kernels::KernelCache& cache, const Session& session) {
  RealRuns one = options;
  one.kernels = {kernel};
  return native::shrink(scenario, [&](const std::vector<Scenario>& candidates) {
    print_note(fmt::format("{}: trying {} smaller programs", scenario.name, candidates.size()));
    std::vector<bool> disagrees(candidates.size());
    if (stop_on_signals()) return disagrees;
    const Batch batch = run_batch(candidates, one, cache, session);
    const auto& comparisons = batch.reports.front().comparisons;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      disagrees[i] = comparisons[i].agreement == Agreement::forbidden;
    }
    return disagrees;
  });
}

std::string outcomes_of(const native::Comparison& c, const verdict::CheckResult& model) {
  std::string text = fmt::format("the model ({}) allows:\n", c.design);
  for (const auto& [outcome, count] : model.outcomes) {
    text += "    " + verdict::to_string(c.program->condition, outcome) + "\n";
  }
  text += fmt::format("{} showed:\n", c.kernel);
  for (const auto& [outcome, count] : c.observed.outcomes) {
    text += "    " + verdict::to_string(c.program->condition, outcome) + "\n";
  }
  for (const std::string& line : c.observed.frames) text += "    frames " + line + "\n";
  for (const std::string& line : c.observed.warnings) text += "    kernel " + line + "\n";
  return text;
}

void report_disagreement(const Scenario& scenario, const std::string& kernel,
                         const RealRuns& options, const kernels::KernelCache& cache,
                         const Session& session) {
  const Scenario small = smallest(scenario, kernel, options, cache, session);
  RealRuns one = options;
  one.kernels = {kernel};
  const Batch batch = run_batch({small}, one, cache, session);
  const native::Comparison& c = batch.reports.front().comparisons.front();
  write(fmt::format("\n{}: smallest program from {}:\n\n{}\n", kernel, scenario.name,
                    native::text_of(small)));
  if (c.agreement == Agreement::forbidden) {
    write(outcomes_of(c, verdict::check(*c.program, session.design(c.design))) + "\n");
  } else {
    write(
        fmt::format("which it did not show again: {} {}\n\n", native::name_of(c.agreement), c.why));
  }
}

std::string counts_of(const native::KernelReport& report) {
  unsigned agree = 0, disagree = 0, idle = 0, failed = 0;
  for (const native::Comparison& c : report.comparisons) {
    agree += c.agreement == Agreement::agrees ? 1 : 0;
    disagree += c.agreement == Agreement::forbidden ? 1 : 0;
    idle += c.agreement == Agreement::not_runnable ? 1 : 0;
    failed += c.agreement == Agreement::failed ? 1 : 0;
  }
  return fmt::format("{}: {} programs: {} agree, {} disagree, {} failed, {} not runnable\n",
                     report.kernel, report.comparisons.size(), agree, disagree, failed, idle);
}

}  // namespace

int run_random(const RealRuns& options, const kernels::KernelCache& cache, const Session& session) {
  std::vector<Scenario> scenarios;
  for (unsigned i = 0; i < options.random; ++i) {
    scenarios.push_back(native::random_scenario(options.seed + i));
  }
  const Batch batch = run_batch(scenarios, options, cache, session);
  std::vector<std::pair<std::size_t, std::string>> to_shrink;  // scenario, kernel
  for (const native::KernelReport& report : batch.reports) {
    unsigned shrunk = 0;
    for (std::size_t i = 0; i < report.comparisons.size(); ++i) {
      const native::Comparison& c = report.comparisons[i];
      const std::string what = fmt::format("{}: {}", report.kernel, scenarios[i].name);
      if (c.agreement == Agreement::forbidden) {
        write(what + " disagrees with the model\n");
        if (shrunk++ < kShrunkPerKernel) to_shrink.push_back({i, report.kernel});
      } else if (c.agreement == Agreement::failed && report.problem.empty()) {
        write(fmt::format("{} failed: {}\n", what, c.why));
      } else if (options.verbose && c.agreement == Agreement::not_runnable) {
        write(fmt::format("{} not runnable: {}\n", what, c.why));
      }
    }
  }
  for (const native::KernelReport& report : batch.reports) write(counts_of(report));
  finish_output();  // what follows takes minutes
  for (const auto& [scenario, kernel] : to_shrink) {
    if (stop_on_signals()) break;
    report_disagreement(scenarios[scenario], kernel, options, cache, session);
  }
  return exit_status_of(batch.reports, false);
}

}  // namespace drover::cli
