// The tables of a TransitionCache: small hash tables of one thread, made so that a lookup touches
// one or two cache lines. What is kept in them is in transition_cache.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "explore/handle_hash.hpp"

namespace drover::explore::detail {

/// Slots of a FlatMap: a key and a value in a word of each, or sharing one, of which the value has
/// `kValueBits`. Without a value a slot is vacant.
struct WideSlot {
  std::uint64_t key_word = 0;
  std::uint32_t value_word = 0;

  WideSlot() = default;
  WideSlot(std::uint64_t key, std::uint32_t value) : key_word(key), value_word(value) {}
  std::uint64_t key() const { return key_word; }
  std::uint32_t value() const { return value_word; }
};
template <unsigned kValueBits>
struct PackedSlot {
  std::uint64_t word = 0;

  PackedSlot() = default;
  PackedSlot(std::uint64_t key, std::uint32_t value) : word(key << kValueBits | value) {}
  std::uint64_t key() const { return word >> kValueBits; }
  std::uint32_t value() const {
    return static_cast<std::uint32_t>(word & ((std::uint64_t{1} << kValueBits) - 1));
  }
};

/// From keys to values but 0. Grows; nothing is ever removed but all.
template <class Slot>
class FlatMap {
 public:
  FlatMap() { clear(); }

  void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[mixed(key) & mask_]); }
  /// 0: not there.
  std::uint32_t find(std::uint64_t key) const { return slots_[place(key)].value(); }
  void set(std::uint64_t key, std::uint32_t value) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[place(key)];
    if (slot.value() == 0) ++size_;
    slot = {key, value};
  }
  void clear() {
    slots_.assign(kFirst, {});
    slots_.shrink_to_fit();
    mask_ = kFirst - 1;
    size_ = 0;
  }
  std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  static constexpr std::size_t kFirst = 256;

  /// Of the key, or of the vacant slot where it would be.
  std::size_t place(std::uint64_t key) const {
    std::size_t at = mixed(key) & mask_;
    while (slots_[at].value() != 0 && slots_[at].key() != key) at = (at + 1) & mask_;
    return at;
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.value() != 0) slots_[place(slot.key())] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0, size_ = 0;
};

/// Small numbers for what a look at each part shows, and a sum of them that changes with each: a
/// key of RecordTable.
template <std::size_t kMost>
struct Row {
  std::array<std::uint32_t, kMost> ids{};
  std::uint64_t sum = 0;

  void set(std::size_t part, std::uint32_t id) {
    sum += (std::uint64_t{id} - ids[part]) * weight(part);
    ids[part] = id;
  }

 private:
  // Odd and far apart: multiples of the golden ratio's.
  static std::uint64_t weight(std::size_t part) {
    return 0x9e3779b97f4a7c15U * (2 * part + 1) ^ 0xbf58476d1ce4e5b8U;
  }
};

/// From rows of `width` small numbers to records of words, which a record's begin is followed by.
class RecordTable {
 public:
  static constexpr std::uint32_t kNone = 0;

  explicit RecordTable(std::size_t width) : width_(width) { clear(); }

  /// Where the record of this row begins; kNone: there is none.
  template <class Row>
  std::uint32_t find(const Row& row) const {
    const std::uint64_t hash = mixed(row.sum);
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot.at == kNone) return kNone;
      if (slot.tag == tag(hash) && std::memcmp(row.ids.data(), &words_[slot.at - width_],
                                               sizeof(std::uint32_t) * width_) == 0) {
        return slot.at;
      }
    }
  }
  /// A row that is not there, with a record of that many words, all 0.
  template <class Row>
  std::uint32_t add(const Row& row, std::size_t words) {
    if (2 * (sums_.size() + 1) > slots_.size()) grow();
    const std::size_t begin = words_.size();
    words_.resize(begin + width_ + words);
    std::memcpy(&words_[begin], row.ids.data(), sizeof(std::uint32_t) * width_);
    sums_.push_back({row.sum, static_cast<std::uint32_t>(begin + width_)});
    place(sums_.back());
    return sums_.back().at;
  }
  std::uint32_t* record(std::uint32_t at) { return &words_[at]; }
  const std::uint32_t* record(std::uint32_t at) const { return &words_[at]; }
  void clear() {
    slots_.assign(kFirst, {});
    slots_.shrink_to_fit();
    mask_ = kFirst - 1;
    words_.assign(1, 0);
    words_.shrink_to_fit();
    sums_ = {};
  }
  std::size_t bytes() const {
    return slots_.size() * sizeof(Slot) + words_.size() * 4 + sums_.size() * sizeof(Sum);
  }

 private:
  static constexpr std::size_t kFirst = 256;
  struct Slot {
    std::uint32_t tag = 0, at = kNone;
  };
  struct Sum {
    std::uint64_t sum;
    std::uint32_t at;
  };
  static std::uint32_t tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

  void place(const Sum& sum) {
    const std::uint64_t hash = mixed(sum.sum);
    std::size_t at = hash & mask_;
    while (slots_[at].at != kNone) at = (at + 1) & mask_;
    slots_[at] = {tag(hash), sum.at};
  }
  void grow() {
    slots_.assign(2 * slots_.size(), {});
    mask_ = slots_.size() - 1;
    for (const Sum& sum : sums_) place(sum);
  }

  std::size_t width_, mask_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> words_;  // row, record, row, record, ...
  std::vector<Sum> sums_;
};

}  // namespace drover::explore::detail
