// Second pass of the compiler: which registers, handles, events and forks the bodies introduce, and
// the tree of processes that follows.
#include <fmt/format.h>

#include <algorithm>

#include "litmus/compiler.hpp"

namespace drover::litmus {

void Compiler::collect_names() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].body != nullptr) {
      collect(*sources_[i].body, static_cast<std::uint8_t>(i), false);
    }
  }
}

void Compiler::collect(const ast::Block& body, std::uint8_t actor, bool repeated) {
  for (const ast::Statement& s : body.statements) {
    if (const auto* assign = std::get_if<ast::Assign>(&s.what)) {
      collect_register(assign->target, actor);
    } else if (const auto* load = std::get_if<ast::Load>(&s.what)) {
      collect_register(load->target, actor);
    } else if (const auto* call = std::get_if<ast::CallStatement>(&s.what)) {
      collect_call(s, *call, actor, repeated);
    } else if (const auto* branch = std::get_if<ast::If>(&s.what)) {
      collect(branch->then, actor, repeated);
      if (branch->otherwise) collect(*branch->otherwise, actor, repeated);
    } else if (const auto* loop = std::get_if<ast::Repeat>(&s.what)) {
      collect(loop->body, actor, repeated || loop->count.value > 1);
    } else if (const auto* signal = std::get_if<ast::Signal>(&s.what)) {
      signalled_.insert(signal->event.text);
    }
  }
}

void Compiler::collect_register(const ast::Name& name, std::uint8_t actor) {
  const auto same = [&](const ast::Name& n) { return n.text == name.text; };
  auto& registers = sources_[actor].registers;
  if (std::any_of(registers.begin(), registers.end(), same)) return;
  if (!free_name(name, "a register")) lost_.insert(name.text);
  registers.push_back(name);
}

void Compiler::collect_call(const ast::Statement& s, const ast::CallStatement& call,
                            std::uint8_t actor, bool repeated) {
  const Operation* operation = find_operation(call.call.function.text);
  if (operation == nullptr) {
    if (call.result) lost_.insert(call.result->text);  // register or handle: nobody knows
    return;
  }
  if (operation->op == Op::fork || operation->op == Op::vfork) {
    collect_fork(call.call, actor, repeated);
  }
  if (!call.result) return;
  if (call.call.post) {
    const Op op = operation->op == Op::dma_read ? Op::post_read : Op::post_write;
    collect_handle(s, call, op, actor);
  } else if (operation->result == Result::handle) {
    collect_handle(s, call, operation->op, actor);
  } else {
    collect_register(*call.result, actor);
  }
}

void Compiler::collect_fork(const ast::Call& call, std::uint8_t actor, bool repeated) {
  if (call.arguments.size() != 1) return;
  const ast::Name* child = lone_name(call.arguments[0]);
  if (child == nullptr) return;
  const auto found = process_index_.find(child->text);
  if (found == process_index_.end()) return;  // reported with the code
  const bool vfork = call.function.text == "vfork";
  auto& sites = fork_sites_[found->second];
  if (!sites.empty()) {
    error(call.at, fmt::format("`{}` is forked twice", child->text), "one fork of each process",
          fmt::format("line {} forks it; declare a second process",
                      sink_.line_of(sites.front().at.offset)));
    return;
  }
  if (repeated) {
    error(call.at, fmt::format("`repeat` forks `{}` more than once", child->text),
          "one fork of each process", "write the forks out, each with a process of its own");
  }
  sites.push_back({call.at, sources_[actor].process, vfork});
}

