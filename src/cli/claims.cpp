// `drover claims`: the seed claims, their tests and verdicts.
#include "report/claims.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <memory>

#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "cli/runner.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "cli/tests.hpp"
#include "cli/usage_error.hpp"

namespace drover::cli {
namespace {

struct Options {
  std::vector<int> numbers;
  DesignOptions designs;
  SearchFlags search;
  bool json = false;
};

std::vector<report::ClaimRow> rows_of(const Options& options, const Session& session) {
  std::vector<report::ClaimRow> rows;
  for (report::Claim& claim : report::read_claims(session.data().claims())) {
    const auto& wanted = options.numbers;
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), claim.number) != wanted.end()) {
      rows.push_back({std::move(claim), {}});
    }
  }
  for (const int number : options.numbers) {
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const report::ClaimRow& row) {
      return row.claim.number == number;
    });
    if (!known) throw UsageError(fmt::format("there is no claim {}", number));
  }
  return rows;
}

bool names_one_of(const litmus::Program& program, const std::vector<report::ClaimRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [&](const report::ClaimRow& row) {
    return std::find(program.claims.begin(), program.claims.end(), row.claim.number) !=
           program.claims.end();
  });
}

int claims(const Options& options) {
  const Session session(options.designs);
  auto designs = session.chosen();
  if (designs.empty()) designs = session.kernels();
  std::vector<report::ClaimRow> rows = rows_of(options, session);
  const Tests tests = load_tests({session.data().suite().string()}, session);
  std::vector<Task> tasks;
  for (const litmus::Program& program : tests.programs) {
    if (!names_one_of(program, rows)) continue;
    for (const design::Design* design : designs) tasks.push_back({&program, design});
  }
  std::vector<report::Run> runs;  // of the current test
  report::Tally tally;
  run_all(tasks, options.search, stop_on_signals(),
          [&](std::size_t index, verdict::CheckResult result) {
            const litmus::Program& program = *tasks[index].program;
            runs.push_back(report::make_run(program, *tasks[index].design, session.registry(),
                                            std::move(result)));
            tally.add(runs.back());
            if (runs.size() < designs.size()) return;
            for (report::ClaimRow& row : rows) {
              const auto& named = program.claims;
              const bool names =
                  std::find(named.begin(), named.end(), row.claim.number) != named.end();
              if (names) row.runs.push_back(runs);
            }
            runs.clear();
          });
  write(options.json ? report::claims_json(rows).dump(2) + '\n' : report::claims_text(rows));
  const int status = exit_status(tally, tests.errors);
  const bool open = report::count_claims(rows).open > 0;
  return status != kExitInput && open ? kExitDiffers : status;
}

}  // namespace

void add_claims(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("claims", "the seed claims, their tests and verdicts");
  command->add_option("numbers", options->numbers, "only these claims")->type_name("N");
  add_design_options(*command, options->designs);
  add_search_flags(*command, options->search);
  command->add_flag("--json", options->json, "print JSON (schema drover.claims/1)");
  command->footer(
      details("A row: number, type (C correctness, D design, P performance, Q question,\n"
              "W workload), quote; then each test of the suite that names the claim with its\n"
              "verdicts (A always, S sometimes, N never, - unsupported, ? incomplete).\n"
              "Without --design: all kernels. Exit status as for check; also 1 if a claim\n"
              "is neither covered by a test nor explained.",
              {"drover claims", "drover claims 6 15 --design linux-4.18,linux-7.2"}));
  command->callback([options, &chosen] { chosen = [options] { return claims(*options); }; });
}

}  // namespace drover::cli
