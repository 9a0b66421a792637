// mmap_lock, VMA locks and page table locks; see locks.hpp.
#include "mm/locks.hpp"

namespace drover::mm {
namespace {

bool held_by_other(const Kernel& k, unsigned mm, LockKind kind) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    if (a == k.actor) continue;
    const HeldLocks other = held_locks(k.s, a);
    if (other.lock == kind && other.lock_mm == mm) return true;
  }
  return false;
}

void hold(Kernel& k, LockKind kind, unsigned mm, unsigned object) {
  k.self().lock = kind;
  k.self().lock_mm = static_cast<std::uint8_t>(mm);
  k.self().lock_object = static_cast<std::uint8_t>(object);
}

std::uint8_t ptl_name(const litmus::Program& program, unsigned mm, unsigned page) {
  return static_cast<std::uint8_t>(1 + mm * litmus::kMaxObjects + program.object_of[page]);
}

}  // namespace

bool mmap_read_trylock(Kernel& k, unsigned mm) {
  if (held_by_other(k, mm, LockKind::mmap_write)) return false;
  hold(k, LockKind::mmap_read, mm, 0);
  return true;
}

bool mmap_write_trylock(Kernel& k, unsigned mm) {
  if (held_by_other(k, mm, LockKind::mmap_write) || held_by_other(k, mm, LockKind::mmap_read)) {
    return false;
  }
  hold(k, LockKind::mmap_write, mm, 0);
  return true;
}

bool vma_read_trylock(Kernel& k, unsigned mm, unsigned page) {
  const unsigned object = k.object_of(page);
  if ((k.s.mms[mm].vma_write_locked >> object & 1U) != 0) return false;
  hold(k, LockKind::vma_read, mm, object);
  return true;
}

bool vma_start_write(Kernel& k, unsigned mm, unsigned object) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    if (a == k.actor) continue;
    const HeldLocks other = held_locks(k.s, a);
    if (other.lock == LockKind::vma_read && other.lock_mm == mm && other.lock_object == object) {
      return false;
    }
  }
  auto& locked = k.s.mms[mm].vma_write_locked;
  locked = static_cast<std::uint8_t>(locked | 1U << object);
  return true;
}

bool start_write_range(Kernel& k, unsigned mm, unsigned page, unsigned pages) {
  if (k.policy.fork_vma_lock != design::policy::fork_vma_lock::per_vma) return true;
  for (unsigned p = page; p < page + pages; ++p) {
    if (!vma_start_write(k, mm, k.object_of(p))) return false;
  }
  return true;
}

void mmap_unlock(Kernel& k) {
  if (k.self().lock == LockKind::mmap_write) k.s.mms[k.self().lock_mm].vma_write_locked = 0;
  hold(k, LockKind::none, 0, 0);
}

bool ptl_held(const State& s, const litmus::Program& program, unsigned mm, unsigned page) {
  const std::uint8_t name = ptl_name(program, mm, page);
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    if (held_locks(s, a).ptl == name) return true;
  }
  return false;
}

bool ptl_trylock(Kernel& k, unsigned mm, unsigned page) {
  if (k.self().ptl == ptl_name(k.program, mm, page)) return true;  // held across a fused point
  if (ptl_held(k.s, k.program, mm, page)) return false;
  k.self().ptl = ptl_name(k.program, mm, page);
  return true;
}

void ptl_unlock(Kernel& k) {
  k.self().ptl = 0;
}

}  // namespace drover::mm
