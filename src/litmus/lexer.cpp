// Cutting a litmus file into tokens, strings and comments.
#include "litmus/lexer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace drover::litmus {
namespace {

constexpr std::size_t kMaxIdentifier = 64;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

constexpr std::array<std::string_view, 11> kItemWords = {"litmus", "anon",    "file",   "hugetlb",
                                                         "swap",   "process", "thread", "daemon",
                                                         "exists", "forall",  "expect"};
constexpr std::array<std::string_view, 11> kStatementWords = {
    "if",   "else", "repeat", "signal",  "await", "exit",
    "post", "true", "crash",  "SIGSEGV", "SIGBUS"};

struct Errno {
  std::string_view name;
  int value;
};
constexpr std::array<Errno, 12> kErrnos = {{{"ENOMEM", ENOMEM},
                                            {"EFAULT", EFAULT},
                                            {"EBUSY", EBUSY},
                                            {"EINVAL", EINVAL},
                                            {"EAGAIN", EAGAIN},
                                            {"EPERM", EPERM},
                                            {"EACCES", EACCES},
                                            {"ENOSYS", ENOSYS},
                                            {"ENOENT", ENOENT},
                                            {"ESRCH", ESRCH},
                                            {"EOPNOTSUPP", EOPNOTSUPP},
                                            {"EREMOTEIO", EREMOTEIO}}};

class Lexer {
 public:
  Lexer(std::string_view text, DiagnosticSink& sink) : text_(text), sink_(sink) {}

  std::vector<Token> run() {
    while (skip_blanks_and_comments()) token();
    finish(TokenKind::end, text_.size());
    return std::move(tokens_);
  }

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool sees(std::string_view s) const { return text_.substr(position_).starts_with(s); }

  /// False at the end of the text.
  bool skip_blanks_and_comments() {
    while (position_ < text_.size()) {
      if (is_blank(text_[position_])) {
        line_ += text_[position_] == '\n' ? 1 : 0;
        ++position_;
      } else if (sees("//")) {
        take_comment(std::min(text_.find('\n', position_), text_.size()));
      } else if (sees("(*")) {
        take_comment(block_comment_end());
      } else {
        return true;
      }
    }
    return false;
  }

  std::size_t block_comment_end() {
    unsigned open = 0;
    for (std::size_t i = position_; i < text_.size(); ++i) {
      if (at(i) == '(' && at(i + 1) == '*') {
        ++open;
        ++i;
      } else if (at(i) == '*' && at(i + 1) == ')') {
        ++i;
        if (--open == 0) return i + 1;
      }
    }
    sink_.add({static_cast<std::uint32_t>(position_), 2}, "this comment is never closed", "`*)`",
              "comments nest: each `(*` needs its own `*)`");
    return text_.size();
  }

  void take_comment(std::size_t end) {
    std::string comment(text_.substr(position_, end - position_));
    comment.erase(std::remove(comment.begin(), comment.end(), '\r'), comment.end());
    comment.erase(comment.find_last_not_of(" \t\n") + 1);
    const auto lines = std::count(text_.begin() + static_cast<std::ptrdiff_t>(position_),
                                  text_.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    comments_.push_back({std::move(comment), line_});
    line_ += static_cast<unsigned>(lines);
    position_ = end;
  }

  void finish(TokenKind kind, std::size_t end, std::string value = {}) {
    Token t;
    t.kind = kind;
    t.text = text_.substr(position_, end - position_);
    t.at = {static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(end - position_)};
    t.line = line_;
    line_ += static_cast<unsigned>(std::count(t.text.begin(), t.text.end(), '\n'));
    t.end_line = line_;
    t.value = std::move(value);
    t.comments = std::move(comments_);
    comments_.clear();
    tokens_.push_back(std::move(t));
    position_ = end;
  }

  void token() {
    const char c = text_[position_];
    if (c == '"') return string();
    if (is_letter(c) || is_digit(c)) return word();
    for (std::string_view two : {"..", "==", "!=", "<=", ">=", "/\\", "\\/", "&&", "||"}) {
      if (sees(two)) return finish(TokenKind::punctuation, position_ + 2);
    }
    constexpr std::string_view kSingles = "{}()[],;:.=<>+-|~!";
    if (kSingles.find(c) != std::string_view::npos) {
      return finish(TokenKind::punctuation, position_ + 1);
    }
    std::size_t end = position_ + 1;  // one whole code point
    while ((static_cast<unsigned char>(at(end)) & 0xC0) == 0x80) ++end;
    const std::string shown(text_.substr(position_, end - position_));
    finish(TokenKind::bad, end, "`" + shown + "` has no meaning here");
  }

  void word() {
    std::size_t end = position_;
    bool digits = true;
    while (is_letter(at(end)) || is_digit(at(end))) digits = is_digit(at(end++)) && digits;
    const std::size_t length = end - position_;
    if (digits) {
      constexpr std::size_t kMaxDigits = 9;
      if (length > kMaxDigits) return finish(TokenKind::bad, end, "this number is too large");
      return finish(TokenKind::integer, end);
    }
    if (is_digit(text_[position_])) {
      return finish(TokenKind::bad, end, "a name does not start with a digit");
    }
    if (length > kMaxIdentifier) {
      return finish(TokenKind::bad, end, "this name is longer than 64 characters");
    }
    finish(TokenKind::identifier, end);
  }

  /// True when `i`, the first byte of a line, starts a new item: the string before is left open.
  bool item_starts_at(std::size_t i) const {
    std::size_t end = i;
    while (is_letter(at(end))) ++end;
    return end != i && at(end) == ' ' && starts_item(text_.substr(i, end - i));
  }

  void string() {
    std::string value;
    std::size_t i = position_ + 1;
    while (i < text_.size() && text_[i] != '"') {
      if (text_[i] == '\n') {
        std::size_t next = i + 1;
        if (item_starts_at(next)) break;
        while (at(next) == ' ' || at(next) == '\t' || at(next) == '\r') ++next;
        if (at(next) == '\n' || next == text_.size()) break;
        value.erase(value.find_last_not_of(' ') + 1);
        value += ' ';
        i = next;
        continue;
      }
      if (text_[i] != '\r') value += text_[i] == '\t' ? ' ' : text_[i];
      ++i;
    }
    if (at(i) == '"') return finish(TokenKind::string, i + 1, std::move(value));
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    finish(TokenKind::bad, end, "this string is never closed");
  }

  std::string_view text_;
  DiagnosticSink& sink_;
  std::size_t position_ = 0;
  unsigned line_ = 1;
  std::vector<Token> tokens_;
  std::vector<Comment> comments_;
};

}  // namespace

std::vector<Token> lex(std::string_view text, DiagnosticSink& sink) {
  return Lexer(text, sink).run();
}

std::string_view long_name(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size()) {
    const char c = text[end];
    if (c == '.' && end + 1 < text.size() && text[end + 1] == '.') break;
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.' && c != '+') break;
    ++end;
  }
  return text.substr(0, end);
}

bool starts_item(std::string_view word) {
  return std::find(kItemWords.begin(), kItemWords.end(), word) != kItemWords.end();
}

bool is_reserved(std::string_view word) {
  return starts_item(word) || errno_value(word) != 0 ||
         std::find(kStatementWords.begin(), kStatementWords.end(), word) != kStatementWords.end();
}

int errno_value(std::string_view name) {
  for (const Errno& e : kErrnos) {
    if (e.name == name) return e.value;
  }
  return 0;
}

}  // namespace drover::litmus
