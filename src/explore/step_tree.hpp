// StepTree: from what a step looks at in a state to what it did, for each mover.
// transition_cache.hpp says why that is a tree. What a leaf means is that one's.
#pragma once

#include <array>
#include <bit>
#include <stdexcept>
#include <utility>
#include <vector>

#include "explore/cache_tables.hpp"
#include "explore/part_views.hpp"

namespace drover::explore::detail {

template <FactoredModel M>
class StepTree {
 public:
  static constexpr unsigned kMostMovers = 32;
  static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
  using Parts = std::uint64_t;
  using Numbers = std::array<NodeId, StateShape::kMostParts>;

  explicit StepTree(PartViews<M>& views) : views_(views) {}

  /// In which parts the state to be expanded, of these numbers, differs from the one before.
  void note_changed(M& model, Parts changed, const Numbers& numbers) {
    for (unsigned mover = 0; mover < model.movers(); ++mover) walks_[mover].changed |= changed;
    for (; changed != 0; changed &= changed - 1) {
      const auto part = static_cast<std::size_t>(std::countr_zero(changed));
      for (unsigned looks = looks_at_[part]; looks != 0; looks &= looks - 1) {
        const auto look = static_cast<std::uint8_t>(std::countr_zero(looks));
        ids_[index_of({static_cast<std::uint8_t>(part), look})] =
            views_.id_of(model, look, part, numbers[part]);
      }
    }
  }

  /// Fetches the first edge of a walk into the cache: those of all movers come at once so.
  void prepare(unsigned mover) {
    Walk& walk = walks_[mover];
    if ((walk.changed & walk.looked_at) == 0 || roots_[mover] == 0) return;
    walk.key = key_of(roots_[mover]);
    edges_.prefetch(walk.key);
  }

  /// The leaf for a mover in the state to be expanded, or kUnknown. Counts in `asked`
  /// if it is not the same as the last time because nothing changed that it depends on.
  std::uint32_t find(unsigned mover, std::uint64_t& asked) {
    Walk& walk = walks_[mover];
    if ((walk.changed & walk.looked_at) == 0) {
      walk.changed = 0;
      return walk.leaf;
    }
    ++asked;
    walk.changed = 0;
    std::uint32_t target = roots_[mover];
    std::uint64_t key = std::exchange(walk.key, 0);
    if (key == 0 && target != 0) key = key_of(target);
    for (walk.looked_at = 0; key != 0; key = target == 0 ? 0 : key_of(target)) {
      walk.looked_at |= nodes_[target].parts;
      target = edges_.find(key);
      if ((target & kLeaf) != 0) return walk.leaf = target & ~kLeaf;
    }
    return kUnknown;
  }

  /// What find() is to find where these views show what they do now.
  void enter(M& model, unsigned mover, const Numbers& numbers, const std::vector<View>& looked_at,
             std::uint32_t leaf) {
    Walk& walk = walks_[mover];
    walk = {0, 0, leaf, 0};
    for (const View view : looked_at) walk.looked_at |= Parts{1} << view.part;
    full_ = full_ || looked_at.empty() || leaf >= kLeaf ||
            nodes_.size() + 2 * looked_at.size() >= std::size_t{1} << (64 - kKeyBits);
    std::uint64_t from = 0;  // the edge that leads here; 0: the root
    for (std::size_t at = 0; at < looked_at.size() && !full_;) {
      std::uint32_t node = from == 0 ? roots_[mover] : edges_.find(from);
      if ((node & kLeaf) != 0) throw_other_order();
      const std::size_t common = node == 0 ? 0 : common_views(node, looked_at, at);
      if (node == 0 || common < nodes_[node].count || key_of(node) == 0) {
        // What was below it is found anew if it is wanted.
        node =
            new_node(model, numbers, looked_at, at, common == 0 ? looked_at.size() - at : common);
        if (from == 0) {
          roots_[mover] = node;
        } else {
          edges_.set(from, node);
        }
      }
      from = key_of(node);
      at += nodes_[node].count;
    }
    if (!full_) edges_.set(from, kLeaf | leaf);
  }

