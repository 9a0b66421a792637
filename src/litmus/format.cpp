// Printing syntax trees in canonical layout. What counts for the hash is canonical.cpp.
#include "litmus/format.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::litmus {
namespace {

constexpr std::size_t kColumns = 80;
constexpr unsigned kIndent = 4;

const char* symbol(Fn fn) {
  switch (fn) {
    case Fn::none:
      return "";
    case Fn::add:
      return "+";
    case Fn::sub:
      return "-";
    case Fn::eq:
      return "==";
    case Fn::ne:
      return "!=";
    case Fn::lt:
      return "<";
    case Fn::le:
      return "<=";
    case Fn::gt:
      return ">";
    case Fn::ge:
      return ">=";
  }
  return "";
}

template <class Range, class Show>
std::string join(const Range& range, const char* separator, Show show) {
  std::string out;
  for (const auto& x : range) {
    if (!out.empty()) out += separator;
    out += show(x);
  }
  return out;
}

std::string show(const ast::Operand& o) {
  if (const auto* name = std::get_if<ast::Name>(&o)) return name->text;
  return to_string(std::get<ast::Integer>(o));
}

std::string show(const ast::Call& c) {
  const auto argument = [](const ast::Argument& a) { return to_string(a); };
  return fmt::format("{}{}({})", c.post ? "post " : "", c.function.text,
                     join(c.arguments, ", ", argument));
}

struct StatementText {
  std::string operator()(const ast::Assign& s) const {
    return fmt::format("{} = {}", s.target.text, to_string(s.value));
  }
  std::string operator()(const ast::Load& s) const {
    return fmt::format("{} = {}", s.target.text, to_string(s.from));
  }
  std::string operator()(const ast::Store& s) const {
    return fmt::format("{} = {}", to_string(s.to), to_string(s.value));
  }
  std::string operator()(const ast::CallStatement& s) const {
    return s.result ? fmt::format("{} = {}", s.result->text, show(s.call)) : show(s.call);
  }
  std::string operator()(const ast::If& s) const {
    return fmt::format("if ({})", to_string(s.condition));
  }
  std::string operator()(const ast::Repeat& s) const {
    return fmt::format("repeat {}", to_string(s.count));
  }
  std::string operator()(const ast::Signal& s) const { return "signal " + s.event.text; }
  std::string operator()(const ast::Await& s) const { return "await " + s.event.text; }
  std::string operator()(const ast::Exit&) const { return "exit"; }
  std::string operator()(const ast::Crash&) const { return "crash"; }
};

/// True when a line break may replace the blank at `i`: inside a string a break reads as one
/// blank, so that only single blanks may go.
bool may_break(const std::string& s, std::size_t i) {
  return s[i] == ' ' && i > 0 && i + 1 < s.size() && s[i - 1] != ' ' && s[i + 1] != ' ';
}

class Printer {
 public:
  std::string run(const ast::File& f) {
    if (!f.name.text.empty()) header(f);
    section();
    for (const ast::Object& o : f.objects) object(o);
    for (const ast::SwapDevice& d : f.swap) {
      before(d.comments);
      line(fmt::format("swap {}{};", d.kind.text, d.option ? " : " + d.option->text : ""));
      after(d.comments);
    }
    for (const ast::Actor& a : f.actors) {
      section();
      before(a.comments);
      std::visit([&](const auto& actor) { print(actor); }, a.what);
      after(a.comments);
    }
    section();
    if (f.condition) condition(*f.condition);
    for (const ast::Expectation& e : f.expectations) expectation(e);
    section();
    for (const std::string& c : f.trailing) raw(c);
    while (out_.ends_with("\n\n")) out_.pop_back();
    return std::move(out_);
  }

 private:
  void raw(const std::string& text) { out_ += std::string(depth_ * kIndent, ' ') + text + '\n'; }

  /// Prints `text`, broken at blanks where it is too long; further lines are indented by `hang`.
  void line(const std::string& text, unsigned hang = 2 * kIndent) {
    std::string rest = std::string(depth_ * kIndent, ' ') + text;
    const std::size_t indent = depth_ * kIndent + hang;
    std::size_t first = depth_ * kIndent;  // first column of text in `rest`
    while (rest.size() > kColumns) {
      std::size_t at = kColumns;
      while (at > first && !may_break(rest, at)) --at;
      if (at <= first) {
        at = kColumns;
        while (at < rest.size() && !may_break(rest, at)) ++at;
        if (at == rest.size()) break;
      }
      out_ += rest.substr(0, at) + '\n';
      rest = std::string(indent, ' ') + rest.substr(at + 1);
      first = indent;
    }
    out_ += rest + '\n';
  }

  void before(const ast::Comments& c) {
    for (const std::string& text : c.before) raw(text);
  }
  void after(const ast::Comments& c) {
    if (c.after.empty()) return;
    out_.pop_back();
    for (const std::string& text : c.after) out_ += "  " + text;
    out_ += '\n';
  }
  void section() {
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
  }

  void header(const ast::File& f) {
    before(f.comments);
    raw("litmus " + f.name.text);
    if (f.description) line('"' + *f.description + '"', 1);
    after(f.comments);
    for (const ast::HeaderLine& h : f.header) {
      before(h.comments);
      if (h.source) {
        line(fmt::format("source \"{}\"", *h.source));
      } else {
        line("claim " + join(h.claims, ", ", [](const auto& c) { return to_string(c); }));
      }
      after(h.comments);
    }
  }

