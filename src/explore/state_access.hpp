// One thread's view of a StateStore: reads states, interns successors, adds new ones. Holds the
// tree of the state read last unfolded; state_store.hpp says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "explore/state_store.hpp"

namespace drover::explore {

class StateAccess {
 public:
  explicit StateAccess(StateStore& store);
  StateAccess(const StateAccess&) = delete;
  StateAccess& operator=(const StateAccess&) = delete;
  ~StateAccess() { settle(); }

  StateStore& store() { return store_; }

  /// The bytes of a stored state; valid until the next read(). Bytes after the state's, up to a
  /// multiple of 8, are zero.
  const std::byte* read(Handle handle);
  StateBytes bytes(Handle handle) { return {read(handle), store_.state_bytes()}; }
  /// Asks for what read() of that handle will look at first.
  void prefetch(Handle handle) const;

  /// The handle of these bytes, or kNoHandle: they are not those of any state. Fast if they differ
  /// little from those read last. A handle that is returned need not be that of a stored state.
  Handle find(const std::byte* state);

  /// Whether intern() may be called now; if not, settle() and StateStore::make_room().
  bool can_intern() const { return store_.nodes_.has_room(store_.slack_); }
  /// The handle of these bytes, whether they are those of a stored state or not.
  Handle intern(const std::byte* state);

  /// Whether one more state can be inserted; if not, settle() and StateStore::make_room().
  bool can_insert() {
    return room_ > 0 || (room_ = store_.take_room(kLot)) > 0;
  }
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
  static constexpr std::int64_t kLot = 64;
  static constexpr std::size_t kStage = 256;
  struct Change {
    std::size_t at;
    NodeId before;
  };

  void place(unsigned level, std::size_t at, NodeId id);
  void find_changed_words(const std::byte* state);
  template <class Number>
  Handle fold(const std::byte* state, Number&& number);
  std::uint64_t word_of(const std::byte* state, std::size_t word) const;
  Handle top_handle() const;
  void change(std::size_t at, NodeId id) {
    undo_.push_back({at, ids_[at]});
    ids_[at] = id;
  }
  void flush();

  StateStore& store_;
  std::size_t whole_words_;  // words of which a state fills all eight bytes
  bool unfolded_ = false;    // words_ and ids_ are those of a state
  std::vector<std::uint64_t> words_;
  std::vector<NodeId> ids_;  // of all nodes, level by level
  std::vector<std::size_t> changed_;
  std::vector<Change> undo_;
  NodeId spare_ = 0;
  std::int64_t room_ = 0;
  std::size_t staged_count_ = 0;
  std::array<Handle, kStage> staged_{};
};

}  // namespace drover::explore
