// One block of memory that can fail to be had without an exception: from the heap when small,
// mapped from the system and advised to use huge pages when large. Knows nothing of states.
#pragma once

#include <cstddef>
#include <utility>

namespace drover::explore {

/// Owns zero-filled memory aligned to a cache line, to a huge page where it is large.
class MemoryBlock {
 public:
  MemoryBlock() = default;
  MemoryBlock(MemoryBlock&& other) noexcept { swap(other); }
  MemoryBlock& operator=(MemoryBlock&& other) noexcept {
    MemoryBlock moved(std::move(other));
    swap(moved);
    return *this;
  }
  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;
  ~MemoryBlock() { release(); }

  /// `bytes` zero bytes, or an empty block if the system refuses. Pages of a large block cost
  /// memory only once they are written.
  static MemoryBlock allocate(std::size_t bytes);

  /// Makes the block larger: what is in it is kept and may move, the rest is zero. False if the
  /// system refuses, and then all is as before. Takes next to no memory beyond `bytes` meanwhile.
  bool grow(std::size_t bytes);

  /// Gives the whole pages of [offset, offset + bytes) back to the system: they are zero again.
  /// Does nothing to a block from the heap.
  void discard(std::size_t offset, std::size_t bytes);

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  void swap(MemoryBlock& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_, other.mapped_);
  }
  void release();

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t mapped_ = 0;  // bytes of the mapping; 0: from the heap
};

}  // namespace drover::explore
