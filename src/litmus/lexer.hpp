// Tokens of a litmus file. Comments hang on the token that follows them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/diagnostic.hpp"

namespace drover::litmus {

enum class TokenKind : std::uint8_t { identifier, integer, string, punctuation, bad, end };

struct Comment {
  std::string text;  // with its delimiters
  unsigned line = 0;
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;  // as written, a part of the source
  Location at;
  unsigned line = 0, end_line = 0;
  std::string value;  // string: its contents, a line break and the blanks around it as one
                      // blank; bad: what is wrong with it
  std::vector<Comment> comments;
};

/// The tokens of `text`, the last of kind `end`. Bad tokens are reported by the parser where it
/// meets them, because names of tests and designs may join what are several tokens elsewhere;
/// an open comment is reported to `sink`.
[[nodiscard]] std::vector<Token> lex(std::string_view text, DiagnosticSink& sink);

/// The test or design name (letters, digits, `-`, `_`, `.`, `+`) at the start of `text`; it ends
/// before `..`.
[[nodiscard]] std::string_view long_name(std::string_view text);

/// True for words that no process, object, register, handle or event may have as its name.
[[nodiscard]] bool is_reserved(std::string_view word);
/// True for the words that start a declaration, condition or expectation.
[[nodiscard]] bool starts_item(std::string_view word);

/// The value of ENOMEM, EFAULT, ..., or 0.
[[nodiscard]] int errno_value(std::string_view name);

}  // namespace drover::litmus
