// ptrace_poke and ptrace_peek.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {
namespace {

std::string ptrace_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  const std::string place = fmt::format("{}, {}", process_name(context, i.process),
                                        word_arguments(context, i.page, i.word));
  const std::string target = assign_to(context, site.actor, i.dst);
  if (i.op == litmus::Op::ptrace_peek) return fmt::format("{}peek({});", target, place);
  return fmt::format("{}poke({}, {});", target, place, expression(context, site.actor, i.value));
}

std::string ptrace_obstacle(const Context& context, Site site) {
  return site.instr.process == context.program.actors[site.actor].process
             ? "a process cannot trace itself"
             : "";
}

}  // namespace

const Family kPtrace{runtime::ptrace, ptrace_statement, ptrace_obstacle};

}  // namespace drover::native
