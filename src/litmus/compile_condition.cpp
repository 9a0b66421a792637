// The condition: atoms resolved, named, sorted; connectives as nodes.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "litmus/compiler.hpp"

namespace drover::litmus {
namespace {

constexpr std::size_t kMaxAtoms = 32;  // columns of an outcome
constexpr std::size_t kMaxNodes = 512;

}  // namespace

void Compiler::compile_condition() {
  if (!file_.condition) return;
  Condition& out = program_.condition;
  out.quantifier = file_.condition->quantifier;
  out.text = fmt::format("({})", to_string(file_.condition->proposition));
  out.root = lower_cond(file_.condition->proposition);
  sort_atoms();
}

std::uint16_t Compiler::add_node(CondNode node) {
  auto& nodes = program_.condition.nodes;
  if (!fits(nodes.size(), kMaxNodes, file_.condition->proposition.at,
            "atoms and connectives in the condition")) {
    return 0;
  }
  nodes.push_back(node);
  return static_cast<std::uint16_t>(nodes.size() - 1);
}

std::uint16_t Compiler::lower_cond(const ast::Cond& c) {
  using Kind = ast::Cond::Kind;
  CondNode node;
  switch (c.kind) {
    case Kind::constant:
      return add_node(node);
    case Kind::lnot:
      node.op = CondOp::lnot;
      node.left = lower_cond(c.children.front());
      return add_node(node);
    case Kind::land:
    case Kind::lor: {
      std::uint16_t left = lower_cond(c.children.front());
      for (std::size_t i = 1; i < c.children.size(); ++i) {
        node.op = c.kind == Kind::land ? CondOp::land : CondOp::lor;
        node.left = left;
        node.right = lower_cond(c.children[i]);
        left = add_node(node);
      }
      return left;
    }
    case Kind::value:
    case Kind::sigsegv:
    case Kind::sigbus:
    case Kind::same_frame:
      break;
  }
  std::optional<Atom> a = atom(c);
  if (c.kind == Kind::value) {
    if (const auto value = literal(c.number)) node.value = *value;
  }
  if (!a) return 0;
  if (program_.condition.atoms.size() >= kMaxAtoms &&
      !fits(program_.condition.atoms.size(), kMaxAtoms, c.at, "different atoms")) {
    return 0;
  }
  node.op = c.differs ? CondOp::not_equal : CondOp::equal;
  node.atom = atom_index(std::move(*a));
  return add_node(node);
}

std::uint8_t Compiler::atom_index(Atom a) {
  auto& atoms = program_.condition.atoms;
  const auto same = [&](const Atom& o) { return o.name == a.name; };
  const auto found = std::find_if(atoms.begin(), atoms.end(), same);
  const auto index = static_cast<std::uint8_t>(found - atoms.begin());
  if (found == atoms.end()) atoms.push_back(std::move(a));
  return index;
}

void Compiler::sort_atoms() {
  Condition& c = program_.condition;
  std::vector<std::uint8_t> order(c.atoms.size());
  std::iota(order.begin(), order.end(), std::uint8_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::uint8_t a, std::uint8_t b) { return c.atoms[a] < c.atoms[b]; });
  std::vector<Atom> sorted;
  std::vector<std::uint8_t> moved(order.size());
  for (const std::uint8_t old : order) {
    moved[old] = static_cast<std::uint8_t>(sorted.size());
    sorted.push_back(std::move(c.atoms[old]));
  }
  c.atoms = std::move(sorted);
  for (CondNode& n : c.nodes) {
    if (n.op == CondOp::equal || n.op == CondOp::not_equal) n.atom = moved[n.atom];
  }
}

std::optional<Atom> Compiler::atom(const ast::Cond& c) {
  if (c.kind == ast::Cond::Kind::value) return value_atom(c);
  Atom out;
  if (c.kind == ast::Cond::Kind::sigsegv || c.kind == ast::Cond::Kind::sigbus) {
    const bool bus = c.kind == ast::Cond::Kind::sigbus;
    const char* signal = bus ? "SIGBUS" : "SIGSEGV";
    out.kind = bus ? AtomKind::sigbus : AtomKind::sigsegv;
    if (c.thread) {
      error(c.at, fmt::format("{} is asked of a process, not of one thread", signal),
            fmt::format("`{}:{}`", c.process.text, signal));
      return {};
    }
    const auto p = process(c.process);
    if (!p) return {};
    out.process = *p;
    out.name = fmt::format("{}:{}", c.process.text, signal);
    return out;
  }
  out.kind = AtomKind::same_frame;
  std::string left, right;
  const auto a = frame_place(c.place, left);
  const auto b = frame_place(c.other, right);
  if (!a || !b) return {};
  out.left = *a;
  out.right = *b;
  out.name = fmt::format("same_frame({}, {})", left, right);
  return out;
}

