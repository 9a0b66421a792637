// The canonical form of a test and its hash: two files that run alike have the same.
#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "litmus/format.hpp"

namespace drover::litmus {
namespace {

void plain(ast::Integer& i) {
  i.errno_name.clear();
}

void plain(ast::Expr& e) {
  for (ast::Operand* o : {&e.a, &e.b}) {
    if (auto* i = std::get_if<ast::Integer>(o)) plain(*i);
  }
}

/// `buf[0].x` is `buf.x`; `buf[0]` without a word is not `buf`, which means all its pages.
void plain(ast::Place& p) {
  if (p.index && p.index->value == 0 && p.word) p.index.reset();
}

void plain(ast::Call& c) {
  for (ast::Argument& a : c.arguments) {
    if (auto* e = std::get_if<ast::Expr>(&a.value)) plain(*e);
    if (auto* p = std::get_if<ast::Place>(&a.value)) plain(*p);
    if (auto* f = std::get_if<ast::Flags>(&a.value)) {
      std::sort(f->names.begin(), f->names.end(),
                [](const ast::Name& a, const ast::Name& b) { return a.text < b.text; });
    }
  }
  const bool takes_entry = c.function.text == "get" || c.function.text == "pin";
  if (takes_entry && c.arguments.size() == 3 && to_string(c.arguments[2]) == "slow") {
    c.arguments.pop_back();
  }
}

void plain(ast::Block& b);

struct PlainStatement {
  void operator()(ast::Assign& s) const { plain(s.value); }
  void operator()(ast::Load& s) const { plain(s.from); }
  void operator()(ast::Store& s) const {
    plain(s.to);
    plain(s.value);
  }
  void operator()(ast::CallStatement& s) const { plain(s.call); }
  void operator()(ast::If& s) const {
    plain(s.condition);
    plain(s.then);
    if (s.otherwise) plain(*s.otherwise);
  }
  void operator()(ast::Repeat& s) const { plain(s.body); }
  void operator()(ast::Signal&) const {}
  void operator()(ast::Await&) const {}
  void operator()(ast::Exit&) const {}
  void operator()(ast::Crash&) const {}
};

void plain(ast::Block& b) {
  b.trailing.clear();
  for (ast::Statement& s : b.statements) {
    s.comments = {};
    std::visit(PlainStatement{}, s.what);
  }
}

void plain(ast::Cond& c) {
  plain(c.number);
  plain(c.place);
  for (ast::Cond& child : c.children) plain(child);
}

void plain(ast::Object& o) {
  o.comments = {};
  if (o.pages && o.pages->value == 1) o.pages.reset();
  for (ast::Word& w : o.words) {
    if (!w.initial) continue;
    plain(*w.initial);
    if (w.initial->value == 0) w.initial.reset();
  }
  for (ast::Attribute& a : o.attributes) {
    if (a.number) plain(*a.number);
  }
  std::sort(
      o.attributes.begin(), o.attributes.end(),
      [](const ast::Attribute& a, const ast::Attribute& b) { return a.name.text < b.name.text; });
}

struct PlainActor {
  void operator()(ast::Process& p) const { plain(p.body); }
  void operator()(ast::Thread& t) const { plain(t.body); }
  void operator()(ast::Daemon&) const {}
};

}  // namespace

std::string canonical_text(const Ast& file) {
  Ast f = file;
  f.name = {};
  f.comments = {};
  f.description.reset();
  f.header.clear();
  f.expectations.clear();
  f.trailing.clear();
  for (ast::Object& o : f.objects) plain(o);
  for (ast::SwapDevice& d : f.swap) d.comments = {};
  for (ast::Actor& a : f.actors) {
    a.comments = {};
    std::visit(PlainActor{}, a.what);
  }
  if (f.condition) {
    f.condition->comments = {};
    plain(f.condition->proposition);
  }
  return format(f);
}

std::string hash_of(const Ast& file) {
  const std::string text = canonical_text(file);
  const XXH128_hash_t h = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", h.high64, h.low64);
}

}  // namespace drover::litmus
