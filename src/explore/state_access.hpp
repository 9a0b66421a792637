// One thread's view of a StateStore: reads states, interns successors, adds new ones. Holds the
// bytes and numbers of the state read last; state_store.hpp says why.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "explore/state_store.hpp"

namespace drover::explore {

/// To be made anew after StateStore::clear().
class alignas(64) StateAccess {
 public:
  explicit StateAccess(StateStore& store);
  StateAccess(const StateAccess&) = delete;
  StateAccess& operator=(const StateAccess&) = delete;
  ~StateAccess() { settle(); }

  StateStore& store() { return store_; }

  /// The bytes of a state by its handle; valid until the next read(). Bytes after the state's, up
  /// to a multiple of 8, are zero.
  const std::byte* read(Handle handle) {
    unfold(handle);
    return bytes_read();
  }
  /// The same in two steps, the second of which is not always wanted: the numbers of its parts,
  /// then their values.
  void unfold(Handle handle);
  const std::byte* bytes_read() {
    place_values();
    return reinterpret_cast<const std::byte*>(words_);
  }
  StateBytes bytes(Handle handle) { return {read(handle), store_.state_bytes()}; }

  /// The handle of these bytes, or kNoHandle: they are not those of any state. Fast if they differ
  /// little from those read last. A handle that is returned need not be that of a stored state.
  Handle find(const std::byte* state);

  /// The handle of a state, whether it is stored or not. kNoHandle: settle() and
  /// StateStore::make_room(), then try again.
  Handle intern(const std::byte* state);

  // --- By numbers of parts ----------------------------------------------------------------------
  /// Of the state unfolded last.
  NodeId number(std::size_t part) const { return numbers_[part]; }
  /// By bit, the parts whose numbers may differ from what they were at the last call; at first all.
  std::uint64_t take_changes() { return std::exchange(changes_, 0); }
  const std::uint64_t* value(std::size_t part, NodeId number) const {
    return tables_[part]->value(number);
  }
  /// Numbers a value of a part; 0: as intern().
  NodeId intern_part(std::size_t part, const std::uint64_t* value) {
    return intern_value(static_cast<Node>(part), reinterpret_cast<const std::byte*>(value));
  }
  /// 0: that is no state's part.
  NodeId find_part(std::size_t part, const std::uint64_t* value) const {
    return find_value(static_cast<Node>(part), reinterpret_cast<const std::byte*>(value));
  }
  struct Change {
    std::uint32_t part;
    NodeId number;
  };
  /// The handle of the state unfolded last but for these parts; kNoHandle: as intern().
  Handle with(const Change* changes, std::size_t count);

  /// Whether one more state can be inserted; if not, settle() and StateStore::make_room().
  bool can_insert() { return room_ > 0 || (room_ = store_.take_room(kLot)) > 0; }
  /// Inserts a state by the handle intern() gave; whether it is new. The list gets it at the
  /// latest when this access settles.
  bool insert(Handle handle, std::uint64_t hash) {
    if (!store_.visited_.insert(handle, hash)) return false;
    --room_;
    staged_[staged_count_++] = handle;
    if (staged_count_ == kStage) flush();
    return true;
  }
  void prefetch_slot(std::uint64_t hash) const { store_.visited_.prefetch(hash); }

  /// Brings all that this access inserted into the list and gives back what it reserved.
  void settle();

  // --- For single-threaded use ------------------------------------------------------------------
  struct Insertion {
    Handle handle;  // kNoHandle unless there is room
    bool is_new;
    StateStore::Room room;
  };
  /// Interns, inserts and settles, making room if need be.
  Insertion insert(const std::byte* state);

 private:
  using Node = StateLayout::Node;
  static constexpr std::int64_t kLot = 64;
  static constexpr std::size_t kStage = 256;

  /// A set of parts, by bit.
  using Parts = std::uint64_t;

  /// What numbering a part needs, in one place.
  struct Part {
    std::uint32_t begin, words;  // bytes, and 8 of them
    unsigned shift;              // of its field
    std::uint64_t mask;          // of its field; 0 if it has none
    bool in_pair;
  };

  void catch_up_with_rewriting() {
    if (rewritten_ != store_.rewritten()) [[unlikely]]
      learn_layout();
  }
  void learn_layout();
  void set_number(Node node, NodeId number);
  void place_values();
  Parts changed_parts(const std::byte* state) const;
  const std::byte* last_part_of(const std::byte* state);
  NodeId intern_value(Node node, const std::byte* value) {
    return tables_[node]->intern(value, spares_[node]);
  }
  NodeId find_value(Node node, const std::byte* value) const {
    const NodeId id = tables_[node]->find(value);
    // A number that a handle has no bits for is not that of any state's part.
    return id > store_.layout_.most(node) ? 0 : id;
  }
  /// Where a part has this number; parts of pairs are noted for fold_pairs().
  void put(std::size_t at, NodeId id, Handle& handle, Parts& in_pairs) {
    const Part& part = parts_[at];
    handle = (handle & ~part.mask) | ((std::uint64_t{id} - 1) << part.shift & part.mask);
    if (!part.in_pair) return;
    in_pairs |= Parts{1} << at;
    fresh_[at] = id;
  }
  template <class Number>
  Handle fold(const std::byte* state, Number&& number);
  template <class Number>
  bool fold_pairs(Parts changed, Handle& handle, Number&& number);
  void flush();

  static constexpr std::size_t kMostNodes = StateLayout::kMostNodes;

  // All in one piece of memory, so that no cache line of it is another thread's as well.
  StateStore& store_;
  std::size_t whole_words_;                   // words of which a state fills all eight bytes
  std::size_t incomplete_ = ~std::size_t{0};  // the part that ends in the middle of a word
  std::uint64_t rewritten_ = 0;               // StateStore::rewritten() of what follows
  std::size_t nodes_ = 0, roots_ = 0;
  std::array<StateLayout::Field, kMostNodes> fields_{};
  std::array<Part, StateShape::kMostParts> parts_{};
  std::array<ValueTable*, kMostNodes> tables_{};  // of all nodes

  bool unfolded_ = false;  // what follows is that of a state
  Handle handle_ = StateLayout::kTop;
  Parts stale_ = 0;                           // parts whose value is not in words_ yet
  Parts changes_ = 0;                         // see take_changes()
  std::array<NodeId, kMostNodes> numbers_{};  // of all nodes of the layout
  std::array<NodeId, kMostNodes> fresh_{};    // of those in which a successor differs
  std::array<NodeId, kMostNodes> spares_{};   // see ValueTable::intern()
  MemoryBlock memory_;
  std::uint64_t* words_;      // the bytes of the state
  std::uint64_t* last_part_;  // the value of an incomplete part, with zeros
  std::uint8_t* part_of_;     // of each word
  std::int64_t room_ = 0;
  std::size_t staged_count_ = 0;
  std::array<Handle, kStage> staged_{};
};

}  // namespace drover::explore
