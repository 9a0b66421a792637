// fork, vfork, exit, wait.
#include <fmt/format.h>

#include <algorithm>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Op;

namespace {

std::string process_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  if (i.op == Op::exit) return "exit_process();";
  const char* function = i.op == Op::fork    ? "fork_process"
                         : i.op == Op::vfork ? "vfork_process"
                                             : "wait_process";
  return fmt::format("{}{}({});", assign_to(context, site.actor, i.dst), function,
                     process_name(context, i.process));
}

std::string process_obstacle(const Context& context, Site site) {
  if (site.instr.op != Op::vfork) return "";
  const auto& actors = context.program.actors;
  const auto threads = std::count_if(actors.begin(), actors.end(), [&](const litmus::Actor& a) {
    return a.process == site.instr.process;
  });
  return threads > 1 ? "a vfork child shares its parent's thread library: no threads in it" : "";
}

}  // namespace

const Family kProcess{runtime::process, process_statement, process_obstacle};

}  // namespace drover::native
