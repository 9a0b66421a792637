// What stdout and stderr are, and writing to stdout.
#pragma once

#include <string>
#include <string_view>

#include "report/text.hpp"

namespace drover::cli {

/// `colour`: "auto" (a terminal, and NO_COLOR not set), "always" or "never".
/// Unicode: on a terminal with a UTF-8 locale, unless `ascii`.
[[nodiscard]] report::Look look_of_stdout(std::string_view colour, bool ascii);

[[nodiscard]] bool stderr_is_terminal();

/// Writes to stdout. finish_output() reports errors.
void write(std::string_view text);
/// A line on stderr that says what takes time.
void print_note(std::string_view line);
/// Flushes stdout. Throws UsageError if anything could not be written.
void finish_output();

}  // namespace drover::cli
