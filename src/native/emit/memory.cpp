// Local statements, loads and stores, and remembering which frame is mapped.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Op;

namespace {

std::string memory_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  const std::string value = expression(context, site.actor, i.value);
  switch (i.op) {
    case Op::assign:
      return assign_to(context, site.actor, i.dst) + value + ";";
    case Op::jump:
      return fmt::format("goto L{};", i.target);
    case Op::branch_zero:
      return fmt::format("if ({} == 0) goto L{};", value, i.target);
    case Op::load:
      return fmt::format("{}*word_at({});", assign_to(context, site.actor, i.dst),
                         word_arguments(context, i.page, i.word));
    default:
      return fmt::format("*word_at({}) = {};", word_arguments(context, i.page, i.word), value);
  }
}

std::string pagemap_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  return fmt::format("{}remember_frame({}, {});", assign_to(context, site.actor, i.dst), i.ref,
                     page_address(context, i.page));
}

}  // namespace

const Family kMemory{runtime::memory, memory_statement, no_obstacle};
const Family kPagemap{runtime::pagemap, pagemap_statement, no_obstacle, nullptr,
                      "page frame numbers from /proc/self/pagemap"};

}  // namespace drover::native
