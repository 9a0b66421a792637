// MADV_PAGEOUT, swapoff and move_pages.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {
namespace {

using litmus::Op;

std::string reclaim_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  const std::string target = assign_to(context, site.actor, i.dst);
  if (i.op == Op::swapoff) return target + "swap_off_and_on();";
  return fmt::format("{}{}({});", target,
                     i.op == Op::move_pages ? "move_to_other_node" : "page_out",
                     range_arguments(context, i));
}

}  // namespace

const Family kReclaim{runtime::reclaim, reclaim_statement, no_obstacle};
const Family kSwapoff{runtime::reclaim, reclaim_statement, no_obstacle, nullptr,
                      "swapoff of the machine's swap device"};

}  // namespace drover::native
