// One worker of a breadth-first search: expands states of the present level and inserts what it
// finds. Which level, and what to do when room or time runs out, is breadth_first.hpp's.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "explore/model.hpp"
#include "explore/recent_handles.hpp"
#include "explore/search_types.hpp"
#include "explore/state_access.hpp"
#include "explore/transition_cache.hpp"

namespace drover::explore::detail {

/// What the workers of a search share while they expand one level.
struct Level {
  std::uint32_t depth = 0;
  StateIndex end = 0;
  StateIndex lot = 1;                           // states a worker claims at once
  std::atomic<bool> pause{false};               // return from work() as soon as possible
  std::atomic<bool> settle{false};              // claim nothing more
  alignas(64) std::atomic<StateIndex> next{0};  // the first that nobody has claimed
};

template <Model M>
class Expansion {
 public:
  /// Successors that wait for the cache lines of their slots.
  static constexpr std::size_t kBatch = 64;
  /// Expansions after which the table of visited states is larger than the nearest cache.
  static constexpr std::uint64_t kWorthRecent = 4096;

  /// When and with how many bytes at most steps are remembered.
  struct Memory {
    std::uint64_t after, most_bytes;
  };

  Expansion(StateStore& store, Level& level, Memory memory)
      : access_(store), level_(level), memory_(memory) {
    batch_.reserve(2 * kBatch);
  }

  StateAccess& access() { return access_; }

  /// Expands until the level is done, the pause flag is set, or there is no room: then
  /// needs_room(). Can be called again to go on. `look()` is called now and then; false: return.
  /// `on_terminal(index, bytes)` is called for states without successors.
  template <class OnTerminal, class Look>
  void work(M& model, OnTerminal&& on_terminal, Look&& look) {
    needs_room_ = false;
    while (catch_up(kBatch)) {
      if (level_.pause.load(std::memory_order_relaxed)) return pause();
      if (begin_ == end_ && !claim()) {
        catch_up(1);
        return;
      }
      if (expansions_++ % Watch::kExpansionsBetweenLooks == 0 && !look()) {
        --expansions_;
        return;
      }
      if (expansions_ == kWorthRecent) recent_.enlarge();
      expand_next(model, on_terminal);
    }
  }

  /// To be called before StateStore::make_room(): what waits for room as handles is kept as bytes,
  /// since handles may be rewritten.
  void keep_bytes() {
    for (const Found& found : batch_) {
      const StateBytes bytes = access_.bytes(found.handle);
      waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
    }
    batch_.clear();
    recent_.forget();
  }

  bool idle() const { return begin_ == end_ && batch_.empty() && waiting_.empty(); }
  /// States claimed and not yet expanded.
  StateIndex claimed() const { return end_ - begin_; }
  bool needs_room() const { return needs_room_; }
  /// Of what is remembered.
  std::uint64_t bytes() const {
    if constexpr (FactoredModel<M>) return cache_ ? cache_->bytes() : 0;
    return 0;
  }
  std::uint64_t transitions() const { return transitions_.load(std::memory_order_relaxed); }

  std::uint64_t terminals = 0;
  bool backward = false;
  std::vector<StateIndex> turning;
  std::array<Sighting, std::numeric_limits<Marks>::digits> marks;

 private:
  struct Found {
    Handle handle;
    std::uint64_t hash;
  };

  bool claim() {
    if (level_.settle.load(std::memory_order_relaxed)) return false;
    begin_ = level_.next.fetch_add(level_.lot, std::memory_order_relaxed);
    end_ = std::min(begin_ + level_.lot, level_.end);
    if (begin_ < level_.end) return true;
    begin_ = end_ = level_.end;
    return false;
  }

  template <class OnTerminal>
  void expand_next(M& model, OnTerminal&& on_terminal) {
    const StateIndex index = begin_++;
    access_.unfold(access_.store().handle(index));
    std::uint64_t transitions = 0;
    bool forward = false;
    const auto note = [&](const Transition& transition) {
      ++transitions;
      backward |= transition.backward;
      forward |= !transition.backward;
      if (transition.marks != 0) [[unlikely]] {
        sight(transition.marks, level_.depth + 1, [&](Sighting& sighting) {
          sighting.transitions.push_back({index, transition.action});
        });
      }
    };
    if (cache_on(model)) {
      if constexpr (FactoredModel<M>) {
        cache_->expand(model, [&](Handle handle, const Transition& transition) {
          note(transition);
          take(handle, transition.successor);
        });
      }
    } else {
      model.expand(access_.bytes_read(), [&](const Transition& transition) {
        note(transition);
        const StateBytes successor = transition.successor;
        take(waiting_.empty() ? access_.intern(successor.data()) : kNoHandle, successor);
      });
    }
    // Only this thread writes it; others read it for the progress report.
    transitions_.store(transitions_.load(std::memory_order_relaxed) + transitions,
                       std::memory_order_relaxed);
    if (transitions != 0) {
      if (!forward) turning.push_back(index);
      return;
    }
    ++terminals;
    const std::byte* const state = access_.bytes_read();
    sight(model.terminal(state), level_.depth,
          [&](Sighting& sighting) { sighting.terminals.push_back(index); });
    on_terminal(index, StateBytes(state, access_.store().state_bytes()));
  }

