// The set of visited states, by handle: a lock-free table of 64-bit words. Knows nothing of what a
// handle names. Shared by all threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "explore/crew.hpp"
#include "explore/handle_hash.hpp"
#include "explore/memory_block.hpp"

namespace drover::explore {

/// A stored state, exactly: two states are equal if and only if their handles are. 0 is none. Means
/// something only together with the store that gave it, and differs from run to run.
using Handle = std::uint64_t;
inline constexpr Handle kNoHandle = 0;

class HandleSet {
 public:
  static constexpr std::uint64_t kNowhere = std::numeric_limits<std::uint64_t>::max();

  HandleSet() { clear(); }

  /// Asks for the cache line in which a probe for the handle with this hash begins.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(line(hash), 1); }
  static std::uint64_t hash(Handle handle) { return detail::mixed(handle); }

  /// Adds the handle; whether it is new. There must be a vacant slot. Threads may call this at the
  /// same time.
  bool insert(Handle handle, std::uint64_t hash);
  bool insert(Handle handle) { return insert(handle, hash(handle)); }

  /// The slot of the handle, a number below slots() that it keeps until the next growth; kNowhere
  /// if it is not there.
  std::uint64_t find(Handle handle, std::uint64_t hash) const;
  std::uint64_t find(Handle handle) const { return find(handle, hash(handle)); }

  // --- Only while no thread calls any of the above ----------------------------------------------
  void clear();
  std::uint64_t slots() const { return lines_ * kSlotsPerLine; }
  /// Handles at which the table is due to grow, and those it can hold at most.
  std::uint64_t grow_at() const { return slots() / 100 * kGrowLoad; }
  std::uint64_t most() const { return slots() / 100 * kMostLoad; }
  /// A table of at least `slots` slots, more than now; false if the system refuses. The pages of
  /// the old table are given back while the new one is filled, so there is no peak.
  bool grow(std::uint64_t slots, Crew& crew);
  std::uint64_t bytes_used() const { return lines_ * kLineBytes; }

 private:
  static constexpr std::uint64_t kGrowLoad = 85;
  static constexpr std::uint64_t kMostLoad = 92;
  static constexpr std::uint64_t kSlotsPerLine = 8;
  static constexpr std::uint64_t kLineBytes = 64;
  static constexpr std::uint64_t kFirstLines = 64;

  Handle* line(std::uint64_t hash) const {
    return reinterpret_cast<Handle*>(table_.data()) + detail::scaled(hash, lines_) * kSlotsPerLine;
  }

  std::uint64_t lines_ = 0;
  MemoryBlock table_;
};

inline bool HandleSet::insert(Handle handle, std::uint64_t hash) {
  Handle* slots = line(hash);
  Handle* const end = reinterpret_cast<Handle*>(table_.data()) + lines_ * kSlotsPerLine;
  for (;;) {
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      std::atomic_ref slot(slots[(hash + step) % kSlotsPerLine]);
      Handle seen = slot.load(std::memory_order_relaxed);
      if (seen == kNoHandle &&
          slot.compare_exchange_strong(seen, handle, std::memory_order_relaxed)) {
        return true;
      }
      if (seen == handle) return false;
    }
    slots += kSlotsPerLine;
    if (slots == end) slots = reinterpret_cast<Handle*>(table_.data());
  }
}

inline std::uint64_t HandleSet::find(Handle handle, std::uint64_t hash) const {
  Handle* const begin = reinterpret_cast<Handle*>(table_.data());
  Handle* slots = line(hash);
  for (;;) {
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      Handle* const slot = slots + (hash + step) % kSlotsPerLine;
      const Handle seen = std::atomic_ref(*slot).load(std::memory_order_relaxed);
      if (seen == handle) return static_cast<std::uint64_t>(slot - begin);
      if (seen == kNoHandle) return kNowhere;
    }
    slots += kSlotsPerLine;
    if (slots == begin + lines_ * kSlotsPerLine) slots = begin;
  }
}

}  // namespace drover::explore
