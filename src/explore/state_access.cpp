// Unfolding, folding and comparing trees; see state_access.hpp.
#include "explore/state_access.hpp"

namespace drover::explore {

namespace {

std::uint64_t load(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t pair(NodeId left, NodeId right) {
  return std::uint64_t{left} << 32 | right;
}

NodeId left_of(std::uint64_t pair) {
  return static_cast<NodeId>(pair >> 32);
}

NodeId right_of(std::uint64_t pair) {
  return static_cast<NodeId>(pair);
}

}  // namespace

StateAccess::StateAccess(StateStore& store)
    : store_(store),
      whole_words_(store.state_bytes() / sizeof(std::uint64_t)),
      words_(store.shape().size(0)),
      ids_(store.shape().nodes()) {}

void StateAccess::place(unsigned level, std::size_t at, NodeId id) {
  const TreeShape& shape = store_.shape_;
  NodeId& here = ids_[shape.offset(level) + at];
  if (here == id) return;
  here = id;
  const std::uint64_t key = store_.nodes_.key(id);
  if (level == 0) {
    words_[at] = key;
  } else if (2 * at + 1 == shape.size(level - 1)) {
    place(level - 1, 2 * at, id);
  } else {
    place(level - 1, 2 * at, left_of(key));
    place(level - 1, 2 * at + 1, right_of(key));
  }
}

const std::byte* StateAccess::read(Handle handle) {
  const TreeShape& shape = store_.shape_;
  if (words_.size() == 1) {
    place(0, 0, static_cast<NodeId>(handle));
  } else {
    place(shape.top(), 0, left_of(handle));
    place(shape.top(), 1, right_of(handle));
  }
  unfolded_ = true;
  return reinterpret_cast<const std::byte*>(words_.data());
}

void StateAccess::prefetch(Handle handle) const {
  if (words_.size() > 1) store_.nodes_.prefetch(left_of(handle));
  store_.nodes_.prefetch(right_of(handle));
}

std::uint64_t StateAccess::word_of(const std::byte* state, std::size_t word) const {
  const std::byte* const from = state + word * sizeof(std::uint64_t);
  if (word < whole_words_) return load(from);
  std::uint64_t value = 0;
  std::memcpy(&value, from, store_.state_bytes_ % sizeof value);
  return value;
}

void StateAccess::add_change(std::uint32_t state, std::size_t at, std::uint64_t key) {
  const std::uint64_t hash = NodeTable::hash(key);
  if (!recent_.empty()) {
    const Recent& recent = recent_[hash % kRecent];
    if (recent.key == key && recent.id != 0) {
      changes_.push_back({state, recent.id, at});
      return;
    }
  }
  store_.nodes_.prefetch_slots(hash);
  lookups_.push_back({changes_.size(), key, hash});
  changes_.push_back({state, 0, at});
}

/// Adds the words in which the state differs from the one read last.
void StateAccess::find_changes(const std::byte* state, std::uint32_t number) {
  std::size_t word = 0;
  for (; unfolded_ && word + 4 <= whole_words_; word += 4) {
    const std::byte* const from = state + word * sizeof(std::uint64_t);
    const std::array<std::uint64_t, 4> now = {load(from), load(from + 8), load(from + 16),
                                              load(from + 24)};
    const std::uint64_t* const before = words_.data() + word;
    if (((now[0] ^ before[0]) | (now[1] ^ before[1]) | (now[2] ^ before[2]) |
         (now[3] ^ before[3])) == 0) {
      continue;
    }
    for (std::size_t at = 0; at < 4; ++at) {
      if (now[at] != before[at]) add_change(number, word + at, now[at]);
    }
  }
  for (; word < words_.size(); ++word) {
    const std::uint64_t now = word_of(state, word);
    if (!unfolded_ || now != words_[word]) add_change(number, word, now);
  }
}

/// Numbers what add_change() collected. Each round of misses is for all of it at once.
template <class Number>
void StateAccess::look_up(Number&& number) {
  for (const Lookup& lookup : lookups_) store_.nodes_.prefetch_key(lookup.hash);
  for (const Lookup& lookup : lookups_) {
    const NodeId id = number(lookup.key, lookup.hash);
    changes_[lookup.change].id = id;
    if (!recent_.empty()) recent_[lookup.hash % kRecent] = {lookup.key, id};
  }
  looked_up_ += lookups_.size();
  if (recent_.empty() && looked_up_ > kRecent) recent_.resize(kRecent);  // not for a tiny search
  lookups_.clear();
}

/// Replaces the changes of `level` by those of the level above.
void StateAccess::make_parents(unsigned level) {
  const TreeShape& shape = store_.shape_;
  const NodeId* const here = ids_.data() + shape.offset(level);
  below_.swap(changes_);
  changes_.clear();
  for (std::size_t at = 0; at < below_.size(); ++at) {
    const Change& change = below_[at];
    const std::size_t parent = change.at / 2;
    if (change.at % 2 == 1) {
      add_change(change.state, parent, pair(here[change.at - 1], change.id));
    } else if (change.at + 1 == shape.size(level)) {
      changes_.push_back({change.state, change.id, parent});
    } else {
      NodeId right = here[change.at + 1];
      const bool both = at + 1 < below_.size() && below_[at + 1].state == change.state &&
                        below_[at + 1].at == change.at + 1;
      if (both) right = below_[++at].id;
      add_change(change.state, parent, pair(change.id, right));
    }
  }
}

/// Numbers the changed words of the states, then their ancestors level by level. `number(key,
/// hash)` may give 0: the handle of a state with such a node means nothing.
template <class Number>
void StateAccess::fold(const std::byte* states, std::size_t count, Handle* handles,
                       Number&& number) {
  const TreeShape& shape = store_.shape_;
  changes_.clear();
  for (std::size_t state = 0; state < count; ++state) {
    find_changes(states + state * store_.state_bytes_, static_cast<std::uint32_t>(state));
  }
  look_up(number);
  for (unsigned level = 0; level < shape.top(); ++level) {
    make_parents(level);
    look_up(number);
  }
  const bool one_word = words_.size() == 1;
  const NodeId* const top = ids_.data() + shape.offset(shape.top());
  for (std::size_t state = 0; state < count; ++state) {
    handles[state] = one_word ? top[0] : pair(top[0], top[1]);
  }
  for (const Change& change : changes_) {
    Handle& handle = handles[change.state];
    if (one_word) {
      handle = change.id;
    } else {
      handle =
          change.at == 0 ? pair(change.id, right_of(handle)) : pair(left_of(handle), change.id);
    }
  }
}

Handle StateAccess::find(const std::byte* state) {
  Handle handle = kNoHandle;
  bool known = true;
  fold(state, 1, &handle, [&](std::uint64_t key, std::uint64_t hash) {
    // After a miss the rest is of no use: no node has a 0 in it but by being a word.
    const NodeId id = known ? store_.nodes_.find(key, hash) : 0;
    known = known && id != 0;
    return id;
  });
  return known ? handle : kNoHandle;
}

void StateAccess::intern(const std::byte* states, std::size_t count, Handle* handles) {
  fold(states, count, handles, [this](std::uint64_t key, std::uint64_t hash) {
    return store_.nodes_.intern(key, hash, spare_);
  });
}

void StateAccess::flush() {
  store_.list_.append(staged_.data(), staged_count_);
  staged_count_ = 0;
}

void StateAccess::settle() {
  flush();
  store_.room_.fetch_add(room_, std::memory_order_relaxed);
  room_ = 0;
  store_.nodes_.give_back(spare_);
  spare_ = 0;
}

StateAccess::Insertion StateAccess::insert(const std::byte* state) {
  Crew alone(1);
  while (can_intern(1) == 0 || !can_insert()) {
    settle();
    const StateStore::Room room = store_.make_room(alone);
    if (room == StateStore::Room::available) continue;
    const Handle found = find(state);
    if (found != kNoHandle && store_.find_slot(found) != HandleSet::kNowhere) {
      return {found, false, StateStore::Room::available};
    }
    return {kNoHandle, false, room};
  }
  Handle handle = kNoHandle;
  intern(state, 1, &handle);
  const bool is_new = insert(handle, HandleSet::hash(handle));
  settle();
  return {handle, is_new, StateStore::Room::available};
}

}  // namespace drover::explore
