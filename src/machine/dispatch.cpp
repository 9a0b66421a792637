// From statements and path numbers to the functions of mm/ and device/.
#include "machine/dispatch.hpp"

#include <stdexcept>

#include "device/paths.hpp"
#include "mm/paths.hpp"

namespace drover::machine {

using litmus::Op;
using mm::Path;

Path path_of(Op op) {
  switch (op) {
    case Op::assign:
    case Op::jump:
    case Op::branch_zero:
      return Path::none;
    case Op::load:
    case Op::store:
      return Path::cpu_access;
    case Op::fork:
      return Path::dup_mmap;
    case Op::vfork:
      return Path::vfork;
    case Op::exit:
      return Path::exit_mm;
    case Op::wait:
      return Path::wait_for_child;
    case Op::mmap:
      return Path::mmap;
    case Op::munmap:
      return Path::munmap;
    case Op::mremap:
      return Path::mremap;
    case Op::mprotect:
      return Path::mprotect;
    case Op::madvise:
      return Path::madvise;
    case Op::move_pages:
      return Path::move_pages;
    case Op::truncate:
    case Op::punch_hole:
      return Path::truncate;
    case Op::fsync:
      return Path::fsync;
    case Op::crash:
      return Path::crash;
    case Op::swapoff:
      return Path::swapoff;
    case Op::clear_refs:
      return Path::clear_refs;
    case Op::uffd_wp:
    case Op::uffd_unwp:
      return Path::uffd_writeprotect;
    case Op::uffd_move:
      return Path::uffd_move;
    case Op::ksm_scan:
      return Path::ksm_scan;
    case Op::get:
    case Op::pin:
    case Op::register_buffer:
    case Op::reg_mr:
    case Op::xdp_umem:
    case Op::direct_read:
    case Op::direct_write:
    case Op::vmsplice:
    case Op::zerocopy_send:
      return Path::take_reference;
    case Op::unpin:
    case Op::put:
    case Op::unpin_dirty:
    case Op::pipe_close:
      return Path::release_reference;
    case Op::set_page_dirty:
      return Path::dirty_reference;
    case Op::complete_io:
      return Path::complete_io;
    case Op::pipe_read:
    case Op::socket_recv:
      return Path::peek;
    case Op::pagemap:
      return Path::pagemap;
    case Op::dma_write:
    case Op::dma_read:
      return Path::dma;
    case Op::post_write:
    case Op::post_read:
      return Path::post_job;
    case Op::complete:
      return Path::complete_job;
    case Op::rereg_mr:
      return Path::rereg_mr;
    case Op::process_vm_writev:
    case Op::process_vm_readv:
      return Path::process_vm;
    case Op::ptrace_poke:
    case Op::ptrace_peek:
      return Path::ptrace_access;
    case Op::signal:
      return Path::signal_event;
    case Op::await:
      return Path::await_event;
  }
  return Path::none;
}

Path path_of(litmus::ActorKind daemon) {
  switch (daemon) {
    case litmus::ActorKind::thread:
      break;
    case litmus::ActorKind::speculate:
      return Path::speculate;
    case litmus::ActorKind::reclaim:
      return Path::reclaim;
    case litmus::ActorKind::migrate:
      return Path::migrate;
    case litmus::ActorKind::numa_scan:
      return Path::numa_scan;
    case litmus::ActorKind::ksm:
      return Path::ksm;
    case litmus::ActorKind::writeback:
      return Path::writeback;
    case litmus::ActorKind::khugepaged:
      return Path::khugepaged;
    case litmus::ActorKind::swap_io:
      return Path::swap_io;
  }
  return Path::none;
}

mm::Step run_path(mm::Kernel& k) {
  switch (static_cast<Path>(k.activation().path)) {
    case Path::none:
      break;
#define PATH(name, folder, locals) \
  case Path::name:                 \
    return folder::name(k);
#include "mm/paths.def"
#undef PATH
  }
  throw std::logic_error("drover: no such path");
}

}  // namespace drover::machine
