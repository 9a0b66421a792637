// What the system calls that change mappings share: the begin of a locked range operation.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// Takes the mmap_lock for writing, and the VMA locks of the statement's range where the design has
/// them. Returns 1 when done, 0 when it must wait, -errno (locks released) when the range is not
/// wholly mapped (ENOMEM), or when the design refuses to change the mapping of a pinned page
/// (EBUSY).
int begin_change(Kernel& k, unsigned page, unsigned pages, bool must_be_mapped);

/// Goes on at `point` after the mapping was found changeable. GUP-fast takes no lock: where pins
/// decide, one may be taken before the PTEs change.
Step change_from(Kernel& k, unsigned point);

/// The `enforce` design: whether a page of the range is pinned and its mapping may not change.
[[nodiscard]] bool change_refused(const Kernel& k, unsigned mm, unsigned page, unsigned pages);

/// anon_vma_prepare: from its first anonymous page on, fork copies the page tables of a VMA. Nobody
/// asks for hugetlb's.
void note_anon_vma(Kernel& k, unsigned mm, unsigned page);

/// vma_merge: neighbours with equal flags are one VMA, which has the anon_vma that one of them had.
/// (The kernel leaves those apart that a child inherited, see is_mergeable_anon_vma.)
void merge_vmas(Kernel& k, unsigned mm);

/// Ends the system call: register and result.
Step end_change(Kernel& k, int result);

/// The owner took the pages away itself: coherence no longer speaks about references to them.
void forget_addresses(Kernel& k, unsigned mm, unsigned page, unsigned pages);

}  // namespace drover::mm
