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

/// From keys to values but 0, which share a word: values have `kValueBits`, keys the rest. Grows;
/// nothing is ever removed but all.
template <unsigned kValueBits>
class PackedMap {
 public:
  static constexpr unsigned kKeyBits = 64 - kValueBits;
  static constexpr std::uint64_t kMostValue = (std::uint64_t{1} << kValueBits) - 1;

  PackedMap() { clear(); }

  /// 0: not there.
  std::uint32_t find(std::uint64_t key) const {
    for (std::size_t at = mixed(key) & mask_;; at = (at + 1) & mask_) {
      const std::uint64_t slot = slots_[at];
      if (slot >> kValueBits == key && slot != 0)
        return static_cast<std::uint32_t>(slot & kMostValue);
      if (slot == 0) return 0;
    }
  }
  void set(std::uint64_t key, std::uint64_t value) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    std::uint64_t& slot = place(key);
    if (slot == 0) ++size_;
    slot = key << kValueBits | value;
  }
  void clear() {
    slots_.assign(kFirst, 0);
    slots_.shrink_to_fit();
    mask_ = kFirst - 1;
    size_ = 0;
  }
  std::size_t bytes() const { return slots_.size() * sizeof(std::uint64_t); }

 private:
  static constexpr std::size_t kFirst = 256;

  std::uint64_t& place(std::uint64_t key) {
    std::size_t at = mixed(key) & mask_;
    while (slots_[at] != 0 && slots_[at] >> kValueBits != key) at = (at + 1) & mask_;
    return slots_[at];
  }
  void grow() {
    std::vector<std::uint64_t> old(2 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const std::uint64_t slot : old) {
      if (slot != 0) place(slot >> kValueBits) = slot;
    }
  }

  std::vector<std::uint64_t> slots_;
  std::size_t mask_ = 0, size_ = 0;
};

/// From 64-bit keys but 0 to values but 0. Grows; nothing is ever removed but all.
class WideMap {
 public:
  WideMap() { clear(); }

  void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[mixed(key) & mask_]); }

  /// 0: not there.
  std::uint32_t find(std::uint64_t key) const {
    for (std::size_t at = mixed(key) & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key) return slot.value;
      if (slot.key == 0) return 0;
    }
  }
  void set(std::uint64_t key, std::uint32_t value) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = place(key);
    if (slot.key == 0) ++size_;
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
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t value = 0;
  };

  Slot& place(std::uint64_t key) {
    std::size_t at = mixed(key) & mask_;
    while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & mask_;
    return slots_[at];
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.key != 0) place(slot.key) = slot;
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

  explicit RecordTable(std::size_t width) : width_(width), row_words_(width) { clear(); }

  template <class Row>
  const void* slot_of(const Row& row) const {
    return &slots_[mixed(row.sum) & mask_];
  }
  /// Where the record of this row begins; kNone: there is none.
  template <class Row>
  std::uint32_t find(const Row& row) const {
    const std::uint64_t hash = mixed(row.sum);
    for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot slot = slots_[at];
      if (slot.at == kNone) return kNone;
      if (slot.tag == tag(hash) && std::memcmp(row.ids.data(), &words_[slot.at - row_words_],
                                               sizeof(std::uint32_t) * width_) == 0) {
        return slot.at;
      }
    }
  }
  /// A row that is not there, with a record of that many words, all 0.
  template <class Row>
  std::uint32_t add(const Row& row, std::size_t words) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    const std::size_t begin = words_.size();
    words_.resize(begin + row_words_ + words);
    std::memcpy(&words_[begin], row.ids.data(), sizeof(std::uint32_t) * width_);
    const auto at = static_cast<std::uint32_t>(begin + row_words_);
    place({tag(mixed(row.sum)), at}, mixed(row.sum));
    sums_.push_back({row.sum, at});
    ++size_;
    return at;
  }
  std::uint32_t* record(std::uint32_t at) { return &words_[at]; }
  const std::uint32_t* record(std::uint32_t at) const { return &words_[at]; }
  void clear() {
    slots_.assign(kFirst, {});
    slots_.shrink_to_fit();
    mask_ = kFirst - 1;
    size_ = 0;
    words_.assign(1, 0);
    words_.shrink_to_fit();
    sums_ = {};
  }
  std::size_t size() const { return size_; }
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

  void place(Slot slot, std::uint64_t hash) {
    std::size_t at = hash & mask_;
    while (slots_[at].at != kNone) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
  void grow() {
    slots_.assign(2 * slots_.size(), {});
    mask_ = slots_.size() - 1;
    for (const Sum& sum : sums_) place({tag(mixed(sum.sum)), sum.at}, mixed(sum.sum));
  }

  std::size_t width_, row_words_, mask_ = 0, size_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> words_;  // row, record, row, record, ...
  std::vector<Sum> sums_;
};

}  // namespace drover::explore::detail
