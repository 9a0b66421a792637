// What gup_slow.cpp and gup_fast.cpp share: the rules about read-only references, and the record of
// a reference taken.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// gup_must_unshare (a7f226604170, 5.19): whether a reference through this read-only PTE needs the
/// page made exclusive first. `flags`: kGup*. `page`: the virtual page, kNone where the VMA is not
/// known (GUP-fast).
[[nodiscard]] bool must_unshare(const Kernel& k, unsigned flags, std::uint8_t frame, unsigned page);

/// gup_file.cpp: 0, or the errno that a reference to `page` of a file fails with, whatever is
/// mapped there (check_vma_flags).
[[nodiscard]] int file_error(const Kernel& k, unsigned flags, unsigned page);
/// Whether try_grab_folio refuses `page` because it is PCI peer-to-peer memory and the caller does
/// not say FOLL_PCI_P2PDMA (4003f107fa2e, 6.2): -EREMOTEIO.
[[nodiscard]] bool refuses_p2pdma(const Kernel& k, unsigned page);
/// Whether GUP-fast leaves this file page to the slow path (gup_fast_folio_allowed).
[[nodiscard]] bool fast_refuses_file(const Kernel& k, unsigned flags, std::uint8_t frame);
/// Whether io_uring refuses the statement's buffer because a part of it is a file mapping. It looks
/// at the VMAs after it has pinned the pages, with the mmap_lock still held (io_pin_pages).
[[nodiscard]] bool io_uring_refuses(const Kernel& k);
/// Whether the release that a statement makes of this reference dirties the page first.
[[nodiscard]] bool release_dirties(const Kernel& k, const litmus::Instr& i, const Ref& ref);

/// Writes the reference to `frame` into slot `ref`, or into the caller's activation if ref ==
/// kNone.
void record_reference(Kernel& k, unsigned ref, unsigned page, unsigned flags, std::uint8_t frame);

/// How many references each slot of the handle stands for beside its own: of a page that went into
/// several pipe buffers (iter_to_pipe takes one for each). Where a pin is 1024 references anyway, a
/// second pin tells nobody more and is not counted.
[[nodiscard]] unsigned further_copies(const design::Switches& policy, const litmus::Handle& handle);

/// Drops a reference of kind `flags` on `frame`.
void release_frame(Kernel& k, unsigned flags, std::uint8_t frame);

/// Whether the design lets no long-term pin stay on a page that lies there (is_migrate_cma_page,
/// is_pinnable_page, folio_is_longterm_pinnable).
[[nodiscard]] bool unpinnable(const design::Switches& policy, litmus::Zone zone);
/// Whether a GUP with these flags looks where the pages lie that it has taken
/// (__gup_longterm_locked).
[[nodiscard]] bool checks_zones(const Kernel& k, unsigned flags);

/// MMF_HAS_PINNED (008cfe4418b3, 5.9): set by the first FOLL_PIN, never cleared.
void mark_has_pinned(Kernel& k, unsigned mm, unsigned flags);

/// Whether some handle holds a FOLL_PIN of memory of `mm`, or a pinning GUP on it is under way:
/// what the mm_pinned_sem of the block-fork design is read-held for.
[[nodiscard]] bool pin_held(const Kernel& k, unsigned mm);

}  // namespace drover::mm
