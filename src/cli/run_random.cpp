// `drover run --random`: random ordered programs on real kernels; a disagreement is made small.
#include <fmt/format.h>

#include <algorithm>

#include "cli/exit_status.hpp"
#include "cli/real_runs.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "native/kernels/process.hpp"
#include "native/random/scenario.hpp"

namespace drover::cli {
namespace {

using native::Agreement;
using native::Scenario;

// Disagreements often have one cause, and each takes many boots to become small.
constexpr int kShrunkPerKernel = 3;
// Programs that are built and booted together: more of them need more space for what is built.
constexpr unsigned kBatch = 200;

// No kernel, then a disagreement, then a failure.
int worse(int left, int right) {
  const auto rank = [](int status) {
    return status == kExitInput        ? 3
           : status == kExitDiffers    ? 2
           : status == kExitIncomplete ? 1
                                       : 0;
  };
  return rank(left) >= rank(right) ? left : right;
}

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

// No program is run again, so none is kept.
Batch run_batch(const std::vector<Scenario>& scenarios, RealRuns options,
                const kernels::KernelCache& cache, const Session& session) {
  const kernels::TemporaryFolder folder("drover-random");
  options.run.programs = folder.path();
  options.run.optimise = false;
  options.run.ordered_runs = 1;
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

struct Counts {
  unsigned programs = 0, agree = 0, disagree = 0, failed = 0, idle = 0;
};

void count(const native::KernelReport& report, Counts& counts) {
  for (const native::Comparison& c : report.comparisons) {
    ++counts.programs;
    counts.agree += c.agreement == Agreement::agrees ? 1 : 0;
    counts.disagree += c.agreement == Agreement::forbidden ? 1 : 0;
    counts.failed += c.agreement == Agreement::failed ? 1 : 0;
    counts.idle += c.agreement == Agreement::not_runnable ? 1 : 0;
  }
}

// What is to be made smaller, and where.
struct Found {
  Scenario scenario;
  std::string kernel;
};

void tell(const native::KernelReport& report, const std::vector<Scenario>& scenarios,
          const RealRuns& options, std::vector<Found>& found) {
  for (std::size_t i = 0; i < report.comparisons.size(); ++i) {
    const native::Comparison& c = report.comparisons[i];
    const std::string what = fmt::format("{}: {}", report.kernel, scenarios[i].name);
    if (c.agreement == Agreement::forbidden) {
      write(what + " disagrees with the model\n");
      const auto before = std::count_if(found.begin(), found.end(),
                                        [&](const Found& f) { return f.kernel == report.kernel; });
      if (before < kShrunkPerKernel) found.push_back({scenarios[i], report.kernel});
    } else if (c.agreement == Agreement::failed && report.problem.empty()) {
      write(fmt::format("{} failed: {}\n", what, c.why));
    } else if (options.verbose && c.agreement == Agreement::not_runnable) {
      write(fmt::format("{} not runnable: {}\n", what, c.why));
    }
  }
}

}  // namespace

int run_random(const RealRuns& options, const kernels::KernelCache& cache, const Session& session) {
  int status = kExitAsExpected;
  std::vector<Counts> counts(options.kernels.size());
  std::vector<Found> found;
  for (unsigned first = 0; first < options.random && !stop_on_signals(); first += kBatch) {
    std::vector<Scenario> scenarios;
    for (unsigned i = first; i < std::min(options.random, first + kBatch); ++i) {
      scenarios.push_back(native::random_scenario(options.seed + i));
    }
    const Batch batch = run_batch(scenarios, options, cache, session);
    for (std::size_t k = 0; k < batch.reports.size(); ++k) {
      tell(batch.reports[k], scenarios, options, found);
      count(batch.reports[k], counts[k]);
    }
    status = worse(status, exit_status_of(batch.reports, false));
  }
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const Counts& c = counts[k];
    write(fmt::format(
        "{}: {} programs from seed {}: {} agree, {} disagree, {} failed, {} not runnable\n",
        options.kernels[k], c.programs, options.seed, c.agree, c.disagree, c.failed, c.idle));
  }
  finish_output();  // what follows takes minutes
  for (const Found& f : found) {
    if (stop_on_signals()) break;
    report_disagreement(f.scenario, f.kernel, options, cache, session);
  }
  return status;
}

}  // namespace drover::cli
