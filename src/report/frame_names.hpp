// Stable letters for page frames over a run. The model renumbers its frames after every step, so a
// number means nothing beyond one state; a letter names one frame for its whole life.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "litmus/program.hpp"
#include "machine/machine.hpp"
#include "mm/state.hpp"

namespace drover::report {

/// Which frame is which, in one state. Identities count from 0 in order of appearance over the run.
class FrameNames {
 public:
  using Id = std::int16_t;
  static constexpr Id kNoId = -1;

  FrameNames(const litmus::Program& program, const mm::State& initial);

  /// The names after a step: old frames by `renumbering`, frames of `after` not in it are new.
  void advance(const machine::Renumbering& renumbering, const mm::State& after);

  /// kNoId for kNoFrame, for the zero page and for a frame that nobody names.
  [[nodiscard]] Id id(std::uint8_t frame) const { return ids_[frame]; }
  /// The number of a frame in this state, or kNoFrame if it is gone.
  [[nodiscard]] std::uint8_t number(Id id) const;
  /// How many identities were given so far.
  [[nodiscard]] Id count() const { return next_; }

  /// "frame A", "the zero page", "nothing".
  [[nodiscard]] std::string name(std::uint8_t frame) const;
  /// "A" ... "Z", "A1" ...
  [[nodiscard]] static std::string letter(Id id);

  /// A virtual page that the frame backs or once backed, for the names of its words; litmus::kNone
  /// if that is not known (yet).
  [[nodiscard]] std::uint8_t page(Id id) const { return pages_[static_cast<std::size_t>(id)]; }

 private:
  void see(const mm::State& s);
  void note(std::uint8_t frame, unsigned page);

  const litmus::Program& program_;
  std::array<Id, mm::kMaxFrames> ids_{};
  std::vector<std::uint8_t> pages_;  // by identity
  Id next_ = 0;
};

}  // namespace drover::report
