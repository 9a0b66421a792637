// The reverse map: what callers other than the paths of rmap.cpp use of it.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// remove_migration_pte: the migration entry at `page` becomes a mapping of `frame`, with the
/// rights that the entry recorded. Page table lock held, or nobody else has it.
void remove_migration_pte(Kernel& k, unsigned mm, unsigned page, std::uint8_t frame);

}  // namespace drover::mm