void Compiler::collect_handle(const ast::Statement& s, const ast::CallStatement& call, Op op,
                              std::uint8_t actor) {
  const ast::Name& name = *call.result;
  const auto found = definitions_.find(name.text);
  if (found != definitions_.end()) {
    const bool same_actor = found->second.actor == actor;
    error(
        name.at,
        fmt::format("handle `{}` has a second defining statement{}", name.text,
                    same_actor ? "" : ", in another actor"),
        "one defining statement in the file",
        fmt::format("line {} defines it; use a new name", sink_.line_of(found->second.at.offset)));
    return;
  }
  if (!free_name(name, "a handle")) lost_.insert(name.text);
  Definition d;
  d.statement = &s;
  d.call = &call.call;
  d.at = name.at;
  d.op = op;
  d.actor = actor;
  d.process = sources_[actor].process;
  if (d.is_job()) {
    if (fits(program_.jobs, kMaxJobs, name.at, "posted operations")) d.first_ref = program_.jobs++;
  } else {
    quiet_ = true;  // wrong arguments are reported with the code
    if (!call.call.arguments.empty()) {
      const ast::Argument& a = call.call.arguments[0];
      const auto* place = std::get_if<ast::Place>(&a.value);
      if (place != nullptr && place->word) {
        d.object = object(place->object);
        if (const auto w = word(*place)) d.first_page = w->first;
      } else if (const std::optional<Range> r = range(a)) {
        d.object = r->object;
        d.first_page = r->first;
        d.pages = r->pages;
        d.process = r->process.value_or(d.process);
      }
    }
    quiet_ = false;
    if (fits(program_.refs + d.pages - 1u, kMaxRefs, name.at, "pages held by handles")) {
      d.first_ref = program_.refs;
      program_.refs = static_cast<std::uint8_t>(program_.refs + d.pages);
    }
  }
  sources_[actor].handles.push_back(name.text);
  definitions_.emplace(name.text, d);
}

void Compiler::build_process_tree() {
  std::size_t index = 0;
  for (const ast::Actor& a : file_.actors) {
    const auto* p = std::get_if<ast::Process>(&a.what);
    if (p == nullptr || index >= program_.processes.size()) continue;
    if (program_.processes[index].name != p->name.text) continue;  // a duplicate
    Process& out = program_.processes[index];
    const std::vector<ForkSite>& sites = fork_sites_[index];
    const bool from_start = index == 0 || p->independent;
    if (from_start) {
      for (const ForkSite& site : sites) {
        error(site.at, fmt::format("`{}` exists from the start, nobody can fork it", out.name),
              "a process that is neither the first nor independent",
              p->independent ? fmt::format("leave out `: independent` of `{}`", out.name)
                             : "declare a second process");
      }
    } else if (sites.empty()) {
      if (!lost(out.name)) {
        error(p->name.at, fmt::format("process `{}` is never forked", out.name), "",
              fmt::format("call fork({0}), or declare `process {0} : independent`", out.name));
      }
    } else {
      out.parent = sites.front().process;
      out.vforked = sites.front().vfork;
    }
    ++index;
  }
  report_unreachable();
  number_address_spaces();
  for (const ast::Object& o : file_.objects) {
    for (const ast::Attribute& a : o.attributes) {
      if (!a.process) continue;
      const auto found = process_index_.find(a.process->text);
      if (found == process_index_.end()) continue;
      if (program_.processes[found->second].parent != kNone) {
        error(a.process->at,
              fmt::format("`{}` is forked: it gets its memory from its parent", found->first),
              "a process that exists from the start");
      }
    }
  }
}

/// Reports each cycle of forks once and cuts it.
void Compiler::report_unreachable() {
  auto& processes = program_.processes;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    std::size_t at = i;
    for (std::size_t steps = 0; steps <= processes.size(); ++steps) {
      if (processes[at].parent == kNone) break;
      at = processes[at].parent;
      if (at != i) continue;
      const ForkSite& site = fork_sites_[i].front();
      if (processes[i].parent == i) {
        error(site.at, fmt::format("`{}` forks itself", processes[i].name),
              "the name of another process");
      } else {
        error(site.at,
              fmt::format("`{}` can never start: its ancestors fork each other", processes[i].name),
              "a fork by a process that exists from the start");
      }
      processes[i].parent = kNone;
      processes[i].vforked = false;
      break;
    }
  }
}

