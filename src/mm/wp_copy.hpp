// What others may know of wp_page_copy under way; the path itself is declared in paths.hpp.
#pragma once

#include "mm/state.hpp"

namespace drover::mm {

/// If `actor` is in wp_page_copy, has not taken the page table lock yet, and the PTE is not what it
/// was: drops the copy now instead of when it will be noticed. Nobody can tell the difference,
/// provided that the PTE cannot become what it was. That is so without swap, migration, files and
/// mremap: the fault holds the mmap_lock or the VMA lock, so only other faults and MADV_DONTNEED
/// change the PTE, and the reference to the old page keeps it from being allocated again.
void drop_vain_copy(State& s, const litmus::Program& program, unsigned actor);

}  // namespace drover::mm
