// Numbers for values of a fixed number of 64-bit words: equal values have equal numbers, and a
// number gives its value back. The parts of a state, and pairs of their numbers (state_store.hpp
// says how). Shared by all threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "explore/crew.hpp"
#include "explore/handle_hash.hpp"
#include "explore/memory_block.hpp"

namespace drover::explore {

/// Number of a value; 0 is none.
using NodeId = std::uint32_t;

class ValueTable {
 public:
  /// A table for values of `words` >= 1 words.
  explicit ValueTable(std::size_t words) : words_(words) { clear(); }

  /// The words of a value, 8-byte aligned.
  const std::uint64_t* value(NodeId id) const { return value_of(id); }

  /// Values are passed as bytes, which need not be aligned.
  std::uint64_t hash(const std::byte* value) const;

  /// The number of this value, or 0.
  NodeId find(const std::byte* value, std::uint64_t hash) const;
  NodeId find(const std::byte* value) const { return find(value, hash(value)); }
  NodeId find(const std::uint64_t& word) const { return find(bytes_of(word)); }

  /// The number of this value, which is new if it is not there; 0 if it is not there and there is
  /// no number left. Threads may call this at the same time. `spare` is the calling thread's: a
  /// number that it took but did not use.
  NodeId intern(const std::byte* value, std::uint64_t hash, NodeId& spare);
  NodeId intern(const std::byte* value, NodeId& spare) { return intern(value, hash(value), spare); }
  NodeId intern(const std::uint64_t& word, NodeId& spare) { return intern(bytes_of(word), spare); }
  /// The value that is this one word.
  static const std::byte* bytes_of(const std::uint64_t& word) {
    return reinterpret_cast<const std::byte*>(&word);
  }

  // --- Only while no thread calls any of the above ----------------------------------------------
  void clear();
  /// Tells that a number was taken but will not be used.
  void give_back(NodeId spare) {
    if (spare != 0) spares_.push_back(spare);
  }
  /// Whether intern() found no number left since allow().
  bool is_exhausted() const { return exhausted_.load(std::memory_order_relaxed); }
  /// Whether `values` more values need a larger table.
  bool is_full(std::uint64_t values) const { return next_ + values > table_limit_; }
  /// A table half as large again, or large enough for `values` more, but of at most `most_bytes`;
  /// fills the present one further if that is all there is room for. False: no room for `values`.
  bool grow(std::uint64_t values, std::uint64_t most_bytes, Crew& crew);
  /// Allows `values` more values and numbers up to `most`, as far as the table has room for them;
  /// whether that is at least one.
  bool allow(std::uint64_t values, std::uint64_t most);

  /// Numbers given out, spare ones included: all are from 1 to size().
  std::uint64_t size() const { return next_.load(std::memory_order_relaxed) - 1; }
  std::uint64_t table_bytes() const { return lines_ * kLineBytes; }
  std::uint64_t value_bytes() const { return words_ * sizeof(std::uint64_t); }
  std::uint64_t bytes_used() const { return table_bytes() + size() * value_bytes(); }
  const std::vector<NodeId>& spares() const { return spares_; }
  /// Fills an empty table with values 1 .. count of a saved one, words read by `read(into, words)`;
  /// `spares` are the numbers that were not in use. False: no room, or read() failed.
  template <class Read>
  bool restore(std::uint64_t count, std::vector<NodeId> spares, std::uint64_t most_bytes,
               Crew& crew, Read&& read);
  /// Calls write(const std::uint64_t* values, std::uint64_t words) for all values in order.
  template <class Write>
  bool save(Write&& write) const;

 private:
  using Slot = std::uint32_t;
  static constexpr std::uint64_t kSlotsPerLine = 16;
  static constexpr std::uint64_t kLineBytes = 64;
  static constexpr std::uint64_t kFirstLines = 4;
  static constexpr std::uint64_t kFirstValues = 32;
  static constexpr std::uint64_t kMostIds = (std::uint64_t{1} << 32) - 1;

  static std::uint64_t word(const std::byte* value, std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, value + at * sizeof word, sizeof word);
    return word;
  }
  std::uint64_t* value_of(std::uint64_t id) const {
    return reinterpret_cast<std::uint64_t*>(values_.data()) + id * words_;
  }
  bool has_value(NodeId id, const std::byte* value) const;
  Slot* line(std::uint64_t hash) const {
    return reinterpret_cast<Slot*>(table_.data()) + detail::scaled(hash, lines_) * kSlotsPerLine;
  }
  Slot tag(std::uint64_t hash) const { return static_cast<Slot>(hash << id_bits_); }
  Slot id_mask() const { return static_cast<Slot>((std::uint64_t{1} << id_bits_) - 1); }
  /// The slot that has the value, or the first vacant one; `seen` is what it held.
  Slot* probe(const std::byte* value, std::uint64_t hash, Slot& seen) const;
  NodeId take_number();
  bool make_table(std::uint64_t lines);
  void use_lines(std::uint64_t lines);
  bool have_values(std::uint64_t ids);
  void fill(Crew& crew);
  void fill_part(std::uint64_t begin, std::uint64_t end, const std::vector<NodeId>& unused);
  void enter(std::uint64_t hash, NodeId id);

