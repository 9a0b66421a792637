// Which family implements which operation, and the pieces of C that several families use.
#include "native/emit/families.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace drover::native {

using litmus::Instr;
using litmus::Op;

bool takes_handle(Op op) {
  switch (op) {
    case Op::get:
    case Op::pin:
    case Op::register_buffer:
    case Op::reg_mr:
    case Op::xdp_umem:
    case Op::direct_read:
    case Op::direct_write:
    case Op::vmsplice:
    case Op::zerocopy_send:
    case Op::pagemap:
      return true;
    default:
      return false;
  }
}

const Instr& taker_of(const litmus::Program& program, unsigned ref) {
  const unsigned first = program.handle_of(ref).first_ref;
  for (const litmus::Actor& actor : program.actors) {
    for (const Instr& i : actor.code) {
      if (takes_handle(i.op) && i.ref == first) return i;
    }
  }
  throw std::logic_error("a handle that nobody takes");
}

bool has_fresh_page(const litmus::Program& program) {
  return std::any_of(program.objects.begin(), program.objects.end(),
                     [](const litmus::Object& o) { return o.state == litmus::InitialPage::fresh; });
}

namespace {

const Family& taker_family(const Context& context, const Instr& taker) {
  switch (taker.op) {
    case Op::vmsplice:
      return kVmsplice;
    case Op::get:  // a plain read-only reference is what vmsplice takes
      return (taker.foll == 0 && taker.gup != litmus::Gup::raw) ? kVmsplice : kGupUsers;
    case Op::zerocopy_send:
      return kZerocopy;
    case Op::direct_read:
    case Op::direct_write:
      return kDirectIo;
    case Op::xdp_umem:
      return kXdpUmem;
    case Op::pagemap:
      return kPagemap;
    case Op::pin:
      return context.options.gup_test && taker.foll == litmus::kFollLongterm &&
                     taker.gup != litmus::Gup::raw
                 ? kGupTest
                 : kGupUsers;
    default:
      return kGupUsers;
  }
}

}  // namespace

const Family& family_of(const Context& context, const Instr& instr) {
  if (takes_handle(instr.op)) return taker_family(context, instr);
  switch (instr.op) {
    case Op::assign:
    case Op::jump:
    case Op::branch_zero:
    case Op::load:
    case Op::store:
      return kMemory;
    case Op::fork:
    case Op::vfork:
    case Op::exit:
    case Op::wait:
      return kProcess;
    case Op::mmap:
    case Op::munmap:
    case Op::mremap:
    case Op::mprotect:
      return kMapping;
    case Op::madvise:
      return instr.advice == litmus::Advice::pageout ? kReclaim : kMapping;
    case Op::move_pages:
      return kReclaim;
    case Op::truncate:
    case Op::punch_hole:
    case Op::fsync:
    case Op::crash:
    case Op::unpin_dirty:
    case Op::set_page_dirty:
      return kFiles;
    case Op::swapoff:
      return kSwapoff;
    case Op::clear_refs:
      return kClearRefs;
    case Op::uffd_wp:
    case Op::uffd_unwp:
    case Op::uffd_move:
      return kUserfaultfd;
    case Op::ksm_scan:
      return kKsm;
    case Op::post_write:
    case Op::post_read:
    case Op::complete:
      return kJobs;
    case Op::process_vm_writev:
    case Op::process_vm_readv:
      return kProcessVm;
    case Op::ptrace_poke:
    case Op::ptrace_peek:
      return kPtrace;
    case Op::signal:
    case Op::await:
      return kOrder;
    default:  // through a handle
      return taker_family(context, taker_of(context.program, instr.ref));
  }
}

std::string register_name(const Context& context, unsigned actor, unsigned index) {
  const std::string& name = context.program.actors[actor].registers.at(index);
  return name.empty() ? fmt::format("{}_", index) : name;
}

std::string expression(const Context& context, unsigned actor, const litmus::Expr& e) {
  const auto operand = [&](const litmus::Operand& o) {
    return o.is_register
               ? fmt::format("R({})", register_name(context, actor, static_cast<unsigned>(o.value)))
               : std::to_string(o.value);
  };
  static constexpr const char* kOperators[] = {"", "+", "-", "==", "!=", "<", "<=", ">", ">="};
  if (e.fn == litmus::Fn::none) return operand(e.a);
  return fmt::format("(int8_t)({} {} {})", operand(e.a), kOperators[static_cast<unsigned>(e.fn)],
                     operand(e.b));
}

std::string assign_to(const Context& context, unsigned actor, std::uint8_t dst) {
  if (dst == litmus::kNone) return "";
  return fmt::format("R({}) = ", register_name(context, actor, dst));
}

std::string word_arguments(const Context& context, unsigned page, unsigned word) {
  const litmus::Object& o = context.program.objects.at(context.program.object_of.at(page));
  if (o.hugetlb) return fmt::format("{}, 0, {}", page_address(context, page), word);
  return fmt::format("MEM_{}, {}, {}", o.name, page - o.first_page, word);
}

std::string page_address(const Context& context, unsigned page) {
  const litmus::Object& o = context.program.objects.at(context.program.object_of.at(page));
  if (page == o.first_page) return "MEM_" + o.name;
  return fmt::format("MEM_{} + {} * {}", o.name, page - o.first_page,
                     o.hugetlb ? "HUGE_PAGE" : "PAGE");
}

std::string range_arguments(const Context& context, const Instr& instr) {
  const litmus::Object& object = context.program.object(instr.page);
  const bool huge = object.hugetlb;
  if (object.huge != litmus::HugeMapping::none && instr.pages > 1) {
    return fmt::format("{}, HUGE_PAGE / PAGE", page_address(context, instr.page));
  }
  return fmt::format("{}, {}{}", page_address(context, instr.page), instr.pages,
                     huge ? " * HUGE_PAGE / PAGE" : "");
}

std::string handle_name(const Context& context, unsigned ref) {
  return "H_" + context.program.handle_of(ref).name;
}

std::string process_name(const Context& context, unsigned process) {
  return "P_" + context.program.processes.at(process).name;
}

std::string no_obstacle(const Context&, Site) {
  return "";
}

}  // namespace drover::native
