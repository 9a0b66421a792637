// `drover designs`: the kernels and proposals, their switches, their differences.
#include "report/designs.hpp"

#include <CLI/Option.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "cli/terminal.hpp"
#include "cli/usage_error.hpp"
#include "design/document.hpp"

namespace drover::cli {
namespace {

struct Options {
  std::string name, other;
  std::vector<std::string> files;
  bool json = false, markdown = false;
};

std::string text_of(const Options& options, const Session& session) {
  if (options.markdown) return design::markdown(session.registry());
  if (options.name.empty()) {
    return options.json ? report::designs_json(session.registry()).dump(2) + '\n'
                        : report::designs_text(session.registry());
  }
  const design::Design& design = session.design(options.name);
  if (options.other.empty()) {
    return options.json ? report::design_json(design).dump(2) + '\n' : report::design_text(design);
  }
  const design::Design& other = session.design(options.other);
  return options.json ? report::design_diff_json(design, other).dump(2) + '\n'
                      : report::design_diff_text(design, other);
}

int designs(const Options& options) {
  if (options.name.empty() && !options.other.empty()) {
    throw UsageError("--diff compares two designs", "drover designs D --diff D2");
  }
  if (options.markdown && (options.json || !options.name.empty())) {
    throw UsageError("--markdown is about all designs, and no JSON");
  }
  DesignOptions design_options;
  design_options.files = options.files;
  write(text_of(options, Session(design_options)));
  return kExitAsExpected;
}

}  // namespace

void add_designs(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("designs", "list the designs, show one, compare two");
  command->add_option("design", options->name, "the design to show")->type_name("D");
  command->add_option("--diff", options->other, "only the switches in which D2 differs")
      ->type_name("D2");
  command->add_option("--design-file", options->files, "a design of your own (may extend others)")
      ->allow_extra_args(false)
      ->type_name("FILE.toml");
  command->add_flag("--json", options->json, "print JSON");
  command->add_flag("--markdown", options->markdown, "all designs as docs/designs.md");
  command->footer(
      details("Of one design: every switch with its value, the design and commit that set\n"
              "it, and what it decides.",
              {"drover designs linux-5.10", "drover designs linux-5.8 --diff linux-5.10.0"}));
  command->callback([options, &chosen] { chosen = [options] { return designs(*options); }; });
}

}  // namespace drover::cli
