// Choosing widths and pairs; what they are is in the header.
#include "explore/state_layout.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace drover::explore {

StateShape::StateShape(std::size_t bytes) : bytes_(bytes) {
  constexpr std::size_t kComfortable = 48;
  const std::size_t each = (words() + kComfortable - 1) / kComfortable;
  for (std::size_t word = 0; word < words(); word += each) begins_.push_back(word);
  begins_.push_back(words());
}

StateShape::StateShape(std::size_t bytes, const std::vector<std::uint32_t>& words_of_parts)
    : bytes_(bytes) {
  const std::size_t joined = (words_of_parts.size() + kMostParts - 1) / kMostParts;
  std::size_t begin = 0;
  for (std::size_t part = 0; part < words_of_parts.size(); ++part) {
    if (part % joined == 0) begins_.push_back(begin);
    begin += words_of_parts[part];
  }
  begins_.push_back(begin);
}

StateLayout::StateLayout(std::size_t parts)
    : parts_(parts), parents_(parts, kNone), field_of_(parts) {
  const std::vector<Node> all = roots();
  const auto each = static_cast<unsigned>(kBits / parts);
  set_fields(all, std::vector<unsigned>(parts, std::min(each, 31U)));
}

std::uint64_t StateLayout::most(Node node) const {
  constexpr std::uint64_t kMostNumbers = (std::uint64_t{1} << 32) - 1;
  if (parent(node) != kNone) return kMostNumbers;
  return std::min(std::uint64_t{1} << field(node).bits, kMostNumbers);
}

Handle StateLayout::handle_of(const NodeId* numbers) const {
  Handle handle = kTop;
  for (const Field& field : fields_) handle = field.put(numbers[field.node], handle);
  return handle;
}

std::vector<StateLayout::Node> StateLayout::roots() const {
  std::vector<Node> roots;
  for (Node node = 0; node < nodes(); ++node) {
    if (parents_[node] == kNone) roots.push_back(node);
  }
  return roots;
}

void StateLayout::set_fields(const std::vector<Node>& roots, const std::vector<unsigned>& bits) {
  fields_.clear();
  field_of_.assign(nodes(), 0);
  unsigned shift = 0;
  for (std::size_t at = 0; at < roots.size(); ++at) {
    field_of_[roots[at]] = static_cast<std::uint32_t>(at);
    fields_.push_back({roots[at], shift, bits[at]});
    shift += bits[at];
  }
}

void StateLayout::add_pair(Node left, Node right) {
  const auto node = static_cast<Node>(nodes());
  pairs_.push_back({left, right});
  parents_.push_back(kNone);
  parents_[left] = parents_[right] = node;
}

namespace {

unsigned bits_for(std::uint64_t count) {
  return count <= 1 ? 0 : static_cast<unsigned>(std::bit_width(count - 1));
}

/// Bits for a root with `count` numbers: one number more has to fit, but if it is the only one.
unsigned bits_wanted(std::uint64_t count) {
  return count <= 1 ? 0 : bits_for(count + 1);
}

/// Of how many bits less than there are a layout has to do with: they are for what comes.
unsigned reserve(std::size_t varying) {
  return varying <= 2 ? 0 : static_cast<unsigned>(4 + varying / 4);
}

/// Chooses pairs by a sample. Two roots are a good pair if few combinations of their values occur:
/// that saves bits, and the table of the pair stays in the cache.
class Pairing {
 public:
  using Node = StateLayout::Node;

  Pairing(const std::vector<Node>& roots, std::span<const std::uint64_t> counts,
          std::vector<std::vector<NodeId>>&& columns, Node next)
      : next_(next), samples_(columns.front().size()) {
    for (std::size_t at = 0; at < roots.size(); ++at) {
      if (counts[roots[at]] > 1) add(roots[at], counts[roots[at]], std::move(columns[at]));
    }
  }

  std::vector<StateLayout::Pair> choose() {
    std::vector<StateLayout::Pair> pairs;
    while (columns_.size() > 2 &&
           (pairs.empty() || bits() + reserve(columns_.size()) > StateLayout::kBits)) {
      const auto [a, b] = best();
      pairs.push_back({columns_[a].node, columns_[b].node});
      join(a, b);
    }
    return pairs;
  }

 private:
  struct Column {
    Node node;
    std::uint64_t count;                      // of its numbers in all states
    std::uint32_t distinct;                   // in the sample
    std::vector<NodeId> numbers;              // below distinct
    std::vector<std::uint32_t> combinations;  // with each column before it
  };

  unsigned bits() const {
    unsigned bits = 0;
    for (const Column& column : columns_) bits += bits_wanted(column.count);
    return bits;
  }

  void add(Node node, std::uint64_t count, std::vector<NodeId>&& numbers) {
    Column column{node, count, 0, std::move(numbers), {}};
    std::unordered_map<NodeId, NodeId> known;
    NodeId last = 0, dense = 0;  // numbers come in runs
    for (NodeId& number : column.numbers) {
      if (number != last)
        dense = known.emplace(number, static_cast<NodeId>(known.size())).first->second;
      last = std::exchange(number, dense);
    }
    column.distinct = static_cast<std::uint32_t>(known.size());
    for (const Column& other : columns_) column.combinations.push_back(combinations(column, other));
    columns_.push_back(std::move(column));
  }

  std::uint32_t combinations(const Column& a, const Column& b) {
    const std::uint64_t all = std::uint64_t{a.distinct} * b.distinct;
    if (all > kMostCombinations) return ~std::uint32_t{0};
    seen_.assign(all, false);
    std::uint32_t count = 0;
    for (std::size_t at = 0; at < samples_; ++at) {
      auto&& seen = seen_[std::size_t{a.numbers[at]} * b.distinct + b.numbers[at]];
      count += seen ? 0 : 1;
      seen = true;
    }
    return count;
  }

