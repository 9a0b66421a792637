// Numbers for 64-bit keys: equal keys have equal numbers, and a number gives its key back. The
// nodes of the tree a state is stored as (state_store.hpp says how). Shared by all threads.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

#include "explore/crew.hpp"
#include "explore/handle_hash.hpp"
#include "explore/memory_block.hpp"

namespace drover::explore {

/// Number of a node; 0 is none.
using NodeId = std::uint32_t;

class NodeTable {
 public:
  NodeTable() { clear(); }

  std::uint64_t key(NodeId id) const { return *key_of(id); }

  /// Asks for the key of a number.
  void prefetch(NodeId id) const { __builtin_prefetch(key_of(id)); }

  static std::uint64_t hash(std::uint64_t key) { return detail::mixed(key); }
  /// Asks for the cache line where looking up a key with this hash begins, and when that is there,
  /// for the key it will compare with.
  void prefetch_slots(std::uint64_t hash) const { __builtin_prefetch(line(hash), 1); }
  void prefetch_key(std::uint64_t hash) const;

  /// The number of the node with this key, or 0.
  NodeId find(std::uint64_t key, std::uint64_t hash) const;

  /// The number of the node with this key, which is new if it is not there. Threads may call this
  /// at the same time. `spare` is the calling thread's: a number that it took but did not use.
  /// There must be room for one node.
  NodeId intern(std::uint64_t key, std::uint64_t hash, NodeId& spare);

  /// Whether `nodes` more nodes fit.
  bool has_room(std::uint64_t nodes) const {
    return next_.load(std::memory_order_relaxed) + nodes <= limit_;
  }

  // --- Only while no thread calls any of the above ----------------------------------------------
  void clear();
  /// Tells that a number was taken but will not be used.
  void give_back(NodeId spare) {
    if (spare != 0) spares_.push_back(spare);
  }
  /// Whether `nodes` more nodes need a larger table.
  bool is_full(std::uint64_t nodes) const { return next_ + nodes > table_limit_; }
  /// A table half as large again, or large enough for `nodes` more nodes, but at most `most_bytes`;
  /// fills the present one further if that is all there is room for. False: no room for `nodes`.
  bool grow(std::uint64_t nodes, std::uint64_t most_bytes, Crew& crew);
  /// Allows `nodes` more nodes, as far as the table has room for them.
  void allow(std::uint64_t nodes);

  /// Numbers given out, spare ones included.
  std::uint64_t size() const { return next_.load(std::memory_order_relaxed) - 1; }
  std::uint64_t table_bytes() const { return lines_ * kLineBytes; }
  std::uint64_t bytes_used() const { return table_bytes() + size() * sizeof(std::uint64_t); }
  const std::vector<NodeId>& spares() const { return spares_; }
  /// Fills an empty table with keys 1 .. keys of a saved one, read by `read(first, count, into)`;
  /// `spares` are the numbers that were not in use. False: no room, or read() failed.
  template <class Read>
  bool restore(std::uint64_t keys, std::vector<NodeId> spares, std::uint64_t most_bytes, Crew& crew,
               Read&& read);
  /// Calls write(const std::uint64_t* keys, std::uint64_t count) for all keys in order.
  template <class Write>
  bool save(Write&& write) const;

 private:
  using Slot = std::uint32_t;
  static constexpr std::uint64_t kSlotsPerLine = 16;
  static constexpr std::uint64_t kLineBytes = 64;
  static constexpr std::uint64_t kFirstLines = 64;
  static constexpr unsigned kFirstChunkBits = 9;
  static constexpr unsigned kMostChunks = 32 - kFirstChunkBits + 1;
  static constexpr std::uint64_t kMostIds = (std::uint64_t{1} << 32) - 1;

  std::uint64_t* key_of(std::uint64_t id) const {
    const auto chunk = static_cast<unsigned>(std::bit_width(id >> kFirstChunkBits));
    return reinterpret_cast<std::uint64_t*>(bases_[chunk]) + id;
  }
  Slot* line(std::uint64_t hash) const {
    return reinterpret_cast<Slot*>(table_.data()) + detail::scaled(hash, lines_) * kSlotsPerLine;
  }
  Slot tag(std::uint64_t hash) const { return static_cast<Slot>(hash << id_bits_); }
  Slot id_mask() const { return static_cast<Slot>((std::uint64_t{1} << id_bits_) - 1); }
  /// The slot that has the key, or the first vacant one; `seen` is what it held.
  Slot* probe(std::uint64_t key, std::uint64_t hash, Slot& seen) const;
  bool make_table(std::uint64_t lines);
  void use_lines(std::uint64_t lines);
  bool have_keys(std::uint64_t ids);
  void fill(Crew& crew);
  void fill_part(std::uint64_t begin, std::uint64_t end, const std::vector<NodeId>& unused);
  void enter(std::uint64_t hash, NodeId id);

