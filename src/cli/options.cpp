// Shared options; see options.hpp.
#include "cli/options.hpp"

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>

namespace drover::cli {

CLI::Validator unlisted(CLI::Validator validator) {
  return validator.description("");
}

void add_design_options(CLI::App& command, DesignOptions& options) {
  command
      .add_option("-d,--design", options.names,
                  "designs, and ranges of kernels: linux-5.4..linux-5.10")
      ->delimiter(',')
      ->allow_extra_args(false)  // the files come next
      ->type_name("D,...");
  command.add_flag("--all", options.all, "all designs, kernels and proposals");
  command.add_option("--design-file", options.files, "a design of your own (may extend others)")
      ->allow_extra_args(false)
      ->type_name("FILE.toml");
}

void add_threads(CLI::App& command, SearchFlags& flags) {
  command
      .add_option("--threads", flags.threads,
                  "threads of one check (default: one per core for a\nsingle check, else one)")
      ->check(unlisted(CLI::Range(1U, 1024U)))
      ->type_name("N");
}

void add_search_flags(CLI::App& command, SearchFlags& flags) {
  command.add_option("-j,--jobs", flags.jobs, "checks at once (default: one per core)")
      ->check(unlisted(CLI::Range(1U, 1024U)))
      ->type_name("N");
  add_threads(command, flags);
  command.add_option("--time-limit", flags.time_limit, "seconds for one check")
      ->check(unlisted(CLI::PositiveNumber))
      ->type_name("SEC");
  command
      .add_option("--memory-limit", flags.memory_limit,
                  "bytes of states for one check: 512M, 4G\n(default: what is free, shared by -j)")
      ->transform(unlisted(CLI::AsSizeValue(false)))
      ->type_name("SIZE");
  command
      .add_option("--granularity", flags.granularity,
                  "steps: coarse (up to the next access others\ncan observe), fine (every access)")
      ->check(unlisted(CLI::IsMember({"coarse", "fine"})))
      ->type_name("HOW");
  command
      .add_option("--compact", flags.compact,
                  "keep hashes instead of states: fingerprints,\nbitstate; always incomplete")
      ->check(unlisted(CLI::IsMember({"fingerprints", "bitstate"})))
      ->type_name("HOW");
  command.add_option("--walks", flags.walks, "take N random runs only; always incomplete")
      ->check(unlisted(CLI::PositiveNumber))
      ->type_name("N");
  command.add_option("--seed", flags.seed, "of --walks (default: 1)")->type_name("S");
  command.add_flag("--no-reduction", flags.no_reduction,
                   "visit every state, also those that reductions leave out");
  command.add_flag("--audit", flags.audit, "check again without reduction and compare");
  command.add_flag("--first", flags.first,
                   "stop a check at the first property violated: exit 3,\nor 1 if that "
                   "property was to hold");
  command.add_flag("--progress", flags.progress,
                   "report progress on stderr even if it is no terminal");
}

std::string details(std::string text, std::initializer_list<const char*> examples) {
  text += "\n\nExamples:";
  for (const char* line : examples) text += std::string("\n  ") + line;
  return text;
}

}  // namespace drover::cli
