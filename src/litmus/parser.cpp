// Mechanics of the parser (tokens, recovery, comments) and the items of a file.
#include "litmus/parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace drover::litmus {
namespace {

constexpr unsigned kMaxDepth = 64;            // nested blocks or parentheses
constexpr std::size_t kMaxBytes = 256 << 10;  // of a litmus file
constexpr std::size_t kMaxLongName = 128;

std::string describe(const Token& t) {
  if (t.kind == TokenKind::end) return "the end of the file";
  if (t.kind == TokenKind::string) return "a string";
  return fmt::format("`{}`", t.text);
}

}  // namespace

Parser::Depth::Depth(Parser& p) : parser_(p) {
  if (p.depth_ >= kMaxDepth) {
    p.fail(p.peek(), "nested too deeply", fmt::format("at most {} levels", kMaxDepth));
  }
  ++p.depth_;
}

ast::Comments Parser::Item::end() {
  ast::Comments found;
  found.before = std::exchange(parser_.comments_, {});
  if (parser_.position_ == 0) return found;
  const unsigned line = parser_.tokens_[parser_.position_ - 1].end_line;
  auto& next = parser_.tokens_[parser_.position_].comments;
  auto it = next.begin();
  for (; it != next.end() && it->line == line; ++it) found.after.push_back(it->text);
  next.erase(next.begin(), it);
  return found;
}

Parser::Parser(std::vector<Token> tokens, DiagnosticSink& sink)
    : tokens_(std::move(tokens)), sink_(sink) {}

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
}

const Token& Parser::advance() {
  Token& t = tokens_[position_];
  for (Comment& c : t.comments) comments_.push_back(std::move(c.text));
  t.comments.clear();
  if (position_ + 1 < tokens_.size()) ++position_;
  return t;
}

bool Parser::at(std::string_view punctuation, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::punctuation && peek(ahead).text == punctuation;
}

bool Parser::at_word(std::string_view word, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::identifier && peek(ahead).text == word;
}

bool Parser::at_item_start() const {
  if (at("~") && at_word("exists", 1)) return true;
  return peek().kind == TokenKind::identifier && starts_item(peek().text);
}

bool Parser::accept(std::string_view punctuation) {
  if (!at(punctuation)) return false;
  advance();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  advance();
  return true;
}

void Parser::fail(const Token& t, std::string message, std::string expected, std::string hint) {
  sink_.add(t.at, std::move(message), std::move(expected), std::move(hint));
  out_.complete = false;
  throw SyntaxError{};
}

void Parser::fail_expecting(std::string expected, std::string hint) {
  const Token& t = peek();
  if (t.kind == TokenKind::bad) {
    // What is wrong with the token itself says more than what could stand there.
    fail(t, t.value, t.text.starts_with("\"") ? "`\"` at the end of the text" : expected, hint);
  }
  fail(t, fmt::format("unexpected {}", describe(t)), std::move(expected), std::move(hint));
}

void Parser::expect(std::string_view punctuation, std::string_view where) {
  if (!accept(punctuation)) fail_expecting(fmt::format("`{}` {}", punctuation, where));
}

void Parser::expect_semicolon() {
  if (accept(";")) return;
  const Token& last = tokens_[position_ - 1];
  const Token& next = peek();
  const bool forgotten = at("}") || (next.line > last.end_line && next.kind != TokenKind::bad);
  if (!forgotten) fail_expecting("`;` after the statement");
  sink_.add({last.at.offset + last.at.length, 1}, "`;` is missing", "`;` after the statement");
  out_.complete = false;
}

Location Parser::span(std::size_t first_token) const {
  const Location first = tokens_[first_token].at;
  if (position_ == first_token) return first;
  const Location last = tokens_[position_ - 1].at;
  return {first.offset, last.offset + last.length - first.offset};
}

void Parser::forget(std::size_t first_token) {
  for (std::size_t i = first_token; i < position_; ++i) {
    if (tokens_[i].kind == TokenKind::identifier) out_.skipped.emplace(tokens_[i].text);
  }
}

void Parser::recover_item(std::size_t first_token) {
  if (position_ == first_token) advance();
  while (peek().kind != TokenKind::end && !at_item_start()) advance();
  forget(first_token);
}

bool Parser::skip_to_block() {
  const std::size_t first = position_;
  while (peek().kind != TokenKind::end && !at_item_start() && !at("{") && !at("}")) advance();
  forget(first);
  return at("{");
}

