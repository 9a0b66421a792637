// StateStore when the bits of its handles do not suffice: another layout, and every handle
// rewritten. Done with no thread at work but those of the crew.
#include <algorithm>
#include <array>
#include <utility>

#include "explore/state_store.hpp"

namespace drover::explore {

namespace {

/// States by which pairs are chosen, out of `size`: what they cost is to stay small.
std::uint64_t samples_of(std::uint64_t size) {
  return std::min(size, std::clamp<std::uint64_t>(size / 16, 512, 8192));
}

using Numbers = std::array<NodeId, StateLayout::kMostNodes>;  // by node

std::uint64_t value_of(const StateLayout::Pair& pair, const NodeId* numbers) {
  return StateLayout::value_of(numbers[pair.left], numbers[pair.right]);
}

}  // namespace

/// How many numbers of each node are to fit: those there are, and one more where they are used up.
std::vector<std::uint64_t> StateStore::counts() const {
  std::vector<std::uint64_t> counts;
  for (const auto& table : tables_) {
    counts.push_back(table->size() + (table->is_exhausted() ? 1 : 0));
  }
  return counts;
}

/// Looks up the pairs of `layout` from node `begin` on by the numbers of the nodes before; 0: such
/// a pair is not known.
void StateStore::find_pairs(const StateLayout& layout, std::size_t begin, NodeId* numbers) const {
  for (auto node = static_cast<Node>(begin); node < layout.nodes(); ++node) {
    numbers[node] = tables_[node]->find(value_of(layout.pair(node), numbers));
  }
}

/// The numbers of the roots of a handle of layout `from`, and of the pairs that `to` has beyond it.
void StateStore::numbers_of(Handle handle, const StateLayout& from, const StateLayout& to,
                            NodeId* numbers) const {
  for (const StateLayout::Field& field : from.fields()) {
    numbers[field.node] = field.number_in(handle);
  }
  find_pairs(to, from.nodes(), numbers);
}

/// Adds pairs to `next`, with tables of the pairs of all states. False: there is no memory for it.
bool StateStore::add_pairs(StateLayout& next, Crew& crew) {
  const std::vector<Node> roots = next.roots();
  const std::uint64_t samples = samples_of(size());
  if (roots.size() <= 2 || samples == 0) return false;
  std::vector<std::vector<NodeId>> columns(roots.size());
  Numbers numbers{};
  for (std::uint64_t at = 0; at < samples; ++at) {
    numbers_of(list_[at * size() / samples], layout_, next, numbers.data());
    for (std::size_t root = 0; root < roots.size(); ++root) {
      columns[root].push_back(numbers[roots[root]]);
    }
  }
  const StateLayout known = next;
  for (const StateLayout::Pair pair : next.pairs_to_add(counts(), std::move(columns))) {
    next.add_pair(pair.left, pair.right);
    tables_.push_back(std::make_unique<ValueTable>(1));
  }
  for (StateIndex index = 0; index < size(); ++index) {
    numbers_of(list_[index], layout_, known, numbers.data());
    for (auto node = static_cast<Node>(known.nodes()); node < next.nodes(); ++node) {
      numbers[node] = enter(node, value_of(next.pair(node), numbers.data()), crew);
      if (numbers[node] == 0) return false;
    }
  }
  return true;
}

/// The number of a pair, in this one thread: so none is taken in vain. 0: no memory.
NodeId StateStore::enter(Node node, std::uint64_t pair, Crew& crew) {
  constexpr std::uint64_t kMost = (std::uint64_t{1} << 32) - 1;
  ValueTable& table = *tables_[node];
  for (NodeId spare = 0;;) {
    const NodeId id = table.intern(pair, spare);
    if (id != 0) return id;
    const bool full = table.is_full(1);
    const std::uint64_t most = left() > kMost ? kUnlimited : table.table_bytes() + left();
    if (full && (!table.grow(1, most, crew) || left() == 0)) return 0;
    if (!table.allow(kMost, kMost)) return 0;
  }
}

/// Shares out the bits of handles anew and rewrites all handles. False: no memory; all is as
/// before.
bool StateStore::rewrite(Crew& crew) {
  StateLayout next = layout_;
  while (!next.widen(counts())) {
    if (add_pairs(next, crew)) continue;
    tables_.resize(layout_.nodes());
    return false;
  }
  const StateLayout before = std::exchange(layout_, std::move(next));
  ++rewritten_;
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 14;
  crew.in_blocks(size(), kBlock, [&](std::uint64_t begin, std::uint64_t end) {
    Numbers numbers{};
    for (StateIndex index = begin; index < end; ++index) {
      numbers_of(list_[index], before, layout_, numbers.data());
      list_.set(index, layout_.handle_of(numbers.data()));
    }
  });
  visited_.refill(size(), crew, [this](StateIndex index) { return list_[index]; });
  return true;
}

}  // namespace drover::explore