  std::atomic<std::uint64_t> next_{1};
  std::uint64_t limit_ = 0;        // numbers below it may be given out now
  std::uint64_t table_limit_ = 0;  // numbers below it fit into the table
  std::uint64_t lines_ = 0;
  unsigned id_bits_ = 0;
  std::uint64_t key_end_ = 0;  // numbers the chunks have room for
  unsigned chunk_count_ = 0;
  std::vector<NodeId> spares_;
  MemoryBlock table_;
  std::array<MemoryBlock, kMostChunks> chunks_;
  std::array<std::uintptr_t, kMostChunks> bases_{};
};

inline NodeTable::Slot* NodeTable::probe(std::uint64_t wanted, std::uint64_t hash,
                                         Slot& seen) const {
  const Slot mask = id_mask();
  const Slot tag_wanted = tag(hash);
  const std::uint64_t first = hash >> 28;
  Slot* slots = line(hash);
  Slot* const end = reinterpret_cast<Slot*>(table_.data()) + lines_ * kSlotsPerLine;
  for (;;) {
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      Slot* const slot = slots + (first + step) % kSlotsPerLine;
      seen = std::atomic_ref(*slot).load(std::memory_order_acquire);
      if (seen == 0) return slot;
      if (((seen ^ tag_wanted) & ~mask) == 0 && key(seen & mask) == wanted) return slot;
    }
    slots += kSlotsPerLine;
    if (slots == end) slots = reinterpret_cast<Slot*>(table_.data());
  }
}

inline void NodeTable::prefetch_key(std::uint64_t hash) const {
  const Slot mask = id_mask();
  const Slot tag_wanted = tag(hash);
  const Slot* const slots = line(hash);
  for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
    const Slot seen =
        std::atomic_ref(*const_cast<Slot*>(slots + ((hash >> 28) + step) % kSlotsPerLine))
            .load(std::memory_order_relaxed);
    if (seen == 0) return;
    if (((seen ^ tag_wanted) & ~mask) == 0) return prefetch(seen & mask);
  }
}

inline NodeId NodeTable::find(std::uint64_t wanted, std::uint64_t hash) const {
  Slot seen = 0;
  probe(wanted, hash, seen);
  return seen & id_mask();
}

inline NodeId NodeTable::intern(std::uint64_t wanted, std::uint64_t hash, NodeId& spare) {
  Slot seen = 0;
  for (;;) {
    Slot* const slot = probe(wanted, hash, seen);
    if (seen != 0) return seen & id_mask();
    if (spare == 0) spare = static_cast<NodeId>(next_.fetch_add(1, std::memory_order_relaxed));
    *key_of(spare) = wanted;
    Slot vacant = 0;
    // Release: who finds the number in the slot may read the key.
    if (std::atomic_ref(*slot).compare_exchange_strong(
            vacant, tag(hash) | spare, std::memory_order_release, std::memory_order_relaxed)) {
      const NodeId id = spare;
      spare = 0;
      return id;
    }
  }
}

template <class Write>
bool NodeTable::save(Write&& write) const {
  std::uint64_t begin = 1;
  for (unsigned chunk = 0; chunk < chunk_count_ && begin < next_; ++chunk) {
    const std::uint64_t chunk_end = std::uint64_t{1} << (kFirstChunkBits + chunk);
    const std::uint64_t end = chunk_end < next_ ? chunk_end : next_.load();
    if (begin >= end) continue;
    if (!write(key_of(begin), end - begin)) return false;
    begin = end;
  }
  return true;
}

template <class Read>
bool NodeTable::restore(std::uint64_t keys, std::vector<NodeId> spares, std::uint64_t most_bytes,
                        Crew& crew, Read&& read) {
  clear();
  if (keys >= kMostIds || !have_keys(keys + 1)) return false;
  next_ = keys + 1;
  spares_ = std::move(spares);
  for (std::uint64_t begin = 1; begin <= keys;) {
    const std::uint64_t chunk_end = std::uint64_t{1}
                                    << (kFirstChunkBits + std::bit_width(begin >> kFirstChunkBits));
    const std::uint64_t end = chunk_end < keys + 1 ? chunk_end : keys + 1;
    if (!read(key_of(begin), end - begin)) return false;
    begin = end;
  }
  return grow(1, most_bytes, crew);
}

}  // namespace drover::explore
