// clear_refs, userfaultfd write-protection and UFFDIO_MOVE, KSM.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {
namespace {

using litmus::Op;

std::string write_protect_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  const std::string target = assign_to(context, site.actor, i.dst);
  if (i.op == Op::clear_refs) return target + "clear_soft_dirty();";
  const std::string range = range_arguments(context, i);
  switch (i.op) {
    case Op::uffd_wp:
      return fmt::format("{}uffd_protect({}, true);", target, range);
    case Op::uffd_unwp:
      return fmt::format("{}uffd_protect({}, false);", target, range);
    case Op::uffd_move:
      return fmt::format("{}uffd_move({}, {});", target, range, page_address(context, i.to_page));
    default:
      return fmt::format("scan_for_equal_pages({});", range);
  }
}

}  // namespace

const Family kClearRefs{runtime::clear_refs, write_protect_statement, no_obstacle};
const Family kUserfaultfd{runtime::userfaultfd, write_protect_statement, no_obstacle, nullptr,
                          "userfaultfd that also stops the kernel's own accesses"};
const Family kKsm{runtime::ksm, write_protect_statement, no_obstacle, nullptr,
                  "starting ksmd in /sys/kernel/mm/ksm"};

}  // namespace drover::native
