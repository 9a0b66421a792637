// The recursive-descent parser: tokens to syntax tree. Names are not resolved here.
// parser.cpp has the mechanics, header, memory and actors; parser_statement.cpp the statements;
// parser_condition.cpp conditions and expectations.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/ast.hpp"
#include "litmus/lexer.hpp"

namespace drover::litmus {

/// What the parser found. After a syntax error the tree lacks the broken parts; `skipped` has every
/// name they mention, so that the compiler does not complain about their absence.
struct Parsed {
  ast::File file;
  bool complete = true;
  std::set<std::string, std::less<>> skipped;
};

class Parser {
 public:
  Parser(std::vector<Token> tokens, DiagnosticSink& sink);
  [[nodiscard]] Parsed run();

 private:
  struct SyntaxError {};
  class Item;   // gathers the comments of one item
  class Depth;  // bounds nesting

  // Tokens.
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
  const Token& advance();
  [[nodiscard]] bool at(std::string_view punctuation, std::size_t ahead = 0) const;
  [[nodiscard]] bool at_word(std::string_view word, std::size_t ahead = 0) const;
  [[nodiscard]] bool at_item_start() const;
  bool accept(std::string_view punctuation);
  bool accept_word(std::string_view word);
  void expect(std::string_view punctuation, std::string_view where);
  void expect_semicolon();
  [[noreturn]] void fail(const Token& t, std::string message, std::string expected = {},
                         std::string hint = {});
  [[noreturn]] void fail_expecting(std::string expected, std::string hint = {});
  [[nodiscard]] Location span(std::size_t first_token) const;

  // Recovery.
  void forget(std::size_t first_token);
  void recover_item(std::size_t first_token);
  void recover_statement(std::size_t first_token);
  bool skip_to_block();

  // Names and numbers.
  ast::Name name(std::string_view what);
  ast::Name any_name(std::string_view what);
  ast::Name dashed_name(std::string_view what);
  ast::Integer integer(std::string_view what);
  std::string string();

  // Items.
  void header();
  void item();
  void memory();
  void process();
  void thread();
  void daemon();
  void swap_device();
  void condition();
  void expectation();
  ast::Word memory_word();
  ast::Attribute attribute();

  // Statements.
  ast::Block block();
  ast::Statement statement();
  void statement_body(ast::Statement& out, std::size_t first_token);
  void assignment(ast::Statement& out);
  ast::If if_statement();
  ast::Repeat repeat_statement();
  ast::Call call();
  ast::Argument argument();
  ast::Place place(std::string_view what);
  ast::Expr expression();
  ast::Operand operand();

  // Conditions.
  ast::Cond disjunction();
  ast::Cond conjunction();
  ast::Cond factor();
  ast::Cond atom();
  ast::Cond same_frame();
  ast::Place frame_place();
  ast::Designs designs();

  std::vector<Token> tokens_;
  DiagnosticSink& sink_;
  std::size_t position_ = 0;
  unsigned depth_ = 0;
  std::vector<std::string> comments_;  // seen since the current item began
  Parsed out_;
};

/// Gathers the comments between its construction and end(), and those behind the last token on
/// its line.
class Parser::Item {
 public:
  explicit Item(Parser& p) : parser_(p) { outer_.swap(p.comments_); }
  ~Item() { outer_.swap(parser_.comments_); }
  Item(const Item&) = delete;
  Item& operator=(const Item&) = delete;
  ast::Comments end();

 private:
  Parser& parser_;
  std::vector<std::string> outer_;
};

/// Counts nesting; too much of it is a syntax error instead of an exhausted stack.
class Parser::Depth {
 public:
  explicit Depth(Parser& p);
  ~Depth() { --parser_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  Parser& parser_;
};

/// Parses `text`; errors go to `sink`. Never throws on any input.
[[nodiscard]] Parsed parse_text(std::string_view text, DiagnosticSink& sink);

}  // namespace drover::litmus
