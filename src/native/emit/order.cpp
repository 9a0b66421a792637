// signal and await: futexes in a page that all processes share.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {
namespace {

std::string order_statement(const Context& context, Site site) {
  return fmt::format("{}(E_{});",
                     site.instr.op == litmus::Op::signal ? "signal_event" : "await_event",
                     context.program.events.at(site.instr.event));
}

}  // namespace

const Family kOrder{runtime::order, order_statement, no_obstacle};

}  // namespace drover::native
