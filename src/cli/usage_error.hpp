// An error that is the user's to mend, and ends the command: printed on stderr, exit status 2.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace drover::cli {

struct UsageError : std::runtime_error {
  explicit UsageError(const std::string& message, std::string a_hint = {})
      : std::runtime_error(message), hint(std::move(a_hint)) {}
  std::string hint;  // may be empty
};

/// Prints "drover: error: ..." and the hint.
void print_error(const std::string& message, const std::string& hint = {});

}  // namespace drover::cli
