// Growth of the state store: table, chunks and limits. The hot paths are in the header.
#include "explore/state_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace drover::explore {

namespace {

// Loads as fractions of 1000 slots.
constexpr std::uint64_t kGrowLoad = 700;
constexpr std::uint64_t kLastGrowLoad = 850;  // aimed at when the memory limit sets the size
constexpr std::uint64_t kMostLoad = 900;      // beyond this a probe gets long

// What clear() keeps.
constexpr std::size_t kKeptTableBytes = std::size_t{64} << 10;
constexpr std::size_t kKeptChunkBytes = std::size_t{256} << 10;

std::uint64_t part(std::uint64_t whole, std::uint64_t per_mille) {
  return whole / 1000 * per_mille + whole % 1000 * per_mille / 1000;
}

}  // namespace

std::uint64_t detail::hash_long(const std::byte* state, std::size_t bytes) {
  return XXH3_64bits(state, bytes);
}

StateStore::StateStore(std::size_t state_bytes, std::uint64_t memory_limit,
                       std::uint64_t state_limit)
    : state_bytes_(state_bytes),
      memory_limit_(memory_limit),
      state_limit_(std::min(state_limit, kMostStates)) {
  start();
}

void StateStore::start() {
  if (!table_) {
    table_ = MemoryBlock::allocate(kFirstLines * kLineBytes);
    // A probe needs a table; without these 4 KiB no message could be printed either.
    if (!table_) std::abort();
  }
  lines_ = table_.bytes() / kLineBytes;
  grow_at_ = part(lines_ * kSlotsPerLine, kGrowLoad);
  size_ = 0;
  set_room();
}

void StateStore::clear() {
  // Under a memory limit every search begins alike, so that all are refused at the same state.
  const bool fresh = memory_limit_ != kUnlimited && lines_ > kFirstLines;
  if (fresh || table_.bytes() > kKeptTableBytes) {
    table_ = MemoryBlock();
  } else {
    std::memset(table_.data(), 0, table_.bytes());
  }
  while (chunk_count_ > 0 && chunks_[chunk_count_ - 1].bytes() > kKeptChunkBytes) {
    --chunk_count_;
    chunks_[chunk_count_] = MemoryBlock();
  }
  chunk_end_ = chunk_count_ == 0 ? 0 : std::uint64_t{1} << (kFirstChunkBits + chunk_count_ - 1);
  start();
}

void StateStore::clear(std::uint64_t memory_limit, std::uint64_t state_limit) {
  memory_limit_ = memory_limit;
  state_limit_ = std::min(state_limit, kMostStates);
  clear();
}

void StateStore::set_room() {
  const std::uint64_t for_states =
      memory_limit_ > table_.bytes() ? memory_limit_ - table_.bytes() : 0;
  room_ = std::min({grow_at_, chunk_end_, state_limit_, for_states / state_bytes_});
}

/// Called when one state more does not fit into what is there. Outcome::inserted means there is
/// room.
StateStore::Outcome StateStore::make_room() {
  if (size_ >= state_limit_) return Outcome::too_many;
  if (size_ >= grow_at_ && !grow_table()) return Outcome::out_of_memory;
  if (size_ >= chunk_end_ && !add_chunk()) return Outcome::out_of_memory;
  set_room();
  return size_ < room_ ? Outcome::inserted : Outcome::out_of_memory;
}

/// The lines of the table that fills the memory limit together with its states.
std::uint64_t StateStore::most_lines() const {
  // Bytes for each 1000 slots at the load aimed at: the slots, and the states they name.
  const std::uint64_t bytes = 1000 * sizeof(Slot) + kLastGrowLoad * state_bytes_;
  const std::uint64_t slots = memory_limit_ / bytes * 1000 + memory_limit_ % bytes * 1000 / bytes;
  return slots / kSlotsPerLine;
}

bool StateStore::grow_table() {
  const std::uint64_t most = most_lines();
  const std::uint64_t wanted = std::min(2 * lines_, most);
  if (wanted > lines_) {
    MemoryBlock bigger = MemoryBlock::allocate(wanted * kLineBytes);
    if (bigger) {
      table_ = std::move(bigger);  // the old one goes before a page of the new one is touched
      lines_ = wanted;
      fill_table();
      grow_at_ = part(lines_ * kSlotsPerLine, wanted == most ? kMostLoad : kGrowLoad);
      return true;
    }
  }
  // No larger table to be had: fill the one there is.
  grow_at_ = part(lines_ * kSlotsPerLine, kMostLoad);
  return size_ < grow_at_;
}

StateStore::Slot* StateStore::vacant_slot(std::uint64_t hash) const {
  const std::uint64_t first = hash >> 28;
  std::uint64_t line = line_number(hash);
  for (;;) {
    Slot* const slots_of_line = slots() + line * kSlotsPerLine;
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      Slot* const slot = slots_of_line + (first + step) % kSlotsPerLine;
      if (*slot == 0) return slot;
    }
    line = line + 1 == lines_ ? 0 : line + 1;
  }
}

/// Enters all states into the vacant table. They are known to differ, so nothing is compared.
void StateStore::fill_table() {
  constexpr std::uint64_t kBatch = 32;
  std::array<std::uint64_t, kBatch> hashes{};
  for (StateIndex begin = 0; begin < size_; begin += kBatch) {
    const std::uint64_t count = std::min(kBatch, size_ - begin);
    for (std::uint64_t at = 0; at < count; ++at) {
      hashes[at] = hash(state(begin + at));
      __builtin_prefetch(line_of(hashes[at]), 1);
    }
    for (std::uint64_t at = 0; at < count; ++at) {
      *vacant_slot(hashes[at]) = tag_of(hashes[at]) | (begin + at + 1);
    }
  }
}

bool StateStore::add_chunk() {
  if (chunk_count_ == kMostChunks) return false;
  const std::uint64_t begin = chunk_end_;
  const std::uint64_t end = std::uint64_t{1} << (kFirstChunkBits + chunk_count_);
  if ((end - begin) > std::numeric_limits<std::size_t>::max() / state_bytes_) return false;
  MemoryBlock chunk = MemoryBlock::allocate((end - begin) * state_bytes_);
  if (!chunk) return false;
  bases_[chunk_count_] = reinterpret_cast<std::uintptr_t>(chunk.data()) - begin * state_bytes_;
  chunks_[chunk_count_] = std::move(chunk);
  ++chunk_count_;
  chunk_end_ = end;
  return true;
}

}  // namespace drover::explore
