// process_vm_writev and process_vm_readv.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {
namespace {

std::string process_vm_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  const std::string place = fmt::format("{}, {}", process_name(context, i.process),
                                        word_arguments(context, i.page, i.word));
  const std::string target = assign_to(context, site.actor, i.dst);
  if (i.op == litmus::Op::process_vm_readv) return fmt::format("{}read_other({});", target, place);
  return fmt::format("{}write_other({}, {});", target, place,
                     expression(context, site.actor, i.value));
}

}  // namespace

const Family kProcessVm{runtime::process_vm, process_vm_statement, no_obstacle};

}  // namespace drover::native