ast::Name Parser::any_name(std::string_view what) {
  if (peek().kind != TokenKind::identifier) fail_expecting(std::string(what));
  const Token& t = advance();
  return {std::string(t.text), t.at};
}

ast::Name Parser::name(std::string_view what) {
  const Token& t = peek();
  if (t.kind == TokenKind::identifier && is_reserved(t.text)) {
    fail(t, fmt::format("`{}` is a word of the language, not a name", t.text), std::string(what));
  }
  return any_name(what);
}

ast::Name Parser::dashed_name(std::string_view what) {
  const std::string_view text = long_name(sink_.text().substr(peek().at.offset));
  const bool starts_well = !text.empty() && std::string_view("-.+").find(text[0]) == text.npos;
  if (!starts_well || peek().kind == TokenKind::end) fail_expecting(std::string(what));
  const Location at{peek().at.offset, static_cast<std::uint32_t>(text.size())};
  while (peek().kind != TokenKind::end && peek().at.offset < at.offset + at.length) advance();
  if (text.size() > kMaxLongName) {
    sink_.add(at, "this name is longer than 128 characters");
    out_.complete = false;
  }
  return {std::string(text), at};
}

ast::Integer Parser::integer(std::string_view what) {
  const std::size_t first = position_;
  ast::Integer out;
  const bool negative = accept("-");
  const Token& t = peek();
  if (t.kind == TokenKind::integer) {
    out.value = std::stol(std::string(t.text));
  } else if (t.kind == TokenKind::identifier && errno_value(t.text) != 0) {
    out.value = errno_value(t.text);
    out.errno_name = t.text;
  } else {
    fail_expecting(std::string(what));
  }
  advance();
  if (negative) out.value = -out.value;
  out.at = span(first);
  return out;
}

std::string Parser::string() {
  if (peek().kind != TokenKind::string) fail_expecting("a text in double quotes");
  return advance().value;
}

Parsed Parser::run() {
  header();
  while (peek().kind != TokenKind::end) {
    const std::size_t first = position_;
    try {
      item();
    } catch (const SyntaxError&) {
      recover_item(first);
    }
  }
  for (Comment& c : tokens_[position_].comments) {
    out_.file.trailing.push_back(std::move(c.text));
  }
  if (!out_.file.condition && !out_.skipped.contains("exists") &&
      !out_.skipped.contains("forall")) {
    sink_.add(peek().at, "the test has no condition",
              "`exists (...)`, `~exists (...)` or `forall (...)`");
    out_.complete = false;
  }
  return std::move(out_);
}

void Parser::header() {
  const std::size_t first = position_;
  try {
    Item title(*this);
    if (!accept_word("litmus")) {
      fail_expecting("`litmus NAME`", "a litmus file starts with the name of its test");
    }
    out_.file.name = dashed_name("the name of the test");
    if (peek().kind == TokenKind::string) out_.file.description = string();
    out_.file.comments = title.end();
    while (at_word("claim") || at_word("source")) {
      Item line(*this);
      ast::HeaderLine out;
      if (accept_word("source")) {
        out.source = string();
      } else {
        advance();
        do {
          out.claims.push_back(integer("the number of a claim"));
        } while (accept(","));
      }
      out.comments = line.end();
      out_.file.header.push_back(std::move(out));
    }
  } catch (const SyntaxError&) {
    if (!at_item_start() || position_ != first) recover_item(first);
  }
}

void Parser::item() {
  const Token& t = peek();
  if (at_word("anon") || at_word("file") || at_word("hugetlb")) return memory();
  if (at_word("swap")) return swap_device();
  if (at_word("process")) return process();
  if (at_word("thread")) return thread();
  if (at_word("daemon")) return daemon();
  if (at_word("expect")) return expectation();
  if (at_word("exists") || at_word("forall") || at("~")) return condition();
  if (at("}")) fail(t, "this `}` closes nothing");
  if (at_word("litmus")) fail(t, "a second test in the file", "one test per file");
  if (at_word("claim") || at_word("source")) {
    fail(t, fmt::format("`{}` belongs to the header", t.text), "",
         "write it before the memory of the test");
  }
  const std::string expected =
      "`anon`, `file`, `hugetlb`, `swap`, `process`, `thread`, `daemon`, `exists`, `~exists`, "
      "`forall` or `expect`";
  const std::string hint =
      t.kind == TokenKind::identifier
          ? did_you_mean(t.text, {"anon", "file", "hugetlb", "swap", "process", "thread", "daemon",
                                  "exists", "forall", "expect", "claim", "source"})
          : "";
  fail_expecting(expected, hint);
}

