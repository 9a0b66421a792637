// `drover check`: tests under designs, verdicts against expectations.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <set>
#include <span>

#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "cli/runner.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "cli/tests.hpp"
#include "cli/usage_error.hpp"
#include "report/check_json.hpp"
#include "report/herd.hpp"
#include "report/summary.hpp"

namespace drover::cli {
namespace {

struct Options {
  std::vector<std::string> tests;
  DesignOptions designs;
  SearchFlags search;
  bool json = false, verbose = false;
};

/// The designs that expectations of `program` name, in registry order.
std::vector<const design::Design*> designs_expected(const litmus::Program& program,
                                                    const Session& session) {
  std::set<std::string> names;
  for (const litmus::Expectation& expectation : program.expectations) {
    for (const litmus::DesignRange& range : expectation.designs) {
      const auto covered = session.registry().range(range.first, range.last);
      names.insert(covered.begin(), covered.end());
    }
  }
  std::vector<const design::Design*> found;
  for (const design::Design* design : session.all()) {
    if (names.contains(design->name)) found.push_back(design);
  }
  return found;
}

/// The runs of one test as they come, printed when the last is there.
class TestReport {
 public:
  TestReport(const Options& options, bool one_design) : options_(options), whole_(one_design) {}

  void print(std::span<const report::Run> runs, bool stated) {
    if (options_.json) return;
    const bool in_full = whole_ || options_.verbose || !stated;
    if (!in_full) write(report::summary_line(runs));
    for (const report::Run& run : runs) {
      const report::Standing standing = report::standing(run);
      const bool worth_it =
          standing == report::Standing::differs || standing == report::Standing::incomplete;
      if (!in_full && !worth_it) continue;
      if (blocks_++ > 0) write("\n");
      write(report::herd_block(run));
    }
    std::fflush(stdout);
  }

 private:
  const Options& options_;
  bool whole_;
  unsigned blocks_ = 0;
};

/// --checkpoint is for one check, and for the one it was made by.
void require_checkpoint_fits(std::span<const Task> tasks, const SearchFlags& flags) {
  if (flags.checkpoint.empty() || tasks.empty()) return;
  if (flags.walks > 0 || flags.swarm > 0 || !flags.compact.empty()) {
    throw UsageError(
        "--checkpoint is for searches that keep states, not for --walks, --swarm or --compact");
  }
  if (tasks.size() > 1) {
    throw UsageError(fmt::format("--checkpoint is for one test under one design, not for {} checks",
                                 tasks.size()));
  }
  const std::string refusal = verdict::checkpoint_refusal(
      *tasks.front().program, *tasks.front().design, check_options(flags, 1, stop_on_signals()));
  if (!refusal.empty()) {
    throw UsageError(fmt::format("`{}` is of another check: {}", flags.checkpoint, refusal),
                     "remove it to begin anew");
  }
}

int check(const Options& options) {
  const Session session(options.designs);
  const auto chosen = session.chosen();
  const Tests tests = load_tests(options.tests, session);
  std::vector<Task> tasks;
  std::vector<std::size_t> ends;  // of each test's tasks
  std::vector<bool> stated;       // the test has expectations, or designs were chosen
  for (const litmus::Program& program : tests.programs) {
    auto designs = chosen.empty() ? designs_expected(program, session) : chosen;
    stated.push_back(!designs.empty());
    if (designs.empty()) designs = {session.newest_kernel()};
    for (const design::Design* design : designs) tasks.push_back({&program, design});
    ends.push_back(tasks.size());
  }
  require_checkpoint_fits(tasks, options.search);
  std::vector<report::Run> runs;
  runs.reserve(tasks.size());
  report::Tally tally;
  TestReport output(options, chosen.size() == 1);
  std::size_t test = 0;
  run_all(tasks, options.search, stop_on_signals(),
          [&](std::size_t index, verdict::CheckResult result) {
            const Task& task = tasks[index];
            runs.push_back(report::make_run(*task.program, *task.design, session.registry(),
                                            std::move(result)));
            tally.add(runs.back());
            if (index + 1 != ends[test]) return;
            const std::size_t begin = test == 0 ? 0 : ends[test - 1];
            output.print(std::span(runs).subspan(begin), stated[test]);
            ++test;
          });
  if (options.json) {
    write(report::check_json(runs, options.search.steps()).dump(2) + '\n');
  } else if (chosen.size() != 1) {
    write(fmt::format("{}, {}: {}\n", report::count(tests.programs.size(), "test"),
                      report::count(runs.size(), "run"), report::to_string(tally)));
  }
  return exit_status(tally, tests.errors);
}

}  // namespace

void add_check(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("check", "run tests exhaustively and compare with what they expect");
  command->add_option("tests", options->tests, "litmus files, folders, names of the suite's tests")
      ->required()
      ->type_name("FILE|DIR|NAME");
  add_design_options(*command, options->designs);
  add_search_flags(*command, options->search);
  command
      ->add_option("--checkpoint", options->search.checkpoint,
                   "save the check there, and go on from it")
      ->type_name("FILE");
  command->add_option("--every", options->search.every, "time between checkpoints (default: 60 s)")
      ->transform(duration())
      ->type_name("TIME");
  command->add_flag("--json", options->json, "print JSON (schema drover.check/1)");
  command->add_flag("-v,--verbose", options->verbose, "herd's block for every run");
  command->footer(
      details("Without --design and --all: each test under every design it has an\n"
              "expectation for (the newest kernel if it has none). Prints a line per test\n"
              "and herd's block for each run that is not as expected; with one --design,\n"
              "herd's block for every test. In a line: A always, S sometimes, N never,\n"
              "- unsupported, ? incomplete; kernels in stretches, proposals counted.\n"
              "\n"
              "Exit status: 0 as expected, 1 a verdict or property differs, 2 usage or\n"
              "unreadable input, 3 a check is incomplete. Input before differs before\n"
              "incomplete.",
              {"drover check litmus", "drover check rdma-fork-parent-writes --design linux-4.18"}));
  command->callback([options, &chosen] { chosen = [options] { return check(*options); }; });
}

}  // namespace drover::cli
