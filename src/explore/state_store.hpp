// The exact set of visited states: every state once, found again by its bytes, in order of
// discovery. Shared by all threads of a search. No search here and no knowledge of what the bytes
// mean.
//
// Why a tree
//
// A state of the memory model is some 500 bytes, and one step changes a few of them. So a state is
// cut into words of 8 bytes, the leaves of a binary tree; equal subtrees are stored once:
//
//     handle = left number, right number                  64 bits: this IS the state
//        |                      |
//     (12, 7)                (3, 3)        node_table.hpp: number <-> pair of numbers
//      |    |                  |
//    word  word  ...         word  ...     node_table.hpp: number <-> 8 bytes of the state
//
// (Blom, Lisser, van de Pol, Weber: A Database Approach to Distributed State Space Generation,
// 2008; Laarman, van de Pol, Weber: Parallel Recursive State Compression for Free, SPIN 2011.)
// Leaves and inner nodes are all pairs of 32 bits, hence of one table. As a number stands for
// exactly one pair of its kind of place, two states are equal if and only if their handles are:
// nothing is hashed away, the answer is exact. The number 0 is none, so no handle is 0.
//
//   visited_  handle_set.hpp   8 slots of 64 bits a cache line: the handles, hashed   8 / load
//   bytes list_     handle_list.hpp  the handles in order of discovery                      8 bytes
//   nodes_    node_table.hpp   keys by number, and a hash table of numbers       8 + 4 / load a
//   node
//
// Both tables grow by a half at loads of 0.85 and 0.8, so a state costs 17 to 22 bytes and its
// share of nodes: next to none where the two halves of a state vary independently, 0.9 nodes or 12
// bytes for three forking processes (bench/scenarios). Nothing is spent on parents: the list is in
// levels, and a witness is found by re-expanding them (witness.hpp).
//
// Why it is fast
//
// A thread works through a StateAccess, which has the tree of one state unfolded. Reading the next
// state of the list unfolds only what differs from the one before, and siblings follow each other.
// Interning a successor compares it with the state it comes from, 32 bytes at a time, and looks up
// the changed words and their ancestors: mostly hot in the cache. The one sure cache miss of a
// transition is the handle's slot in visited_, and those are prefetched in batches
// (breadth_first.hpp). A slot holds the handle itself, so that there is no second miss to compare.
//
// Threads
//
// Inserting is one compare-and-swap of a vacant slot, in either table; nothing is ever removed or
// moved while threads work, so a probe needs no lock and no retry. New states are collected by each
// thread and appended to the list a few hundred at a time: one atomic addition for all of them, and
// levels are ranges of the list without gaps. Which state of a level comes first depends on timing
// if there is more than one thread; which states are in it does not.
//
// Growing cannot be done beside lookups without making each of them dearer, so it is done between
// phases (crew.hpp), by all threads together: visited_ is in order of hashes and is copied from
// front to back, given back to the system as it goes; the numbers are entered again from their
// keys. It costs each state some 10 ns in all and stops the search for about 5 ms per million
// states and thread. `room` is how many states may be inserted until then: threads take it in small
// lots, so limits are exact and no table overflows.
//
// Next. A slot of visited_ could leave out the bits its place implies (Cleary 1984), and the list
// could be dropped behind the frontier when no witness is wanted: together 6 to 10 bytes a state.
// Symmetry belongs in front of this store, as partial-order reduction is, in what the Model emits
// (model.hpp says what it needs).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "explore/crew.hpp"
#include "explore/handle_list.hpp"
#include "explore/handle_set.hpp"
#include "explore/model.hpp"
#include "explore/node_table.hpp"

namespace drover::explore {

/// "No limit" for every limit of this folder that is a number of bytes or states.
inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// The levels of the tree over the words of a state: level 0 are its words, the top has two nodes
/// (one if the state is a single word). A level of odd size hands its last node up as it is.
class TreeShape {
 public:
  static constexpr unsigned kMostLevels = 24;

