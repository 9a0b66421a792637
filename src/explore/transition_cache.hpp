// TransitionCache: what the steps of a FactoredModel did, so that they need not be done again.
// Exact: a step that was not seen in the same circumstances is done by the model. One thread's; the
// states themselves are StateStore's.
//
// A step looks at few parts of a state and changes fewer: a load looks at a page table and a frame,
// whatever the other ten parts are. A search of six million states makes 24 million steps, of which
// 116,000 differ in what they look at. So each is done once, and what it did to the numbers of the
// parts (state_store.hpp) is kept:
//
//     mover 2:  part 9 = 17?  ->  part 4, look 3 = 2?  ->  part 1 = 5?  ->  { part 9 := 31 }
//
// The model tells in which order a step looked at what; what it looks at next depends on nothing
// but what it has seen, so these sequences are a tree per mover, and walking it is a hash lookup
// per part. (LTSmin's transition caching does this with one fixed set of parts per group of
// transitions: Blom, van de Pol, Weber, LTSmin, CAV 2010. That sequences of reads identify a
// computation exactly is self-adjusting computation: Acar, 2005.) Where others know only a little
// of a part, such as the locks of an actor, the question is about that: a View.
//
// Then the state must be normalised (Model::normalise: invariants, dead values), which looks at a
// little of all parts. That little, a number per part, is the key of a second table: which marks
// the state gets, and which parts are not what they were. If no part's number changed, nothing else
// did: the state was normal before. Names, which frames have, are given anew in order of first use
// (Model::rename): the order follows from the names in each part, and is the key (renaming.hpp). A
// third table has what becomes of a part with a certain value under a certain key of either kind.
// And a fourth one remembers which movers are enough.
//
// A miss costs twice a plain step; more than nine in ten steps hit. A search begins without a
// cache, since most are over before one would pay (Expansion), and does without if it misses a lot.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "explore/cache_tables.hpp"
#include "explore/model.hpp"
#include "explore/part_views.hpp"
#include "explore/renaming.hpp"
#include "explore/state_access.hpp"
#include "explore/step_tree.hpp"

namespace drover::explore::detail {

template <FactoredModel M>
class TransitionCache {
 public:
  /// Keeps about `most_bytes`, then forgets all and goes on.
  TransitionCache(const M& model, StateAccess& access, std::uint64_t most_bytes)
      : access_(access),
        shape_(access.store().shape()),
        parts_(shape_.parts()),
        most_bytes_(most_bytes),
        views_(access),
        named_(views_, model.names()),
        tree_(views_),
        normal_(parts_),
        order_(parts_) {
    raw_.resize(shape_.bytes());
    normalised_.resize(shape_.bytes());
    renamed_.resize(shape_.bytes());
  }

  /// Whether a model and a store go together with a cache.
  static bool possible(const M& model, const StateStore& store) {
    return model.factored() && model.movers() <= Tree::kMostMovers &&
           store.state_bytes() % sizeof(std::uint64_t) == 0 &&
           store.shape().parts() == model.part_words().size();
  }

  /// Calls emit(handle, transition) for every successor of the state that the access has unfolded.
  /// kNoHandle: there is no room; the bytes are in the transition, which has none otherwise.
  template <class Emit>
  void expand(M& model, Emit&& emit) {
    begin(model);
    const auto all = static_cast<Movers>((std::uint64_t{1} << model.movers()) - 1U);
    const Movers enough = model.selective() ? enough_of(model) : all;
    bool moved = false, backward = false;
    const auto note = [&](Handle handle, const Transition& transition) {
      moved = true;
      backward = backward || transition.backward;
      emit(handle, transition);
    };
    steps_of_all(model, enough, note);
    if (enough == all || (moved && !backward)) return;
    steps_of_all(model, all & ~enough, note);
  }

  /// To be asked before each expansion: whether to expand() here or without a cache, because that
  /// has missed too often of late.
  bool worth_asking() {
    if (expansions_-- != 0) return !paused_;
    has_room_ = has_room_ && views_.has_room();
    if (!has_room_ || (!paused_ && kMostMissesOf * misses_ > questions_ && misses_ > 0)) {
      paused_ = true;
      pause_ = std::min(2 * pause_, kLongestPause);
    } else {
      if (!paused_) pause_ = kWindow;
      paused_ = false;
    }
    expansions_ = paused_ ? pause_ : kWindow;
    questions_ = misses_ = 0;
    return !paused_;
  }

