// One thread's view of a StateStore: reads states, interns successors, adds new ones. Holds the
// tree of the state read last unfolded; state_store.hpp says why.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "explore/state_store.hpp"

namespace drover::explore {

/// To be made anew after StateStore::clear().
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

  /// States that intern() takes at once at most: their cache misses overlap.
  static constexpr std::size_t kAtOnce = 16;
  /// How many of `wanted` states intern() may be called for now; if none, settle() and
  /// StateStore::make_room().
  std::size_t can_intern(std::size_t wanted) const {
    wanted = std::min(wanted, kAtOnce);
    return store_.nodes_.has_room(wanted * store_.slack_) ? wanted
           : store_.nodes_.has_room(store_.slack_)        ? 1
                                                          : 0;
  }
  /// The handles of `count` states that lie back to back, whether they are stored or not.
  void intern(const std::byte* states, std::size_t count, Handle* handles);

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
  static constexpr std::int64_t kLot = 64;
  static constexpr std::size_t kStage = 256;
  /// A node of the level being numbered that differs from the tree of the state read last.
  struct Change {
    std::uint32_t state;  // which of those interned at once
    NodeId id;
    std::size_t at;  // in its level
  };
  /// A change whose number must be looked up.
  struct Lookup {
    std::size_t change;
    std::uint64_t key;
    std::uint64_t hash;
  };

  /// A number this thread looked up lately; id 0: none.
  struct Recent {
    std::uint64_t key;
    NodeId id;
  };
  static constexpr std::size_t kRecent = 4096;  // 64 KiB, to stay in the second-level cache

  void place(unsigned level, std::size_t at, NodeId id);
  void find_changes(const std::byte* state, std::uint32_t number);
  void add_change(std::uint32_t state, std::size_t at, std::uint64_t key);
  void make_parents(unsigned level);
  template <class Number>
  void look_up(Number&& number);
  template <class Number>
  void fold(const std::byte* states, std::size_t count, Handle* handles, Number&& number);
  std::uint64_t word_of(const std::byte* state, std::size_t word) const;
  void flush();

  StateStore& store_;
  std::size_t whole_words_;  // words of which a state fills all eight bytes
  bool unfolded_ = false;    // words_ and ids_ are those of a state
  std::vector<std::uint64_t> words_;
  std::vector<NodeId> ids_;  // of all nodes, level by level
  std::vector<Change> changes_, below_;
  std::vector<Lookup> lookups_;
  std::vector<Recent> recent_;  // by hash
  std::uint64_t looked_up_ = 0;
  NodeId spare_ = 0;
  std::int64_t room_ = 0;
  std::size_t staged_count_ = 0;
  std::array<Handle, kStage> staged_{};
};

}  // namespace drover::explore
