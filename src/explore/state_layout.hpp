// How a state becomes one 64-bit handle: parts, pairs of parts, and the bits their numbers take.
// Arithmetic only; the numbers themselves are kept by state_store.hpp, which says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "explore/handle_set.hpp"
#include "explore/value_table.hpp"

namespace drover::explore {

/// The bytes of a state and how they are cut into parts: stretches of whole words of 8 bytes (the
/// last one may end earlier) whose values repeat from state to state.
class StateShape {
 public:
  static constexpr std::size_t kMostParts = 64;

  /// Parts of a word each, or of several where that gives too many.
  StateShape(std::size_t bytes);  // NOLINT(google-explicit-constructor): most models say no more
  /// Parts of that many words, first to last. Neighbours are joined where there are too many.
  StateShape(std::size_t bytes, const std::vector<std::uint32_t>& words_of_parts);

  std::size_t bytes() const { return bytes_; }
  /// Words, the last of which may be incomplete.
  std::size_t words() const { return (bytes_ + 7) / 8; }
  std::size_t parts() const { return begins_.size() - 1; }
  /// First word of a part; of part parts(): words().
  std::size_t begin(std::size_t part) const { return begins_[part]; }
  std::size_t words(std::size_t part) const { return begins_[part + 1] - begins_[part]; }
  bool operator==(const StateShape&) const = default;

 private:
  std::size_t bytes_;
  std::vector<std::size_t> begins_;
};

/// The shape of a model's states: model.part_words(), if it has that, says the words of each part.
template <class M>
StateShape shape_of(const M& model) {
  if constexpr (requires { model.part_words(); }) {
    return {model.state_bytes(), model.part_words()};
  } else {
    return {model.state_bytes()};
  }
}

/// A forest over the parts: nodes 0 .. parts-1 are the parts, later ones pairs of earlier nodes.
/// The roots are numbered in as many bits of the handle as they have been given, and the top bit of
/// a handle is set, so none is 0. A layout is replaced by another with more pairs or other widths.
class StateLayout {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = ~Node{0};
  static constexpr std::size_t kMostNodes = 2 * StateShape::kMostParts;
  static constexpr unsigned kBits = 63;
  static constexpr Handle kTop = Handle{1} << kBits;

  /// Where the number of a root, less one, stands in a handle.
  struct Field {
    Node node;
    unsigned shift, bits;
    std::uint64_t mask() const { return ((std::uint64_t{1} << bits) - 1) << shift; }
    NodeId number_in(Handle handle) const {
      return static_cast<NodeId>((handle & mask()) >> shift) + 1;
    }
    Handle put(NodeId number, Handle handle) const {
      return (handle & ~mask()) | (std::uint64_t{number} - 1) << shift;
    }
  };
  struct Pair {
    Node left, right;
  };
  /// A pair as the value that is numbered, and back.
  static std::uint64_t value_of(NodeId left, NodeId right) {
    return std::uint64_t{left} << 32 | right;
  }
  static NodeId left_of(std::uint64_t value) { return static_cast<NodeId>(value >> 32); }
  static NodeId right_of(std::uint64_t value) { return static_cast<NodeId>(value); }

  StateLayout() = default;
  /// No pairs, and bits shared out evenly.
  explicit StateLayout(std::size_t parts);

  std::size_t parts() const { return parts_; }
  std::size_t nodes() const { return parts_ + pairs_.size(); }
  const Pair& pair(Node node) const { return pairs_[node - parts_]; }
  Node parent(Node node) const { return parents_[node]; }
  const std::vector<Field>& fields() const { return fields_; }
  /// The handle of a state with these numbers, by node.
  Handle handle_of(const NodeId* numbers) const;
  /// The field of a root.
  const Field& field(Node root) const { return fields_[field_of_[root]]; }
  /// Largest number of a node that a handle can hold.
  std::uint64_t most(Node node) const;

  /// Nodes that are in no pair.
  std::vector<Node> roots() const;

  /// Makes a pair of two roots, the first step to another layout: fields() is out of date until
  /// widen().
  void add_pair(Node left, Node right);
  /// Shares out the bits so that the roots have room for more than `counts[node]` numbers each.
  /// False: they do not suffice.
  bool widen(std::span<const std::uint64_t> counts);
  /// Pairs of roots, and of such pairs, to add before widen() is tried again: `columns` has, for
  /// each of roots(), its numbers in a sample of states. At least one pair if there are three
  /// roots.
  std::vector<Pair> pairs_to_add(std::span<const std::uint64_t> counts,
                                 std::vector<std::vector<NodeId>> columns) const;

  /// For a checkpoint: all there is to know, and back. False: it makes no sense.
  std::vector<std::uint64_t> saved() const;
  bool restore(std::size_t parts, const std::vector<std::uint64_t>& saved);

 private:
  /// Gives the roots these bits each.
  void set_fields(const std::vector<Node>& roots, const std::vector<unsigned>& bits);

  std::size_t parts_ = 0;
  std::vector<Pair> pairs_;
  std::vector<Node> parents_;
  std::vector<Field> fields_;
  std::vector<std::uint32_t> field_of_;
};

}  // namespace drover::explore
