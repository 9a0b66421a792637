// Growth of the list of states; see handle_list.hpp.
#include "explore/handle_list.hpp"

#include <utility>

namespace drover::explore {

void HandleList::clear() {
  constexpr std::size_t kKeptChunkBytes = std::size_t{64} << 10;
  while (chunk_count_ > 0 && chunks_[chunk_count_ - 1].bytes() > kKeptChunkBytes) {
    chunks_[--chunk_count_] = MemoryBlock();
  }
  capacity_ = chunk_count_ == 0 ? 0 : std::uint64_t{1} << (kFirstChunkBits + chunk_count_ - 1);
  size_ = 0;
}

bool HandleList::grow() {
  if (chunk_count_ == kMostChunks) return false;
  const std::uint64_t begin = capacity_;
  const std::uint64_t end = std::uint64_t{1} << (kFirstChunkBits + chunk_count_);
  MemoryBlock chunk = MemoryBlock::allocate((end - begin) * sizeof(Handle));
  if (!chunk) return false;
  bases_[chunk_count_] = reinterpret_cast<std::uintptr_t>(chunk.data()) - begin * sizeof(Handle);
  chunks_[chunk_count_++] = std::move(chunk);
  capacity_ = end;
  return true;
}

}  // namespace drover::explore
