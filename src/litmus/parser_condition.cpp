// Parsing of the condition and of the expectations.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "litmus/parser.hpp"

namespace drover::litmus {
namespace {

/// Adds `child` to an n-ary connective; nested ones of the same kind become one.
void join(ast::Cond& parent, ast::Cond child) {
  if (child.kind == parent.kind) {
    parent.children.insert(parent.children.end(), std::make_move_iterator(child.children.begin()),
                           std::make_move_iterator(child.children.end()));
  } else {
    parent.children.push_back(std::move(child));
  }
}

}  // namespace

void Parser::condition() {
  Item item(*this);
  const std::size_t first = position_;
  const Token& start = peek();
  ast::Condition out;
  const bool negated = accept("~");
  if (accept_word("exists")) {
    out.quantifier = negated ? Quantifier::not_exists : Quantifier::exists;
  } else if (!negated && accept_word("forall")) {
    out.quantifier = Quantifier::forall;
  } else {
    fail_expecting("`exists`");
  }
  expect("(", "and a proposition");
  out.proposition = disjunction();
  if (!accept(")")) fail_expecting("`/\\`, `\\/` or `)`");
  if (out.proposition.at.length == 0) out.proposition.at = span(first);
  if (out_.file.condition) {
    sink_.add(start.at, "a second condition", "one condition per test");
    out_.complete = false;
    return;
  }
  out.comments = item.end();
  out_.file.condition = std::move(out);
}

ast::Cond Parser::disjunction() {
  ast::Cond first = conjunction();
  if (!at("\\/") && !at("||")) return first;
  ast::Cond out;
  out.kind = ast::Cond::Kind::lor;
  join(out, std::move(first));
  while (accept("\\/") || accept("||")) join(out, conjunction());
  return out;
}

ast::Cond Parser::conjunction() {
  ast::Cond first = factor();
  if (!at("/\\") && !at("&&")) return first;
  ast::Cond out;
  out.kind = ast::Cond::Kind::land;
  join(out, std::move(first));
  while (accept("/\\") || accept("&&")) join(out, factor());
  return out;
}

ast::Cond Parser::factor() {
  Depth depth(*this);
  if (accept("~") || accept("!")) {
    ast::Cond out;
    out.kind = ast::Cond::Kind::lnot;
    out.children.push_back(factor());
    return out;
  }
  if (accept("(")) {
    ast::Cond out = disjunction();
    if (!accept(")")) fail_expecting("`/\\`, `\\/` or `)`");
    return out;
  }
  return atom();
}

ast::Cond Parser::atom() {
  const std::size_t first = position_;
  ast::Cond out;
  if (accept_word("true")) {
    out.at = span(first);
    return out;
  }
  if (at_word("same_frame") && at("(", 1)) return same_frame();
  out.process = name("`PROCESS:...`, `same_frame(A, B)`, `true` or `(`");
  if (accept(".")) out.thread = name("the name of a thread");
  if (!accept(":")) {
    fail_expecting("`:`", fmt::format("name the actor whose register it is: `PROCESS:{}`",
                                      out.thread ? out.thread->text : out.process.text));
  }
  const bool bus = at_word("SIGBUS");
  if (accept_word("SIGSEGV") || accept_word("SIGBUS")) {
    out.kind = bus ? ast::Cond::Kind::sigbus : ast::Cond::Kind::sigsegv;
    out.at = span(first);
    return out;
  }
  out.kind = ast::Cond::Kind::value;
  out.place = place("a register, a word of memory, `SIGSEGV` or `SIGBUS`");
  if (out.place.process) fail(peek(), "a second `:`", "`= VALUE` or `!= VALUE`");
  out.differs = accept("!=");
  if (!out.differs && !accept("=") && !accept("==")) fail_expecting("`= VALUE` or `!= VALUE`");
  out.number = integer("an integer");
  out.at = span(first);
  return out;
}

ast::Cond Parser::same_frame() {
  const std::size_t first = position_;
  ast::Cond out;
  out.kind = ast::Cond::Kind::same_frame;
  advance();
  expect("(", "and two places");
  out.place = frame_place();
  expect(",", "and a second place");
  out.other = frame_place();
  expect(")", "after two places");
  out.at = span(first);
  return out;
}

ast::Place Parser::frame_place() {
  ast::Place out = place("a handle, a pagemap variable or `PROCESS:MEMORY`");
  if (out.word) {
    sink_.add(out.at, "same_frame compares pages, not words", "`PROCESS:MEMORY` or a handle",
              fmt::format("leave out `.{}`", out.word->text));
    out_.complete = false;
    out.word.reset();
  }
  return out;
}

ast::Designs Parser::designs() {
  const std::size_t first = position_;
  ast::Designs out;
  out.first = dashed_name("the name of a design");
  if (accept("..")) out.last = dashed_name("the last kernel of the range");
  out.at = {tokens_[first].at.offset, 0};
  const Location end = out.last ? out.last->at : out.first.at;
  out.at.length = end.offset + end.length - out.at.offset;
  return out;
}

void Parser::expectation() {
  static const std::vector<std::string> kWords = {"Always",      "Sometimes", "Never",
                                                  "Unsupported", "violates",  "holds"};
  Item item(*this);
  ast::Expectation out;
  advance();
  const Token& word = peek();
  out.what = any_name("Always, Sometimes, Never, Unsupported, violates or holds");
  if (std::find(kWords.begin(), kWords.end(), out.what.text) == kWords.end()) {
    fail(word, fmt::format("unknown expectation `{}`", word.text),
         "Always, Sometimes, Never, Unsupported, violates or holds",
         did_you_mean(word.text, kWords));
  }
  if (out.what.text == "violates" || out.what.text == "holds") {
    do {
      out.properties.push_back(any_name("the name of a property"));
    } while (accept(","));
  }
  if (!accept_word("on")) fail_expecting("`on` and designs");
  do {
    out.designs.push_back(designs());
  } while (accept(","));
  if (peek().kind == TokenKind::string) out.reason = string();
  out.comments = item.end();
  out_.file.expectations.push_back(std::move(out));
}

}  // namespace drover::litmus
