// The handles of all states in order of discovery. They never move. Shared by all threads.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "explore/handle_set.hpp"
#include "explore/memory_block.hpp"

namespace drover::explore {

/// Rank of discovery of a state: its place in the list.
using StateIndex = std::uint64_t;

class HandleList {
 public:
  static constexpr std::uint64_t kMost = (std::uint64_t{1} << 40) - 1;

  Handle operator[](StateIndex index) const { return *place(index); }
  std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }

  /// Appends the handles; threads may call this at the same time. There must be room.
  void append(const Handle* handles, std::uint64_t count) {
    StateIndex index = size_.fetch_add(count, std::memory_order_relaxed);
    for (std::uint64_t at = 0; at < count; ++at) *place(index + at) = handles[at];
  }

  /// Calls write(const Handle*, std::uint64_t count) for all handles in order, until it says false.
  template <class Write>
  bool save(Write&& write) const {
    for (StateIndex begin = 0; begin < size();) {
      const StateIndex chunk_end = StateIndex{1} << (kFirstChunkBits + chunk_of(begin));
      const StateIndex end = chunk_end < size() ? chunk_end : size();
      if (!write(place(begin), end - begin)) return false;
      begin = end;
    }
    return true;
  }

  // --- Only while no thread calls any of the above ----------------------------------------------
  /// Replaces a handle; threads may do that at the same time with different ones.
  void set(StateIndex index, Handle handle) { *place(index) = handle; }
  void clear();
  /// States that fit.
  std::uint64_t capacity() const { return capacity_; }
  /// Doubles the capacity; false if the system refuses.
  bool grow();
  std::uint64_t bytes_used() const { return size() * sizeof(Handle); }

 private:
  static constexpr unsigned kFirstChunkBits = 8;
  static constexpr unsigned kMostChunks = 40 - kFirstChunkBits + 1;

  static unsigned chunk_of(StateIndex index) {
    return static_cast<unsigned>(std::bit_width(index >> kFirstChunkBits));
  }
  Handle* place(StateIndex index) const {
    return reinterpret_cast<Handle*>(bases_[chunk_of(index)]) + index;
  }

  std::uint64_t capacity_ = 0;
  unsigned chunk_count_ = 0;
  std::array<MemoryBlock, kMostChunks> chunks_;
  // Address of a chunk less that of its first entry's offset.
  std::array<std::uintptr_t, kMostChunks> bases_{};
  alignas(64) std::atomic<std::uint64_t> size_{0};
};

}  // namespace drover::explore
