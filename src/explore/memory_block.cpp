// Allocation of memory blocks: heap below one megabyte, anonymous mappings above.
#include "explore/memory_block.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace drover::explore {

namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kMapFrom = std::size_t{1} << 20;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// A mapping of `bytes` (a multiple of the huge page) that starts on a huge page, or nullptr. A
/// huge page more is mapped, and what sticks out on either side is given back.
void* map_aligned(std::size_t bytes) {
  const std::size_t wanted = bytes + kHugePage;
  void* mapping = mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(mapping);
  const std::size_t misfit = reinterpret_cast<std::uintptr_t>(mapping) % kHugePage;
  const std::size_t before = misfit == 0 ? 0 : kHugePage - misfit;
  if (before != 0) munmap(begin, before);
  munmap(begin + before + bytes, kHugePage - before);
  madvise(begin + before, bytes, MADV_HUGEPAGE);  // a hint: refusal costs speed only
  return begin + before;
}

}  // namespace

MemoryBlock MemoryBlock::allocate(std::size_t bytes) {
  MemoryBlock block;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) return block;
  void* memory = nullptr;
  if (bytes < kMapFrom) {
    const std::size_t rounded = round_up(bytes, kCacheLine);
    memory = std::aligned_alloc(kCacheLine, rounded);
    if (memory == nullptr) return block;
    std::memset(memory, 0, rounded);
  } else {
    block.mapped_ = round_up(bytes, kHugePage);
    memory = map_aligned(block.mapped_);
    if (memory == nullptr) return MemoryBlock();
  }
  block.data_ = static_cast<std::byte*>(memory);
  block.bytes_ = bytes;
  return block;
}

bool MemoryBlock::grow(std::size_t bytes) {
  MemoryBlock larger = allocate(bytes);
  if (!larger) return false;
  for (std::size_t offset = 0; offset < bytes_; offset += kHugePage) {
    const std::size_t part = std::min(kHugePage, bytes_ - offset);
    std::memcpy(larger.data_ + offset, data_ + offset, part);
    discard(offset, part);
  }
  swap(larger);
  return true;
}

void MemoryBlock::discard(std::size_t offset, std::size_t bytes) {
  if (mapped_ == 0) return;
  const std::size_t begin = round_up(offset, kHugePage);
  const std::size_t end = (offset + bytes) / kHugePage * kHugePage;
  if (begin < end) madvise(data_ + begin, end - begin, MADV_DONTNEED);  // a hint here
}

void MemoryBlock::release() {
  if (data_ == nullptr) return;
  if (mapped_ != 0) {
    munmap(data_, mapped_);
  } else {
    std::free(data_);
  }
}

}  // namespace drover::explore
