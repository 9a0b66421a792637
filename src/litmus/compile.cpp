// The order of the compiler's passes, and the resolution of names, pages, words and values that
// they share.
#include <fmt/format.h>

#include <limits>

#include "litmus/compiler.hpp"

namespace drover::litmus {

Compiler::Compiler(const Parsed& parsed, DiagnosticSink& sink, const KnownDesigns& designs)
    : file_(parsed.file), sink_(sink), designs_(designs), lost_(parsed.skipped) {}

Program Compiler::run(std::string file) {
  program_.file = std::move(file);
  program_.name = file_.name.text;
  program_.description = file_.description.value_or("");
  for (const ast::HeaderLine& h : file_.header) {
    if (h.source) program_.sources.push_back(*h.source);
    for (const ast::Integer& claim : h.claims) {
      if (claim.value < 1 || !claim.errno_name.empty()) {
        error(claim.at, fmt::format("`{}` is not the number of a claim", to_string(claim)),
              "a number from 1");
      } else {
        program_.claims.push_back(static_cast<int>(claim.value));
      }
    }
  }
  declare_processes();
  declare_objects();
  check_hugetlb_pool();
  declare_threads();
  declare_daemons();
  declare_swap_device();
  collect_names();
  build_process_tree();
  allocate_registers();
  lower_actors();
  compile_condition();
  compile_expectations();
  find_features();
  add_swap_io();
  if (sink_.empty()) program_.hash = hash_of(file_);
  return std::move(program_);
}

// Which optional parts of the State the program can reach.
void Compiler::find_features() {
  for (const Object& o : program_.objects) {
    if (o.backing != Backing::anonymous) program_.features |= kFeatureFiles | kFeatureFolioState;
  }
  for (const Object& object : program_.objects) {
    if (object.hugetlb) program_.features |= kFeatureHugetlb | kFeatureFolioState;
    if (object.zone != Zone::normal) {
      program_.features |= kFeatureZones | kFeatureMigration | kFeatureFolioState;
    }
  }
  const bool huge = has_huge_memory();
  if (huge) program_.features |= kFeatureHuge | kFeatureFolioState;
  for (const Actor& actor : program_.actors) {
    // split_huge_page maps by migration entries for a moment.
    if (huge && actor.kind == ActorKind::reclaim) program_.features |= kFeatureMigration;
    if (actor.kind == ActorKind::reclaim) program_.features |= kFeatureSwap | kFeatureFolioState;
    if (actor.kind == ActorKind::ksm) program_.features |= kFeatureFolioState;
    if (actor.kind == ActorKind::migrate) {
      program_.features |= kFeatureMigration | kFeatureFolioState;
    }
    for (const Instr& i : actor.code) {
      const bool gives_up =
          i.op == Op::madvise && (i.advice == Advice::pageout || i.advice == Advice::free);
      if (huge && gives_up) program_.features |= kFeatureMigration;
      if (i.op == Op::madvise && i.advice == Advice::pageout) {
        program_.features |= kFeatureSwap | kFeatureFolioState;
      }
      if (i.op == Op::madvise && i.advice == Advice::free) {
        program_.features |= kFeatureFolioState;
      }
      if (i.op == Op::ksm_scan) program_.features |= kFeatureFolioState;
      if (i.op == Op::move_pages) program_.features |= kFeatureMigration | kFeatureFolioState;
    }
  }
}

void Compiler::error(Location at, std::string message, std::string expected, std::string hint) {
  if (!quiet_) sink_.add(at, std::move(message), std::move(expected), std::move(hint));
}

void Compiler::unknown(std::string_view what, const ast::Name& name, const Names& candidates,
                       std::string hint) {
  if (lost(name.text)) return;
  if (hint.empty()) hint = did_you_mean(name.text, candidates);
  std::string expected;
  for (const std::string& c : candidates) expected += (expected.empty() ? "" : ", ") + c;
  error(name.at, fmt::format("unknown {} `{}`", what, name.text), expected, std::move(hint));
}

std::optional<std::int8_t> Compiler::literal(const ast::Integer& i) {
  using Limits = std::numeric_limits<std::int8_t>;
  if (i.value < Limits::min() || i.value > Limits::max()) {
    error(i.at, fmt::format("{} does not fit in a word", i.value),
          fmt::format("{} to {}", Limits::min(), Limits::max()));
    return {};
  }
  return static_cast<std::int8_t>(i.value);
}

Compiler::Names Compiler::process_names() const {
  Names out;
  for (const Process& p : program_.processes) out.push_back(p.name);
  return out;
}

Compiler::Names Compiler::object_names() const {
  Names out;
  for (const Object& o : program_.objects) out.push_back(o.name);
  return out;
}

Compiler::Names Compiler::value_names(std::uint8_t actor) const {
  Names out;
  for (const ast::Name& r : sources_[actor].registers) out.push_back(r.text);
  for (const std::string& h : sources_[actor].handles) {
    const Definition& d = definitions_.at(h);
    if (!d.is_job() && !d.is_pagemap()) out.push_back(h);
  }
  return out;
}

Compiler::Names Compiler::definition_names() const {
  Names out;
  for (const auto& [name, d] : definitions_) out.push_back(name);
  return out;
}

std::optional<std::uint8_t> Compiler::process(const ast::Name& name) {
  const auto found = process_index_.find(name.text);
  if (found != process_index_.end()) return found->second;
  unknown("process", name, process_names(),
          object_index_.contains(name.text) ? fmt::format("`{}` is memory", name.text) : "");
  return {};
}

const Object* Compiler::object(const ast::Name& name) {
  const auto found = object_index_.find(name.text);
  if (found != object_index_.end()) return &program_.objects[found->second];
  std::string hint;
  if (definitions_.contains(name.text)) {
    hint = fmt::format("`{0}` is a handle: use dma_read({0}.WORD), dma_write({0}.WORD, VALUE)",
                       name.text);
  }
  unknown("memory", name, object_names(), std::move(hint));
  return nullptr;
}

std::optional<std::uint8_t> Compiler::page_index(const ast::Integer& i, const Object& o) {
  const unsigned pages = o.named_pages();
  if (i.value >= 0 && i.value < pages && i.errno_name.empty()) {
    return static_cast<std::uint8_t>(i.value);
  }
  error(i.at, fmt::format("`{}` has no page {}", o.name, to_string(i)),
        pages == 1 ? "0" : fmt::format("0 to {}", pages - 1),
        pages == 1 ? fmt::format("declare `anon {}[N] {{ ... }}` for N pages", o.name) : "");
  return {};
}

std::optional<std::uint8_t> Compiler::word_index(const ast::Name& name, const Object& o) {
  for (std::size_t i = 0; i < o.words.size(); ++i) {
    if (o.words[i] == name.text) return static_cast<std::uint8_t>(i);
  }
  unknown(fmt::format("word of `{}`:", o.name), name, o.words);
  return {};
}

std::optional<Compiler::Range> Compiler::range(const ast::Argument& a) {
  if (const ast::Name* name = lone_name(a)) {
    ast::Place p;
    p.object = *name;
    return range(p, a.at);
  }
  if (const auto* place = std::get_if<ast::Place>(&a.value)) return range(*place, a.at);
  error(a.at, "not memory", "`MEMORY` or `MEMORY[PAGE]`");
  return {};
}

std::optional<Compiler::Range> Compiler::range(const ast::Place& p, Location at) {
  Range out;
  if (p.process) {
    out.process = process(*p.process);
    if (!out.process) return {};
  }
  out.object = object(p.object);
  if (out.object == nullptr) return {};
  if (p.word) {
    error(at, "whole pages are meant here, not a word", "`MEMORY` or `MEMORY[PAGE]`",
          fmt::format("leave out `.{}`", p.word->text));
    return {};
  }
  out.first = out.object->first_page;
  out.pages = out.object->pages;
  if (p.index) {
    const auto index = page_index(*p.index, *out.object);
    if (!index) return {};
    out.first = static_cast<std::uint8_t>(out.first + *index);
    out.pages = 1;
  }
  return out;
}

std::optional<std::uint8_t> Compiler::single_page(const Range& r, Location at) {
  if (r.pages == 1) return r.first;
  if (r.object->huge != HugeMapping::none) {
    error(at, fmt::format("`{}` is 2 MiB, one page is meant here", r.object->name),
          "`MEMORY[PAGE]`", fmt::format("`{}[0]` is its first page", r.object->name));
    return {};
  }
  error(at, fmt::format("`{}` has {} pages, one is meant here", r.object->name, r.pages),
        fmt::format("`{}[PAGE]`", r.object->name));
  return {};
}

std::optional<std::pair<std::uint8_t, std::uint8_t>> Compiler::word(const ast::Place& p) {
  if (p.process) {
    error(p.process->at, "this operation does not take the memory of another process", "a word",
          fmt::format("leave out `{}:`", p.process->text));
    return {};
  }
  const Object* o = object(p.object);
  if (o == nullptr) return {};
  if (!p.word) {
    error(p.at, "a word is meant here, not a page",
          fmt::format("`{}.{}`", to_string(p), o->words.empty() ? "WORD" : o->words.front()));
    return {};
  }
  const auto w = word_index(*p.word, *o);
  const auto index = p.index ? page_index(*p.index, *o) : std::optional<std::uint8_t>(0);
  if (!w || !index) return {};
  return std::pair{static_cast<std::uint8_t>(o->first_page + *index), *w};
}

std::optional<std::pair<std::uint8_t, std::uint8_t>> Compiler::word(const ast::Argument& a) {
  if (const auto* place = std::get_if<ast::Place>(&a.value)) return word(*place);
  if (const ast::Name* name = lone_name(a)) {
    ast::Place p;
    p.object = *name;
    p.at = a.at;
    return word(p);
  }
  error(a.at, "not a word of memory", "`MEMORY.WORD`");
  return {};
}

const ast::Name* Compiler::lone_name(const ast::Argument& a) {
  const auto* e = std::get_if<ast::Expr>(&a.value);
  if (e == nullptr || e->fn != Fn::none) return nullptr;
  return std::get_if<ast::Name>(&e->a);
}

std::optional<std::uint8_t> Compiler::find_register(std::uint8_t actor,
                                                    std::string_view name) const {
  const auto& registers = program_.actors[actor].registers;
  for (std::size_t i = 0; i < registers.size(); ++i) {
    if (registers[i] == name) return static_cast<std::uint8_t>(i);
  }
  return {};
}

std::optional<std::uint8_t> Compiler::reg(const ast::Name& name) {
  if (const auto found = find_register(actor_, name.text)) return found;
  std::string hint;
  const auto d = definitions_.find(name.text);
  if (d != definitions_.end()) {
    if (d->second.is_job()) {
      hint =
          fmt::format("`{0}` is a posted operation; its result is `r = complete({0});`", name.text);
    } else if (d->second.is_pagemap()) {
      hint =
          fmt::format("`{}` remembers a page frame: only same_frame(...) can name it", name.text);
    } else if (d->second.actor != actor_) {
      hint = fmt::format("the result of taking `{}` is local to `{}`, which takes it", name.text,
                         program_.actors[d->second.actor].name);
    }
  } else if (object_index_.contains(name.text)) {
    hint = fmt::format("`{0}` is memory; load a word of it first: `r = {0}.WORD;`", name.text);
  } else if (const Operation* operation = find_operation(name.text)) {
    hint = std::string(operation->usage);
  } else {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (i != actor_ && find_register(static_cast<std::uint8_t>(i), name.text)) {
        hint = fmt::format("registers are local; `{}` is one of `{}`", name.text,
                           program_.actors[i].name);
      }
    }
  }
  const Names candidates = value_names(actor_);
  const std::string close = did_you_mean(name.text, candidates);
  unknown("register", name, candidates, close.empty() ? hint : close);
  return {};
}

std::optional<Operand> Compiler::operand(const ast::Operand& o) {
  if (const auto* name = std::get_if<ast::Name>(&o)) {
    const auto index = reg(*name);
    if (!index) return {};
    return Operand{true, static_cast<std::int8_t>(*index)};
  }
  const auto value = literal(std::get<ast::Integer>(o));
  if (!value) return {};
  return Operand{false, *value};
}

std::optional<Expr> Compiler::expression(const ast::Expr& e) {
  const auto a = operand(e.a);
  const auto b = operand(e.b);
  if (!a || !b) return {};
  return Expr{*a, e.fn, *b};
}

}  // namespace drover::litmus
