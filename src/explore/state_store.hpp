// The exact set of visited states: every state once, in order of discovery, found again by its
// bytes. No search here and no knowledge of what the bytes mean.
//
// Layout
//
//   table_                               chunks_
//   one cache line = 8 slots             states back to back, in order of discovery
//   +---------------------------+
//   | slot slot slot ...   slot |        chunk 0   [  0 ..  255]  s0 s1 s2 ...
//   +---------------------------+        chunk 1   [256 ..  511]  s256 ...
//   | slot slot slot ...   slot |        chunk 2   [512 .. 1023]
//   +---------------------------+        chunk j   twice as many as chunk j-1
//     slot: 28 bits tag | 36 bits index + 1           (0 = vacant)
//
// A state is stored once, in the chunks; the table holds only where. The index of a state is its
// rank of discovery, so a breadth-first search needs no queue (the queue is the chunks themselves),
// its levels are ranges of indices, and a state costs state_bytes + 8 / load bytes in all: nothing
// for pointers, parents or alignment. Chunks never move: a pointer to a state stays valid until
// clear().
//
// One 64-bit hash gives everything: its high bits choose the cache line (hash * lines / 2^64, so
// any number of lines will do), bits 28 to 30 the slot in it to begin with, its low 28 bits the
// tag. A probe goes round the slots of one line, then to the next line; as nothing is ever removed,
// a vacant slot ends it. At a load of 0.5 one line in twenty is full, at 0.7 one in four, so a
// probe mostly costs one cache miss, which prefetch() overlaps with other work; the line after is
// fetched by the processor. A tag agrees by chance in one of 2^28 comparisons, so the second miss,
// on the state itself, is spent on states that are really there; probes of a batch do not depend on
// each other, and the processor overlaps those by itself (a second round of prefetches was tried
// and gained nothing). Two states are the same only if all their bytes are: the answer is exact
// whatever the hash does.
//
// The table doubles when its load passes 0.7. The hashes are not kept: the new table is filled from
// the chunks, read in sequence and hashed again, which costs a few nanoseconds a state. The old
// table is released before the new one is touched, so that growth has no peak of one and a half
// tables, and the new size need not be a power of two: under a memory limit the last growth takes
// just the share with which table and chunks fill the limit together, and that table is filled to
// 0.9.
//
// Tiny searches are the common case of a litmus suite: a store starts with a table of 4 KiB and a
// chunk of 256 states from the heap, and clear() keeps small memory for the next search.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "explore/memory_block.hpp"
#include "explore/model.hpp"
#include "explore/state_bytes.hpp"

namespace drover::explore {

/// Rank of discovery of a state.
using StateIndex = std::uint64_t;

/// What find() answers for a state that is not stored.
inline constexpr StateIndex kAbsent = std::numeric_limits<StateIndex>::max();

/// "No limit" for every limit of this folder that is a number of bytes or states.
inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

class StateStore {
 public:
  /// As many states as the 36 bits of a slot can name.
  static constexpr std::uint64_t kMostStates = (std::uint64_t{1} << 36) - 1;

  enum class Outcome : std::uint8_t {
    inserted,       // the state was new and is stored
    present,        // it was stored already
    out_of_memory,  // it is new but the memory limit or the system leaves no room; nothing changed
    too_many,       // it is new but the state limit is reached; nothing changed
  };
  struct Insertion {
    StateIndex index;  // kAbsent unless inserted or present
    Outcome outcome;
  };

  /// An empty store for states of `state_bytes` >= 1 bytes that uses at most `memory_limit` bytes
  /// for states and table together and holds at most `state_limit` states.
  explicit StateStore(std::size_t state_bytes, std::uint64_t memory_limit = kUnlimited,
                      std::uint64_t state_limit = kUnlimited);

  /// Forgets all states; keeps small memory for reuse and returns large memory to the system.
  void clear();
  /// As clear(), then with other limits.
  void clear(std::uint64_t memory_limit, std::uint64_t state_limit);

  std::uint64_t hash(const std::byte* state) const { return hash_state(state, state_bytes_); }

  /// Finds the state or stores a copy of it; `hash` must be hash(state).
  Insertion insert(const std::byte* state, std::uint64_t hash);
  Insertion insert(const std::byte* state) { return insert(state, hash(state)); }

  /// The index of the state, or kAbsent.
  StateIndex find(const std::byte* state, std::uint64_t hash) const;
  StateIndex find(const std::byte* state) const { return find(state, hash(state)); }

