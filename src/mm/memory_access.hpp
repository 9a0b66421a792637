// Reads and writes of words in frames, by CPUs, by the kernel for a process, and by devices: the
// values, and the ghost bookkeeping that the isolation and lifetime properties need.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// Reads word `word` of `frame` on behalf of address space `mm`. Reports lifetime when the frame
/// was freed, isolation when `mm` must not see the value.
std::int8_t read_word(Kernel& k, std::uint8_t frame, unsigned word, unsigned mm);

/// Writes on behalf of `mm`: from now on only `mm` and its later children may see the value.
void write_word(Kernel& k, std::uint8_t frame, unsigned word, std::int8_t value, unsigned mm,
                bool by_device);

/// Copies one word (value and audience) between frames.
void copy_word(Kernel& k, std::uint8_t from, std::uint8_t to, unsigned word);

}  // namespace drover::mm
