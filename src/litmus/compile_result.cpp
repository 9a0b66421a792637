// What a call leaves behind: a status, a value or a handle.
#include <fmt/format.h>

#include "litmus/compiler.hpp"

namespace drover::litmus {

void Compiler::result(const ast::CallStatement& call, const Operation& operation, Instr& out) {
  const ast::Call& c = call.call;
  const bool defines = c.post || operation.result == Result::handle;
  if (defines) {
    if (call.result) return define_handle(call, out);
    error(c.at, fmt::format("nobody can use what `{}` returns", operation.name),
          std::string(operation.usage));
    return;
  }
  if (!call.result) {
    if (operation.result == Result::value) {
      error(c.at, fmt::format("the value of `{}` is dropped", operation.name),
            std::string(operation.usage));
    }
    return;
  }
  if (operation.result == Result::none) {
    error(call.result->at, fmt::format("`{}` has no result", operation.name),
          std::string(operation.usage));
    return;
  }
  if (operation.op == Op::complete) {
    const ast::Name* name = lone_name(c.arguments[0]);
    const Op taker = definitions_.find(name->text)->second.op;
    if (taker == Op::direct_read || taker == Op::post_write) {
      error(call.result->at, fmt::format("completing a `{}` has no result", operation_name(taker)),
            fmt::format("complete({})", name->text),
            taker == Op::direct_read ? "it delivers into memory: load the word afterwards" : "");
      return;
    }
  }
  out.dst = find_register(actor_, call.result->text).value_or(kNone);
}

bool Compiler::released_in(const ast::Block& b, std::string_view handle, Op taker) const {
  for (const ast::Statement& s : b.statements) {
    if (const auto* call = std::get_if<ast::CallStatement>(&s.what)) {
      const ast::Call& c = call->call;
      const ast::Name* name = c.arguments.empty() ? nullptr : lone_name(c.arguments[0]);
      const Operation* operation = find_operation(c.function.text);
      const bool releases = operation != nullptr && !operation->parameters.empty() &&
                            operation->parameters[0] == Parameter::handle &&
                            operation->op != Op::set_page_dirty && accepts(operation->op, taker);
      if (releases && name != nullptr && name->text == handle) return true;
    } else if (const auto* branch = std::get_if<ast::If>(&s.what)) {
      if (released_in(branch->then, handle, taker)) return true;
      if (branch->otherwise && released_in(*branch->otherwise, handle, taker)) return true;
    } else if (const auto* loop = std::get_if<ast::Repeat>(&s.what)) {
      if (released_in(loop->body, handle, taker)) return true;
    }
  }
  return false;
}

void Compiler::define_handle(const ast::CallStatement& call, Instr& out) {
  const ast::Name& name = *call.result;
  const Definition& d = definitions_.find(name.text)->second;
  if (d.call != &call.call) return;  // a second definition: reported
  if (!repeats_.empty() && !d.is_pagemap() && !released_in(*repeats_.back(), name.text, d.op)) {
    error(name.at, fmt::format("`{}` is taken in each round of a `repeat`", name.text),
          fmt::format("{}({}) in the same body", releaser(d.op), name.text));
  }
  if (d.is_job()) {
    out.job = d.first_ref;
    return;
  }
  out.ref = d.first_ref;
  if (d.read && !d.is_pagemap()) out.dst = find_register(actor_, name.text).value_or(kNone);
  Handle h;
  h.name = name.text;
  h.first_ref = d.first_ref;
  h.pages = d.pages;
  h.actor = actor_;
  h.process = d.process;
  h.op = d.op;
  h.first_page = d.first_page;
  h.copies = out.copies;
  program_.handles.push_back(std::move(h));
}

}  // namespace drover::litmus
