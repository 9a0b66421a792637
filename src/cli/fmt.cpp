// `drover fmt`: litmus files in canonical layout.
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/commands.hpp"
#include "cli/data_folders.hpp"
#include "cli/terminal.hpp"
#include "cli/tests.hpp"
#include "cli/usage_error.hpp"
#include "litmus/format.hpp"
#include "litmus/litmus.hpp"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> files;
  bool check = false, write = false;
};

/// Replaces the file in one step, so that an interruption leaves the old or the new text.
void replace(const fs::path& file, const std::string& text) {
  const fs::path real = fs::canonical(file);
  fs::path temporary = real;
  temporary += ".drover-fmt";
  std::ofstream out(temporary, std::ios::binary);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::permissions(temporary, fs::status(real).permissions(), error);
  if (out && !error) fs::rename(temporary, real, error);
  if (out && !error) return;
  fs::remove(temporary, error);
  throw UsageError(fmt::format("cannot write `{}`", file.string()));
}

/// Exit status for one file.
int format_one(const fs::path& file, const Options& options) {
  const std::optional<std::string> text = read_text(file);
  if (!text) return kExitInput;
  const litmus::ParseResult parsed = litmus::parse(*text, file.string());
  if (!parsed.diagnostics.empty()) {
    for (const litmus::Diagnostic& diagnostic : parsed.diagnostics) {
      std::fputs(litmus::to_string(diagnostic, *text).c_str(), stderr);
    }
    return kExitInput;
  }
  const std::string canonical = litmus::format(*parsed.ast);
  if (options.check) {
    if (canonical == *text) return kExitAsExpected;
    write(fmt::format("{}: not in canonical form\n", file.string()));
    return kExitDiffers;
  }
  if (!options.write) {
    write(canonical);
  } else if (canonical != *text) {
    replace(file, canonical);
  }
  return kExitAsExpected;
}

int format(const Options& options) {
  if (options.check && options.write) throw UsageError("--check or --write, not both");
  bool errors = false;
  int status = kExitAsExpected;
  DataFolders data;  // names of tests are looked up only where there is a suite
  try {
    data = find_data_folders();
  } catch (const UsageError&) {
    data.root.clear();
  }
  for (const fs::path& file : find_tests(options.files, data, errors)) {
    status = std::max(status, format_one(file, options));
  }
  return errors ? kExitInput : status;
}

}  // namespace

void add_fmt(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("fmt", "litmus files in canonical layout");
  command->add_option("files", options->files, "litmus files, folders, names of the suite's tests")
      ->required()
      ->type_name("FILE|DIR|NAME");
  command->add_flag("--check", options->check, "name the files that would change");
  command->add_flag("--write", options->write, "rewrite the files");
  command->footer(
      details("Prints them, unless told to check or to rewrite the files. Exit status: 0,\n"
              "1 with --check if a file is not in canonical form, 2 for errors.",
              {"drover fmt mine.litmus", "drover fmt --check litmus"}));
  command->callback([options, &chosen] { chosen = [options] { return format(*options); }; });
}

}  // namespace drover::cli
