// The step machinery of Kernel: resume points, calls, choices, expressions.
#include "mm/kernel.hpp"

#include <algorithm>
#include <stdexcept>

namespace drover::mm {

Step Kernel::fused(unsigned point) {
  activation().point = static_cast<std::uint8_t>(point);
  return Step::fused;
}

Step Kernel::yield(unsigned point) {
  activation().point = static_cast<std::uint8_t>(point);
  return Step::yield;
}

Step Kernel::done(int result) {
  activation() = Activation{};
  self().depth--;
  self().result = static_cast<std::int8_t>(result);
  return Step::done;
}

namespace {

void set_arguments(Activation& act, std::initializer_list<unsigned> args) {
  if (args.size() > act.arg.size()) throw std::logic_error("drover: too many arguments of a path");
  std::size_t at = 0;
  for (const unsigned v : args) act.arg[at++] = static_cast<std::uint8_t>(v);
}

}  // namespace

Step Kernel::call(Path path, unsigned resume, std::initializer_list<unsigned> args) {
  activation().point = static_cast<std::uint8_t>(resume);
  if (self().depth == kMaxDepth) throw std::logic_error("drover: activation stack overflow");
  self().depth++;
  activation() = Activation{};
  activation().path = static_cast<std::uint8_t>(path);
  set_arguments(activation(), args);
  return Step::called;
}

Step Kernel::become(Path path, std::initializer_list<unsigned> args) {
  auto frames = activation().frame;
  activation() = Activation{};
  activation().path = static_cast<std::uint8_t>(path);
  activation().frame = frames;
  set_arguments(activation(), args);
  return Step::called;
}

unsigned Kernel::choose(unsigned n) {
  if (n <= 1) return 0;
  const unsigned index = choices_made++;
  if (index >= choice.size()) throw std::logic_error("drover: too many choices in one step");
  choice_limit[index] = static_cast<std::uint8_t>(n);
  return choice[index];
}

std::int8_t Kernel::evaluate(const litmus::Expr& e) const {
  const auto operand = [this](const litmus::Operand& o) -> int {
    return o.is_register ? s.actors[actor].regs[static_cast<std::size_t>(o.value)] : o.value;
  };
  const int a = operand(e.a);
  const int b = operand(e.b);
  using litmus::Fn;
  int value = a;
  switch (e.fn) {
    case Fn::none:
      break;
    case Fn::add:
      value = a + b;
      break;
    case Fn::sub:
      value = a - b;
      break;
    case Fn::eq:
      value = a == b;
      break;
    case Fn::ne:
      value = a != b;
      break;
    case Fn::lt:
      value = a < b;
      break;
    case Fn::le:
      value = a <= b;
      break;
    case Fn::gt:
      value = a > b;
      break;
    case Fn::ge:
      value = a >= b;
      break;
  }
  return static_cast<std::int8_t>(value);  // registers wrap around like int8_t
}

}  // namespace drover::mm
