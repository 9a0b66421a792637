// Finding and reading litmus files; see tests.hpp.
#include "cli/tests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "cli/usage_error.hpp"
#include "litmus/diagnostic.hpp"
#include "litmus/litmus.hpp"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxBytes = 1U << 20U;
constexpr std::string_view kSuffix = ".litmus";

/// All *.litmus files below `folder`, sorted. Throws fs::filesystem_error.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == kSuffix && entry.is_regular_file()) {
      files.push_back(entry.path().lexically_normal());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool looks_like_path(const std::string& argument) {
  return argument.find('/') != std::string::npos || argument.ends_with(kSuffix);
}

/// The file of the suite that is named after the test.
std::vector<fs::path> by_name(const std::string& name, const fs::path& suite) {
  std::vector<std::string> names;
  std::vector<fs::path> found;
  std::error_code error;
  if (fs::is_directory(suite, error)) {
    for (const fs::path& file : files_below(suite)) {
      names.push_back(file.stem().string());
      if (names.back() == name) found.push_back(fs::proximate(file, error));
    }
  }
  if (found.empty()) {
    throw UsageError(fmt::format("no file, folder or test named `{}`", name),
                     litmus::did_you_mean(name, names));
  }
  return found;
}

std::vector<fs::path> find_one(const std::string& argument, const DataFolders& data) {
  std::error_code error;
  if (fs::is_directory(argument, error)) {
    std::vector<fs::path> files = files_below(argument);
    if (files.empty()) throw UsageError(fmt::format("no *.litmus file below `{}`", argument));
    return files;
  }
  if (fs::exists(argument, error)) return {fs::path(argument).lexically_normal()};
  if (looks_like_path(argument)) throw UsageError(fmt::format("no such file: `{}`", argument));
  return by_name(argument, data.suite());
}

}  // namespace

std::optional<std::string> read_text(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    print_error(fmt::format("`{}` is no regular file", file.string()));
    return std::nullopt;
  }
  if (fs::file_size(file, error) > kMaxBytes || error) {
    print_error(fmt::format("`{}` is larger than 1 MiB, no litmus test is", file.string()));
    return std::nullopt;
  }
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  if (!in.is_open() || in.bad() || text.fail()) {
    print_error(fmt::format("cannot read `{}`", file.string()));
    return std::nullopt;
  }
  return text.str();
}

std::vector<fs::path> find_tests(const std::vector<std::string>& arguments, const DataFolders& data,
                                 bool& errors) {
  std::vector<fs::path> files;
  std::set<fs::path> seen;
  for (const std::string& argument : arguments) {
    try {
      for (fs::path& file : find_one(argument, data)) {
        if (seen.insert(file).second) files.push_back(std::move(file));
      }
    } catch (const UsageError& error) {
      print_error(error.what(), error.hint);
      errors = true;
    } catch (const fs::filesystem_error& error) {
      print_error(fmt::format("cannot read `{}`: {}", argument, error.code().message()));
      errors = true;
    }
  }
  return files;
}

Tests load_tests(const std::vector<std::string>& arguments, const Session& session) {
  Tests tests;
  const litmus::KnownDesigns known = session.known();
  for (const fs::path& file : find_tests(arguments, session.data(), tests.errors)) {
    const std::optional<std::string> text = read_text(file);
    if (!text) {
      tests.errors = true;
      continue;
    }
    litmus::ParseResult result = litmus::parse(*text, file.string(), known);
    for (const litmus::Diagnostic& diagnostic : result.diagnostics) {
      std::fputs(litmus::to_string(diagnostic, *text).c_str(), stderr);
    }
    if (result.program) {
      tests.programs.push_back(std::move(*result.program));
    } else {
      tests.errors = true;
    }
  }
  return tests;
}

}  // namespace drover::cli
