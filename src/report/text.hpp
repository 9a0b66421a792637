// Small helpers of the text reports: display width, padding, wrapping. No report is laid out here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drover::report {

/// Width that every text report keeps to unless a single word is wider.
inline constexpr std::size_t kWidth = 80;

/// How a report may look. Nothing here knows whether there is a terminal; the caller says so.
struct Look {
  bool colour = false;   // ANSI colours
  bool unicode = false;  // line-drawing characters instead of ASCII
};

/// Columns that `text` takes: its code points (no character of a report is wider than one column).
[[nodiscard]] std::size_t width_of(std::string_view text);

/// `text` followed by spaces up to `width` columns; never cut.
[[nodiscard]] std::string pad(std::string_view text, std::size_t width);

/// `words` in lines of at most `width` columns; lines after the first begin with
/// `indent` spaces. A word wider than a line is cut where the line ends. At least one line.
[[nodiscard]] std::vector<std::string> fill(const std::vector<std::string>& words,
                                            std::size_t width, std::size_t indent = 0);
/// The same of a text, whose words end at spaces and line ends.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width,
                                            std::size_t indent = 0);

/// The lines of fill() or wrap(), the first one behind `head`, the others indented by its width
/// (and `more`), each ended by a newline. At most kWidth columns unless `head` leaves less than 20.
[[nodiscard]] std::string hang(std::string_view head, const std::vector<std::string>& words,
                               std::size_t more = 0);
[[nodiscard]] std::string hang(std::string_view head, std::string_view text, std::size_t more = 0);

/// `text`, cut to `width` columns with "..." at its end if it is longer.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t width);

/// "1 test", "2 tests".
[[nodiscard]] std::string count(std::size_t n, std::string_view noun);

/// "a, b, c".
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view between);

}  // namespace drover::report