  /// Whether steps are looked up; see transition_cache.hpp. Not in the initial state: whether that
  /// has marks, only its successors tell.
  bool cache_on(const M& model) {
    if constexpr (FactoredModel<M>) {
      // The expansion under way is counted already.
      if (expansions_ <= std::max<std::uint64_t>(memory_.after, 1)) return false;
      if (!cache_) {
        if (!Cache::possible(model, access_.store())) {
          memory_.after = kUnlimited;
          return false;
        }
        cache_.emplace(model, access_, std::min(memory_.most_bytes, kMostCacheBytes));
      }
      return cache_->worth_asking();
    } else {
      return false;
    }
  }

  /// kNoHandle: there is no room.
  void take(Handle handle, StateBytes successor) {
    if (handle == kNoHandle) [[unlikely]] {
      waiting_.insert(waiting_.end(), successor.begin(), successor.end());
      return;
    }
    add_to_batch(handle);
  }

  void add_to_batch(Handle handle) {
    const std::uint64_t hash = HandleSet::hash(handle);
    if (recent_.meet(handle, hash)) return;
    access_.prefetch_slot(hash);
    batch_.push_back({handle, hash});
  }

  /// Interns successors for which there was no room, then inserts the batch if it has `enough`.
  /// False if room is needed first.
  bool catch_up(std::size_t enough) {
    if (!waiting_.empty() && !take_waiting()) {
      insert_batch();  // as far as it goes: its handles may be about to be rewritten
      return no_room();
    }
    return batch_.size() < enough || insert_batch() || no_room();
  }

  bool take_waiting() {
    const std::size_t bytes = access_.store().state_bytes();
    std::size_t at = 0;
    for (; at < waiting_.size(); at += bytes) {
      const Handle handle = access_.intern(waiting_.data() + at);
      if (handle == kNoHandle) break;
      add_to_batch(handle);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    return waiting_.empty();
  }

  /// False if there is no room for all of it.
  bool insert_batch() {
    std::size_t at = 0;
    for (; at < batch_.size(); ++at) {
      const Found& found = batch_[at];
      if (access_.can_insert()) [[likely]] {
        access_.insert(found.handle, found.hash);
      } else if (access_.store().find_slot(found.handle) == HandleSet::kNowhere) {
        batch_.erase(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(at));
        return false;
      }
    }
    batch_.clear();
    return true;
  }

  void pause() { needs_room_ = !insert_batch() || needs_room_; }

  bool no_room() {
    needs_room_ = true;
    level_.pause.store(true, std::memory_order_relaxed);
    return false;
  }

  template <class Add>
  void sight(Marks seen, std::uint32_t steps, Add&& add) {
    for (; seen != 0; seen &= seen - 1) {
      Sighting& sighting = marks[static_cast<std::size_t>(std::countr_zero(seen))];
      if (steps > sighting.steps) continue;
      if (steps < sighting.steps) sighting = Sighting{steps, {}, {}};
      add(sighting);
    }
  }

  static constexpr std::uint64_t kMostCacheBytes = std::uint64_t{64} << 20;

  struct NoCache {};
  template <class Any>
  struct CacheOf {
    using Type = NoCache;
  };
  template <FactoredModel Any>
  struct CacheOf<Any> {
    using Type = TransitionCache<Any>;
  };
  using Cache = typename CacheOf<M>::Type;

  StateAccess access_;
  Level& level_;
  Memory memory_;
  std::optional<Cache> cache_;
  StateIndex begin_ = 0, end_ = 0;  // claimed and not yet expanded
  std::vector<std::byte> waiting_;  // successors there was no room for to intern
  std::vector<Found> batch_;
  RecentHandles recent_;
  bool needs_room_ = false;
  std::uint64_t expansions_ = 0;
  std::atomic<std::uint64_t> transitions_{0};
};

}  // namespace drover::explore::detail
