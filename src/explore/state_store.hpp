// The exact set of visited states: every state once, found again by its bytes, in order of
// discovery. Shared by all threads of a search. No search here and no knowledge of what the bytes
// mean.
//
// How a state becomes one word
//
// A state of the memory model is some 400 bytes, and one step changes a few of them. The model says
// of which parts its states consist (an actor, a page frame, an mm), and each of these has few
// values: a search of a million states sees some 20 to 2,000 of each. So every part has a table of
// its values, and a state is the numbers of its parts' values, side by side in 64 bits:
//
//     handle = 1 | number | number | number | ...         64 bits: this IS the state
//                    |        |        |
//                  value    pair     value                value_table.hpp: number <-> value
//                          /    \                         state_layout.hpp: which bits
//                       value  value
//
// (After SPIN's COLLAPSE: Holzmann, State Compression in SPIN, 1997; and the trees of Blom, Lisser,
// van de Pol, Weber: A Database Approach to Distributed State Space Generation, 2008, and Laarman,
// van de Pol, Weber: Parallel Recursive State Compression for Free, SPIN 2011. New here is that the
// root of the tree is flat and as wide as it can be.) Where the numbers of all parts need more than
// 63 bits, two parts whose values go together become a pair, which is numbered like a part, and so
// on: in the end, if nothing goes together, that is the binary tree. As a number stands for exactly
// one value of its part, two states are equal if and only if their handles are: nothing is hashed
// away, the answer is exact. The top bit is set, so no handle is 0.
//
// Nobody knows beforehand how many values a part will have. A part that has used up its bits stops
// the threads as a full table does; bits are shared out anew, and all handles are rewritten
// (make_room()). Each part that varies is given room for twice the values it has, so that happens
// some tens of times, nearly all before the first thousand states.
//
//   visited_  handle_set.hpp   8 slots of 64 bits a cache line: the handles, hashed   8 / load
//   bytes list_     handle_list.hpp  the handles in order of discovery                8 bytes
//   tables_   value_table.hpp  values by number, and a hash table of numbers          next to none
//
// visited_ grows by a half at a load of 0.85, so a state costs 17 to 22 bytes. Nothing is spent on
// parents: the list is in levels, and a witness is found by re-expanding them (witness.hpp).
//
// Why it is fast
//
// A thread works through a StateAccess, which has the bytes of one state and the numbers of its
// parts. Reading the next state of the list copies only the parts that differ from the one before,
// and siblings follow each other. Interning a successor compares it with the state it comes from,
// 32 bytes at a time, and looks up the two or three parts that changed, in tables that stay in the
// cache. The one sure cache miss of a transition is the handle's slot in visited_, and those are
// prefetched in batches (expansion.hpp). A slot holds the handle itself, so that there is no second
// miss to compare.
//
// Threads
//
// Inserting is one compare-and-swap of a vacant slot, in either kind of table; nothing is ever
// removed or moved while threads work, so a probe needs no lock and no retry. New states are
// collected by each thread and appended to the list a few hundred at a time: one atomic addition
// for all of them, and levels are ranges of the list without gaps. Which state of a level comes
// first depends on timing if there is more than one thread; which states are in it does not.
//
// Growing and rewriting cannot be done beside lookups without making each of them dearer, so they
// are done between phases (crew.hpp), by all threads together: visited_ is in order of hashes and
// is copied from front to back, given back to the system as it goes. It costs each state some 10 ns
// in all and stops the search for about 5 ms per million states and thread. `room` is how many
// states may be inserted until then: threads take it in small lots, so limits are exact and no
// table overflows.
//
// Next. A slot of visited_ could leave out the bits its place implies (Cleary 1984), handles could
// be as short as their numbers are, and the list could be dropped behind the frontier when no
// witness is wanted: together 8 to 12 bytes a state. Symmetry belongs in front of this store, as
// partial-order reduction is, in what the Model emits (model.hpp says what it needs).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "explore/crew.hpp"
#include "explore/handle_list.hpp"
#include "explore/handle_set.hpp"
#include "explore/model.hpp"
#include "explore/state_layout.hpp"
#include "explore/value_table.hpp"

namespace drover::explore {

/// "No limit" for every limit of this folder that is a number of bytes or states.
inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

class StateStore {
 public:
  static constexpr std::uint64_t kMostStates = HandleList::kMost;

