// Read-only long-term pins through the kernel's own test device.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Instr;
using litmus::Op;

namespace {

std::string gup_test_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  const std::string handle = handle_name(context, i.ref);
  const std::string target = assign_to(context, site.actor, i.dst);
  switch (i.op) {
    case Op::dma_read:
      return fmt::format("{}gup_test_read({}, {}, {});", target, handle,
                         i.ref - context.program.handle_of(i.ref).first_ref, i.word);
    case Op::unpin:
      return fmt::format("gup_test_unpin({});", handle);
    default:
      return fmt::format("{}gup_test_pin({}, {});", target, handle, i.gup == litmus::Gup::fast);
  }
}

std::string gup_test_obstacle(const Context& context, Site site) {
  switch (site.instr.op) {
    case Op::dma_write:
      return "a device must not write through a read-only pin";
    case Op::put:
      return "no system call releases a pin with put_page";
    case Op::pin:
      break;
    default:
      return "";
  }
  if (site.instr.process != context.program.actors[site.actor].process) {
    return "gup_test pins the caller's memory only";
  }
  for (const litmus::Handle& h : context.program.handles) {
    const Instr& taker = taker_of(context.program, h.first_ref);
    if (&taker != &site.instr && &family_of(context, taker) == &kGupTest) {
      return "gup_test keeps one pin at a time";
    }
  }
  return "";
}

HandleHooks gup_test_hooks(const Instr&, unsigned) {
  HandleHooks hooks;
  hooks.run = "prepare_gup_test();";
  return hooks;
}

}  // namespace

const Family kGupTest{runtime::gup_test, gup_test_statement, gup_test_obstacle, gup_test_hooks,
                      "/sys/kernel/debug/gup_test"};

}  // namespace drover::native
