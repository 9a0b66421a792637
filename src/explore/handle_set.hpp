// The set of visited states, by handle: a lock-free table of 64-bit words. Knows nothing of what a
// handle names. Shared by all threads.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
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
  /// Forgets all and adds `count` different handles, `handle(at)` for at < count, which must fit.
  template <class HandleAt>
  void refill(std::uint64_t count, Crew& crew, HandleAt&& handle_at);

 private:
  static constexpr std::uint64_t kGrowLoad = 85;
  static constexpr std::uint64_t kMostLoad = 92;
  static constexpr std::uint64_t kSlotsPerLine = 8;
  static constexpr std::uint64_t kLineBytes = 64;
  static constexpr std::uint64_t kFirstLines = 64;

  Handle* line(std::uint64_t hash) const {
    return reinterpret_cast<Handle*>(table_.data()) + detail::scaled(hash, lines_) * kSlotsPerLine;
  }

  static Handle seen_in(const Handle* slot) {
    return std::atomic_ref(const_cast<Handle&>(*slot)).load(std::memory_order_acquire);
  }
  /// Whether a cache line of slots has the handle. All are looked at: a loop that ends at the first
  /// match is mispredicted as often as not.
  static bool holds(const Handle* slots, Handle handle);
  /// Adds a handle that is not there.
  void enter(Handle handle, std::uint64_t hash);
  /// How many slots of a line are occupied. They are filled from the front.
  static unsigned occupied(const Handle* slots);

  std::uint64_t lines_ = 0;
  MemoryBlock table_;
};

inline bool HandleSet::holds(const Handle* slots, Handle handle) {
  bool same = false;
#pragma GCC unroll 8
  for (unsigned slot = 0; slot < kSlotsPerLine; ++slot) same |= seen_in(slots + slot) == handle;
  return same;
}

inline unsigned HandleSet::occupied(const Handle* slots) {
  unsigned count = 0;
#pragma GCC unroll 8
  for (unsigned slot = 0; slot < kSlotsPerLine; ++slot) {
    count += seen_in(slots + slot) != kNoHandle ? 1 : 0;
  }
  return count;
}

inline void HandleSet::enter(Handle handle, std::uint64_t hash) {
  Handle* slots = line(hash);
  Handle* const end = reinterpret_cast<Handle*>(table_.data()) + lines_ * kSlotsPerLine;
  for (;;) {
    for (unsigned slot = 0; slot < kSlotsPerLine; ++slot) {
      Handle seen = seen_in(slots + slot);
      if (seen == kNoHandle &&
          std::atomic_ref(slots[slot])
              .compare_exchange_strong(seen, handle, std::memory_order_relaxed)) {
        return;
      }
    }
    slots += kSlotsPerLine;
    if (slots == end) slots = reinterpret_cast<Handle*>(table_.data());
  }
}

inline bool HandleSet::insert(Handle handle, std::uint64_t hash) {
  Handle* slots = line(hash);
  Handle* const end = reinterpret_cast<Handle*>(table_.data()) + lines_ * kSlotsPerLine;
  for (;;) {
    if (holds(slots, handle)) return false;
    const unsigned slot = occupied(slots);
    if (holds(slots, handle)) return false;  // it may be in one of them since the first look
    if (slot < kSlotsPerLine) {
      Handle seen = kNoHandle;
      // Whoever inserts the same handle wants the same slot.
      if (std::atomic_ref(slots[slot])
              .compare_exchange_strong(seen, handle, std::memory_order_relaxed)) {
        return true;
      }
      continue;  // somebody was faster: look again
    }
    slots += kSlotsPerLine;
    if (slots == end) slots = reinterpret_cast<Handle*>(table_.data());
  }
}

template <class HandleAt>
void HandleSet::refill(std::uint64_t count, Crew& crew, HandleAt&& handle_at) {
  constexpr std::uint64_t kBatch = 32, kPart = std::uint64_t{1} << 14;
  std::memset(table_.data(), 0, lines_ * kLineBytes);
  crew.in_blocks(count, kPart, [&](std::uint64_t begin, std::uint64_t end) {
    std::array<std::uint64_t, kBatch> hashes{};
    for (; begin < end; begin += kBatch) {
      const std::uint64_t size = std::min(kBatch, end - begin);
      for (std::uint64_t at = 0; at < size; ++at) {
        hashes[at] = hash(handle_at(begin + at));
        prefetch(hashes[at]);
      }
      for (std::uint64_t at = 0; at < size; ++at) enter(handle_at(begin + at), hashes[at]);
    }
  });
}

inline std::uint64_t HandleSet::find(Handle handle, std::uint64_t hash) const {
  const Handle* const begin = reinterpret_cast<const Handle*>(table_.data());
  const Handle* slots = line(hash);
  for (;;) {
    if (holds(slots, handle)) {
      while (seen_in(slots) != handle) ++slots;
      return static_cast<std::uint64_t>(slots - begin);
    }
    if (occupied(slots) < kSlotsPerLine) return kNowhere;
    slots += kSlotsPerLine;
    if (slots == begin + lines_ * kSlotsPerLine) slots = begin;
  }
}

}  // namespace drover::explore
