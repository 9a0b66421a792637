// Located errors of a litmus file: what one says, how it is printed, and where they are collected.
// What is an error is decided by the lexer, the parser and the compiler.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drover::litmus {

/// A stretch of the source text, in bytes. All locations compare equal, so that syntax trees
/// compare by what they say and not by where it stands.
struct Location {
  std::uint32_t offset = 0, length = 0;
  friend bool operator==(const Location&, const Location&) { return true; }
};

/// An error. `column` and `length` count code points (UTF-8), `line` and `column` from 1.
struct Diagnostic {
  std::string file;
  unsigned line = 1, column = 1, length = 1;
  std::string message, expected, hint;  // expected and hint may be empty
};

/// The diagnostic as a user reads it:
///     file:line:col: error: message
///         the source line of `text`
///             ^~~~
///     expected: ...
///     hint: ...
[[nodiscard]] std::string to_string(const Diagnostic& d, std::string_view text);

/// The first byte of `text` that is not allowed in a litmus file (malformed UTF-8, a control
/// character other than tab and end of line), or npos.
[[nodiscard]] std::size_t find_bad_byte(std::string_view text);

/// Collects the errors of one file.
class DiagnosticSink {
 public:
  DiagnosticSink(std::string_view text, std::string file);

  void add(Location at, std::string message, std::string expected = {}, std::string hint = {});
  [[nodiscard]] bool empty() const { return found_.empty(); }
  /// Line (from 1) of a byte of the text.
  [[nodiscard]] unsigned line_of(std::size_t offset) const;
  [[nodiscard]] std::string_view text() const { return text_; }
  /// All errors in the order of the text; repeated ones are left out.
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  std::string_view text_;
  std::string file_;
  std::vector<std::size_t> line_starts_;
  std::vector<Diagnostic> found_;
};

/// The candidate nearest to `word`, or "" if none is within a third of its length (at least 1): the
/// Levenshtein distance, with an exchange of two neighbours as one edit.
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string>& candidates);
/// "did you mean `X`?" for the nearest candidate, or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace drover::litmus