  /// Asks for the cache line in which a probe for `hash` begins.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(line_of(hash)); }
  /// The bytes of state `index` < size(); valid until clear().
  const std::byte* state(StateIndex index) const {
    return reinterpret_cast<const std::byte*>(bases_[chunk_of(index)] + index * state_bytes_);
  }
  StateBytes bytes(StateIndex index) const { return {state(index), state_bytes_}; }

  std::uint64_t size() const { return size_; }
  std::size_t state_bytes() const { return state_bytes_; }
  /// Bytes of the whole table and of the states stored so far. Room in the last chunk is not
  /// counted: its pages are untouched. A huge page rounds the resident size up by less than 2 MiB.
  std::uint64_t bytes_used() const { return table_.bytes() + size_ * state_bytes_; }

 private:
  using Slot = std::uint64_t;
  static constexpr unsigned kIndexBits = 36;
  static constexpr Slot kIndexMask = (Slot{1} << kIndexBits) - 1;
  static constexpr std::uint64_t kSlotsPerLine = 8;
  static constexpr std::uint64_t kLineBytes = kSlotsPerLine * sizeof(Slot);
  static constexpr std::uint64_t kFirstLines = 64;
  static constexpr unsigned kFirstChunkBits = 8;
  static constexpr unsigned kMostChunks = kIndexBits - kFirstChunkBits + 1;

  struct Probe {
    StateIndex found;  // kAbsent: not there
    Slot* vacant;      // where it belongs, if it is not there
  };

  static Slot tag_of(std::uint64_t hash) { return hash << kIndexBits; }
  static unsigned chunk_of(StateIndex index) {
    return static_cast<unsigned>(std::bit_width(index >> kFirstChunkBits));
  }
  std::uint64_t line_number(std::uint64_t hash) const {
    return static_cast<std::uint64_t>((static_cast<detail::Uint128>(hash) * lines_) >> 64);
  }
  Slot* slots() const { return reinterpret_cast<Slot*>(table_.data()); }
  Slot* line_of(std::uint64_t hash) const { return slots() + line_number(hash) * kSlotsPerLine; }

  Probe probe(const std::byte* state, std::uint64_t hash) const;
  Slot* vacant_slot(std::uint64_t hash) const;
  Outcome make_room();
  bool grow_table();
  bool add_chunk();
  void fill_table();
  void set_room();
  void start();
  std::uint64_t most_lines() const;

  std::size_t state_bytes_;
  std::uint64_t memory_limit_;
  std::uint64_t state_limit_;
  std::uint64_t size_ = 0;
  std::uint64_t room_ = 0;       // states that fit until make_room() must look
  std::uint64_t lines_ = 0;      // of the table
  std::uint64_t grow_at_ = 0;    // number of states at which the table is due to grow
  std::uint64_t chunk_end_ = 0;  // states the chunks can hold
  unsigned chunk_count_ = 0;
  MemoryBlock table_;
  std::array<MemoryBlock, kMostChunks> chunks_;
  // Address of a chunk less that of its first state's offset: state i is at bases_[chunk] + i *
  // bytes.
  std::array<std::uintptr_t, kMostChunks> bases_{};
};

inline StateStore::Probe StateStore::probe(const std::byte* wanted, std::uint64_t hash) const {
  const Slot tag = tag_of(hash);
  const std::uint64_t first = hash >> 28;
  std::uint64_t line = line_number(hash);
  for (;;) {
    Slot* const slots_of_line = slots() + line * kSlotsPerLine;
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      Slot* const slot = slots_of_line + (first + step) % kSlotsPerLine;
      if (*slot == 0) return {kAbsent, slot};
      if (((*slot ^ tag) & ~kIndexMask) != 0) continue;
      const StateIndex index = (*slot & kIndexMask) - 1;
      if (equal_states(state(index), wanted, state_bytes_)) return {index, nullptr};
    }
    line = line + 1 == lines_ ? 0 : line + 1;
  }
}

inline StateStore::Insertion StateStore::insert(const std::byte* wanted, std::uint64_t hash) {
  auto [found, vacant] = probe(wanted, hash);
  if (found != kAbsent) return {found, Outcome::present};
  if (size_ >= room_) [[unlikely]] {
    const Outcome outcome = make_room();
    if (outcome != Outcome::inserted) return {kAbsent, outcome};
    vacant = vacant_slot(hash);
  }
  const StateIndex index = size_++;
  *vacant = tag_of(hash) | (index + 1);
  copy_state(reinterpret_cast<std::byte*>(bases_[chunk_of(index)] + index * state_bytes_), wanted,
             state_bytes_);
  return {index, Outcome::inserted};
}

inline StateIndex StateStore::find(const std::byte* wanted, std::uint64_t hash) const {
  return probe(wanted, hash).found;
}

}  // namespace drover::explore
