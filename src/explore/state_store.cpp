// Limits and growth of the state store; the essay is in the header.
#include "explore/state_store.hpp"

#include <algorithm>
#include <limits>

namespace drover::explore {

StateStore::StateStore(const StateShape& shape, std::uint64_t memory_limit,
                       std::uint64_t state_limit)
    : shape_(shape), memory_limit_(memory_limit), state_limit_(std::min(state_limit, kMostStates)) {
  start_anew();
}

/// Tables for the parts, and no pairs.
void StateStore::start_anew() {
  tables_.clear();
  for (std::size_t part = 0; part < shape_.parts(); ++part) {
    tables_.push_back(std::make_unique<ValueTable>(shape_.words(part)));
  }
  layout_ = StateLayout(shape_.parts());
}

/// Widths and pairs are kept: the next search of the same shape is often of the same program.
void StateStore::clear(std::uint64_t memory_limit, std::uint64_t state_limit) {
  memory_limit_ = memory_limit;
  state_limit_ = std::min(state_limit, kMostStates);
  for (const auto& table : tables_) table->clear();
  visited_.clear();
  list_.clear();
  room_ = 0;
}

void StateStore::reset(const StateShape& shape) {
  clear();
  if (shape == shape_) return;
  shape_ = shape;
  start_anew();
}

std::uint64_t StateStore::bytes_used() const {
  std::uint64_t bytes = visited_.bytes_used() + list_.bytes_used();
  for (const auto& table : tables_) bytes += table->bytes_used();
  return bytes;
}

std::uint64_t StateStore::left() const {
  const std::uint64_t used = bytes_used();
  return memory_limit_ > used ? memory_limit_ - used : 0;
}

std::int64_t StateStore::take_room(std::int64_t wanted) {
  std::int64_t have = room_.load(std::memory_order_relaxed);
  while (have > 0) {
    const std::int64_t taken = std::min(wanted, have);
    if (room_.compare_exchange_weak(have, have - taken, std::memory_order_relaxed)) return taken;
  }
  return 0;
}

/// Slots for the next table of handles: half as many again (twice as many while that costs little
/// memory), or what is left of the memory limit
/// when every slot of it comes with its share of list and values.
std::uint64_t StateStore::wanted_slots() const {
  constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;
  const std::uint64_t slots_now = visited_.slots();
  const std::uint64_t wanted = slots_now < kSmall ? slots_now * 2 : slots_now / 2 * 3;
  if (memory_limit_ == kUnlimited) return wanted;
  const auto states = static_cast<double>(std::max<std::uint64_t>(size(), 1));
  const auto values =
      static_cast<double>(bytes_used() - visited_.bytes_used() - list_.bytes_used()) / states;
  const double most = static_cast<double>(memory_limit_) / (8.0 / 0.9 + 8.0 + values) / 0.9;
  const auto slots = static_cast<std::uint64_t>(most);
  // The last growth is not to be a tiny one.
  return slots < wanted + wanted / 4 ? std::min(slots, wanted + wanted / 4) : wanted;
}

bool StateStore::make_room_in_visited(Crew& crew) {
  if (size() >= visited_.grow_at()) {
    const std::uint64_t slots = wanted_slots();
    const std::uint64_t more = slots > visited_.slots() ? (slots - visited_.slots()) * 8 : 0;
    if (more != 0 && more < left()) visited_.grow(slots, crew);
    if (size() >= visited_.most()) return false;
  }
  return list_.capacity() > size() || list_.grow();
}

/// Every table whose numbers are used up gets room for more, and handles the bits for them.
bool StateStore::make_room_in_values(Crew& crew) {
  bool widths = false;
  for (Node node = 0; node < tables_.size(); ++node) {
    ValueTable& table = *tables_[node];
    if (!table.is_exhausted()) continue;
    if (table.is_full(1)) {
      const std::uint64_t bytes = table.table_bytes();
      const std::uint64_t most = left() > kUnlimited - bytes ? kUnlimited : bytes + left();
      if (!table.grow(1, most, crew)) return false;
    }
    widths = widths || table.size() >= layout_.most(node);
  }
  return !widths || rewrite(crew);
}

/// Lets every table add values of `share` bytes in all. False: one that needs it cannot.
bool StateStore::allow_values(std::uint64_t share) {
  bool enough = true;
  for (Node node = 0; node < tables_.size(); ++node) {
    ValueTable& table = *tables_[node];
    const bool needed = table.is_exhausted();
    const bool allowed = table.allow(share / table.value_bytes(), layout_.most(node));
    enough = enough && (allowed || !needed);
  }
  return enough;
}

StateStore::Room StateStore::make_room(Crew& crew) {
  room_ = 0;
  if (size() >= state_limit_) return Room::too_many;
  if (!make_room_in_visited(crew) || !make_room_in_values(crew)) return Room::out_of_memory;
  // Of what is left a part each is for the values of a table and for the list: this is asked again
  // when one is used up, until none gets anything.
  const std::uint64_t share =
      memory_limit_ == kUnlimited ? kUnlimited : left() / (16 + tables_.size());
  if (!allow_values(share)) return Room::out_of_memory;
  const std::uint64_t table = size() < visited_.grow_at() ? visited_.grow_at() : visited_.most();
  const std::uint64_t room = std::min(
      {table - size(), list_.capacity() - size(), state_limit_ - size(), share / sizeof(Handle)});
  if (room == 0) return Room::out_of_memory;
  room_ = static_cast<std::int64_t>(room);
  return Room::available;
}

bool StateStore::restore_layout(const std::vector<std::uint64_t>& saved) {
  start_anew();
  if (!layout_.restore(shape_.parts(), saved)) return false;
  while (tables_.size() < layout_.nodes()) tables_.push_back(std::make_unique<ValueTable>(1));
  return true;
}

bool StateStore::restore_handles(const Handle* handles, std::uint64_t count, Crew& crew) {
  for (std::uint64_t at = 0; at < count; ++at) {
    if (room_ == 0 && make_room(crew) != Room::available) return false;
    if (handles[at] == kNoHandle || !visited_.insert(handles[at])) return false;
    list_.append(&handles[at], 1);
    --room_;
  }
  return true;
}

}  // namespace drover::explore
