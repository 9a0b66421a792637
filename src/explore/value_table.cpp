// Growth of the value table. Looking up and adding is in the header.
#include "explore/value_table.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace drover::explore {

namespace {

// Loads as fractions of 100 slots. A small table can afford vacant slots.
constexpr std::uint64_t kGrowLoad = 80;
constexpr std::uint64_t kSmallGrowLoad = 50;
constexpr std::uint64_t kSmallLines = 4096;
constexpr std::uint64_t kMostLoad = 92;  // when there is no memory for a larger table

constexpr std::size_t kKeptBytes = std::size_t{64} << 10;  // what clear() keeps of each kind

}  // namespace

void ValueTable::clear() {
  if (table_.bytes() > kKeptBytes) table_ = MemoryBlock();
  if (values_.bytes() > kKeptBytes) values_ = MemoryBlock();
  next_ = 1;
  limit_ = 0;
  exhausted_ = false;
  spares_.clear();
  if (table_) {
    use_lines(kFirstLines);
    std::memset(table_.data(), 0, kFirstLines * kLineBytes);
  } else if (!make_table(kFirstLines)) {
    std::abort();  // without these few bytes no message could be printed either
  }
}

bool ValueTable::make_table(std::uint64_t lines) {
  MemoryBlock table = MemoryBlock::allocate(lines * kLineBytes);
  if (!table) return false;
  table_ = std::move(table);  // the old one goes before a page of the new one is touched
  use_lines(lines);
  return true;
}

void ValueTable::use_lines(std::uint64_t lines) {
  lines_ = lines;
  const std::uint64_t load = lines <= kSmallLines ? kSmallGrowLoad : kGrowLoad;
  table_limit_ = std::min(lines * kSlotsPerLine * load / 100, kMostIds);
  id_bits_ = static_cast<unsigned>(
      std::bit_width(std::min(lines * kSlotsPerLine * kMostLoad / 100, kMostIds)));
}

bool ValueTable::have_values(std::uint64_t ids) {
  const std::uint64_t have = values_.bytes() / value_bytes();
  if (ids <= have) return true;
  const std::uint64_t wanted = std::max({ids, have + have / 2, kFirstValues});
  return values_.grow(wanted * value_bytes());
}

bool ValueTable::allow(std::uint64_t values, std::uint64_t most) {
  const std::uint64_t wanted = values > kMostIds ? kMostIds : next_ + values;
  std::uint64_t limit = std::min({table_limit_, wanted, most == kMostIds ? kMostIds : most + 1});
  if (!have_values(limit)) limit = std::min(limit, values_.bytes() / value_bytes());
  limit_ = limit;
  exhausted_ = false;
  return next_ < limit_;
}

bool ValueTable::grow(std::uint64_t values, std::uint64_t most_bytes, Crew& crew) {
  const std::uint64_t load = lines_ < kSmallLines ? kSmallGrowLoad : kGrowLoad;
  const std::uint64_t needed = (next_ + values) * 100 / load / kSlotsPerLine + 1;
  const std::uint64_t more = lines_ < kSmallLines ? lines_ * 2 : lines_ + lines_ / 2;
  const std::uint64_t wanted = std::min(std::max(more, needed), most_bytes / kLineBytes);
  if (wanted > lines_ && make_table(wanted)) {
    fill(crew);
  } else {
    table_limit_ = std::min(lines_ * kSlotsPerLine * kMostLoad / 100, kMostIds);
  }
  return !is_full(values);
}

void ValueTable::enter(std::uint64_t hash, NodeId id) {
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

/// Enters the numbers [begin, end). Their values are known to differ, so nothing is compared.
void ValueTable::fill_part(std::uint64_t begin, std::uint64_t end,
                           const std::vector<NodeId>& unused) {
  constexpr std::uint64_t kBatch = 32;
  std::array<std::uint64_t, kBatch> hashes{};
  for (; begin < end; begin += kBatch) {
    const std::uint64_t count = std::min(kBatch, end - begin);
    for (std::uint64_t at = 0; at < count; ++at) {
      hashes[at] = hash(reinterpret_cast<const std::byte*>(value_of(begin + at)));
      __builtin_prefetch(line(hashes[at]), 1);
    }
    for (std::uint64_t at = 0; at < count; ++at) {
      const auto id = static_cast<NodeId>(begin + at);
      if (std::binary_search(unused.begin(), unused.end(), id)) continue;
      enter(hashes[at], id);
    }
  }
}

void ValueTable::fill(Crew& crew) {
  constexpr std::uint64_t kPart = std::uint64_t{1} << 14;
  std::vector<NodeId> unused = spares_;
  std::sort(unused.begin(), unused.end());
  crew.in_blocks(size(), kPart, [&](std::uint64_t begin, std::uint64_t end) {
    fill_part(begin + 1, end + 1, unused);  // numbers begin with 1
  });
}

}  // namespace drover::explore
