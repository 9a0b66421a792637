// MSG_ZEROCOPY over loopback TCP.
#include <fmt/format.h>

#include <algorithm>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Instr;
using litmus::Op;

namespace {

std::string zerocopy_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  const std::string handle = handle_name(context, i.ref);
  const std::string target = assign_to(context, site.actor, i.dst);
  switch (i.op) {
    case Op::socket_recv:
      return fmt::format("{}receive_word({}, {}, {});", target, handle,
                         i.ref - context.program.handle_of(i.ref).first_ref, i.word);
    case Op::pipe_close:
      return fmt::format("close_socket({});", handle);
    default:
      return fmt::format("{}send_zerocopy({});", target, handle);
  }
}

// The language's socket_recv peeks; a real one delivers, and the references go.
std::string zerocopy_obstacle(const Context& context, Site site) {
  if (site.instr.op != Op::zerocopy_send) return "";
  const litmus::Handle& handle = context.program.handle_of(site.instr.ref);
  std::ptrdiff_t receives = 0;
  for (const litmus::Actor& actor : context.program.actors) {
    receives += std::count_if(actor.code.begin(), actor.code.end(), [&](const Instr& i) {
      return i.op == Op::socket_recv && &context.program.handle_of(i.ref) == &handle;
    });
  }
  return receives > 1 ? "a socket delivers once: one socket_recv for a zerocopy_send" : "";
}

HandleHooks zerocopy_hooks(const Instr&, unsigned handle) {
  HandleHooks hooks;
  hooks.run = fmt::format("prepare_socket({});", handle);
  return hooks;
}

}  // namespace

const Family kZerocopy{runtime::zerocopy, zerocopy_statement, zerocopy_obstacle, zerocopy_hooks};

}  // namespace drover::native
