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
      ids_(store.shape().nodes()) {
  changed_.reserve(words_.size());
  undo_.reserve(ids_.size());
}

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

void StateAccess::find_changed_words(const std::byte* state) {
  changed_.clear();
  if (!unfolded_) {
    for (std::size_t word = 0; word < words_.size(); ++word) changed_.push_back(word);
    return;
  }
  std::size_t word = 0;
  for (; word + 4 <= whole_words_; word += 4) {
    const std::byte* const from = state + word * sizeof(std::uint64_t);
    const std::array<std::uint64_t, 4> differs = {
        load(from) ^ words_[word], load(from + 8) ^ words_[word + 1],
        load(from + 16) ^ words_[word + 2], load(from + 24) ^ words_[word + 3]};
    if ((differs[0] | differs[1] | differs[2] | differs[3]) == 0) continue;
    for (std::size_t at = 0; at < 4; ++at) {
      if (differs[at] != 0) changed_.push_back(word + at);
    }
  }
  for (; word < words_.size(); ++word) {
    if (word_of(state, word) != words_[word]) changed_.push_back(word);
  }
}

Handle StateAccess::top_handle() const {
  const TreeShape& shape = store_.shape_;
  if (words_.size() == 1) return ids_[0];
  const std::size_t top = shape.offset(shape.top());
  return pair(ids_[top], ids_[top + 1]);
}

/// Numbers the changed words, then their ancestors level by level; afterwards ids_ is again what it
/// was. `number(key)` gives 0 to end it with kNoHandle.
template <class Number>
Handle StateAccess::fold(const std::byte* state, Number&& number) {
  const TreeShape& shape = store_.shape_;
  find_changed_words(state);
  undo_.clear();
  bool known = true;
  for (const std::size_t word : changed_) {
    const NodeId id = number(word_of(state, word));
    known = known && id != 0;
    change(word, id);
  }
  for (unsigned level = 0; known && level < shape.top(); ++level) {
    const NodeId* const below = ids_.data() + shape.offset(level);
    std::size_t parents = 0;
    for (const std::size_t at : changed_) {
      const std::size_t parent = at / 2;
      if (parents > 0 && changed_[parents - 1] == parent) continue;
      changed_[parents++] = parent;  // behind the entry being read
      const bool handed_up = 2 * parent + 1 == shape.size(level);
      const NodeId id = handed_up ? below[2 * parent]
                                  : number(pair(below[2 * parent], below[2 * parent + 1]));
      known = known && id != 0;
      change(shape.offset(level + 1) + parent, id);
    }
    changed_.resize(parents);
  }
  const Handle handle = known ? top_handle() : kNoHandle;
  for (const Change& change : undo_) ids_[change.at] = change.before;
  return handle;
}

Handle StateAccess::find(const std::byte* state) {
  return fold(state, [this](std::uint64_t key) { return store_.nodes_.find(key); });
}

Handle StateAccess::intern(const std::byte* state) {
  return fold(state, [this](std::uint64_t key) { return store_.nodes_.intern(key, spare_); });
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
  while (!can_intern() || !can_insert()) {
    settle();
    const StateStore::Room room = store_.make_room(alone);
    if (room == StateStore::Room::available) continue;
    const Handle found = find(state);
    if (found != kNoHandle && store_.find_slot(found) != HandleSet::kNowhere) {
      return {found, false, StateStore::Room::available};
    }
    return {kNoHandle, false, room};
  }
  const Handle handle = intern(state);
  const bool is_new = insert(handle, HandleSet::hash(handle));
  settle();
  return {handle, is_new, StateStore::Room::available};
}

}  // namespace drover::explore
