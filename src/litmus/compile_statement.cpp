// Third pass of the compiler: code for blocks and statements. Calls are in compile_call.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "litmus/compiler.hpp"

namespace drover::litmus {
namespace {

constexpr std::int64_t kMaxRepeat = 16;

std::uint8_t position(std::size_t i) {
  return static_cast<std::uint8_t>(i);
}

}  // namespace

void Compiler::lower_actors() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].body == nullptr) continue;
    actor_ = static_cast<std::uint8_t>(i);
    too_long_ = false;
    lower(*sources_[i].body);
  }
}

/// Code beyond kMaxCode is an error reported once; what is emitted after it is never run.
Instr& Compiler::emit(Instr i, const ast::Statement& s) {
  auto& code = program_.actors[actor_].code;
  i.line = sink_.line_of(s.at.offset);
  if (code.size() >= kMaxCode && !too_long_) {
    too_long_ = true;
    error(s.at, fmt::format("`{}` has too many statements", program_.actors[actor_].name),
          fmt::format("at most {}, repeats unrolled", kMaxCode));
  }
  code.push_back(std::move(i));
  return code.back();
}

void Compiler::lower(const ast::Block& b) {
  for (const ast::Statement& s : b.statements) lower(s);
}

void Compiler::lower(const ast::Statement& s) {
  Instr i;
  i.text = to_string(s);
  if (const auto* assign = std::get_if<ast::Assign>(&s.what)) {
    i.op = Op::assign;
    i.dst = find_register(actor_, assign->target.text).value_or(0);
    i.value = expression(assign->value).value_or(Expr{});
  } else if (const auto* load = std::get_if<ast::Load>(&s.what)) {
    i.op = Op::load;
    i.dst = find_register(actor_, load->target.text).value_or(0);
    if (const auto w = word(load->from)) std::tie(i.page, i.word) = *w;
  } else if (const auto* store = std::get_if<ast::Store>(&s.what)) {
    i.op = Op::store;
    if (const auto w = word(store->to)) std::tie(i.page, i.word) = *w;
    i.value = expression(store->value).value_or(Expr{});
  } else if (const auto* branch = std::get_if<ast::If>(&s.what)) {
    return lower_if(s, *branch);
  } else if (const auto* loop = std::get_if<ast::Repeat>(&s.what)) {
    return lower_repeat(s, *loop);
  } else if (const auto* call = std::get_if<ast::CallStatement>(&s.what)) {
    return lower_call(s, *call);
  } else if (const auto* signal = std::get_if<ast::Signal>(&s.what)) {
    lower_event(signal->event, true, i);
  } else if (const auto* await = std::get_if<ast::Await>(&s.what)) {
    lower_event(await->event, false, i);
  } else {
    i.op = std::holds_alternative<ast::Crash>(s.what) ? Op::crash : Op::exit;
  }
  emit(std::move(i), s);
}

void Compiler::lower_if(const ast::Statement& s, const ast::If& branch) {
  auto& code = program_.actors[actor_].code;
  Instr test;
  test.op = Op::branch_zero;
  test.text = to_string(s);
  test.value = expression(branch.condition).value_or(Expr{});
  emit(std::move(test), s);
  const std::size_t test_at = code.size() - 1;
  lower(branch.then);
  if (branch.otherwise) {
    Instr over;
    over.op = Op::jump;
    emit(std::move(over), s);
    const std::size_t over_at = code.size() - 1;
    code[test_at].target = position(code.size());
    lower(*branch.otherwise);
    code[over_at].target = position(code.size());
  } else {
    code[test_at].target = position(code.size());
  }
}

/// The body is compiled once and copied: its errors are reported once.
void Compiler::lower_repeat(const ast::Statement& s, const ast::Repeat& loop) {
  auto& code = program_.actors[actor_].code;
  const bool allowed =
      loop.count.value >= 1 && loop.count.value <= kMaxRepeat && loop.count.errno_name.empty();
  if (!allowed) {
    error(loop.count.at, fmt::format("cannot repeat {} times", to_string(loop.count)),
          fmt::format("1 to {}", kMaxRepeat));
  }
  const std::size_t times = allowed ? static_cast<std::size_t>(loop.count.value) : 1;
  if (times > 1) repeats_.push_back(&loop.body);
  const std::size_t first = code.size();
  lower(loop.body);
  if (times > 1) repeats_.pop_back();
  const std::size_t length = code.size() - first;
  if (first + length * times > kMaxCode) {
    if (!too_long_) {
      too_long_ = true;
      error(s.at,
            fmt::format("`{}` has too many statements: {} repeated {} times",
                        program_.actors[actor_].name, length, times),
            fmt::format("at most {}, repeats unrolled", kMaxCode));
    }
    return;
  }
  for (std::size_t copy = 1; copy < times; ++copy) {
    for (std::size_t i = 0; i < length; ++i) {
      Instr instr = code[first + i];
      if (instr.op == Op::jump || instr.op == Op::branch_zero) {
        instr.target = position(instr.target + copy * length);
      }
      code.push_back(std::move(instr));
    }
  }
}

void Compiler::lower_event(const ast::Name& event, bool signal, Instr& out) {
  out.op = signal ? Op::signal : Op::await;
  if (!signal && !signalled_.contains(event.text) && !lost(event.text)) {
    const Names events(signalled_.begin(), signalled_.end());
    const std::string close = did_you_mean(event.text, events);
    error(event.at, fmt::format("nobody signals event `{}`", event.text),
          fmt::format("`signal {};` somewhere", event.text), close);
    return;
  }
  auto found = event_index_.find(event.text);
  if (found == event_index_.end()) {
    if (!fits(program_.events.size(), kMaxEvents, event.at, "events")) return;
    found = event_index_.emplace(event.text, position(program_.events.size())).first;
    program_.events.push_back(event.text);
  }
  out.event = found->second;
}

}  // namespace drover::litmus