  std::uint64_t bytes() const {
    return tree_.bytes() + leaves_.size() * 4 + normal_.bytes() + order_.bytes() +
           becomes_.bytes() + views_.bytes();
  }

 private:
  using Parts = std::uint64_t;
  using Id = typename PartViews<M>::Id;
  static constexpr unsigned kNumberBits = PartViews<M>::kNumberBits;
  using Tree = StepTree<M>;
  using PartRow = Row<StateShape::kMostParts>;

  /// What becomes of a part, in a word.
  struct Change {
    std::uint32_t word;
    explicit Change(std::uint32_t packed) : word(packed) {}
    Change(std::size_t part, NodeId number)
        : word(static_cast<std::uint32_t>(part) << kNumberBits | number) {}
    std::uint32_t part() const { return word >> kNumberBits; }
    NodeId number() const { return word & ((NodeId{1} << kNumberBits) - 1); }
  };
  static_assert(sizeof(Change) == sizeof(std::uint32_t) && kNumberBits <= 26);

  // A leaf in leaves_: how many successors, or kPlain: Model::steps() does not do; then for each
  // its marks, choice << 16 | normal << 9 | backward << 8 | number of changes, changes.
  static constexpr std::uint32_t kPlain = ~std::uint32_t{0};
  // A record of normal_: key, marks, how many parts are affected, these parts.
  static constexpr std::size_t kNormalWords = 3;
  static constexpr unsigned kKeyBits = 18;

  template <class Do>
  static void for_each(Movers movers, Do&& act) {
    for (; movers != 0; movers &= movers - 1) act(static_cast<unsigned>(std::countr_zero(movers)));
  }

  void begin(M& model) {
    if (bytes() > most_bytes_ || full_ || tree_.full() || !views_.has_local_room()) forget();
    const bool selective = model.selective();
    Parts changed = 0;
    for (Parts left = access_.take_changes(); left != 0; left &= left - 1) {
      const auto part = static_cast<std::size_t>(std::countr_zero(left));
      const NodeId number = access_.number(part);
      if (number == numbers_[part]) continue;
      changed |= Parts{1} << part;
      numbers_[part] = number;
      normal_now_.set(part, views_.id_of(model, kNormalLook, part, number));
      if (selective) order_now_.set(part, views_.id_of(model, kOrderLook, part, number));
      named_.set(model, part, number);
    }
    tree_.note_changed(model, changed, numbers_);
  }

  // --- Which movers -----------------------------------------------------------------------------
  Movers enough_of(M& model) {
    ++questions_;
    std::uint32_t at = order_.find(order_now_);
    if (at == RecordTable::kNone) {
      ++misses_;
      at = order_.add(order_now_, 1);
      *order_.record(at) = model.first_movers(access_.bytes_read());
    }
    return *order_.record(at);
  }

  // --- Steps ------------------------------------------------------------------------------------
  /// What one look needs of memory is asked for before the others look.
  template <class Emit>
  void steps_of_all(M& model, Movers movers, Emit&& emit) {
    for_each(movers, [&](unsigned mover) { tree_.prepare(mover); });
    for_each(movers, [&](unsigned mover) {
      found_[mover] = tree_.find(mover, questions_);
      if (found_[mover] != Tree::kUnknown) __builtin_prefetch(&leaves_[found_[mover]]);
    });
    for_each(movers, [&](unsigned mover) { steps_of(model, mover, found_[mover], emit); });
  }

  template <class Emit>
  void steps_of(M& model, unsigned mover, std::uint32_t leaf, Emit&& emit) {
    if (leaf == Tree::kUnknown) {
      ++misses_;
      leaf = learn(model, mover);
    }
    if (leaves_[leaf] == kPlain) return plain_steps(model, mover, emit);
    std::uint32_t at = leaf + 1;
    for (std::uint32_t count = leaves_[leaf]; count != 0; --count) {
      take(model, mover, at, emit);
      at += 2 + (leaves_[at + 1] & 0xff);
    }
  }

  template <class Emit>
  void plain_steps(M& model, unsigned mover, Emit&& emit) {
    model.expand_mover(access_.bytes_read(), mover, [&](const Transition& transition) {
      emit(access_.intern(transition.successor.data()), transition);
    });
  }

