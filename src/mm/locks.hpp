// mmap_lock, VMA locks and page table locks. A lock's state is who holds it: it is read off the
// actors, so an unlocked lock costs no bytes. Page locks are a flag of the frame (page.hpp).
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// mmap_read_lock: false while somebody holds it for writing. Writers do not overtake: rwsem
/// fairness (a waiting writer stops new readers) only orders, it forbids no outcome here, because
/// no path takes the same mmap_lock twice.
bool mmap_read_trylock(Kernel& k, unsigned mm);
/// mmap_write_lock: false while anybody holds the mmap_lock of `mm`.
bool mmap_write_trylock(Kernel& k, unsigned mm);
/// lock_vma_under_rcu (6.4+): false while the VMA is write-locked.
bool vma_read_trylock(Kernel& k, unsigned mm, unsigned page);
/// vma_start_write: false while a page fault holds the VMA lock; else the VMA stays write-locked
/// until mmap_unlock (vma_end_write_all).
bool vma_start_write(Kernel& k, unsigned mm, unsigned object);
/// Releases whichever of these the actor holds.
void mmap_unlock(Kernel& k);

/// vma_start_write for every object of page .. page+pages-1 where the design has VMA locks.
bool start_write_range(Kernel& k, unsigned mm, unsigned page, unsigned pages);

/// The page table lock over `page`. Objects are taken to lie in different page tables.
bool ptl_trylock(Kernel& k, unsigned mm, unsigned page);
void ptl_unlock(Kernel& k);
/// Whether somebody holds the page table lock over `page`.
[[nodiscard]] bool ptl_held(const State& s, const litmus::Program& program, unsigned mm,
                            unsigned page);

}  // namespace drover::mm
