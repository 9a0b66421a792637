// Growth of the set of visited states. Looking up and adding is in the header.
#include "explore/handle_set.hpp"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace drover::explore {

namespace {

constexpr std::size_t kKeptBytes = std::size_t{64} << 10;

}  // namespace

void HandleSet::clear() {
  if (table_.bytes() > kKeptBytes) table_ = MemoryBlock();
  // What is kept of a larger table is used when that small again, so that equal searches report
  // equal figures whatever was searched before.
  if (table_) {
    lines_ = kFirstLines;
    std::memset(table_.data(), 0, kFirstLines * kLineBytes);
    return;
  }
  table_ = MemoryBlock::allocate(kFirstLines * kLineBytes);
  if (!table_) std::abort();  // without these 4 KiB no message could be printed either
  lines_ = kFirstLines;
}

bool HandleSet::grow(std::uint64_t slots, Crew& crew) {
  const std::uint64_t lines = (slots + kSlotsPerLine - 1) / kSlotsPerLine;
  MemoryBlock old = MemoryBlock::allocate(lines * kLineBytes);
  if (!old) return false;
  std::swap(old, table_);
  const std::uint64_t old_lines = std::exchange(lines_, lines);
  // A line's place keeps the order of hashes, so old and new table are both walked in sequence.
  constexpr std::uint64_t kPart = std::uint64_t{1} << 15;  // lines, 2 MiB
  const auto* const handles = reinterpret_cast<const Handle*>(old.data());
  crew.in_blocks(old_lines, kPart, [&](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t at = begin * kSlotsPerLine; at < end * kSlotsPerLine; ++at) {
      if (handles[at] != kNoHandle) enter(handles[at], hash(handles[at]));
    }
    old.discard(begin * kLineBytes, (end - begin) * kLineBytes);
  });
  return true;
}

}  // namespace drover::explore
