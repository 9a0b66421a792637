// mmap, munmap, mremap, mprotect, madvise.
#include <fmt/format.h>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Advice;
using litmus::Instr;
using litmus::Op;

namespace {

const char* advice_name(Advice a) {
  switch (a) {
    case Advice::dontneed:
      return "MADV_DONTNEED";
    case Advice::dontfork:
      return "MADV_DONTFORK";
    case Advice::dofork:
      return "MADV_DOFORK";
    case Advice::wipeonfork:
      return "MADV_WIPEONFORK";
    case Advice::keeponfork:
      return "MADV_KEEPONFORK";
    case Advice::pageout:
      return "MADV_PAGEOUT";
    case Advice::free:
      return "MADV_FREE";
    case Advice::unmergeable:
      return "MADV_UNMERGEABLE";
    case Advice::collapse:
      return "MADV_COLLAPSE";
  }
  return "";
}

std::string protection(const Instr& i) {
  const bool write = (i.prot & litmus::kProtWrite) != 0;
  if ((i.prot & litmus::kProtRead) == 0) return write ? "PROT_WRITE" : "PROT_NONE";
  return write ? "PROT_READ | PROT_WRITE" : "PROT_READ";
}

std::string call(const Context& context, const Instr& i) {
  const std::string range = range_arguments(context, i);
  switch (i.op) {
    case Op::mmap:
      if (context.program.objects[context.program.object_of.at(i.page)].hugetlb) {
        return fmt::format("map_huge_again({}, {})", page_address(context, i.page), i.pages);
      }
      return fmt::format("map_again({})", range);
    case Op::munmap:
      return fmt::format("unmap({})", range);
    case Op::mremap:
      return fmt::format("move_mapping({}, {})", range, page_address(context, i.to_page));
    case Op::mprotect:
      return fmt::format("protect({}, {})", range, protection(i));
    default:
      return fmt::format("give_advice({}, {})", range, advice_name(i.advice));
  }
}

std::string mapping_statement(const Context& context, Site site) {
  return assign_to(context, site.actor, site.instr.dst) + call(context, site.instr) + ";";
}

}  // namespace

const Family kMapping{runtime::mapping, mapping_statement, no_obstacle};

}  // namespace drover::native
