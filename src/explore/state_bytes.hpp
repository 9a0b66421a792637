// Copy, comparison and hash of the bytes of one state. Short states, the common case, are handled
// in line by words; long ones go to the C library and to XXH3. No container here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// The size of a state is a run-time value that every function here tests first. Where GCC knows the
// object behind the pointer it warns of the branches that are never taken.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace drover::explore {

namespace detail {

__extension__ using Uint128 = unsigned __int128;

/// States of 8 to this many bytes are copied, compared and hashed in line, as two words: the first
/// eight bytes and the last eight, which may overlap.
inline constexpr std::size_t kTwoWords = 16;

template <class Word>
inline Word load(const std::byte* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The 128-bit product folded to 64 bits: every input bit reaches every output bit.
inline std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) {
  const Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// XXH3_64bits, kept out of the header.
std::uint64_t hash_long(const std::byte* state, std::size_t bytes);

}  // namespace detail

/// Copies one state of `bytes` bytes; the two must not overlap.
inline void copy_state(std::byte* to, const std::byte* from, std::size_t bytes) {
  if (bytes < 8 || bytes > detail::kTwoWords) {
    std::memcpy(to, from, bytes);
    return;
  }
  const auto last = detail::load<std::uint64_t>(from + bytes - 8);
  std::memcpy(to, from, 8);
  std::memcpy(to + bytes - 8, &last, 8);
}

/// Whether two states of `bytes` bytes are equal.
inline bool equal_states(const std::byte* a, const std::byte* b, std::size_t bytes) {
  if (bytes < 8 || bytes > detail::kTwoWords) return std::memcmp(a, b, bytes) == 0;
  return ((detail::load<std::uint64_t>(a) ^ detail::load<std::uint64_t>(b)) |
          (detail::load<std::uint64_t>(a + bytes - 8) ^
           detail::load<std::uint64_t>(b + bytes - 8))) == 0;
}

/// The 64-bit hash of a state of `bytes` >= 1 bytes. Equal on every run and machine of one byte
/// order.
inline std::uint64_t hash_state(const std::byte* state, std::size_t bytes) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  if (bytes > detail::kTwoWords) return detail::hash_long(state, bytes);
  if (bytes >= 8) {
    first = detail::load<std::uint64_t>(state);
    second = detail::load<std::uint64_t>(state + bytes - 8);
  } else if (bytes >= 4) {
    first = detail::load<std::uint32_t>(state);
    second = detail::load<std::uint32_t>(state + bytes - 4);
  } else {
    first = static_cast<std::uint64_t>(state[0]);
    second = static_cast<std::uint64_t>(state[bytes / 2]) |
             static_cast<std::uint64_t>(state[bytes - 1]) << 8;
  }
  // Arbitrary odd constants (the fractional digits of sqrt 2, sqrt 3 and pi).
  const std::uint64_t mixed = detail::folded_product(first ^ 0x6a09e667f3bcc909U,  //
                                                     second ^ 0xbb67ae8584caa73bU);
  return detail::folded_product(mixed ^ bytes, 0x243f6a8885a308d3U);
}

}  // namespace drover::explore

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