void Compiler::number_address_spaces() {
  auto& processes = program_.processes;
  for (Process& p : processes) {
    if (!p.vforked) p.mm = program_.mms++;
  }
  for (Process& p : processes) {
    const Process* owner = &p;
    while (owner->vforked) owner = &processes[owner->parent];
    p.mm = owner->mm;
  }
}

void Compiler::mark_read(const ast::Operand& operand, std::uint8_t actor) {
  const auto* name = std::get_if<ast::Name>(&operand);
  if (name == nullptr) return;
  const auto found = definitions_.find(name->text);
  if (found == definitions_.end() || found->second.actor != actor) return;
  found->second.read = true;
}

void Compiler::mark_reads(const ast::Block& body, std::uint8_t actor) {
  const auto expr = [&](const ast::Expr& e) {
    mark_read(e.a, actor);
    mark_read(e.b, actor);
  };
  for (const ast::Statement& s : body.statements) {
    if (const auto* assign = std::get_if<ast::Assign>(&s.what)) {
      expr(assign->value);
    } else if (const auto* store = std::get_if<ast::Store>(&s.what)) {
      expr(store->value);
    } else if (const auto* branch = std::get_if<ast::If>(&s.what)) {
      expr(branch->condition);
      mark_reads(branch->then, actor);
      if (branch->otherwise) mark_reads(*branch->otherwise, actor);
    } else if (const auto* loop = std::get_if<ast::Repeat>(&s.what)) {
      mark_reads(loop->body, actor);
    } else if (const auto* call = std::get_if<ast::CallStatement>(&s.what)) {
      // Only values read: `unpin(h)` names the handle itself.
      const Operation* operation = find_operation(call->call.function.text);
      const std::size_t count = operation != nullptr ? operation->parameters.size() : 0;
      for (std::size_t i = 0; i < std::min(count, call->call.arguments.size()); ++i) {
        const auto* e = std::get_if<ast::Expr>(&call->call.arguments[i].value);
        if (e != nullptr && operation->parameters[i] == Parameter::value) expr(*e);
      }
    }
  }
}

void Compiler::mark_reads(const ast::Cond& c) {
  for (const ast::Cond& child : c.children) mark_reads(child);
  if (c.kind != ast::Cond::Kind::value || c.place.word || c.place.index) return;
  std::string name = c.process.text;
  if (c.thread) name += '.' + c.thread->text;
  const auto actor = actor_index_.find(name);
  if (actor != actor_index_.end()) mark_read(c.place.object, actor->second);
}

void Compiler::allocate_registers() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].body != nullptr) mark_reads(*sources_[i].body, static_cast<std::uint8_t>(i));
  }
  if (file_.condition) mark_reads(file_.condition->proposition);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Actor& actor = program_.actors[i];
    const std::string what = fmt::format("registers in `{}`", actor.name);
    for (const ast::Name& r : sources_[i].registers) {
      const auto handle = definitions_.find(r.text);
      if (handle != definitions_.end() && handle->second.actor == i) {
        error(r.at, fmt::format("`{}` is a register and a handle of `{}`", r.text, actor.name),
              "two names",
              fmt::format("line {} takes the handle", sink_.line_of(handle->second.at.offset)));
        continue;
      }
      if (fits(actor.registers.size(), kMaxRegisters, r.at, what)) {
        actor.registers.push_back(r.text);
      } else {
        lost_.insert(r.text);
      }
    }
    for (const std::string& h : sources_[i].handles) {
      const Definition& d = definitions_.at(h);
      if (!d.read || d.is_job() || d.is_pagemap()) continue;
      if (fits(actor.registers.size(), kMaxRegisters, d.at, what)) {
        actor.registers.push_back(h);
      } else {
        lost_.insert(h);
      }
    }
  }
}

}  // namespace drover::litmus
