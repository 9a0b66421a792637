// What a check counts of final states, and its checkpoints: which check one belongs to, and how the
// counts get into it and back. The file is explore/checkpoint.hpp's.
#pragma once

#include <string>
#include <vector>

#include "explore/checkpoint.hpp"
#include "verdict/check.hpp"

namespace drover::verdict {

/// What one thread saw of final states.
struct Tally {
  std::map<machine::Outcome, std::uint64_t> outcomes;
  std::uint64_t positive = 0, negative = 0;
  mm::State state{};

  void add(const machine::Machine& model, explore::StateBytes bytes);
};

void add_up(const std::vector<Tally>& tallies, CheckResult& result);

/// Everything that must be the same for a check to go on from a checkpoint.
[[nodiscard]] std::string manifest(const litmus::Program& program, const design::Design& design,
                                   const CheckOptions& options);

/// The checkpoints of one search, if there are to be any.
class Resumption {
 public:
  Resumption(const CheckpointOptions& options, const std::string& manifest,
             explore::StateStore& store, std::vector<Tally>& tallies)
      : options_(options), manifest_(manifest), store_(store), tallies_(tallies) {}

  /// Fills store and tallies from the checkpoint that is there, and makes the search save itself.
  /// Throws std::invalid_argument if the checkpoint is of another check.
  void prepare(explore::SearchOptions& search, explore::Crew& crew);
  /// The check is complete: its checkpoints go.
  void finish() const;

 private:
  void save(const explore::SearchPoint& point);
  void say(const std::string& text) const {
    if (options_.say) options_.say(text);
  }

  const CheckpointOptions& options_;
  const std::string& manifest_;
  explore::StateStore& store_;
  std::vector<Tally>& tallies_;
  explore::SearchPoint point_;
};

}  // namespace drover::verdict
