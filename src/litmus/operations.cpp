// The operations of the language.
#include "litmus/operations.hpp"

#include <algorithm>

namespace drover::litmus {

std::span<const Operation> operations() {
  using P = Parameter;
  using R = Result;
  static const std::vector<Operation> kTable = {
      {"fork", Op::fork, {P::process}, R::status, 0, "fork(PROCESS)"},
      {"vfork", Op::vfork, {P::process}, R::status, 0, "vfork(PROCESS)"},
      {"wait", Op::wait, {P::process}, R::none, 0, "wait(PROCESS)"},
      {"mmap", Op::mmap, {P::range}, R::status, 0, "mmap(MEMORY)"},
      {"munmap", Op::munmap, {P::range}, R::status, 0, "munmap(MEMORY)"},
      {"mremap", Op::mremap, {P::range, P::range}, R::status, 0, "mremap(FROM, TO)"},
      {"mprotect", Op::mprotect, {P::range, P::prot}, R::status, 0, "mprotect(MEMORY, PROT)"},
      {"madvise", Op::madvise, {P::range, P::advice}, R::status, 0, "madvise(MEMORY, ADVICE)"},
      {"move_pages", Op::move_pages, {P::range}, R::status, 0, "move_pages(MEMORY)"},
      {"swapoff", Op::swapoff, {}, R::status, 0, "swapoff()"},
      {"clear_refs", Op::clear_refs, {}, R::status, 0, "clear_refs()"},
      {"uffd_wp", Op::uffd_wp, {P::range}, R::status, 0, "uffd_wp(MEMORY)"},
      {"uffd_unwp", Op::uffd_unwp, {P::range}, R::status, 0, "uffd_unwp(MEMORY)"},
      {"uffd_move", Op::uffd_move, {P::range, P::range}, R::status, 0, "uffd_move(FROM, TO)"},
      {"ksm_scan", Op::ksm_scan, {P::range}, R::none, 0, "ksm_scan(MEMORY)"},
      {"truncate", Op::truncate, {P::range, P::value}, R::status, 1, "truncate(FILE, PAGES)"},
      {"punch_hole", Op::punch_hole, {P::range}, R::status, 0, "punch_hole(FILE)"},
      {"fsync", Op::fsync, {P::range}, R::status, 0, "fsync(FILE)"},
      {"get",
       Op::get,
       {P::remote_range, P::foll, P::entry},
       R::handle,
       1,
       "h = get(MEMORY, FLAGS, slow|fast|raw)"},
      {"pin",
       Op::pin,
       {P::remote_range, P::foll, P::entry},
       R::handle,
       1,
       "h = pin(MEMORY, FLAGS, slow|fast|raw)"},
      {"unpin", Op::unpin, {P::handle}, R::none, 0, "unpin(HANDLE)"},
      {"put", Op::put, {P::handle}, R::none, 0, "put(HANDLE)"},
      {"unpin_dirty", Op::unpin_dirty, {P::handle}, R::none, 0, "unpin_dirty(HANDLE)"},
      {"set_page_dirty", Op::set_page_dirty, {P::handle}, R::none, 0, "set_page_dirty(HANDLE)"},
      {"register_buffer",
       Op::register_buffer,
       {P::range},
       R::handle,
       0,
       "h = register_buffer(MEMORY)"},
      {"reg_mr", Op::reg_mr, {P::range, P::access}, R::handle, 0, "h = reg_mr(MEMORY, ACCESS)"},
      {"rereg_mr", Op::rereg_mr, {P::handle, P::access}, R::status, 0, "rereg_mr(HANDLE, ACCESS)"},
      {"xdp_umem", Op::xdp_umem, {P::range}, R::handle, 0, "h = xdp_umem(MEMORY)"},
      {"direct_read",
       Op::direct_read,
       {P::word, P::value},
       R::handle,
       0,
       "h = direct_read(WORD, VALUE)"},
      {"direct_write", Op::direct_write, {P::word}, R::handle, 0, "h = direct_write(WORD)"},
      {"complete", Op::complete, {P::handle}, R::status, 0, "complete(HANDLE)"},
      {"vmsplice",
       Op::vmsplice,
       {P::range, P::copies},
       R::handle,
       1,
       "h = vmsplice(MEMORY, COPIES)"},
      {"pipe_read", Op::pipe_read, {P::handle_word}, R::value, 0, "r = pipe_read(HANDLE.WORD)"},
      {"close", Op::pipe_close, {P::handle}, R::none, 0, "close(HANDLE)"},
      {"zerocopy_send", Op::zerocopy_send, {P::range}, R::handle, 0, "h = zerocopy_send(MEMORY)"},
      {"socket_recv",
       Op::socket_recv,
       {P::handle_word},
       R::value,
       0,
       "r = socket_recv(HANDLE.WORD)"},
      {"dma_write",
       Op::dma_write,
       {P::handle_word, P::value},
       R::none,
       0,
       "dma_write(HANDLE.WORD, VALUE)"},
      {"dma_read", Op::dma_read, {P::handle_word}, R::value, 0, "r = dma_read(HANDLE.WORD)"},
      {"process_vm_writev",
       Op::process_vm_writev,
       {P::process, P::word, P::value},
       R::status,
       0,
       "process_vm_writev(PROCESS, WORD, VALUE)"},
      {"process_vm_readv",
       Op::process_vm_readv,
       {P::process, P::word},
       R::value,
       0,
       "r = process_vm_readv(PROCESS, WORD)"},
      {"ptrace_poke",
       Op::ptrace_poke,
       {P::process, P::word, P::value},
       R::status,
       0,
       "ptrace_poke(PROCESS, WORD, VALUE)"},
      {"ptrace_peek",
       Op::ptrace_peek,
       {P::process, P::word},
       R::value,
       0,
       "r = ptrace_peek(PROCESS, WORD)"},
      {"pagemap", Op::pagemap, {P::page}, R::handle, 0, "f = pagemap(PAGE)"},
  };
  return kTable;
}

const Operation* find_operation(std::string_view name) {
  for (const Operation& o : operations()) {
    if (o.name == name) return &o;
  }
  return nullptr;
}

std::vector<std::string> operation_names() {
  std::vector<std::string> out;
  for (const Operation& o : operations()) out.emplace_back(o.name);
  return out;
}

std::string_view releaser(Op taker) {
  switch (taker) {
    case Op::get:
      return "put";
    case Op::pin:
    case Op::register_buffer:
    case Op::reg_mr:
    case Op::xdp_umem:
      return "unpin";
    case Op::direct_read:
    case Op::direct_write:
    case Op::post_read:
    case Op::post_write:
      return "complete";
    case Op::vmsplice:
    case Op::zerocopy_send:
      return "close";
    default:
      return "";
  }
}

bool accepts(Op user, Op taker) {
  switch (user) {
    case Op::unpin:
    case Op::put:
      // A driver may mix the two up: that is a bug for the checker to find, not a misspelt test.
      if (taker == Op::pin || taker == Op::get) return true;
      return operation_name(user) == releaser(taker);
    case Op::unpin_dirty:
    case Op::set_page_dirty:
      return taker == Op::pin || (user == Op::set_page_dirty && taker == Op::get);
    case Op::pipe_close:
    case Op::complete:
      return operation_name(user) == releaser(taker);
    case Op::rereg_mr:
      return taker == Op::reg_mr;
    case Op::pipe_read:
      return taker == Op::vmsplice;
    case Op::socket_recv:
      return taker == Op::zerocopy_send;
    case Op::dma_write:
    case Op::dma_read:
      return taker == Op::pin || taker == Op::get || taker == Op::register_buffer ||
             taker == Op::reg_mr || taker == Op::xdp_umem;
    default:
      return false;
  }
}

std::string operation_name(Op op) {
  if (op == Op::post_read) return "post dma_read";
  if (op == Op::post_write) return "post dma_write";
  if (op == Op::complete_io) return "complete";
  for (const Operation& o : operations()) {
    if (o.op == op) return std::string(o.name);
  }
  return {};
}

}  // namespace drover::litmus
