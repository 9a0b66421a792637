// The per-CPU LRU-add batches and LRU isolation (mm/swap.c, mm/vmscan.c).
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// lru_add_drain: empties the batch of the CPU it runs on, which may or may not be the one that
/// holds a page (seen on 5.10.262: a child that exits on its parent's CPU drains the parent's
/// page).
void lru_add_drain(Kernel& k);

/// lru_add_drain_all: empties the batches of all CPUs.
void lru_add_drain_all(Kernel& k);

/// isolate_lru_page: takes the page off the LRU lists with a reference. Fails for a page that is in
/// a batch or isolated already.
bool isolate_lru_page(Kernel& k, std::uint8_t frame);
/// putback_lru_page: back on the list, the reference dropped.
void putback_lru_page(Kernel& k, std::uint8_t frame);

}  // namespace drover::mm
