// Reading, comparing and numbering states; see state_access.hpp.
#include "explore/state_access.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace drover::explore {

namespace {

std::uint64_t load(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

StateAccess::StateAccess(StateStore& store)
    : store_(store),
      whole_words_(store.state_bytes() / sizeof(std::uint64_t)),
      memory_(MemoryBlock::allocate(store.shape().words() * (2 * sizeof(std::uint64_t) + 1))) {
  if (!memory_) throw std::bad_alloc();
  const StateShape& shape = store.shape();
  changes_ = ~Parts{0} >> (64 - shape.parts());
  words_ = reinterpret_cast<std::uint64_t*>(memory_.data());
  last_part_ = words_ + shape.words();
  part_of_ = reinterpret_cast<std::uint8_t*>(last_part_ + shape.words());
  for (std::size_t part = 0; part < shape.parts(); ++part) {
    std::fill_n(part_of_ + shape.begin(part), shape.words(part), static_cast<std::uint8_t>(part));
  }
  if (shape.bytes() % sizeof(std::uint64_t) != 0) incomplete_ = shape.parts() - 1;
  learn_layout();
}

/// Handles have another layout: the same numbers of parts, perhaps more pairs, in other bits.
void StateAccess::learn_layout() {
  rewritten_ = store_.rewritten();
  const StateLayout& layout = store_.layout_;
  const std::size_t known = std::exchange(nodes_, layout.nodes());
  for (std::size_t node = known; node < nodes_; ++node) tables_[node] = store_.tables_[node].get();
  roots_ = layout.fields().size();
  std::copy(layout.fields().begin(), layout.fields().end(), fields_.begin());
  for (Node part = 0; part < layout.parts(); ++part) {
    const bool root = layout.parent(part) == StateLayout::kNone;
    // A root of no bits needs no mask: its number is 1.
    const StateLayout::Field field = root ? layout.field(part) : StateLayout::Field{};
    const StateShape& shape = store_.shape_;
    parts_[part] = {static_cast<std::uint32_t>(shape.begin(part) * sizeof(std::uint64_t)),
                    static_cast<std::uint32_t>(shape.words(part)), field.shift,
                    root ? field.mask() : 0, !root};
  }
  handle_ = StateLayout::kTop;
  if (!unfolded_) return;
  store_.find_pairs(layout, known, numbers_.data());
  for (std::size_t root = 0; root < roots_; ++root) {
    if (numbers_[fields_[root].node] == 0) unfolded_ = false;
  }
  if (unfolded_) handle_ = layout.handle_of(numbers_.data());
}

void StateAccess::set_number(Node node, NodeId number) {
  if (numbers_[node] == number && unfolded_) return;
  numbers_[node] = number;
  const StateLayout& layout = store_.layout_;
  if (node < layout.parts()) {
    stale_ |= Parts{1} << node;
    changes_ |= Parts{1} << node;
    return;
  }
  const std::uint64_t pair = *tables_[node]->value(number);
  set_number(layout.pair(node).left, StateLayout::left_of(pair));
  set_number(layout.pair(node).right, StateLayout::right_of(pair));
}

void StateAccess::place_values() {
  for (; stale_ != 0; stale_ &= stale_ - 1) {
    const auto part = static_cast<std::size_t>(std::countr_zero(stale_));
    const std::uint64_t* const value = tables_[part]->value(numbers_[part]);
    std::uint64_t* const to = words_ + parts_[part].begin / sizeof(std::uint64_t);
    for (std::size_t word = 0; word < parts_[part].words; ++word) to[word] = value[word];
  }
}

void StateAccess::unfold(Handle handle) {
  catch_up_with_rewriting();
  for (std::size_t root = 0; root < roots_; ++root) {
    const StateLayout::Field& field = fields_[root];
    const NodeId number = field.number_in(handle);
    if (numbers_[field.node] != number || !unfolded_) set_number(field.node, number);
  }
  handle_ = handle;
  unfolded_ = true;
}

/// The parts in which the state differs from the one read last; all if there is none.
StateAccess::Parts StateAccess::changed_parts(const std::byte* state) const {
  if (!unfolded_) return ~Parts{0} >> (64 - store_.shape_.parts());
  Parts changed = 0;
  std::size_t word = 0;
  for (; word + 4 <= whole_words_; word += 4) {
    const std::byte* const from = state + word * sizeof(std::uint64_t);
    const std::array<std::uint64_t, 4> now = {load(from), load(from + 8), load(from + 16),
                                              load(from + 24)};
    const std::uint64_t* const before = words_ + word;
    if (((now[0] ^ before[0]) | (now[1] ^ before[1]) | (now[2] ^ before[2]) |
         (now[3] ^ before[3])) == 0) {
      continue;
    }
    for (std::size_t at = 0; at < 4; ++at) {
      changed |= Parts{now[at] != before[at]} << part_of_[word + at];
    }
  }
  for (; word < whole_words_; ++word) {
    changed |= Parts{load(state + word * sizeof(std::uint64_t)) != words_[word]} << part_of_[word];
  }
  const std::size_t rest = store_.state_bytes() % sizeof(std::uint64_t);
  if (rest != 0 && std::memcmp(state + word * sizeof(std::uint64_t), &words_[word], rest) != 0) {
    changed |= Parts{1} << part_of_[word];
  }
  return changed;
}

/// The value of a part that ends in the middle of a word.
const std::byte* StateAccess::last_part_of(const std::byte* state) {
  const std::byte* const begin = state + parts_[incomplete_].begin;
  std::memcpy(last_part_, begin, static_cast<std::size_t>(state + store_.state_bytes() - begin));
  return reinterpret_cast<const std::byte*>(last_part_);
}

/// Numbers the changed parts, then the pairs they are in. `number(node, value)` may give 0: there
/// is no handle then.
template <class Number>
Handle StateAccess::fold(const std::byte* state, Number&& number) {
  catch_up_with_rewriting();
  place_values();
  Handle handle = handle_;
  Parts in_pairs = 0;
  for (Parts left = changed_parts(state); left != 0; left &= left - 1) {
    const auto at = static_cast<Node>(std::countr_zero(left));
    const std::byte* const value =
        at == incomplete_ ? last_part_of(state) : state + parts_[at].begin;
    const NodeId id = number(at, value);
    if (id == 0) return kNoHandle;
    put(at, id, handle, in_pairs);
  }
  return in_pairs == 0 || fold_pairs(in_pairs, handle, number) ? handle : kNoHandle;
}

template <class Number>
bool StateAccess::fold_pairs(Parts changed, Handle& handle, Number&& number) {
  const StateLayout& layout = store_.layout_;
  Parts pairs = 0;  // by node - parts
  for (Parts left = changed; left != 0; left &= left - 1) {
    const auto part = static_cast<std::size_t>(std::countr_zero(left));
    pairs |= Parts{1} << (layout.parent(static_cast<Node>(part)) - layout.parts());
  }
  Parts changed_pairs = 0;
  const auto now = [&](Node node) {
    const Parts bit =
        node < layout.parts() ? changed >> node : changed_pairs >> (node - layout.parts());
    return (bit & 1U) != 0 ? fresh_[node] : numbers_[node];
  };
  while (pairs != 0) {  // a pair comes after what it is of
    const auto at = static_cast<Node>(std::countr_zero(pairs));
    const auto node = static_cast<Node>(layout.parts() + at);
    pairs &= pairs - 1;
    const StateLayout::Pair pair = layout.pair(node);
    const std::uint64_t value = StateLayout::value_of(now(pair.left), now(pair.right));
    const NodeId id = number(node, ValueTable::bytes_of(value));
    if (id == 0) return false;
    fresh_[node] = id;
    changed_pairs |= Parts{1} << at;
    if (layout.parent(node) != StateLayout::kNone) {
      pairs |= Parts{1} << (layout.parent(node) - layout.parts());
      continue;
    }
    handle = layout.field(node).put(id, handle);
  }
  return true;
}

Handle StateAccess::find(const std::byte* state) {
  return fold(state, [this](Node node, const std::byte* value) { return find_value(node, value); });
}

Handle StateAccess::intern(const std::byte* state) {
  return fold(state,
              [this](Node node, const std::byte* value) { return intern_value(node, value); });
}

Handle StateAccess::with(const Change* changes, std::size_t count) {
  catch_up_with_rewriting();
  Handle handle = handle_;
  Parts in_pairs = 0;
  for (std::size_t at = 0; at < count; ++at) {
    put(changes[at].part, changes[at].number, handle, in_pairs);
  }
  const auto number = [this](Node node, const std::byte* value) {
    return intern_value(node, value);
  };
  return in_pairs == 0 || fold_pairs(in_pairs, handle, number) ? handle : kNoHandle;
}

void StateAccess::flush() {
  store_.list_.append(staged_.data(), staged_count_);
  staged_count_ = 0;
}

void StateAccess::settle() {
  flush();
  store_.room_.fetch_add(room_, std::memory_order_relaxed);
  room_ = 0;
  for (std::size_t node = 0; node < nodes_; ++node) {
    if (spares_[node] == 0) continue;
    tables_[node]->give_back(spares_[node]);
    spares_[node] = 0;
  }
}

StateAccess::Insertion StateAccess::insert(const std::byte* state) {
  Crew alone(1);
  for (;;) {
    const Handle handle = intern(state);
    if (handle != kNoHandle && can_insert()) {
      const bool is_new = insert(handle, HandleSet::hash(handle));
      settle();
      return {handle, is_new, StateStore::Room::available};
    }
    settle();
    const StateStore::Room room = store_.make_room(alone);
    if (room == StateStore::Room::available) continue;
    const Handle found = find(state);
    if (found != kNoHandle && store_.find_slot(found) != HandleSet::kNowhere) {
      return {found, false, StateStore::Room::available};
    }
    return {kNoHandle, false, room};
  }
}

}  // namespace drover::explore
