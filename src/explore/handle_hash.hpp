// The hash of a 64-bit key: bijective, so different keys never have the same hash. No container.
#pragma once

#include <cstdint>

namespace drover::explore::detail {

__extension__ using Uint128 = unsigned __int128;

/// The finaliser of MurmurHash3 (Appleby, public domain): every input bit reaches every output bit.
inline std::uint64_t mixed(std::uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdU;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53U;
  return key ^ key >> 33;
}

/// Maps a hash to 0 .. count - 1, keeping the order of hashes.
inline std::uint64_t scaled(std::uint64_t hash, std::uint64_t count) {
  return static_cast<std::uint64_t>((static_cast<Uint128>(hash) * count) >> 64);
}

}  // namespace drover::explore::detail
