// process_vm_writev/readv (mm/process_vm_access.c) and ptrace access (access_remote_vm): the kernel
// reads or writes another process's page through a short reference.
#include "mm/consistent_cut.hpp"
#include "mm/gup.hpp"
#include "mm/locks.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// frame[0]: the page gup_slow found.
enum Point : std::uint8_t { kGetPage, kReturned, kCopy, kRelease };

bool writes(const litmus::Instr& i) {
  return i.op == litmus::Op::process_vm_writev || i.op == litmus::Op::ptrace_poke;
}

Step get_page_of(Kernel& k, unsigned flags) {
  const litmus::Instr& i = k.instr();
  // get_task_mm: a zombie has no mm, even if the vfork parent that shared it lives on (6.18).
  const std::uint8_t task = k.s.processes[i.process];
  if ((task & kStarted) == 0 || (task & kExited) != 0) {
    k.set_register(i.dst, -kESRCH);
    return k.done();
  }
  const unsigned mm = k.mm_of(i.process);
  return k.call(Path::gup_slow, kReturned, {i.page, i.page + 1U, flags, mm, kNone, 0});
}

// copy_page_from_iter / copy_to_user_page of the one word the test names.
void copy(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const unsigned mm = k.mm_of(i.process);
  const std::uint8_t frame = k.activation().frame[0];
  if (writes(i)) {
    const std::int8_t value = k.evaluate(i.value);
    const std::int8_t before = k.s.frames[frame].words[i.word].value;
    write_word(k, frame, i.word, value, mm, false);
    if (k.pte(mm, i.page).frame == frame) note_store(k, mm, i.page, i.word, value != before);
    k.set_register(i.dst, 0);
  } else {
    k.set_register(i.dst, read_word(k, frame, i.word, mm));
  }
}

Step remote_access(Kernel& k, unsigned flags) {
  switch (k.activation().point) {
    case kGetPage:
      return get_page_of(k, flags);
    case kReturned:
      if (k.result() < 0) {
        k.set_register(k.instr().dst, k.result());
        return k.done();
      }
      return k.yield(kCopy);
    case kCopy:
      copy(k);
      return k.yield(kRelease);
    default:
      if (writes(k.instr()) && is_file_page(k.s.frames[k.activation().frame[0]])) {
        // unpin_user_pages_dirty_lock, set_page_dirty_lock; released at once: nobody can tell.
        if (page_locked(k, k.activation().frame[0])) return k.blocked();
        set_page_dirty(k, k.activation().frame[0]);
      }
      release_frame(k, flags, k.activation().frame[0]);
      if ((flags & kGupKeepLock) != 0) mmap_unlock(k);
      return k.done();
  }
}

}  // namespace

// process_vm_rw_single_vec: the mmap_lock is dropped before the copy, so fork may get in between.
Step process_vm(Kernel& k) {
  const bool pin = k.policy.process_vm_ref == policy::process_vm_ref::pin;
  return remote_access(k, (pin ? kGupPin : 0U) | (writes(k.instr()) ? kGupWrite : 0U));
}

// access_remote_vm: FOLL_FORCE, and the mmap_lock is held until the copy is done.
Step ptrace_access(Kernel& k) {
  return remote_access(k, kGupForce | kGupKeepLock | (writes(k.instr()) ? kGupWrite : 0U));
}

}  // namespace drover::mm