  /// Whether it takes nothing more until forget().
  bool full() const { return full_; }
  void forget() {
    full_ = false;
    edges_.clear();
    nodes_ = {};
    roots_ = {};
    walks_ = {};
  }
  std::uint64_t bytes() const { return edges_.bytes() + nodes_.size() * sizeof(Node); }

 private:
  // Targets of edges: 0: nothing known; a node; with this bit: a leaf.
  static constexpr std::uint32_t kLeaf = std::uint32_t{1} << 31;
  static constexpr unsigned kKeyBits = 44;  // of the key of an edge; the others number the node

  /// Some views that are looked at one after the other, and where their ids are in the key of an
  /// edge. Sequences that part within a node make that a node of its own.
  struct Node {
    static constexpr std::size_t kMost = 13;
    struct Item {
      View view;
      std::uint8_t shift, bits;
    };
    std::array<Item, kMost> items;
    std::uint32_t count = 0;
    Parts parts = 0;  // of the views
  };
  static_assert(sizeof(Node) == 64);

  /// The way of the last step of a mover.
  struct Walk {
    Parts changed = ~Parts{0};  // since then
    Parts looked_at = ~Parts{0};
    std::uint32_t leaf = 0;
    std::uint64_t key = 0;  // of the first edge, 0: not known
  };

  [[noreturn]] static void throw_other_order() {
    throw std::logic_error("drover: a step looks at a state in more than one order");
  }

  /// Of the edge that the state takes out of a node; 0: an id has become too large.
  std::uint64_t key_of(std::uint32_t number) const {
    const Node& node = nodes_[number];
    std::uint64_t key = std::uint64_t{number} << kKeyBits;
    std::uint64_t too_large = 0;
    for (std::uint32_t at = 0; at < node.count; ++at) {
      const typename Node::Item item = node.items[at];
      const std::uint64_t id = ids_[index_of(item.view)];
      too_large |= id >> item.bits;
      key |= id << item.shift;
    }
    return too_large == 0 ? key : 0;
  }
  static std::size_t index_of(View view) { return view.look * StateShape::kMostParts + view.part; }

  /// How many views of a node come in the same order in looked_at from `at` on.
  std::size_t common_views(std::uint32_t node, const std::vector<View>& looked_at,
                           std::size_t at) const {
    const Node& views = nodes_[node];
    std::size_t common = 0;
    while (common < views.count && at + common < looked_at.size() &&
           views.items[common].view == looked_at[at + common]) {
      ++common;
    }
    if (common == 0) throw_other_order();
    return common;
  }

  /// For as many of looked_at[at] and the following as there is room for, at most `most`.
  std::uint32_t new_node(M& model, const Numbers& numbers, const std::vector<View>& looked_at,
                         std::size_t at, std::size_t most) {
    if (nodes_.empty()) nodes_.push_back({});  // 0 is none
    Node node{};
    unsigned shift = 0;
    for (; node.count < std::min(most, Node::kMost); ++node.count) {
      const View view = looked_at[at + node.count];
      const auto bits = static_cast<unsigned>(std::bit_width(views_.most(view))) + 1U;
      if (shift + bits > kKeyBits) break;
      node.items[node.count] = {view, static_cast<std::uint8_t>(shift),
                                static_cast<std::uint8_t>(bits)};
      node.parts |= Parts{1} << view.part;
      looks_at_[view.part] = static_cast<std::uint8_t>(looks_at_[view.part] | 1U << view.look);
      ids_[index_of(view)] = views_.id_of(model, view.look, view.part, numbers[view.part]);
      shift += bits;
    }
    nodes_.push_back(node);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }

  PartViews<M>& views_;
  std::array<std::uint32_t, kMostMovers> roots_{};
  std::array<Walk, kMostMovers> walks_{};
  std::vector<Node> nodes_;
  FlatMap<WideSlot> edges_;  // node and ids -> target
  // What the views that some node has show in the state being expanded.
  std::array<std::uint32_t, kMostLooks * StateShape::kMostParts> ids_{};
  std::array<std::uint8_t, StateShape::kMostParts> looks_at_{};  // by bit
  bool full_ = false;
};

}  // namespace drover::explore::detail