  std::uint32_t learn(M& model, unsigned mover) {
    const std::byte* const state = access_.bytes_read();
    const auto leaf = static_cast<std::uint32_t>(leaves_.size());
    leaves_.push_back(0);
    const bool known = model.steps(state, mover, looked_at_, [&](const Transition& transition) {
      leaves_.push_back(transition.marks);
      const std::size_t about = leaves_.size();
      leaves_.push_back(std::uint32_t{transition.action.choice} << 16 |
                        std::uint32_t{transition.normal} << 9 |
                        std::uint32_t{transition.backward} << 8);
      for (std::size_t part = 0; part < parts_; ++part) {
        const std::byte* const now = transition.successor.data();
        if (same(part, state, now)) continue;
        leaves_.push_back(Change(part, views_.number_of(part, now + begin_of(part))).word);
        ++leaves_[about];
      }
      ++leaves_[leaf];
    });
    if (!known) leaves_[leaf] = kPlain;
    tree_.enter(model, mover, numbers_, looked_at_, leaf);
    return leaf;
  }

  // --- Successors -------------------------------------------------------------------------------
  /// The changes of the successor being taken.
  struct Changes {
    const std::uint32_t* words;
    std::size_t count;
    Change operator[](std::size_t at) const { return Change(words[at]); }
  };

  template <class Emit>
  void take(M& model, unsigned mover, std::uint32_t at, Emit&& emit) {
    const std::uint32_t about = leaves_[at + 1];
    const Changes changes{leaves_.data() + at + 2, about & 0xff};
    const Action action{static_cast<std::uint16_t>(mover), static_cast<std::uint16_t>(about >> 16)};
    const bool normal = (about >> 9 & 1U) != 0, backward = (about >> 8 & 1U) != 0;
    Transition transition{{}, action, leaves_[at], backward, normal};
    const Handle handle =
        normal ? with(changes, transition) : normalised(model, changes, transition);
    emit(handle, transition);
  }

  /// Of the successor being looked at, until restore().
  void set_number(M& model, std::size_t part, NodeId number) {
    const Parts bit = Parts{1} << part;
    if ((touched_ & bit) == 0) {
      touched_ |= bit;
      before_[part] = {normal_now_.ids[part], numbers_[part]};
    }
    numbers_[part] = number;
    named_.change(model, part, number);
    const Id id = views_.id_of(model, kNormalLook, part, number);
    if (id == normal_now_.ids[part]) return;
    normal_now_.set(part, id);
    normal_touched_ |= bit;
  }
  void restore() {
    for (; touched_ != 0; touched_ &= touched_ - 1) {
      const auto part = static_cast<std::size_t>(std::countr_zero(touched_));
      numbers_[part] = before_[part].second;
      if ((normal_touched_ >> part & 1U) != 0) normal_now_.set(part, before_[part].first);
    }
    normal_touched_ = 0;
    named_.restore();
  }

  void set_numbers(M& model, Changes changes) {
    for (std::size_t c = 0; c < changes.count; ++c) {
      set_number(model, changes[c].part(), changes[c].number());
    }
  }

  /// Where nothing else is to be done.
  Handle with(Changes changes, Transition& transition) {
    finals_ = 0;
    bool room = true;
    for (std::size_t c = 0; c < changes.count && room; ++c) {
      room = add_final(changes[c].part(), changes[c].number());
    }
    const Handle handle = room ? access_.with(final_.data(), finals_) : kNoHandle;
    if (handle == kNoHandle) transition.successor = patched(changes);
    return handle;
  }
  bool add_final(std::size_t part, NodeId number) {
    const NodeId shared = views_.shared_number(part, number);
    if (shared == 0) return false;
    final_[finals_++] = {static_cast<std::uint32_t>(part), shared};
    return true;
  }

  /// The bytes of the state with these changes.
  StateBytes patched(Changes changes) {
    std::memcpy(raw_.data(), access_.bytes_read(), raw_.size());
    for (std::size_t c = 0; c < changes.count; ++c) {
      const Change change = changes[c];
      const std::size_t part = change.part();
      std::memcpy(raw_.data() + begin_of(part), views_.value_of(part, change.number()),
                  bytes_of(part));
    }
    return {raw_.data(), raw_.size()};
  }

