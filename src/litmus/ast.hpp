// The syntax tree of a litmus file: what was written, with its comments, before names are resolved.
// Trees compare by content: locations never count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "litmus/diagnostic.hpp"
#include "litmus/program.hpp"

namespace drover::litmus::ast {

/// Comments of an item, with their delimiters: those before (or inside) it, those that follow its
/// end on the same line.
struct Comments {
  std::vector<std::string> before, after;
  bool operator==(const Comments&) const = default;
};

struct Name {
  std::string text;
  Location at;
  bool operator==(const Name&) const = default;
};

struct Integer {
  std::int64_t value = 0;
  std::string errno_name;  // "EFAULT" when written so
  Location at;
  bool operator==(const Integer&) const = default;
};

/// `process:object[index].word`; only the object is always there. Also `handle[index].word`.
struct Place {
  std::optional<Name> process;
  Name object;
  std::optional<Integer> index;
  std::optional<Name> word;
  Location at;
  bool operator==(const Place&) const = default;
};

using Operand = std::variant<Integer, Name>;
struct Expr {
  Operand a;
  Fn fn = Fn::none;
  Operand b;
  Location at;
  bool operator==(const Expr&) const = default;
};

/// `A | B`, two or more; a single flag is an Expr of one name.
struct Flags {
  std::vector<Name> names;
  bool operator==(const Flags&) const = default;
};

/// An argument of a call. A single name is an Expr, whatever it turns out to be.
struct Argument {
  std::variant<Expr, Place, Flags> value;
  Location at;
  bool operator==(const Argument&) const = default;
};

struct Call {
  bool post = false;
  Name function;
  std::vector<Argument> arguments;
  Location at;
  bool operator==(const Call&) const = default;
};

struct Statement;
struct Block {
  std::vector<Statement> statements;
  std::vector<std::string> trailing;  // comments before the closing brace
  bool operator==(const Block& o) const;
};

struct Assign {
  Name target;
  Expr value;
  bool operator==(const Assign&) const = default;
};
struct Load {
  Name target;
  Place from;
  bool operator==(const Load&) const = default;
};
struct Store {
  Place to;
  Expr value;
  bool operator==(const Store&) const = default;
};
struct CallStatement {
  std::optional<Name> result;
  Call call;
  bool operator==(const CallStatement&) const = default;
};
struct If {
  Expr condition;
  Block then;
  std::optional<Block> otherwise;
  bool operator==(const If&) const = default;
};
struct Repeat {
  Integer count;
  Block body;
  bool operator==(const Repeat&) const = default;
};
struct Signal {
  Name event;
  bool operator==(const Signal&) const = default;
};
struct Await {
  Name event;
  bool operator==(const Await&) const = default;
};
struct Exit {
  bool operator==(const Exit&) const = default;
};
struct Crash {
  bool operator==(const Crash&) const = default;
};

struct Statement {
  std::variant<Assign, Load, Store, CallStatement, If, Repeat, Signal, Await, Exit, Crash> what;
  Comments comments;
  Location at;  // of its first line: `if (e)` without the blocks
  bool operator==(const Statement&) const = default;
};
inline bool Block::operator==(const Block& o) const {
  return statements == o.statements && trailing == o.trailing;
}

/// `claim 6, 15` or `source "text"`.
struct HeaderLine {
  std::vector<Integer> claims;
  std::optional<std::string> source;
  Comments comments;
  bool operator==(const HeaderLine&) const = default;
};

struct Word {
  Name name;
  std::optional<Integer> initial;
  bool operator==(const Word&) const = default;
};
struct Attribute {
  Name name;
  std::optional<Name> process;    // of `in`
  std::optional<Integer> number;  // of `pool`
  bool operator==(const Attribute&) const = default;
};
struct Object {
  bool file = false, hugetlb = false;  // `file` or `hugetlb`, not `anon`
  Name name;
  std::optional<Integer> pages;
  std::vector<Word> words;
  std::vector<Attribute> attributes;
  Comments comments;
  bool operator==(const Object&) const = default;
};

struct Process {
  Name name;
  bool independent = false;
  Block body;
  bool operator==(const Process&) const = default;
};
struct Thread {
  Name process, name;
  Block body;
  bool operator==(const Thread&) const = default;
};
struct Daemon {
  Name kind;
  Place pages;
  Integer bound;
  std::optional<Name> option;
  bool operator==(const Daemon&) const = default;
};
struct Actor {
  std::variant<Process, Thread, Daemon> what;
  Comments comments;
  bool operator==(const Actor&) const = default;
};

/// `swap disk : stable_writes;`, what the machine swaps to.
struct SwapDevice {
  Name kind;
  std::optional<Name> option;
  Comments comments;
  bool operator==(const SwapDevice&) const = default;
};

/// An atom or a connective of a condition; `land` and `lor` have two or more children, none of
/// which has the same connective.
struct Cond {
  enum class Kind : std::uint8_t { constant, value, sigsegv, sigbus, same_frame, land, lor, lnot };
  Kind kind = Kind::constant;
  Name process;  // value, sigsegv and sigbus: `process.thread:place = number`
  std::optional<Name> thread;
  Place place, other;    // value: place; same_frame: both
  bool differs = false;  // `!=`
  Integer number;
  std::vector<Cond> children;
  Location at;
  bool operator==(const Cond& o) const;
};
inline bool Cond::operator==(const Cond& o) const {
  return kind == o.kind && process == o.process && thread == o.thread && place == o.place &&
         other == o.other && differs == o.differs && number == o.number && children == o.children;
}
struct Condition {
  Quantifier quantifier = Quantifier::exists;
  Cond proposition;
  Comments comments;
  bool operator==(const Condition&) const = default;
};

struct Designs {
  Name first;
  std::optional<Name> last;
  Location at;
  bool operator==(const Designs&) const = default;
};
struct Expectation {
  Name what;  // Always, Sometimes, Never, Unsupported, violates, holds
  std::vector<Name> properties;
  std::vector<Designs> designs;
  std::optional<std::string> reason;
  Comments comments;
  bool operator==(const Expectation&) const = default;
};

/// A whole file.
struct File {
  Name name;
  std::optional<std::string> description;
  Comments comments;  // of the `litmus NAME "text"` line
  std::vector<HeaderLine> header;
  std::vector<Object> objects;
  std::vector<SwapDevice> swap;  // one at most; the compiler complains about more
  std::vector<Actor> actors;
  std::optional<Condition> condition;
  std::vector<Expectation> expectations;
  std::vector<std::string> trailing;  // comments after the last item
  bool operator==(const File&) const = default;
};

}  // namespace drover::litmus::ast

namespace drover::litmus {
using Ast = ast::File;
}
