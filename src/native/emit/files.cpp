// truncate, punch_hole and fsync; which file each memory object needs on a real machine.
#include <fmt/format.h>

#include <algorithm>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Backing;
using litmus::Op;

namespace {

std::string file_statement(const Context& context, Site site) {
  const litmus::Instr& i = site.instr;
  const std::string target = assign_to(context, site.actor, i.dst);
  const std::string address = page_address(context, i.page);
  switch (i.op) {
    case Op::truncate:
      return fmt::format("{}truncate_file({}, {});", target, address,
                         expression(context, site.actor, i.value));
    case Op::punch_hole:
      return fmt::format("{}punch_hole({}, {});", target, address, i.pages);
    default:
      return fmt::format("{}sync_file({});", target, address);
  }
}

std::string file_obstacle(const Context&, Site site) {
  switch (site.instr.op) {
    case Op::crash:
      return "nobody is left to tell what the disk holds";
    case Op::unpin_dirty:
    case Op::set_page_dirty:
      return "no system call says when a driver dirties the pages of a reference";
    default:
      return "";
  }
}

}  // namespace

const Family kFiles{runtime::files, file_statement, file_obstacle};

std::string file_kind(const litmus::Program& program, const litmus::Object& object) {
  if (object.backing == Backing::anonymous) return "ANONYMOUS";
  if (object.backing == Backing::shmem) return "MEMFD";
  // io_uring and dirty tracking tell a file of tmpfs from others.
  bool registered = false;
  for (const litmus::Actor& actor : program.actors) {
    for (const litmus::Instr& i : actor.code) {
      registered =
          registered || (i.op == Op::register_buffer && &program.object(i.page) == &object);
    }
  }
  return object.shared || registered ? "DISK_FILE" : "ANY_FILE";
}

std::string memory_obstacle(const Context& context) {
  for (const litmus::Object& o : context.program.objects) {
    if (o.backing == Backing::dax) return fmt::format("`{}` needs a DAX file system", o.name);
    if (o.backing == Backing::p2pdma) {
      return fmt::format("`{}` needs a PCI device that lends memory to its peers", o.name);
    }
    if (o.zone != litmus::Zone::normal) {
      return fmt::format("`{}`: nothing in user space says where pages lie, or puts them there",
                         o.name);
    }
  }
  if (context.program.swap_device != litmus::SwapDevice::zram) {
    return "needs a swap disk that is slow enough for the test to see pages under writeback";
  }
  for (const litmus::Atom& atom : context.program.condition.atoms) {
    if (atom.kind == litmus::AtomKind::disk) {
      return "nothing shows what is on the disk: reading it writes the page cache back first";
    }
  }
  return "";
}

}  // namespace drover::native
