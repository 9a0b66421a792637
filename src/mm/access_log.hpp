// AccessLog: which records of a State one step has looked at; and the arrays that tell it. So the
// search can remember what a step did and do the same wherever those records are the same
// (explore/transition_cache.hpp). What a record is stored in is the machine's (machine/views.cpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace drover::mm {

/// How much of a record was looked at. Everything but `whole` is a read of what others may know.
enum class Look : std::uint8_t {
  whole,
  locks,     // of an actor: held_locks()
  position,  // of an actor: position_of()
  in_use,    // of a frame: frame_in_use()
};
inline constexpr unsigned kLooks = 4;

/// Records in order of first look, each once for every way of looking.
class AccessLog {
 public:
  static constexpr unsigned kMostRecords = 128;
  struct Entry {
    std::uint8_t record;
    Look look;
  };

  void note(unsigned record, Look look) {
    std::uint64_t& seen = seen_[static_cast<unsigned>(look)][record / 64];
    const std::uint64_t bit = std::uint64_t{1} << record % 64;
    if ((seen & bit) != 0) return;
    seen |= bit;
    entries_[count_++] = {static_cast<std::uint8_t>(record), look};
  }
  [[nodiscard]] bool has(unsigned record) const {
    return (seen_[0][record / 64] >> record % 64 & 1U) != 0;
  }
  void clear() {
    seen_ = {};
    count_ = 0;
  }
  [[nodiscard]] const Entry* begin() const { return entries_.data(); }
  [[nodiscard]] const Entry* end() const { return entries_.data() + count_; }

 private:
  std::array<std::array<std::uint64_t, 2>, kLooks> seen_{};
  unsigned count_ = 0;
  std::array<Entry, std::size_t{kMostRecords} * kLooks> entries_;
};

/// N records of which every access is logged, if there is a log. The first is number `First` of all
/// records of a State.
template <class T, std::size_t N, unsigned First>
class Records {
 public:
  static constexpr unsigned kFirst = First;
  static constexpr unsigned kEnd = First + N;

  T& operator[](std::size_t i) {
    note(i, Look::whole);
    return records_[i];
  }
  const T& operator[](std::size_t i) const {
    note(i, Look::whole);
    return records_[i];
  }
  T* begin() {
    note_all();
    return records_.data();
  }
  const T* begin() const {
    note_all();
    return records_.data();
  }
  T* end() { return records_.data() + N; }
  const T* end() const { return records_.data() + N; }
  /// Also of records that nobody looked at: what is there afterwards depends on none of them.
  void fill(const T& value) {
    for (T& record : *this) record = value;
  }
  [[nodiscard]] static constexpr std::size_t size() { return N; }

  /// For those who log themselves what they look at, and for copying.
  [[nodiscard]] const T& unlogged(std::size_t i) const { return records_[i]; }
  [[nodiscard]] T* data() { return records_.data(); }
  [[nodiscard]] const T* data() const { return records_.data(); }
  void note(std::size_t i, Look look) const {
    if (log_ != nullptr) [[unlikely]]
      log_->note(First + static_cast<unsigned>(i), look);
  }
  void log_to(AccessLog* log) { log_ = log; }

 private:
  void note_all() const {
    for (std::size_t i = 0; i < N; ++i) note(i, Look::whole);
  }

  std::array<T, N> records_;  // first, so that offsets into them are offsets into this
  AccessLog* log_ = nullptr;
};

}  // namespace drover::mm
