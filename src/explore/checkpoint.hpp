// Checkpoints: a search under way as a file, and back. When one is taken is breadth_first.hpp's;
// what the states mean and which search a file belongs to (the manifest) is the caller's.
//
// A file is a magic line, its length, the manifest, the caller's own text, the search so far, the
// layout and values of the parts, the handles, and a checksum of all that. It is written beside its
// place and renamed, and the one before is kept as FILE.old: whatever happens while it is written,
// and to it afterwards, costs at most the last checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "explore/crew.hpp"
#include "explore/search_types.hpp"
#include "explore/state_store.hpp"

namespace drover::explore {

/// All but the states. `manifest` says which search this is, a line "key value" per item: a search
/// goes on only from a checkpoint with the same lines.
struct Checkpoint {
  std::string manifest;
  std::string extra;  // what the caller counts
  SearchPoint point;
};

/// Writes the store's states and `checkpoint` to `file`. Returns "" or why it could not; then
/// `file` is what it was. No thread may be at work.
[[nodiscard]] std::string save_checkpoint(const std::string& file, const Checkpoint& checkpoint,
                                          const StateStore& store);

/// What became of reading a checkpoint.
struct Restored {
  std::optional<Checkpoint> checkpoint;  // if there: `store` holds its states
  std::string file;                      // where it came from
  std::string damage;                    // why a file was not used, "" if none was there
};

/// Fills `store`, cleared before with its limits, from `file`, or from FILE.old if that is damaged.
[[nodiscard]] Restored load_checkpoint(const std::string& file, StateStore& store, Crew& crew);

/// The manifest of a checkpoint; nothing if there is none or it is damaged that far.
[[nodiscard]] std::optional<std::string> manifest_of(const std::string& file);

/// The first line in which two manifests differ, as a sentence; "" if they are equal.
[[nodiscard]] std::string difference(const std::string& theirs, const std::string& ours);

/// Removes `file` and what save_checkpoint() keeps beside it.
void remove_checkpoint(const std::string& file);

}  // namespace drover::explore
