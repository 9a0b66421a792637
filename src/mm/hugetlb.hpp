// hugetlb: memory of huge pages from a fixed pool. One hugetlb page is one Frame, mapped once by
// each mm; its words are in different small pages of it. Faults and fork's rules are in
// hugetlb.cpp; GUP, zapping and the COW copy are those of other pages.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

[[nodiscard]] bool is_hugetlb(const Kernel& k, unsigned page);

/// Whether alloc_hugetlb_folio finds a page for `page` of `mm`: its own reservation, or one that is
/// free and not reserved. Always true without a pool size.
[[nodiscard]] bool hugetlb_available(const Kernel& k, unsigned mm, unsigned page);

/// alloc_page of the kind that `page` of `mm` is made of. Ask hugetlb_available first.
std::uint8_t alloc_page_for(Kernel& k, unsigned mm, unsigned page);

/// hugetlb_reserve_pages, for a mapping that `mm` makes: false when the pool cannot hold it.
bool hugetlb_reserve(Kernel& k, unsigned mm, unsigned page, unsigned pages);
/// hugetlb_vm_op_close: what `mm` knows about these pages of its reservation map goes.
void hugetlb_unreserve(Kernel& k, unsigned mm, unsigned page, unsigned pages);
/// mremap takes the reservation map along.
void hugetlb_move_reservation(Kernel& k, unsigned mm, unsigned from, unsigned to);

/// copy_hugetlb_page_range: whether fork must copy the page for the child at once.
[[nodiscard]] bool hugetlb_looks_pinned(const Kernel& k, unsigned mm, std::uint8_t frame);

}  // namespace drover::mm