  /// The later column first.
  std::pair<std::size_t, std::size_t> best() const {
    std::pair<std::size_t, std::size_t> best{1, 0};
    double best_score = -std::numeric_limits<double>::infinity();
    for (std::size_t a = 1; a < columns_.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        const double score = score_of(columns_[a], columns_[b], columns_[a].combinations[b]);
        if (score > best_score) {
          best_score = score;
          best = {a, b};
        }
      }
    }
    return best;
  }

  /// Bits saved, and a bit less for each by which the table is larger. Where each second state of
  /// the sample has a combination of its own, the sample tells nothing.
  double score_of(const Column& a, const Column& b, std::uint32_t combinations) const {
    const double all = static_cast<double>(a.distinct) * static_cast<double>(b.distinct);
    if (combinations == ~std::uint32_t{0}) return -1000 - std::log2(all);
    const double many = std::log2(combinations);
    const double saved = std::log2(all) - many;
    if (combinations * 2 > samples_ && combinations > 64) return saved - 100 - many;
    return saved - many;
  }

  void join(std::size_t a, std::size_t b) {
    std::vector<NodeId> numbers;
    const std::uint32_t width = columns_[b].distinct;
    std::unordered_map<std::uint64_t, NodeId> known;
    for (std::size_t at = 0; at < samples_; ++at) {
      const std::uint64_t both =
          std::uint64_t{columns_[a].numbers[at]} * width + columns_[b].numbers[at];
      numbers.push_back(known.emplace(both, static_cast<NodeId>(known.size())).first->second);
    }
    for (std::size_t later = a + 1; later < columns_.size(); ++later) {
      auto& counts = columns_[later].combinations;
      counts.erase(counts.begin() + static_cast<std::ptrdiff_t>(a));
    }
    for (std::size_t later = b + 1; later < columns_.size(); ++later) {
      auto& counts = columns_[later].combinations;
      if (later != a) counts.erase(counts.begin() + static_cast<std::ptrdiff_t>(b));
    }
    const double grown = static_cast<double>(columns_[a].count) / columns_[a].distinct *
                         static_cast<double>(columns_[b].count) / columns_[b].distinct;
    const double count = static_cast<double>(known.size()) * std::min(grown, 4.0);
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(a));
    columns_.erase(columns_.begin() + static_cast<std::ptrdiff_t>(b));
    add(next_++, static_cast<std::uint64_t>(count), std::move(numbers));
  }

  static constexpr std::uint64_t kMostCombinations = std::uint64_t{1} << 22;

  Node next_;
  std::size_t samples_;
  std::vector<Column> columns_;
  std::vector<bool> seen_;
};

}  // namespace

bool StateLayout::widen(std::span<const std::uint64_t> counts) {
  const std::vector<Node> all = roots();
  std::vector<unsigned> bits;
  unsigned used = 0;
  std::size_t varying = 0;
  for (const Node root : all) {
    bits.push_back(bits_wanted(counts[root]));
    used += bits.back();
    varying += counts[root] > 1 ? 1 : 0;
  }
  if (used + reserve(varying) > kBits) return false;
  unsigned left = kBits - used;
  for (bool given = true; given && left > 0;) {
    given = false;
    for (const bool varies : {true, false}) {
      for (std::size_t at = 0; at < all.size() && left > 0; ++at) {
        if ((counts[all[at]] > 1) != varies || bits[at] >= 32) continue;
        ++bits[at];
        --left;
        given = true;
      }
    }
  }
  set_fields(all, bits);
  return true;
}

std::vector<StateLayout::Pair> StateLayout::pairs_to_add(
    std::span<const std::uint64_t> counts, std::vector<std::vector<NodeId>> columns) const {
  return Pairing(roots(), counts, std::move(columns), static_cast<Node>(nodes())).choose();
}

std::vector<std::uint64_t> StateLayout::saved() const {
  std::vector<std::uint64_t> saved = {pairs_.size()};
  for (const Pair& pair : pairs_) saved.push_back(std::uint64_t{pair.left} << 32 | pair.right);
  for (const Field& field : fields_) saved.push_back(std::uint64_t{field.node} << 32 | field.bits);
  return saved;
}

bool StateLayout::restore(std::size_t parts, const std::vector<std::uint64_t>& saved) {
  *this = StateLayout(parts);
  if (saved.empty() || saved[0] >= parts || saved.size() < saved[0] + 1) return false;
  std::size_t at = 1;
  for (; at <= saved[0]; ++at) {
    const auto left = static_cast<Node>(saved[at] >> 32);
    const auto right = static_cast<Node>(saved[at]);
    if (left >= nodes() || right >= nodes() || left == right) return false;
    if (parents_[left] != kNone || parents_[right] != kNone) return false;
    add_pair(left, right);
  }
  std::vector<Node> nodes;
  std::vector<unsigned> bits;
  for (; at < saved.size(); ++at) {
    nodes.push_back(static_cast<Node>(saved[at] >> 32));
    bits.push_back(static_cast<unsigned>(saved[at]));
  }
  std::vector<Node> sorted(nodes);
  std::sort(sorted.begin(), sorted.end());
  if (sorted != roots() || std::accumulate(bits.begin(), bits.end(), 0U) > kBits) return false;
  if (!std::all_of(bits.begin(), bits.end(), [](unsigned b) { return b <= 32; })) return false;
  set_fields(nodes, bits);
  return true;
}

}  // namespace drover::explore
