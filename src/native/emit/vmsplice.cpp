// Plain read-only references that last: pages spliced into a pipe.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Instr;
using litmus::Op;

namespace {

std::string vmsplice_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  const std::string handle = handle_name(context, i.ref);
  const std::string target = assign_to(context, site.actor, i.dst);
  switch (i.op) {
    case Op::pipe_read:
    case Op::dma_read:
      return fmt::format("{}pipe_peek({}, {}, {});", target, handle,
                         i.ref - context.program.handle_of(i.ref).first_ref, i.word);
    case Op::pipe_close:
    case Op::put:
      return fmt::format("close_pipe({});", handle);
    default:
      return fmt::format("{}splice_pages({}, {});", target, handle, i.copies);
  }
}

std::string vmsplice_obstacle(const Context& context, Site site) {
  switch (site.instr.op) {
    case Op::dma_write:
      return "a device must not write through a read-only reference";
    case Op::unpin:
      return "no system call releases a plain reference with unpin_user_page";
    case Op::get:
      return site.instr.process == context.program.actors[site.actor].process
                 ? ""
                 : "vmsplice takes the caller's memory only";
    default:
      return "";
  }
}

HandleHooks vmsplice_hooks(const Instr& i, unsigned handle) {
  HandleHooks hooks;
  hooks.run = fmt::format("prepare_pipes({}, {});", handle, i.copies);
  return hooks;
}

}  // namespace

const Family kVmsplice{runtime::vmsplice, vmsplice_statement, vmsplice_obstacle, vmsplice_hooks};

}  // namespace drover::native
