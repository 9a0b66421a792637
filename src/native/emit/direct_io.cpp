// O_DIRECT transfers that stay in flight until the test completes them.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Instr;
using litmus::Op;

namespace {

std::string direct_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  const std::string handle = handle_name(context, i.ref);
  const std::string target = assign_to(context, site.actor, i.dst);
  if (i.op == Op::complete_io) return fmt::format("{}complete_direct({});", target, handle);
  return fmt::format(
      "{}submit_direct({}, {}, {});", target, handle, i.word,
      i.op == Op::direct_read ? expression(context, site.actor, i.value) : std::string("0"));
}

// exit_aio waits for transfers in flight, and so would an exit after any other way to start one.
std::string direct_obstacle(const Context& context, Site site) {
  if (site.instr.op == Op::complete_io) return "";
  bool in_flight = false;
  for (const Instr& i : context.program.actors[site.actor].code) {
    if (&i == &site.instr) in_flight = true;
    if (i.op == Op::complete_io && i.ref == site.instr.ref) in_flight = false;
    if (i.op == Op::exit && in_flight) return "exit waits until an O_DIRECT transfer is over";
  }
  return "";
}

HandleHooks direct_hooks(const Instr& taker, unsigned handle) {
  HandleHooks hooks;
  hooks.program = fmt::format("prepare_disk({}, {});", handle, taker.op == Op::direct_write);
  hooks.process = fmt::format("prepare_aio({});", handle);
  hooks.end = fmt::format("end_direct({});", handle);
  hooks.clean = fmt::format("remove_disk({});", handle);
  return hooks;
}

}  // namespace

const Family kDirectIo{runtime::direct_io, direct_statement, direct_obstacle, direct_hooks,
                       "a loop device over a FUSE file"};

}  // namespace drover::native
