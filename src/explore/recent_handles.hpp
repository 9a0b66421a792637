// The handles that one worker has met lately, so that it need not look for them in the table of all
// visited states: two steps that commute lead to one state, and breadth-first search takes them one
// shortly after the other, both in the same worker. In half a second level cache this saves the
// table, which is in main memory or in another processor's cache, up to half of its questions.
// Exact: whole handles are compared, and a handle that is here was inserted by this worker or waits
// in its batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "explore/handle_set.hpp"

namespace drover::explore::detail {

class RecentHandles {
 public:
  /// Whether the handle was met lately. From now on it was. `hash`: HandleSet::hash().
  bool meet(Handle handle, std::uint64_t hash) {
    Handle& last = handles_[hash & (handles_.size() - 1)];
    const bool met = last == handle;
    last = handle;
    return met;
  }
  /// After handles were rewritten, or what was met could not be inserted.
  void forget() { std::fill(handles_.begin(), handles_.end(), kNoHandle); }
  /// Small searches are over before it costs less than it saves.
  void enlarge() {
    if (handles_.size() < kMost) handles_.assign(kMost, kNoHandle);
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 14;
  std::vector<Handle> handles_ = std::vector<Handle>(1, kNoHandle);
};

}  // namespace drover::explore::detail