std::optional<std::uint8_t> Compiler::actor_of(const ast::Cond& c) {
  const auto p = process(c.process);
  if (!p) return {};
  if (!c.thread) return *p;
  const std::string name = c.process.text + '.' + c.thread->text;
  const auto found = actor_index_.find(name);
  if (found != actor_index_.end()) return found->second;
  Names threads;
  for (const auto& [actor, index] : actor_index_) {
    if (actor.starts_with(c.process.text + '.')) {
      threads.push_back(actor.substr(c.process.text.size() + 1));
    }
  }
  unknown(fmt::format("thread of `{}`:", c.process.text), *c.thread, threads);
  return {};
}

std::optional<Atom> Compiler::value_atom(const ast::Cond& c) {
  if (c.process.text == kDisk) return disk_atom(c);
  const auto actor = actor_of(c);
  if (!actor) return {};
  Atom out;
  if (c.place.word || c.place.index) {
    if (c.thread) {
      error(c.at, "memory is asked of a process, not of one thread",
            fmt::format("`{}:{}`", c.process.text, to_string(c.place)));
      return {};
    }
    const auto w = word(c.place);
    if (!w) return {};
    out.kind = AtomKind::memory;
    out.process = *actor;
    std::tie(out.page, out.word) = *w;
    out.name = fmt::format("{}:{}", c.process.text, program_.word_name(out.page, out.word));
    return out;
  }
  const ast::Name& name = c.place.object;
  if (object_index_.contains(name.text) && !find_register(*actor, name.text)) {
    const Object& o = program_.objects[object_index_.find(name.text)->second];
    error(c.place.at, "a word is meant here, not a page",
          fmt::format("`{}.{}`", name.text, o.words.empty() ? "WORD" : o.words.front()));
    return {};
  }
  actor_ = *actor;
  const auto index = reg(name);
  if (!index) return {};
  out.actor = *actor;
  out.reg = *index;
  out.name = fmt::format("{}:{}", program_.actors[*actor].name, name.text);
  return out;
}

/// Sets `name` to the canonical form of the place.
std::optional<FramePlace> Compiler::frame_place(const ast::Place& p, std::string& name) {
  FramePlace out;
  if (p.process) {
    const auto owner = process(*p.process);
    ast::Place pages = p;
    pages.process.reset();
    const auto r = range(pages, p.at);
    const auto page = r ? single_page(*r, p.at) : std::nullopt;
    if (!owner || !page) return {};
    out.process = *owner;
    out.page = *page;
    name = fmt::format("{}:{}", p.process->text, program_.page_name(out.page));
    return out;
  }
  const auto found = definitions_.find(p.object.text);
  if (found == definitions_.end() || found->second.is_job()) {
    std::string hint;
    if (object_index_.contains(p.object.text)) {
      hint = fmt::format("say whose page it is: `PROCESS:{}`", p.object.text);
    }
    unknown("handle", p.object, definition_names(), std::move(hint));
    return {};
  }
  const Definition& d = found->second;
  if (d.object == nullptr) return {};
  if (!p.index && d.pages != 1) {
    error(p.at, fmt::format("`{}` holds {} pages, one is meant here", p.object.text, d.pages),
          fmt::format("`{}[PAGE]`", p.object.text));
    return {};
  }
  const std::int64_t index = p.index ? p.index->value : 0;
  if (index < 0 || index >= d.pages || (p.index && !p.index->errno_name.empty())) {
    error(p.index->at,
          fmt::format("handle `{}` has no page {}", p.object.text, to_string(*p.index)),
          d.pages == 1 ? "0" : fmt::format("0 to {}", d.pages - 1));
    return {};
  }
  out.is_ref = true;
  out.ref = static_cast<std::uint8_t>(d.first_ref + index);
  name = d.pages == 1 ? p.object.text : fmt::format("{}[{}]", p.object.text, index);
  return out;
}

}  // namespace drover::litmus