ast::Word Parser::memory_word() {
  ast::Word out;
  out.name = name("the name of a word");
  if (accept("=")) out.initial = integer("the initial value of the word");
  return out;
}

ast::Attribute Parser::attribute() {
  ast::Attribute out;
  out.name = any_name("an attribute");
  if (out.name.text == "in") out.process = name("the name of a process");
  if (out.name.text == "pool") out.number = integer("how many huge pages the machine has");
  return out;
}

void Parser::memory() {
  Item item(*this);
  ast::Object out;
  out.file = at_word("file");
  out.hugetlb = at_word("hugetlb");
  advance();
  out.name = name("the name of the memory");
  if (accept("[")) {
    out.pages = integer("the number of pages");
    expect("]", "after the number of pages");
  }
  expect("{", "and the words of a page");
  do {
    out.words.push_back(memory_word());
  } while (accept(","));
  expect("}", "after the words");
  if (accept(":")) {
    do {
      out.attributes.push_back(attribute());
    } while (accept(","));
  }
  accept(";");
  out.comments = item.end();
  out_.file.objects.push_back(std::move(out));
}

void Parser::process() {
  Item item(*this);
  ast::Process out;
  advance();
  try {
    out.name = name("the name of the process");
    if (accept(":")) {
      const Token& word = peek();
      if (!accept_word("independent")) {
        fail(word, fmt::format("unknown attribute {} of a process", describe(word)),
             "`independent`", did_you_mean(word.text, {"independent"}));
      }
      out.independent = true;
    }
    if (!at("{")) fail_expecting("`{` and the statements of the process");
  } catch (const SyntaxError&) {
    if (!skip_to_block()) throw;
  }
  const bool named = !out.name.text.empty();
  out.body = block();
  if (named) out_.file.actors.push_back({std::move(out), item.end()});
}

void Parser::thread() {
  Item item(*this);
  ast::Thread out;
  advance();
  try {
    out.process = name("`PROCESS.NAME`");
    expect(".", "and the name of the thread");
    out.name = name("the name of the thread");
    if (!at("{")) fail_expecting("`{` and the statements of the thread");
  } catch (const SyntaxError&) {
    if (!skip_to_block()) throw;
  }
  const bool named = !out.name.text.empty();
  out.body = block();
  if (named) out_.file.actors.push_back({std::move(out), item.end()});
}

void Parser::daemon() {
  Item item(*this);
  ast::Daemon out;
  advance();
  out.kind = any_name("the kind of daemon: speculate, reclaim, migrate, numa_scan, ksm, writeback");
  expect("(", "after the kind of daemon");
  out.pages = place("the memory it acts on");
  expect(",", "and how often it may act");
  out.bound = integer("how often it may act");
  expect(")", "after the arguments");
  if (accept(":")) out.option = any_name("`page_lock`");
  expect_semicolon();
  out_.file.actors.push_back({std::move(out), item.end()});
}

void Parser::swap_device() {
  Item item(*this);
  ast::SwapDevice out;
  advance();
  out.kind = any_name("the kind of swap device: zram or disk");
  if (accept(":")) out.option = any_name("`stable_writes`");
  expect_semicolon();
  out.comments = item.end();
  out_.file.swap.push_back(std::move(out));
}

Parsed parse_text(std::string_view text, DiagnosticSink& sink) {
  Parsed failed;
  failed.complete = false;
  if (text.size() > kMaxBytes) {
    sink.add({0, 1}, fmt::format("the file has {} bytes", text.size()),
             fmt::format("at most {} bytes", kMaxBytes));
    return failed;
  }
  const std::size_t bad = find_bad_byte(text);
  if (bad != std::string_view::npos) {
    sink.add({static_cast<std::uint32_t>(bad), 1}, "a byte that is not text", "UTF-8 text",
             "convert the file to UTF-8 and remove control characters");
    return failed;
  }
  std::vector<Token> tokens = lex(text, sink);
  const bool lexed = sink.empty();
  Parsed out = Parser(std::move(tokens), sink).run();
  out.complete = out.complete && lexed;
  return out;
}

}  // namespace drover::litmus
