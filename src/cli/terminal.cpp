// Terminals and output; see terminal.hpp.
#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "cli/usage_error.hpp"

namespace drover::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool locale_is_utf8() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!is_set(variable)) continue;
    std::string value = std::getenv(variable);
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return value.find("UTF-8") != std::string::npos || value.find("UTF8") != std::string::npos;
  }
  return false;
}

}  // namespace

report::Look look_of_stdout(std::string_view colour, bool ascii) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  report::Look look;
  look.colour = colour == "always" || (colour == "auto" && terminal && !is_set("NO_COLOR"));
  look.unicode = terminal && !ascii && locale_is_utf8();
  return look;
}

bool stderr_is_terminal() {
  return isatty(STDERR_FILENO) == 1;
}

void write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void finish_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw UsageError("cannot write to standard output");
  }
}

void print_error(const std::string& message, const std::string& hint) {
  fmt::print(stderr, "drover: error: {}\n", message);
  if (!hint.empty()) fmt::print(stderr, "hint: {}\n", hint);
}

void print_note(std::string_view line) {
  const std::string text = "drover: " + std::string(line) + "\n";
  std::fputs(text.c_str(), stderr);
}

}  // namespace drover::cli