  Handle normalised(M& model, Changes changes, Transition& transition) {
    const Marks before = transition.marks;
    set_numbers(model, changes);
    const Handle handle = by_number(model, transition);
    restore();
    if (handle != kNoHandle) return handle;
    ++misses_;
    set_numbers(model, changes);
    const StateBytes raw = patched(changes);
    const Marks marks = model.normalise(raw.data(), normalised_.data());
    learn_normal(model, marks);
    transition.marks = before | marks | model.rename(normalised_.data(), renamed_.data());
    learn_names();
    restore();
    transition.successor = renamed_;
    return access_.intern(renamed_.data());
  }

  /// kNoHandle: something that is needed is not known.
  Handle by_number(M& model, Transition& transition) {
    if (normal_touched_ != 0 && !normalise_numbers(model, transition)) return kNoHandle;
    renamed_parts_ = 0;
    finals_ = 0;
    if (named_.changed() && !rename_numbers(transition)) return kNoHandle;
    for (Parts left = touched_ & ~renamed_parts_; left != 0; left &= left - 1) {
      const auto part = static_cast<std::size_t>(std::countr_zero(left));
      if (!add_final(part, numbers_[part])) return kNoHandle;
    }
    return access_.with(final_.data(), finals_);
  }

  // --- What normalise() does --------------------------------------------------------------------
  bool normalise_numbers(M& model, Transition& transition) {
    ++questions_;
    const std::uint32_t at = normal_.find(normal_now_);
    if (at == RecordTable::kNone) return false;
    const std::uint32_t* const record = normal_.record(at);
    transition.marks |= record[1];
    for (std::uint32_t a = 0; a < record[2]; ++a) {
      const std::uint32_t part = record[kNormalWords + a];
      const NodeId number = becomes_.find(becomes_key(record[0], part, numbers_[part]));
      if (number == 0) return false;
      affected_numbers_[a] = number;
    }
    for (std::uint32_t a = 0; a < record[2]; ++a) {
      set_number(model, record[kNormalWords + a], affected_numbers_[a]);
    }
    return true;
  }

  /// From raw_ and normalised_; leaves numbers_ as those of normalised_.
  void learn_normal(M& model, Marks marks) {
    affected_.clear();
    for (std::size_t part = 0; part < parts_; ++part) {
      if (!same(part, raw_.data(), normalised_.data()))
        affected_.push_back(static_cast<std::uint32_t>(part));
    }
    if (normal_touched_ == 0) {
      // The state has what normalise() looks at from one that was normal.
      if (!affected_.empty()) throw_more_than_views();
      return;
    }
    std::uint32_t at = normal_.find(normal_now_);
    if (at == RecordTable::kNone) {
      at = normal_.add(normal_now_, kNormalWords + affected_.size());
      std::uint32_t* const record = normal_.record(at);
      record[0] = new_key();
      record[1] = marks;
      record[2] = static_cast<std::uint32_t>(affected_.size());
      std::copy(affected_.begin(), affected_.end(), record + kNormalWords);
    }
    const std::uint32_t* const record = normal_.record(at);
    const std::uint32_t key = record[0];
    if (record[1] != marks || record[2] != affected_.size() ||
        !std::equal(affected_.begin(), affected_.end(), record + kNormalWords)) {
      throw_more_than_views();
    }
    for (const std::uint32_t part : affected_) {
      const NodeId number = views_.number_of(part, normalised_.data() + begin_of(part));
      learn_change(key, part, numbers_[part], number);
      set_number(model, part, number);
    }
  }

  // --- What rename() does -----------------------------------------------------------------------
  /// Adds to final_ and renamed_parts_.
  bool rename_numbers(Transition& transition) {
    const Renaming r = named_.renaming();
    if (!r.possible) return false;
    if (r.identity()) return true;
    ++questions_;
    const std::uint32_t key = renamings_.find(r.key());
    if (key == 0) return false;
    bool all = true;
    named_.for_each_renamed(r, [&](std::size_t part, std::size_t source) {
      const NodeId number = becomes_.find(becomes_key(key, part, numbers_[source]));
      all = all && number != 0 && add_final(part, number);
      renamed_parts_ |= Parts{1} << part;
    });
    if (all) transition.marks |= r.marks;
    return all;
  }

