// Limits and growth of the state store; the essay is in the header.
#include "explore/state_store.hpp"

#include <algorithm>
#include <limits>

namespace drover::explore {

TreeShape::TreeShape(std::size_t state_bytes) {
  sizes_[0] = (state_bytes + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  while (sizes_[top_] > 2) {
    sizes_[top_ + 1] = (sizes_[top_] + 1) / 2;
    offsets_[top_ + 1] = offsets_[top_] + sizes_[top_];
    ++top_;
  }
}

StateStore::StateStore(std::size_t state_bytes, std::uint64_t memory_limit,
                       std::uint64_t state_limit)
    : state_bytes_(state_bytes),
      shape_(state_bytes),
      memory_limit_(memory_limit),
      state_limit_(std::min(state_limit, kMostStates)) {}

void StateStore::clear(std::uint64_t memory_limit, std::uint64_t state_limit) {
  memory_limit_ = memory_limit;
  state_limit_ = std::min(state_limit, kMostStates);
  nodes_.clear();
  visited_.clear();
  list_.clear();
  room_ = 0;
  slack_ = 1;  // no room for any
}

void StateStore::reset(std::size_t state_bytes) {
  clear();
  state_bytes_ = state_bytes;
  shape_ = TreeShape(state_bytes);
}

std::uint64_t StateStore::bytes_used() const {
  return nodes_.bytes_used() + visited_.bytes_used() + list_.bytes_used();
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

/// Slots for the next table of handles: half as many again, or what is left of the memory limit
/// when every slot of it comes with its share of list and nodes.
std::uint64_t StateStore::wanted_slots() const {
  const std::uint64_t wanted = visited_.slots() / 2 * 3;
  if (memory_limit_ == kUnlimited) return wanted;
  const std::uint64_t states = std::max<std::uint64_t>(size(), 1);
  const double nodes = static_cast<double>(nodes_.bytes_used()) / static_cast<double>(states);
  const double most = static_cast<double>(memory_limit_) / (8.0 / 0.9 + 8.0 + nodes) / 0.9;
  const auto slots = static_cast<std::uint64_t>(most);
  // The last growth is not to be a tiny one.
  return slots < wanted + wanted / 4 ? std::min(slots, wanted + wanted / 4) : wanted;
}

bool StateStore::make_room_in_tables(Crew& crew) {
  if (size() >= visited_.grow_at()) {
    const std::uint64_t slots = wanted_slots();
    const std::uint64_t more = slots > visited_.slots() ? (slots - visited_.slots()) * 8 : 0;
    if (more != 0 && more < left()) visited_.grow(slots, crew);
    if (size() >= visited_.most()) return false;
  }
  if (nodes_.is_full(slack_)) {
    const std::uint64_t table = nodes_.table_bytes();
    const std::uint64_t most = left() > kUnlimited - table ? kUnlimited : table + left();
    if (!nodes_.grow(slack_, most, crew)) return false;
  }
  return list_.capacity() > size() || list_.grow();
}

StateStore::Room StateStore::make_room(Crew& crew) {
  room_ = 0;
  if (size() >= state_limit_) return Room::too_many;
  // Each thread looks before it interns a state, and all may look at the same moment.
  slack_ = crew.workers() * shape_.nodes() + crew.workers();
  if (!make_room_in_tables(crew)) return Room::out_of_memory;
  // Of what is left one part is for nodes and one for the list: this is asked again when either is
  // used up, until neither gets anything.
  const std::uint64_t share = memory_limit_ == kUnlimited ? kUnlimited : left() / 16;
  nodes_.allow(share);
  if (!nodes_.has_room(slack_) || share == 0) return Room::out_of_memory;
  const std::uint64_t table = size() < visited_.grow_at() ? visited_.grow_at() : visited_.most();
  const std::uint64_t room =
      std::min({table - size(), list_.capacity() - size(), state_limit_ - size(), share});
  room_ = static_cast<std::int64_t>(room);
  return Room::available;
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
