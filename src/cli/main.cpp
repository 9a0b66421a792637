// The program `drover`: reads the command line, calls the command, turns errors into exit statuses.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "cli/usage_error.hpp"
#include "litmus/diagnostic.hpp"

namespace {

using namespace drover::cli;

/// CLI11's own statuses are many; the user's are few.
int report_parse_error(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> rest = app.remaining();
  if (error.get_exit_code() != 0 && app.get_subcommands().empty() && !rest.empty()) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
      names.push_back(command->get_name());
    }
    const std::string hint = drover::litmus::did_you_mean(rest.front(), names);
    print_error("unknown command `" + rest.front() + "`",
                hint.empty() ? "`drover --help` lists them" : hint);
    return kExitInput;
  }
  return app.exit(error) == 0 ? kExitAsExpected : kExitInput;
}

int run(const Command& command) {
  try {
    const int status = command();
    finish_output();
    return status;
  } catch (const UsageError& error) {
    print_error(error.what(), error.hint);
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return kExitInput;
}

}  // namespace

// What CLI11 throws while the options are declared is a mistake of ours: it may end the program.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app(
      "Litmus tests for Linux page pinning, copy-on-write and DMA: who ends up with\n"
      "which page, and does anybody lose data?");
  app.name("drover");
  app.set_version_flag("--version", "drover " DROVER_VERSION);
  app.require_subcommand(1);
  constexpr std::size_t kOptionColumns = 24;
  app.get_formatter()->column_width(kOptionColumns);
  app.footer("`drover COMMAND --help` says more about a command.");
  Command chosen;
  add_check(app, chosen);
  add_matrix(app, chosen);
  add_explain(app, chosen);
  add_designs(app, chosen);
  add_claims(app, chosen);
  add_fmt(app, chosen);
  add_run(app, chosen);
  add_emit(app, chosen);
  add_kernels(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(app, error);
  }
  return run(chosen);
}