  explicit TreeShape(std::size_t state_bytes);
  unsigned top() const { return top_; }
  std::size_t size(unsigned level) const { return sizes_[level]; }
  std::size_t offset(unsigned level) const { return offsets_[level]; }
  std::size_t nodes() const { return offsets_[top_] + sizes_[top_]; }

 private:
  unsigned top_ = 0;
  std::array<std::size_t, kMostLevels> sizes_{};
  std::array<std::size_t, kMostLevels> offsets_{};
};

class StateStore {
 public:
  static constexpr std::uint64_t kMostStates = HandleList::kMost;

  enum class Room : std::uint8_t {
    available,
    out_of_memory,  // the memory limit or the system leaves no room for one state more
    too_many,       // the state limit is reached
  };

  /// An empty store for states of `state_bytes` >= 1 bytes that uses at most `memory_limit` bytes
  /// and holds at most `state_limit` states.
  explicit StateStore(std::size_t state_bytes, std::uint64_t memory_limit = kUnlimited,
                      std::uint64_t state_limit = kUnlimited);

  /// Forgets all states; keeps small memory for reuse and returns large memory to the system.
  void clear(std::uint64_t memory_limit = kUnlimited, std::uint64_t state_limit = kUnlimited);
  /// As clear(), then for states of another size: one store serves many searches.
  void reset(std::size_t state_bytes);
  /// As clear(), with the limits it has.
  void forget() { clear(memory_limit_, state_limit_); }

  /// States stored, without what threads still hold back.
  std::uint64_t size() const { return list_.size(); }
  Handle handle(StateIndex index) const { return list_[index]; }
  std::size_t state_bytes() const { return state_bytes_; }
  const TreeShape& shape() const { return shape_; }
  /// Bytes of the whole tables and of what the lists hold. Room in the last chunk of a list is not
  /// counted: its pages are untouched. A huge page rounds the resident size up by less than 2 MiB.
  std::uint64_t bytes_used() const;

  /// To be called with no thread at work, and after every StateAccess has settled: makes room for
  /// more states, for `workers` threads of `crew`. Repeat whenever a thread finds no room.
  Room make_room(Crew& crew);

  /// Slots of find_slot(): numbers below it.
  std::uint64_t slots() const { return visited_.slots(); }
  /// A number for a stored state, the same until the store grows; HandleSet::kNowhere if the state
  /// is not stored.
  std::uint64_t find_slot(Handle handle) const { return visited_.find(handle); }
  void prefetch_slot(Handle handle) const { visited_.prefetch(HandleSet::hash(handle)); }

  /// The parts, for a checkpoint.
  const NodeTable& nodes() const { return nodes_; }
  const HandleList& list() const { return list_; }
  /// What restores them after clear(): first the nodes, whose keys `read(into, count)` gets, then
  /// the handles. False: no room, or a handle is not a new one.
  template <class Read>
  bool restore_nodes(std::uint64_t keys, std::vector<NodeId> spares, Crew& crew, Read&& read) {
    return nodes_.restore(keys, std::move(spares), memory_limit_, crew, read);
  }
  bool restore_handles(const Handle* handles, std::uint64_t count, Crew& crew);

 private:
  friend class StateAccess;

  bool make_room_in_tables(Crew& crew);
  std::uint64_t wanted_slots() const;
  std::uint64_t left() const;
  /// Up to `wanted` of the states there is room for.
  std::int64_t take_room(std::int64_t wanted);

  std::size_t state_bytes_;
  TreeShape shape_;
  std::uint64_t memory_limit_;
  std::uint64_t state_limit_;
  std::atomic<std::int64_t> room_{0};
  std::uint64_t slack_ = 1;  // nodes that threads may add before they look for room
  NodeTable nodes_;
  HandleSet visited_;
  HandleList list_;
};

}  // namespace drover::explore
