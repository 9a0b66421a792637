// Parsing of blocks, statements, calls and expressions.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "litmus/parser.hpp"

namespace drover::litmus {
namespace {

struct Operator {
  std::string_view text;
  Fn fn;
};
constexpr std::array<Operator, 8> kOperators = {{{"+", Fn::add},
                                                 {"-", Fn::sub},
                                                 {"==", Fn::eq},
                                                 {"!=", Fn::ne},
                                                 {"<", Fn::lt},
                                                 {"<=", Fn::le},
                                                 {">", Fn::gt},
                                                 {">=", Fn::ge}}};

Fn operator_of(const Token& t) {
  if (t.kind != TokenKind::punctuation) return Fn::none;
  for (const Operator& o : kOperators) {
    if (o.text == t.text) return o.fn;
  }
  return Fn::none;
}

}  // namespace

void Parser::recover_statement(std::size_t first_token) {
  if (position_ == first_token && !at("}") && !at("{") && !at_item_start()) advance();
  while (peek().kind != TokenKind::end && !at("}") && !at_item_start()) {
    if (accept(";")) break;
    if (at("{")) {
      // The head is broken, the statements in the block may have errors of their own.
      try {
        block();
      } catch (const SyntaxError&) {  // nested too deeply: reported
        unsigned open = 0;
        do {
          open += at("{") ? 1 : 0;
          open -= at("}") ? 1 : 0;
          advance();
        } while (open != 0 && peek().kind != TokenKind::end && !at_item_start());
      }
      if (!accept_word("else")) break;
      continue;
    }
    advance();
  }
  forget(first_token);
}

ast::Block Parser::block() {
  Depth depth(*this);
  ast::Block out;
  const unsigned line = peek().line;
  expect("{", "and statements");
  while (!at("}")) {
    if (peek().kind == TokenKind::end || at_item_start()) {
      sink_.add(peek().at, "a block is not closed before this", "`}`",
                fmt::format("the `{{` of line {} has no `}}`", line));
      out_.complete = false;
      return out;
    }
    const std::size_t first = position_;
    try {
      out.statements.push_back(statement());
    } catch (const SyntaxError&) {
      recover_statement(first);
    }
  }
  for (Comment& c : tokens_[position_].comments) out.trailing.push_back(std::move(c.text));
  tokens_[position_].comments.clear();
  advance();
  return out;
}

ast::Statement Parser::statement() {
  Item item(*this);
  ast::Statement out;
  const std::size_t first = position_;
  statement_body(out, first);
  out.comments = item.end();
  return out;
}

void Parser::statement_body(ast::Statement& out, std::size_t first_token) {
  if (at_word("if")) {
    out.at = peek().at;
    out.what = if_statement();
    return;
  }
  if (at_word("repeat")) {
    out.at = peek().at;
    out.what = repeat_statement();
    return;
  }
  const Token& t = peek();
  if (at_word("else")) {
    fail(t, "`else` without `if`", "",
         "`else` follows the `}` of an `if`; `else if` is written "
         "`else { if (e) { ... } }`");
  }
  if (at_word("post")) {
    fail(t, "nobody can complete this operation", "`j = post ...;`",
         "name the posted operation and `complete(j)` it");
  }
  if (accept_word("signal")) {
    out.what = ast::Signal{name("the name of an event")};
  } else if (accept_word("await")) {
    out.what = ast::Await{name("the name of an event")};
  } else if (accept_word("exit")) {
    out.what = ast::Exit{};
  } else if (accept_word("crash")) {
    out.what = ast::Crash{};
  } else if (t.kind == TokenKind::identifier && at("(", 1)) {
    out.what = ast::CallStatement{{}, call()};
  } else {
    assignment(out);
  }
  out.at = span(first_token);
  expect_semicolon();
}

void Parser::assignment(ast::Statement& out) {
  if (peek().kind != TokenKind::identifier) fail_expecting("a statement or `}`");
  const ast::Name start = {std::string(peek().text), peek().at};
  const ast::Place target = place("a statement");
  if (target.process) {
    fail(peek(), "another process's memory cannot be accessed directly", "",
         "use process_vm_writev(PROCESS, WORD, VALUE) or ptrace_poke");
  }
  if (!accept("=")) {
    const bool bare = !target.word && !target.index;
    fail_expecting(bare ? "`=` or `(`" : "`=`",
                   bare ? did_you_mean(start.text, {"if", "repeat", "signal", "await", "exit",
                                                    "crash", "else", "post"})
                        : "");
  }
  const bool access = peek().kind == TokenKind::identifier && !is_reserved(peek().text) &&
                      (at("(", 1) || at(".", 1) || at("[", 1) || at(":", 1));
  if (target.word || target.index) {
    if (access || at_word("post")) {
      fail(peek(), "a store takes an integer, a register or one operation on them", "",
           "go through a register: `r = ...; buf.x = r;`");
    }
    out.what = ast::Store{target, expression()};
  } else if (at_word("post") || (access && at("(", 1))) {
    out.what = ast::CallStatement{target.object, call()};
  } else if (access) {
    ast::Place from = place("a word of memory");
    if (from.process) {
      fail(peek(), "another process's memory cannot be accessed directly", "",
           "use process_vm_readv(PROCESS, WORD) or ptrace_peek");
    }
    out.what = ast::Load{target.object, std::move(from)};
  } else {
    out.what = ast::Assign{target.object, expression()};
  }
}

ast::If Parser::if_statement() {
  ast::If out;
  advance();
  expect("(", "and a condition on registers");
  out.condition = expression();
  if (at("=")) fail(peek(), "`=` assigns", "`==`", "`==` compares two values");
  expect(")", "after the condition");
  out.then = block();
  if (accept_word("else")) {
    if (at_word("if")) {
      fail(peek(), "`else if` is not part of the language", "`{`",
           "write `else { if (e) { ... } }`");
    }
    out.otherwise = block();
  }
  return out;
}

ast::Repeat Parser::repeat_statement() {
  ast::Repeat out;
  advance();
  out.count = integer("how often to repeat");
  out.body = block();
  return out;
}

ast::Call Parser::call() {
  ast::Call out;
  const std::size_t first = position_;
  out.post = accept_word("post");
  out.function = any_name("the name of an operation");
  expect("(", "after the operation");
  if (!at(")")) {
    do {
      out.arguments.push_back(argument());
    } while (accept(","));
  }
  if (!accept(")")) fail_expecting("`,` or `)`");
  out.at = span(first);
  return out;
}

ast::Argument Parser::argument() {
  const std::size_t first = position_;
  ast::Argument out;
  const bool named = peek().kind == TokenKind::identifier && !is_reserved(peek().text);
  if (named && (at(":", 1) || at(".", 1) || at("[", 1))) {
    out.value = place("an argument");
  } else if (named && at("|", 1)) {
    ast::Flags flags;
    do {
      flags.names.push_back(name("a flag"));
    } while (accept("|"));
    out.value = std::move(flags);
  } else {
    out.value = expression();
  }
  out.at = span(first);
  return out;
}

ast::Place Parser::place(std::string_view what) {
  const std::size_t first = position_;
  ast::Place out;
  out.object = name(what);
  if (accept(":")) {
    out.process = std::move(out.object);
    out.object = name("the name of memory");
  }
  if (accept("[")) {
    out.index = integer("the number of a page, from 0");
    expect("]", "after the number of the page");
  }
  if (accept(".")) out.word = name("the name of a word");
  out.at = span(first);
  return out;
}

ast::Expr Parser::expression() {
  const std::size_t first = position_;
  ast::Expr out;
  out.a = operand();
  out.fn = operator_of(peek());
  if (out.fn != Fn::none) {
    advance();
    out.b = operand();
    if (operator_of(peek()) != Fn::none) {
      fail(peek(), "an expression has one operator", "", "compute the first part into a register");
    }
  }
  out.at = span(first);
  return out;
}

ast::Operand Parser::operand() {
  const Token& t = peek();
  if (t.kind == TokenKind::identifier && errno_value(t.text) == 0) {
    return name("an integer or a register");
  }
  if (at("(")) {
    fail_expecting("an integer or a register",
                   "an expression is `a` or `a OP b`, without parentheses");
  }
  return integer("an integer or a register");
}

}  // namespace drover::litmus