  void object(const ast::Object& o) {
    before(o.comments);
    std::string text = (o.file ? "file " : o.hugetlb ? "hugetlb " : "anon ") + o.name.text;
    if (o.pages) text += fmt::format("[{}]", to_string(*o.pages));
    text += " { " +
            join(o.words, ", ",
                 [](const ast::Word& w) {
                   return w.initial ? fmt::format("{} = {}", w.name.text, to_string(*w.initial))
                                    : w.name.text;
                 }) +
            " }";
    if (!o.attributes.empty()) {
      text += " : " + join(o.attributes, ", ", [](const ast::Attribute& a) {
                if (a.process) return fmt::format("{} {}", a.name.text, a.process->text);
                if (a.number) return fmt::format("{} {}", a.name.text, to_string(*a.number));
                return a.name.text;
              });
    }
    line(text);
    after(o.comments);
  }

  void print(const ast::Process& p) {
    block(fmt::format("process {}{} ", p.name.text, p.independent ? " : independent" : ""), p.body);
  }
  void print(const ast::Thread& t) {
    block(fmt::format("thread {}.{} ", t.process.text, t.name.text), t.body);
  }
  void print(const ast::Daemon& d) {
    line(fmt::format("daemon {}({}, {}){};", d.kind.text, to_string(d.pages), to_string(d.bound),
                     d.option ? " : " + d.option->text : ""));
  }

  void block(const std::string& head, const ast::Block& b) {
    out_ += std::string(depth_ * kIndent, ' ') + head;
    body(b);
  }

  void body(const ast::Block& b) {
    if (b.statements.empty() && b.trailing.empty()) {
      out_ += "{ }\n";
      return;
    }
    out_ += "{\n";
    ++depth_;
    for (const ast::Statement& s : b.statements) statement(s);
    for (const std::string& c : b.trailing) raw(c);
    --depth_;
    raw("}");
  }

  void statement(const ast::Statement& s) {
    before(s.comments);
    if (const auto* branch = std::get_if<ast::If>(&s.what)) {
      block(to_string(s) + ' ', branch->then);
      if (branch->otherwise) {
        out_.pop_back();  // `else` stands behind the brace
        out_ += " else ";
        body(*branch->otherwise);
      }
    } else if (const auto* loop = std::get_if<ast::Repeat>(&s.what)) {
      block(to_string(s) + ' ', loop->body);
    } else {
      line(to_string(s) + ';');
    }
    after(s.comments);
  }

  void condition(const ast::Condition& c) {
    before(c.comments);
    const char* quantifier = c.quantifier == Quantifier::exists       ? "exists"
                             : c.quantifier == Quantifier::not_exists ? "~exists"
                                                                      : "forall";
    line(fmt::format("{} ({})", quantifier, to_string(c.proposition)));
    after(c.comments);
  }

  void expectation(const ast::Expectation& e) {
    before(e.comments);
    std::string text = "expect " + e.what.text;
    if (!e.properties.empty()) {
      text += ' ' + join(e.properties, ", ", [](const ast::Name& n) { return n.text; });
    }
    line(text + " on " + join(e.designs, ", ", [](const ast::Designs& d) {
           return d.last ? fmt::format("{} .. {}", d.first.text, d.last->text) : d.first.text;
         }));
    if (e.reason) {
      ++depth_;
      line('"' + *e.reason + '"', 1);
      --depth_;
    }
    after(e.comments);
  }

  std::string out_;
  unsigned depth_ = 0;
};

}  // namespace

std::string to_string(const ast::Integer& i) {
  if (i.errno_name.empty()) return std::to_string(i.value);
  return (i.value < 0 ? "-" : "") + i.errno_name;
}

std::string to_string(const ast::Expr& e) {
  if (e.fn == Fn::none) return show(e.a);
  return fmt::format("{} {} {}", show(e.a), symbol(e.fn), show(e.b));
}

std::string to_string(const ast::Place& p) {
  std::string out;
  if (p.process) out += p.process->text + ':';
  out += p.object.text;
  if (p.index) out += fmt::format("[{}]", to_string(*p.index));
  if (p.word) out += '.' + p.word->text;
  return out;
}

std::string to_string(const ast::Argument& a) {
  if (const auto* expr = std::get_if<ast::Expr>(&a.value)) return to_string(*expr);
  if (const auto* place = std::get_if<ast::Place>(&a.value)) return to_string(*place);
  return join(std::get<ast::Flags>(a.value).names, " | ",
              [](const ast::Name& n) { return n.text; });
}

std::string to_string(const ast::Cond& c) {
  using Kind = ast::Cond::Kind;
  const auto child = [&](const ast::Cond& x) {
    const bool loose = x.kind == Kind::lor || (x.kind == Kind::land && c.kind == Kind::lnot);
    return loose ? fmt::format("({})", to_string(x)) : to_string(x);
  };
  switch (c.kind) {
    case Kind::constant:
      return "true";
    case Kind::sigsegv:
    case Kind::sigbus:
    case Kind::value:
      break;
    case Kind::same_frame:
      return fmt::format("same_frame({}, {})", to_string(c.place), to_string(c.other));
    case Kind::land:
      return join(c.children, " /\\ ", child);
    case Kind::lor:
      return join(c.children, " \\/ ", child);
    case Kind::lnot:
      return '~' + child(c.children.front());
  }
  std::string actor = c.process.text;
  if (c.thread) actor += '.' + c.thread->text;
  if (c.kind == Kind::sigsegv) return actor + ":SIGSEGV";
  if (c.kind == Kind::sigbus) return actor + ":SIGBUS";
  return fmt::format("{}:{} {} {}", actor, to_string(c.place), c.differs ? "!=" : "=",
                     to_string(c.number));
}

std::string to_string(const ast::Statement& s) {
  return std::visit(StatementText{}, s.what);
}

std::string format(const Ast& file) {
  return Printer().run(file);
}

}  // namespace drover::litmus
