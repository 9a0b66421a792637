// Code for calls: arguments and results as the table in operations.cpp says.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "litmus/compiler.hpp"

namespace drover::litmus {
namespace {

struct AdviceName {
  std::string_view name;
  Advice advice;
};
constexpr std::array<AdviceName, 9> kAdvice = {{{"MADV_DONTNEED", Advice::dontneed},
                                                {"MADV_DONTFORK", Advice::dontfork},
                                                {"MADV_DOFORK", Advice::dofork},
                                                {"MADV_WIPEONFORK", Advice::wipeonfork},
                                                {"MADV_KEEPONFORK", Advice::keeponfork},
                                                {"MADV_PAGEOUT", Advice::pageout},
                                                {"MADV_FREE", Advice::free},
                                                {"MADV_UNMERGEABLE", Advice::unmergeable},
                                                {"MADV_COLLAPSE", Advice::collapse}}};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void Compiler::lower_call(const ast::Statement& s, const ast::CallStatement& call) {
  const ast::Call& c = call.call;
  const Operation* operation = find_operation(c.function.text);
  if (operation == nullptr) {
    unknown("operation", c.function, {}, did_you_mean(c.function.text, operation_names()));
    return;
  }
  if (c.post && operation->op != Op::dma_read && operation->op != Op::dma_write) {
    error(c.at, fmt::format("`{}` cannot be posted", c.function.text),
          "post dma_write(...) or post dma_read(...)");
    return;
  }
  Instr out;
  out.text = to_string(s);
  out.op = operation->op;
  if (c.post) out.op = operation->op == Op::dma_read ? Op::post_read : Op::post_write;
  if (arguments(*operation, call, out)) {
    check_special(call, out);
    check_memory_kind(call, out);
    result(call, *operation, out);
  }
  if (call.result) {
    const auto d = definitions_.find(call.result->text);
    if (d != definitions_.end() && d->second.statement == &s) d->second.lowered = true;
  }
  emit(std::move(out), s);
}

/// False after an error.
bool Compiler::arguments(const Operation& operation, const ast::CallStatement& call, Instr& out) {
  const ast::Call& c = call.call;
  const std::size_t most = operation.parameters.size();
  const std::size_t least = most - operation.optional;
  if (c.arguments.size() < least || c.arguments.size() > most) {
    error(c.at,
          fmt::format("`{}` has {} argument{}, not {}", operation.name,
                      least == most ? std::to_string(most) : fmt::format("{} or {}", least, most),
                      most == 1 ? "" : "s", c.arguments.size()),
          std::string(operation.usage));
    return false;
  }
  out.process = program_.actors[actor_].process;
  bool right = true;
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    right = argument(operation, i, c.arguments[i], out) && right;
  }
  return right;
}

bool Compiler::argument(const Operation& operation, std::size_t index, const ast::Argument& a,
                        Instr& out) {
  switch (operation.parameters[index]) {
    case Parameter::range:
      return range_argument(index, a, false, out);
    case Parameter::remote_range:
      return range_argument(index, a, true, out);
    case Parameter::page: {
      const auto r = range(a);
      const auto page = r ? single_page(*r, a.at) : std::nullopt;
      if (r && r->process) {
        error(a.at, "this operation does not take the memory of another process", "`MEMORY`");
        return false;
      }
      out.page = page.value_or(kNone);
      out.pages = 1;
      return page.has_value();
    }
    case Parameter::word: {
      const auto w = word(a);
      if (w) std::tie(out.page, out.word) = *w;
      out.pages = 1;
      return w.has_value();
    }
    case Parameter::value: {
      const auto* e = std::get_if<ast::Expr>(&a.value);
      if (e == nullptr) {
        error(a.at, "not a value", "an integer, a register or one operation on them",
              std::holds_alternative<ast::Place>(a.value) ? "load the word into a register first"
                                                          : "");
        return false;
      }
      const auto value = expression(*e);
      out.value = value.value_or(Expr{});
      return value.has_value();
    }
    case Parameter::copies:
      return copies_argument(a, out);
    case Parameter::process: {
      const ast::Name* name = lone_name(a);
      if (name == nullptr) {
        error(a.at, "not a process", std::string(operation.usage));
        return false;
      }
      const auto p = process(*name);
      out.process = p.value_or(kNone);
      return p.has_value();
    }
    case Parameter::handle:
      return handle_argument(operation, a, out);
    case Parameter::handle_word:
      return handle_word_argument(operation, a, out);
    case Parameter::foll:
    case Parameter::entry:
    case Parameter::prot:
    case Parameter::advice:
    case Parameter::access:
      return flag_argument(operation.parameters[index], a, out);
  }
  return false;
}

bool Compiler::copies_argument(const ast::Argument& a, Instr& out) {
  const auto* e = std::get_if<ast::Expr>(&a.value);
  const auto* number =
      e != nullptr && e->fn == Fn::none ? std::get_if<ast::Integer>(&e->a) : nullptr;
  if (number == nullptr || !number->errno_name.empty() || number->value < 1 ||
      number->value > kMaxCopies) {
    error(a.at, "not a number of pipe buffers", fmt::format("1 to {}", kMaxCopies));
    return false;
  }
  out.copies = static_cast<std::uint16_t>(number->value);
  return true;
}

bool Compiler::range_argument(std::size_t index, const ast::Argument& a, bool remote, Instr& out) {
  const auto r = range(a);
  if (!r) return false;
  if (r->process && !remote) {
    error(a.at, "this operation does not take the memory of another process", "`MEMORY`");
    return false;
  }
  if (index == 1) {  // the target of mremap or uffd_move
    const bool whole = out.page != kNone && out.pages > 1;
    const bool source_huge = whole && program_.object(out.page).huge != HugeMapping::none;
    if (whole && source_huge != (r->object->huge != HugeMapping::none)) {
      error(a.at,
            fmt::format("`{}` is {}a 2 MiB range, the source is {}", r->object->name,
                        source_huge ? "not " : "", source_huge ? "one" : "not"),
            "two ranges of the same kind");
      return false;
    }
    if (r->pages != out.pages && out.page != kNone) {
      error(a.at,
            fmt::format("the target has {} page{}, the source {}", r->pages,
                        r->pages == 1 ? "" : "s", out.pages),
            "an equally long range");
      return false;
    }
    if (r->first < out.page + out.pages && out.page < r->first + r->pages) {
      error(a.at, "the target overlaps the source", "another range");
      return false;
    }
    out.to_page = r->first;
    return true;
  }
  out.page = r->first;
  out.pages = r->pages;
  if (r->process) out.process = *r->process;
  return true;
}

Compiler::Definition* Compiler::handle(const ast::Name& name) {
  const auto found = definitions_.find(name.text);
  if (found == definitions_.end()) {
    std::string hint;
    if (object_index_.contains(name.text)) {
      hint = fmt::format("`{0}` is memory; take a handle of it: `h = pin({0}, FOLL_WRITE);`",
                         name.text);
    } else if (find_register(actor_, name.text)) {
      hint = fmt::format("`{}` is a register", name.text);
    }
    unknown("handle", name, definition_names(), std::move(hint));
    return nullptr;
  }
  Definition& d = found->second;
  if (d.actor == actor_ && !d.lowered) {
    error(name.at, fmt::format("`{}` is used before it is taken", name.text), "",
          fmt::format("line {} takes it", sink_.line_of(d.at.offset)));
    return nullptr;
  }
  return &d;
}

bool Compiler::usable(const Operation& operation, const ast::Name& name, const Definition& d) {
  if (accepts(operation.op, d.op)) return true;
  const std::string taker = operation_name(d.op);
  const std::string_view release = releaser(d.op);
  std::string hint;
  const bool releases = operation.parameters[0] == Parameter::handle;
  if (operation.op == Op::rereg_mr) {
    hint = "it is about memory regions: `h = reg_mr(MEMORY, ACCESS);`";
  } else if (releases && release.empty()) {
    hint = "it holds no reference: nothing to release";
  } else if (releases) {
    hint = fmt::format("{}({}) releases it", release, name.text);
  } else if (d.op == Op::vmsplice) {
    hint = fmt::format("read a pipe with pipe_read({}.WORD)", name.text);
  } else if (d.op == Op::zerocopy_send) {
    hint = fmt::format("the peer reads with socket_recv({}.WORD)", name.text);
  } else if (release == "complete") {
    hint = fmt::format("its transfer happens at complete({})", name.text);
  }
  error(name.at,
        fmt::format("`{}` does not work on `{}`, which comes from {}", operation.name, name.text,
                    taker),
        "", std::move(hint));
  return false;
}

bool Compiler::handle_argument(const Operation& operation, const ast::Argument& a, Instr& out) {
  const ast::Name* name = lone_name(a);
  if (name == nullptr) {
    const auto* place = std::get_if<ast::Place>(&a.value);
    error(a.at, "a handle as a whole is meant here", "`HANDLE`",
          place != nullptr ? fmt::format("write {}({})", operation.name, place->object.text) : "");
    return false;
  }
  const Definition* d = handle(*name);
  if (d == nullptr || !usable(operation, *name, *d)) return false;
  if (d->is_job()) {
    out.job = d->first_ref;
  } else {
    out.ref = d->first_ref;
    out.pages = d->pages;
    if (operation.op == Op::complete) out.op = Op::complete_io;
  }
  return true;
}

bool Compiler::handle_word_argument(const Operation& operation, const ast::Argument& a,
                                    Instr& out) {
  const auto* place = std::get_if<ast::Place>(&a.value);
  const ast::Name* name = place != nullptr ? &place->object : lone_name(a);
  if (name == nullptr || (place != nullptr && place->process)) {
    error(a.at, "not a word behind a handle", "`HANDLE.WORD`");
    return false;
  }
  const Definition* d = handle(*name);
  if (d == nullptr || !usable(operation, *name, *d) || d->object == nullptr) return false;
  if (place == nullptr || !place->word) {
    error(a.at, "a word is meant here, not the whole handle",
          fmt::format("`{}.{}`", to_string(a), d->object->words.front()));
    return false;
  }
  const auto w = word_index(*place->word, *d->object);
  std::uint8_t page = 0;
  if (place->index) {
    const std::int64_t i = place->index->value;
    if (i < 0 || i >= d->pages || !place->index->errno_name.empty()) {
      error(place->index->at,
            fmt::format("handle `{}` has no page {}", name->text, to_string(*place->index)),
            d->pages == 1 ? "0" : fmt::format("0 to {}", d->pages - 1));
      return false;
    }
    page = static_cast<std::uint8_t>(i);
  }
  out.ref = static_cast<std::uint8_t>(d->first_ref + page);
  out.pages = 1;
  out.word = w.value_or(0);
  return w.has_value();
}

/// The names of `A | B`, none for 0; nothing after an error.
std::optional<Compiler::Names> Compiler::flag_names(const ast::Argument& a, const Names& allowed,
                                                    std::string_view what, bool zero_allowed) {
  std::vector<ast::Name> names;
  if (const auto* flags = std::get_if<ast::Flags>(&a.value)) {
    names = flags->names;
  } else if (const ast::Name* name = lone_name(a)) {
    names.push_back(*name);
  } else {
    const auto* e = std::get_if<ast::Expr>(&a.value);
    const bool zero = e != nullptr && to_string(*e) == "0";
    if (zero && zero_allowed) return Names{};
    error(a.at, fmt::format("not {}", what),
          fmt::format("{}{}", zero_allowed ? "0 or " : "", fmt::join(allowed, ", ")));
    return {};
  }
  Names out;
  bool right = true;
  for (const ast::Name& n : names) {
    if (!contains(allowed, n.text)) {
      error(n.at, fmt::format("`{}` is not {}", n.text, what),
            fmt::format("{}{}", zero_allowed ? "0 or " : "", fmt::join(allowed, ", ")),
            did_you_mean(n.text, allowed));
      right = false;
    } else if (contains(out, n.text)) {
      error(n.at, fmt::format("`{}` is given twice", n.text));
      right = false;
    }
    out.push_back(n.text);
  }
  if (!right) return {};
  return out;
}

bool Compiler::flag_argument(Parameter parameter, const ast::Argument& a, Instr& out) {
  static const Names kFoll = {"FOLL_WRITE", "FOLL_FORCE", "FOLL_LONGTERM", "FOLL_PCI_P2PDMA"};
  static const Names kProt = {"PROT_READ", "PROT_WRITE", "PROT_NONE"};
  static const Names kAccess = {"IBV_ACCESS_LOCAL_WRITE", "IBV_ACCESS_REMOTE_WRITE",
                                "IBV_ACCESS_REMOTE_READ", "IBV_ACCESS_REMOTE_ATOMIC"};
  static const Names kEntry = {"slow", "fast", "raw"};
  std::optional<Names> names;
  const auto has = [&](std::string_view n) { return contains(*names, n); };
  const auto one = [&](std::string_view what) {
    if (names && names->size() == 1) return true;
    if (names) error(a.at, fmt::format("more than one {}", what), "one of them");
    return false;
  };
  if (parameter == Parameter::foll) {
    names = flag_names(a, kFoll, "a FOLL_ flag", true);
    if (!names) return false;
    out.foll = static_cast<std::uint8_t>(
        (has("FOLL_WRITE") ? kFollWrite : 0) | (has("FOLL_FORCE") ? kFollForce : 0) |
        (has("FOLL_LONGTERM") ? kFollLongterm : 0) | (has("FOLL_PCI_P2PDMA") ? kFollPciP2pdma : 0));
    return true;
  }
  if (parameter == Parameter::prot) {
    names = flag_names(a, kProt, "a protection", false);
    if (!names) return false;
    out.prot = static_cast<std::uint8_t>((has("PROT_READ") ? kProtRead : 0) |
                                         (has("PROT_WRITE") ? kProtWrite : 0));
    const bool none = has("PROT_NONE") && names->size() > 1;
    const bool write_only = has("PROT_WRITE") && !has("PROT_READ");
    if (none || write_only) {
      error(a.at,
            none ? "`PROT_NONE` contradicts the others" : "`PROT_WRITE` alone is not modelled",
            "PROT_READ, PROT_READ | PROT_WRITE or PROT_NONE");
    }
    return !none && !write_only;
  }
  if (parameter == Parameter::access) {
    names = flag_names(a, kAccess, "an IBV_ACCESS_ flag", true);
    if (!names) return false;
    out.writable_mr = has("IBV_ACCESS_LOCAL_WRITE") || has("IBV_ACCESS_REMOTE_WRITE") ||
                      has("IBV_ACCESS_REMOTE_ATOMIC");
    return true;
  }
  if (parameter == Parameter::entry) {
    names = flag_names(a, kEntry, "an entry point of get_user_pages", false);
    if (!one("entry point")) return false;
    out.gup = has("fast") ? Gup::fast : has("raw") ? Gup::raw : Gup::slow;
    return true;
  }
  Names advice;
  for (const AdviceName& n : kAdvice) advice.emplace_back(n.name);
  names = flag_names(a, advice, "an advice", false);
  if (!one("advice")) return false;
  for (const AdviceName& n : kAdvice) {
    if (n.name == names->front()) out.advice = n.advice;
  }
  return true;
}

/// Rules that belong to one operation only.
void Compiler::check_special(const ast::CallStatement& call, const Instr& out) {
  const Location at = call.call.at;
  check_huge_statement(at, out);
  if (out.op == Op::wait && out.process == program_.actors[actor_].process) {
    error(at, "a process cannot wait for itself", "the name of another process");
  }
  const bool gup = out.op == Op::get || out.op == Op::pin;
  if (gup && out.gup != Gup::slow && out.process != program_.actors[actor_].process) {
    error(at, "the fast entry points take the caller's own memory only", "`slow`",
          "get_user_pages_remote has no fast form");
  }
}

}  // namespace drover::litmus