  enum class Room : std::uint8_t {
    available,
    out_of_memory,  // the memory limit or the system leaves no room for one state more
    too_many,       // the state limit is reached
  };

  /// An empty store for states of that shape (shape_of(model); a number is the bytes of a state, at
  /// least 1) that uses at most `memory_limit` bytes and holds at most `state_limit` states.
  explicit StateStore(const StateShape& shape, std::uint64_t memory_limit = kUnlimited,
                      std::uint64_t state_limit = kUnlimited);

  /// Forgets all states; keeps small memory for reuse and returns large memory to the system.
  void clear(std::uint64_t memory_limit = kUnlimited, std::uint64_t state_limit = kUnlimited);
  /// As clear(), then for states of another shape: one store serves many searches.
  void reset(const StateShape& shape);
  /// As clear(), with the limits it has.
  void forget() { clear(memory_limit_, state_limit_); }

  /// States stored, without what threads still hold back.
  std::uint64_t size() const { return list_.size(); }
  Handle handle(StateIndex index) const { return list_[index]; }
  std::size_t state_bytes() const { return shape_.bytes(); }
  const StateShape& shape() const { return shape_; }
  /// Bytes of the whole tables and of what the lists hold. Room in the last chunk of a list is not
  /// counted: its pages are untouched. A huge page rounds the resident size up by less than 2 MiB.
  std::uint64_t bytes_used() const;

  /// To be called with no thread at work, and after every StateAccess has settled: makes room for
  /// more states, with the threads of `crew`. Repeat whenever a thread finds no room. Handles
  /// mean something else afterwards if rewritten() has changed.
  Room make_room(Crew& crew);
  /// How often handles were rewritten.
  std::uint64_t rewritten() const { return rewritten_; }

  /// Slots of find_slot(): numbers below it.
  std::uint64_t slots() const { return visited_.slots(); }
  /// A number for a stored state, the same until the store grows; HandleSet::kNowhere if the state
  /// is not stored.
  std::uint64_t find_slot(Handle handle) const { return visited_.find(handle); }

  /// The parts, for a checkpoint.
  const StateLayout& layout() const { return layout_; }
  const ValueTable& table(StateLayout::Node node) const { return *tables_[node]; }
  const HandleList& list() const { return list_; }
  /// What restores them after clear(): the layout, then the table of each of its nodes, whose words
  /// `read(into, words)` gets, then the handles. False: it makes no sense, there is no room, or a
  /// handle is not a new one.
  bool restore_layout(const std::vector<std::uint64_t>& saved);
  template <class Read>
  bool restore_table(StateLayout::Node node, std::uint64_t values, std::vector<NodeId> spares,
                     Crew& crew, Read&& read) {
    return tables_[node]->restore(values, std::move(spares), memory_limit_, crew, read);
  }
  bool restore_handles(const Handle* handles, std::uint64_t count, Crew& crew);

 private:
  friend class StateAccess;

  using Node = StateLayout::Node;

  void start_anew();
  bool make_room_in_visited(Crew& crew);
  bool make_room_in_values(Crew& crew);
  bool allow_values(std::uint64_t share);
  std::uint64_t wanted_slots() const;
  std::uint64_t left() const;
  /// Up to `wanted` of the states there is room for.
  std::int64_t take_room(std::int64_t wanted);

  // state_rewriting.cpp: when the bits of a handle do not suffice
  bool rewrite(Crew& crew);
  bool add_pairs(StateLayout& next, Crew& crew);
  NodeId enter(Node node, std::uint64_t pair, Crew& crew);
  std::vector<std::uint64_t> counts() const;
  void find_pairs(const StateLayout& layout, std::size_t begin, NodeId* numbers) const;
  void numbers_of(Handle handle, const StateLayout& from, const StateLayout& to,
                  NodeId* numbers) const;

  StateShape shape_;
  std::uint64_t memory_limit_;
  std::uint64_t state_limit_;
  StateLayout layout_;
  std::uint64_t rewritten_ = 0;
  std::vector<std::unique_ptr<ValueTable>> tables_;  // by node of the layout
  HandleSet visited_;
  HandleList list_;
  alignas(64) std::atomic<std::int64_t> room_{0};  // what changes has a cache line of its own
};

}  // namespace drover::explore
