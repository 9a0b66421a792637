// Growth of the node table. Looking up and adding is in the header.
#include "explore/node_table.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace drover::explore {

namespace {

// Loads as fractions of 100 slots.
constexpr std::uint64_t kGrowLoad = 80;
constexpr std::uint64_t kMostLoad = 92;  // when there is no memory for a larger table

constexpr std::size_t kKeptBytes = std::size_t{256} << 10;  // what clear() keeps of each kind

}  // namespace

void NodeTable::clear() {
  if (table_.bytes() > kKeptBytes) table_ = MemoryBlock();
  while (chunk_count_ > 0 && chunks_[chunk_count_ - 1].bytes() > kKeptBytes) {
    chunks_[--chunk_count_] = MemoryBlock();
  }
  key_end_ = chunk_count_ == 0 ? 0 : std::uint64_t{1} << (kFirstChunkBits + chunk_count_ - 1);
  next_ = 1;
  spares_.clear();
  if (table_) {
    use_lines(kFirstLines);
    std::memset(table_.data(), 0, kFirstLines * kLineBytes);
  } else if (!make_table(kFirstLines)) {
    std::abort();  // without these 4 KiB no message could be printed either
  }
  allow(0);
}

bool NodeTable::make_table(std::uint64_t lines) {
  MemoryBlock table = MemoryBlock::allocate(lines * kLineBytes);
  if (!table) return false;
  table_ = std::move(table);  // the old one goes before a page of the new one is touched
  use_lines(lines);
  return true;
}

void NodeTable::use_lines(std::uint64_t lines) {
  lines_ = lines;
  table_limit_ = std::min(lines * kSlotsPerLine * kGrowLoad / 100, kMostIds);
  id_bits_ = static_cast<unsigned>(
      std::bit_width(std::min(lines * kSlotsPerLine * kMostLoad / 100, kMostIds)));
}

bool NodeTable::have_keys(std::uint64_t ids) {
  while (key_end_ < ids) {
    if (chunk_count_ == kMostChunks) return false;
    const std::uint64_t begin = key_end_;
    const std::uint64_t end = std::uint64_t{1} << (kFirstChunkBits + chunk_count_);
    MemoryBlock chunk = MemoryBlock::allocate((end - begin) * sizeof(std::uint64_t));
    if (!chunk) return false;
    bases_[chunk_count_] =
        reinterpret_cast<std::uintptr_t>(chunk.data()) - begin * sizeof(std::uint64_t);
    chunks_[chunk_count_++] = std::move(chunk);
    key_end_ = end;
  }
  return true;
}

void NodeTable::allow(std::uint64_t nodes) {
  const std::uint64_t wanted = nodes > kMostIds ? kMostIds : next_ + nodes;
  std::uint64_t most = std::min(table_limit_, wanted);
  if (!have_keys(most)) most = std::min(most, key_end_);
  limit_ = most;
}

bool NodeTable::grow(std::uint64_t nodes, std::uint64_t most_bytes, Crew& crew) {
  const std::uint64_t needed = (next_ + nodes) * 100 / kGrowLoad / kSlotsPerLine + 1;
  const std::uint64_t wanted =
      std::min(std::max(lines_ + lines_ / 2, needed), most_bytes / kLineBytes);
  if (wanted > lines_ && make_table(wanted)) {
    fill(crew);
  } else {
    table_limit_ = std::min(lines_ * kSlotsPerLine * kMostLoad / 100, kMostIds);
  }
  return !is_full(nodes);
}

void NodeTable::enter(std::uint64_t hash, NodeId id) {
  const std::uint64_t first = hash >> 28;
  Slot* slots = line(hash);
  Slot* const end = reinterpret_cast<Slot*>(table_.data()) + lines_ * kSlotsPerLine;
  for (;;) {
    for (std::uint64_t step = 0; step < kSlotsPerLine; ++step) {
      std::atomic_ref slot(slots[(first + step) % kSlotsPerLine]);
      Slot vacant = slot.load(std::memory_order_relaxed);
      if (vacant == 0 &&
          slot.compare_exchange_strong(vacant, tag(hash) | id, std::memory_order_relaxed)) {
        return;
      }
    }
    slots += kSlotsPerLine;
    if (slots == end) slots = reinterpret_cast<Slot*>(table_.data());
  }
}

/// Enters the numbers [begin, end). Their keys are known to differ, so nothing is compared.
void NodeTable::fill_part(std::uint64_t begin, std::uint64_t end,
                          const std::vector<NodeId>& unused) {
  constexpr std::uint64_t kBatch = 32;
  std::array<std::uint64_t, kBatch> hashes{};
  for (; begin < end; begin += kBatch) {
    const std::uint64_t count = std::min(kBatch, end - begin);
    for (std::uint64_t at = 0; at < count; ++at) {
      hashes[at] = detail::mixed(*key_of(begin + at));
      __builtin_prefetch(line(hashes[at]), 1);
    }
    for (std::uint64_t at = 0; at < count; ++at) {
      const auto id = static_cast<NodeId>(begin + at);
      if (std::binary_search(unused.begin(), unused.end(), id)) continue;
      enter(hashes[at], id);
    }
  }
}

void NodeTable::fill(Crew& crew) {
  constexpr std::uint64_t kWorthThreads = 1 << 14;
  std::vector<NodeId> unused = spares_;
  std::sort(unused.begin(), unused.end());
  const std::uint64_t end = next_;
  if (end < kWorthThreads) return fill_part(1, end, unused);
  constexpr std::uint64_t kPart = 1 << 12;
  std::atomic<std::uint64_t> begin = 1;
  crew.run([&](unsigned) {
    for (;;) {
      const std::uint64_t part = begin.fetch_add(kPart);
      if (part >= end) return;
      fill_part(part, std::min(part + kPart, end), unused);
    }
  });
}

}  // namespace drover::explore