  std::size_t words_;
  std::uint64_t limit_ = 0;        // numbers below it may be given out now
  std::uint64_t table_limit_ = 0;  // numbers below it fit into the table
  std::uint64_t lines_ = 0;
  unsigned id_bits_ = 0;
  std::vector<NodeId> spares_;
  MemoryBlock table_;
  MemoryBlock values_;  // by number
  alignas(64) std::atomic<std::uint64_t> next_{1};
  std::atomic<bool> exhausted_{false};
};

/// Two words at a time, each pair multiplied to 128 bits (after wyhash; Wang Yi, public domain).
/// What collides costs a comparison, never the answer.
inline std::uint64_t ValueTable::hash(const std::byte* value) const {
  if (words_ == 1) return detail::mixed(word(value, 0));
  constexpr std::uint64_t kLeft = 0xa0761d6478bd642fU, kRight = 0xe7037ed1a0b428dbU;
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 1 < words_; at += 2) {
    const detail::Uint128 product = static_cast<detail::Uint128>(word(value, at) ^ (kLeft + at)) *
                                    (word(value, at + 1) ^ (kRight + at));
    sum += static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  if (at < words_) sum += (word(value, at) ^ kRight) * kLeft;
  return detail::mixed(sum);
}

inline bool ValueTable::has_value(NodeId id, const std::byte* value) const {
  const std::uint64_t* const known = value_of(id);
  std::uint64_t differs = known[0] ^ word(value, 0);
  for (std::size_t at = 1; at < words_; ++at) differs |= known[at] ^ word(value, at);
  return differs == 0;
}

inline ValueTable::Slot* ValueTable::probe(const std::byte* value, std::uint64_t hash,
                                           Slot& seen) const {
  const Slot mask = id_mask();
  const Slot wanted = tag(hash);
  const std::uint64_t first = hash >> 28;
  Slot* slots = line(hash);
  Slot* const end = reinterpret_cast<Slot*>(table_.data()) + lines_ * kSlotsPerLine;
  for (;;) {
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      Slot* const slot = slots + (first + step) % kSlotsPerLine;
      seen = std::atomic_ref(*slot).load(std::memory_order_acquire);
      if (seen == 0) return slot;
      if (((seen ^ wanted) & ~mask) == 0 && has_value(seen & mask, value)) return slot;
    }
    slots += kSlotsPerLine;
    if (slots == end) slots = reinterpret_cast<Slot*>(table_.data());
  }
}

inline NodeId ValueTable::find(const std::byte* value, std::uint64_t hash) const {
  Slot seen = 0;
  probe(value, hash, seen);
  return seen & id_mask();
}

inline NodeId ValueTable::take_number() {
  std::uint64_t number = next_.load(std::memory_order_relaxed);
  while (number < limit_) {
    if (next_.compare_exchange_weak(number, number + 1, std::memory_order_relaxed)) {
      return static_cast<NodeId>(number);
    }
  }
  exhausted_.store(true, std::memory_order_relaxed);
  return 0;
}

inline NodeId ValueTable::intern(const std::byte* value, std::uint64_t hash, NodeId& spare) {
  Slot seen = 0;
  for (;;) {
    Slot* const slot = probe(value, hash, seen);
    if (seen != 0) [[likely]]
      return seen & id_mask();
    if (spare == 0 && (spare = take_number()) == 0) return 0;
    std::memcpy(value_of(spare), value, words_ * sizeof(std::uint64_t));
    Slot vacant = 0;
    // Release: who finds the number in the slot may read the value.
    if (std::atomic_ref(*slot).compare_exchange_strong(
            vacant, tag(hash) | spare, std::memory_order_release, std::memory_order_relaxed)) {
      const NodeId id = spare;
      spare = 0;
      return id;
    }
  }
}

template <class Write>
bool ValueTable::save(Write&& write) const {
  return size() == 0 || write(value_of(1), size() * words_);
}

template <class Read>
bool ValueTable::restore(std::uint64_t count, std::vector<NodeId> spares, std::uint64_t most_bytes,
                         Crew& crew, Read&& read) {
  clear();
  if (count >= kMostIds || count > most_bytes / value_bytes()) return false;
  if (!have_values(count + 1)) return false;
  if (count != 0 && !read(value_of(1), count * words_)) return false;
  next_ = count + 1;
  spares_ = std::move(spares);
  return grow(1, most_bytes, crew);
}

}  // namespace drover::explore