  /// From normalised_, whose numbers numbers_ has, and renamed_.
  void learn_names() {
    const Renaming r = named_.renaming();
    if (!r.possible) return;
    Parts changed = 0, expected = 0;
    for (std::size_t part = 0; part < parts_; ++part) {
      if (!same(part, normalised_.data(), renamed_.data())) changed |= Parts{1} << part;
    }
    named_.for_each_renamed(r,
                            [&](std::size_t part, std::size_t) { expected |= Parts{1} << part; });
    if ((changed & ~expected) != 0) throw_more_than_views();
    if (r.identity()) return;
    std::uint32_t key = renamings_.find(r.key());
    if (key == 0) {
      key = new_key();
      renamings_.set(r.key(), key);
    }
    named_.for_each_renamed(r, [&](std::size_t part, std::size_t source) {
      learn_change(key, part, numbers_[source],
                   views_.number_of(part, renamed_.data() + begin_of(part)));
    });
  }

  // --- What becomes of a part -------------------------------------------------------------------
  static std::uint64_t becomes_key(std::uint32_t key, std::size_t part, NodeId number) {
    return (std::uint64_t{key} * StateShape::kMostParts + part) << kNumberBits | number;
  }
  /// Of a record of normal_ or of a renaming.
  std::uint32_t new_key() {
    if (++keys_ >= (std::uint32_t{1} << kKeyBits) - 1) full_ = true;
    return keys_;
  }
  void learn_change(std::uint32_t key, std::size_t part, NodeId before, NodeId after) {
    if (!full_) becomes_.set(becomes_key(key, part, before), after);
  }

  std::size_t begin_of(std::size_t part) const {
    return shape_.begin(part) * sizeof(std::uint64_t);
  }
  std::size_t bytes_of(std::size_t part) const {
    return shape_.words(part) * sizeof(std::uint64_t);
  }
  bool same(std::size_t part, const std::byte* a, const std::byte* b) const {
    return std::memcmp(a + begin_of(part), b + begin_of(part), bytes_of(part)) == 0;
  }
  [[noreturn]] static void throw_more_than_views() {
    throw std::logic_error("drover: normalising a state depends on more than its views");
  }

  void forget() {
    full_ = false;
    tree_.forget();
    leaves_ = {};
    normal_.clear();
    renamings_.clear();
    keys_ = 0;
    becomes_.clear();
    order_.clear();
    views_.forget();
  }

  StateAccess& access_;
  const StateShape shape_;
  const std::size_t parts_;
  const std::uint64_t most_bytes_;
  // A miss costs what some four hits save.
  static constexpr std::uint64_t kMostMissesOf = 4, kWindow = 4096, kLongestPause = 64 * kWindow;
  std::uint64_t questions_ = 0, misses_ = 0;  // of this window
  std::uint64_t expansions_ = kWindow;        // until it ends
  std::uint64_t pause_ = kWindow;
  bool paused_ = false, has_room_ = true;
  bool full_ = false;  // numbers have become too large for the tables

  // The state being expanded, or its successor while that is looked at.
  std::array<NodeId, StateShape::kMostParts> numbers_{};
  PartRow normal_now_, order_now_;
  Parts touched_ = 0, normal_touched_ = 0;  // by the successor, see set_number()
  std::array<std::pair<Id, NodeId>, StateShape::kMostParts> before_{};  // id, number
  Parts renamed_parts_ = 0;
  std::array<StateAccess::Change, 2 * StateShape::kMostParts> final_{};
  std::size_t finals_ = 0;
  std::vector<std::byte> raw_, normalised_, renamed_;

  PartViews<M> views_;
  NamedParts<M> named_;

  Tree tree_;                                             // to leaves_
  std::array<std::uint32_t, Tree::kMostMovers> found_{};  // leaves of the state being expanded
  std::vector<std::uint32_t> leaves_;
  std::vector<View> looked_at_;

  RecordTable normal_;
  std::vector<std::uint32_t> affected_;
  std::array<NodeId, StateShape::kMostParts> affected_numbers_{};
  FlatMap<WideSlot> renamings_;  // Renaming::key() -> key
  std::uint32_t keys_ = 0;
  FlatMap<PackedSlot<kNumberBits>> becomes_;  // key, part and number -> number
  RecordTable order_;
};

}  // namespace drover::explore::detail
