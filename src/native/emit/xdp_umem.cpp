// Long-term write pins by AF_XDP: a umem is registered; packets are the device's accesses.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Instr;
using litmus::Op;

namespace {

std::string xdp_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  const std::string handle = handle_name(context, i.ref);
  const std::string target = assign_to(context, site.actor, i.dst);
  const unsigned page = i.ref - context.program.handle_of(i.ref).first_ref;
  switch (i.op) {
    case Op::dma_write:
      return fmt::format("xdp_write({}, {}, {}, {});", handle, page, i.word,
                         expression(context, site.actor, i.value));
    case Op::dma_read:
      return fmt::format("{}xdp_read({}, {}, {});", target, handle, page, i.word);
    default:
      return fmt::format("{}xdp_umem({});", target, handle);
  }
}

std::string xdp_obstacle(const Context&, Site site) {
  // xsk_release, xp_put_pool, schedule_work: nothing tells user space when it is done.
  if (site.instr.op != Op::unpin) return "";
  return "the kernel unpins an AF_XDP umem at some later time, in a worker";
}

HandleHooks xdp_hooks(const Instr&, unsigned handle) {
  HandleHooks hooks;
  hooks.run = fmt::format("prepare_xdp({});", handle);
  hooks.mark = fmt::format("mark_xdp({});", handle);
  return hooks;
}

}  // namespace

const Family kXdpUmem{runtime::xdp_umem, xdp_statement, xdp_obstacle, xdp_hooks,
                      "AF_XDP: a network namespace and a BPF program"};

}  // namespace drover::native
