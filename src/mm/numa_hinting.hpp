// The fault half of NUMA hinting, which page_fault.cpp calls.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// do_numa_page: takes the hint away. The caller holds the page table lock.
void do_numa_page(Kernel& k, unsigned mm, unsigned page);

}  // namespace drover::mm
