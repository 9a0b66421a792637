// Shared options; see options.hpp.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <charconv>
#include <map>
#include <string>

namespace drover::cli {

CLI::Validator unlisted(CLI::Validator validator) {
  return validator.description("");
}

CLI::Validator duration() {
  const auto to_seconds = [](std::string& text) -> std::string {
    const std::map<std::string, double> units = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}};
    const char* const end = text.data() + text.size();
    double number = 0;
    const auto parsed = std::from_chars(text.data(), end, number);
    const auto unit = units.find(std::string(parsed.ptr, end));
    const bool valid = parsed.ec == std::errc() && unit != units.end() && number > 0;
    if (!valid) return fmt::format("`{}` is no time above 0: write 90, 90s, 2m or 1.5h", text);
    text = fmt::format("{}", number * unit->second);
    return "";
  };
  return CLI::Validator(to_seconds, "");
}

CLI::Validator at_least_one() {
  const auto check = [](std::string& text) -> std::string {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number > 0) return "";
    return fmt::format("`{}` is no whole number from 1 on", text);
  };
  return CLI::Validator(check, "");
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
  command.add_option("--time-limit", flags.time_limit, "for one check: 90, 90s, 2m, 1.5h")
      ->transform(duration())
      ->type_name("TIME");
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
      ->check(at_least_one())
      ->type_name("N");
  command
      .add_option("--swarm", flags.swarm,
                  "make N small bitstate searches, each in another\norder; always incomplete")
      ->check(at_least_one())
      ->type_name("N");
  command.add_option("--seed", flags.seed, "of --walks and --swarm (default: 1)")->type_name("S");
  command.add_flag("--no-reduction", flags.no_reduction,
                   "visit every state, also those that reductions leave out");
  command.add_flag("--no-symmetry", flags.no_symmetry,
                   "tell interchangeable threads and processes apart");
  command.add_flag("--audit", flags.audit, "check again without reductions and compare");
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
