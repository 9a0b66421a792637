// `drover explain`: the shortest run that shows something, as a picture.
#include "report/explain.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include "cli/commands.hpp"
#include "cli/runner.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "cli/tests.hpp"
#include "cli/usage_error.hpp"
#include "litmus/diagnostic.hpp"

namespace drover::cli {
namespace {

using litmus::Property;

struct Options {
  std::string test, design, goal, granularity = "coarse";
  std::vector<std::string> design_files;
  SearchFlags search;
  bool json = false, ascii = false;
};

verdict::Goal parse_goal(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  std::vector<std::string> names = {"true", "false"};
  for (unsigned p = 0; p < litmus::kProperties; ++p) {
    const auto property = static_cast<Property>(p);
    if (text == to_string(property)) return property;
    names.emplace_back(to_string(property));
  }
  const std::string hint = litmus::did_you_mean(text, names);
  throw UsageError(fmt::format("unknown goal `{}`", text),
                   hint.empty() ? fmt::format("one of {}", report::join(names, ", ")) : hint);
}

/// What makes a result interesting: a violated property, else the proposition true.
verdict::Goal default_goal(const verdict::CheckResult& result) {
  constexpr std::array kOrder = {Property::coherence, Property::isolation, Property::lifetime,
                                 Property::sanity,    Property::balance,   Property::durability,
                                 Property::progress};
  for (const Property property : kOrder) {
    if (result.violates(property)) return property;
  }
  return true;
}

/// Says that no run shows `goal`, or that the search did not get to know.
int no_run(const litmus::Program& program, const design::Design& design, const verdict::Goal& goal,
           const verdict::CheckResult& result) {
  const std::string what = fmt::format("{} under {}: no run in which {}", program.name, design.name,
                                       report::goal_text(goal));
  if (!result.complete()) {
    write(report::hang("", fmt::format("{} was found, but the search is incomplete: {}", what,
                                       result.incomplete_reason)));
    return kExitIncomplete;
  }
  write(report::hang(
      "", fmt::format("{} (all {} were visited)", what, report::count(result.states, "state"))));
  return kExitDiffers;
}

int explain(const Options& options) {
  DesignOptions design_options;
  design_options.names = {options.design};
  design_options.files = options.design_files;
  const Session session(design_options);
  const design::Design& design = session.design(options.design);
  const Tests tests = load_tests({options.test}, session);
  if (tests.errors) return kExitInput;
  if (tests.programs.size() != 1) {
    throw UsageError(
        fmt::format("`{}` has {} tests, one is meant here", options.test, tests.programs.size()));
  }
  const litmus::Program& program = tests.programs.front();
  SearchFlags search = options.search;
  search.granularity = options.granularity;
  search.no_reduction = true;  // which would lengthen some of the shortest runs
  if (search.threads == 0) search.threads = std::max(1U, std::thread::hardware_concurrency());
  const auto limits = check_options(search, 1, stop_on_signals());
  const verdict::CheckResult result = verdict::check(program, design, limits);
  if (result.verdict == litmus::Verdict::unsupported) {
    write(fmt::format("{} lacks {}\n", design.name, result.unsupported));
    return kExitDiffers;
  }
  const verdict::Goal goal = options.goal.empty() ? default_goal(result) : parse_goal(options.goal);
  const auto witness = verdict::find_witness(program, design, goal, limits);
  if (!witness) return no_run(program, design, goal, result);
  write(options.json ? report::explain_json(program, design, *witness).dump(2) + '\n'
                     : report::explain_text(program, design, *witness,
                                            look_of_stdout("never", options.ascii)));
  return kExitAsExpected;
}

}  // namespace

void add_explain(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("explain", "the shortest run that shows something, step by step");
  command->add_option("test", options->test, "a litmus file or the name of a suite's test")
      ->required()
      ->type_name("FILE|NAME");
  command->add_option("-d,--design", options->design, "the design")->required()->type_name("D");
  command->add_option("--design-file", options->design_files, "a design of your own")
      ->allow_extra_args(false)
      ->type_name("FILE.toml");
  command->add_option("--goal", options->goal, "true, false (of the proposition), or a property")
      ->type_name("GOAL");
  command->add_option("--granularity", options->granularity, "coarse or fine, as for check")
      ->check(unlisted(CLI::IsMember({"coarse", "fine"})))
      ->type_name("HOW");
  add_threads(*command, options->search);
  command->add_flag("--ascii", options->ascii, "no line-drawing characters on a terminal");
  command->add_flag("--json", options->json, "print JSON (schema drover.explain/1)");
  command->footer(
      details("Without --goal: a run that violates a property, coherence and isolation\n"
              "first; else one that makes the condition's proposition true. Exit status: 0\n"
              "shown, 1 there is no such run, 2 usage or unreadable input, 3 incomplete.",
              {"drover explain rdma-fork-parent-writes --design linux-4.18",
               "drover explain fork-tearing --design linux-7.2 --goal isolation"}));
  command->callback([options, &chosen] { chosen = [options] { return explain(*options); }; });
}

}  // namespace drover::cli
