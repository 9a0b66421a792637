// `drover matrix`: tests x designs as one table.
#include "report/matrix.hpp"

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "cli/runner.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "cli/tests.hpp"

namespace drover::cli {
namespace {

struct Options {
  std::vector<std::string> tests;
  DesignOptions designs;
  SearchFlags search;
  std::string colour = "auto";
  bool json = false;
};

int matrix(const Options& options) {
  const Session session(options.designs);
  auto designs = session.chosen();
  if (designs.empty()) designs = session.all();
  Tests tests = load_tests(options.tests, session);
  std::stable_sort(tests.programs.begin(), tests.programs.end(),
                   [](const auto& a, const auto& b) { return a.file < b.file; });
  std::vector<Task> tasks;
  for (const litmus::Program& program : tests.programs) {
    for (const design::Design* design : designs) tasks.push_back({&program, design});
  }
  std::vector<report::Run> runs;
  runs.reserve(tasks.size());
  report::Tally tally;
  run_all(tasks, options.search, stop_on_signals(),
          [&](std::size_t index, verdict::CheckResult result) {
            runs.push_back(report::make_run(*tasks[index].program, *tasks[index].design,
                                            session.registry(), std::move(result)));
            tally.add(runs.back());
          });
  if (options.json) {
    write(report::matrix_json(runs, designs.size()).dump(2) + '\n');
  } else {
    write(report::matrix_text(runs, designs.size(), look_of_stdout(options.colour, true)));
  }
  return exit_status(tally, tests.errors);
}

}  // namespace

void add_matrix(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("matrix", "one table of tests x designs");
  command->add_option("tests", options->tests, "litmus files, folders, names of the suite's tests")
      ->required()
      ->type_name("FILE|DIR|NAME");
  add_design_options(*command, options->designs);
  add_search_flags(*command, options->search);
  command->add_option("--color", options->colour, "auto (on a terminal), always or never")
      ->check(unlisted(CLI::IsMember({"auto", "always", "never"})))
      ->type_name("WHEN");
  command->add_flag("--json", options->json, "print JSON (schema drover.matrix/1)");
  command->footer(details("Without --design: all designs. Exit status as for check.",
                          {"drover matrix litmus/seeds",
                           "drover matrix litmus --design linux-5.4..linux-5.10,block-fork"}));
  command->callback([options, &chosen] { chosen = [options] { return matrix(*options); }; });
}

}  // namespace drover::cli
