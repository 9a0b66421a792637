// Ghost bookkeeping of the consistent cut: a child must see its parent's memory as it was at one
// moment between the begin and the end of fork (part of the isolation property).
//
// While dup_mmap runs, a word of the child is `frozen` once it was copied to a frame of its own,
// and `following` as long as the child shares (or will share) the parent's frame. A moment t is a
// possible cut when every frozen word equals the parent's at t and no following word changed after
// t. One bit per fork is enough: "a possible cut exists since the last store to a following word".
// Device writes are left out: no fork can stop a device, and DMA is not ordered with CPU stores.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// dup_mmap starts copying `parent` into `child`.
void begin_cut(Kernel& k, unsigned parent, unsigned child);
/// A thread of `mm` stored to a word of `page` (call after the store; `changed`: to another value):
/// updates the bit if `mm` is being forked.
void note_store(Kernel& k, unsigned mm, unsigned page, unsigned word, bool changed);
/// dup_mmap ends: reports isolation if no cut is possible, and lets the child see what the parent
/// wrote before they parted.
void end_cut(Kernel& k, unsigned parent, unsigned child);

}  // namespace drover::mm
