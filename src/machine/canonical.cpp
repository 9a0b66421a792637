// Canonical form of a State: frame numbers in order of first use, dead values zero. Two states that
// differ only in which frame has which number become the same bytes, which is sound because no path
// ever compares frame numbers but for equality.
#include <algorithm>
#include <array>
#include <stdexcept>

#include "machine/machine.hpp"

namespace drover::machine {
namespace {

using mm::State;

class Numbering {
 public:
  /// `to`: old number -> new number.
  Numbering(unsigned limit, Renumbering& to) : limit_(limit), to_(to) { to_.fill(0); }

  std::uint8_t operator()(std::uint8_t& frame) {
    if (frame < mm::kFirstFrame) return frame;
    if (to_[frame] == 0) {
      if (next_ >= limit_) throw std::runtime_error("the model's page frames are used up");
      to_[frame] = static_cast<std::uint8_t>(next_++);
      from_[to_[frame]] = frame;
      identity_ = identity_ && to_[frame] == frame;
    }
    return frame = to_[frame];
  }
  /// A used frame of a large folio keeps its other pages.
  void add_folios(State& s) {
    std::array<std::uint8_t, mm::kMaxLargeFolios> order{};
    unsigned folios = 0;
    for (unsigned n = mm::kFirstFrame; n < next_; ++n) {
      auto& folio = s.frames[from_[n]].folio;
      if (folio == 0) continue;
      const unsigned number = folio - 1U;
      unsigned known = 0;
      while (known < folios && order[known] != number) ++known;
      if (known == folios) {
        order[folios++] = static_cast<std::uint8_t>(number);
        for (const std::uint8_t page : s.folios[number].pages) {
          std::uint8_t name = page;
          (*this)(name);
        }
      }
    }
    renumber_folios(s, order, folios);
  }
  [[nodiscard]] bool used(unsigned frame) const { return to_[frame] != 0; }
  [[nodiscard]] unsigned count() const { return next_; }
  [[nodiscard]] std::uint8_t source(unsigned frame) const { return from_[frame]; }
  /// Whether every used frame keeps its number.
  [[nodiscard]] bool identity() const { return identity_; }

 private:
  void renumber_folios(State& s, const std::array<std::uint8_t, mm::kMaxLargeFolios>& order,
                       unsigned folios) {
    const auto before = s.folios;
    s.folios.fill({});
    for (unsigned f = 0; f < folios; ++f) {
      s.folios[f] = before[order[f]];
      for (std::uint8_t& page : s.folios[f].pages) {
        if (page == mm::kNoFrame) continue;
        s.frames[page].folio = static_cast<std::uint8_t>(f + 1);
        (*this)(page);
      }
    }
  }

  unsigned limit_, next_ = mm::kFirstFrame;
  bool identity_ = true;
  Renumbering& to_;
  Renumbering from_;  // of the new numbers given so far
};

void renumber_names(State& s, const litmus::Program& program, Numbering& renumber) {
  for (unsigned m = 0; m < program.mms; ++m) {
    for (unsigned p = 0; p < program.pages; ++p) {
      renumber(s.mms[m].pte[p].frame);
      renumber(s.mms[m].tlb[p].frame);
      if ((s.mms[m].pte[p].bits & mm::kPteMigration) != 0) renumber(s.mms[m].entry[p]);
    }
  }
  for (unsigned r = 0; r < program.refs; ++r) renumber(s.refs[r].frame);
  for (unsigned j = 0; j < program.jobs; ++j) renumber(s.jobs[j].frame);
  if ((program.features & litmus::kFeatureSwap) != 0) {
    for (mm::SwapSlot& slot : s.slots) renumber(slot.cache);
  }
  if ((program.features & litmus::kFeatureFiles) != 0) {
    for (unsigned p = 0; p < program.pages; ++p) renumber(s.files[p].frame);
  }
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    for (unsigned d = 0; d < s.actors[a].depth; ++d) {
      for (std::uint8_t& frame : s.actors[a].stack[d].frame) renumber(frame);
    }
  }
}

}  // namespace

unsigned watched_mms(const mm::Actor& actor) {
  unsigned watched = 0;
  for (unsigned d = 0; d < actor.depth; ++d) {
    const mm::Activation& act = actor.stack[d];
    if (act.path == static_cast<std::uint8_t>(mm::Path::gup_fast)) watched |= 1U << act.arg[3];
  }
  return watched;
}

void forget_wp_seq(State& s, const litmus::Program& program) {
  unsigned watched = 0;
  for (unsigned a = 0; a < program.actors.size(); ++a) watched |= watched_mms(s.actors[a]);
  for (unsigned m = 0; m < program.mms; ++m) {
    if ((watched >> m & 1U) == 0) s.mms[m].wp_seq &= 1U;
  }
}

bool canonicalise(State& s, const litmus::Program& program, unsigned frames, Renumbering& names) {
  Numbering renumber(frames, names);
  renumber_names(s, program, renumber);
  if ((program.features & litmus::kFeatureHuge) != 0) renumber.add_folios(s);
  bool nothing_lost = true;
  for (unsigned f = mm::kFirstFrame; f < s.frames_end; ++f) {
    if (s.frames[f].flags == 0 || renumber.used(f)) continue;
    if (lost_if_unnamed(s.frames[f])) nothing_lost = false;
    s.frames[f] = mm::Frame{};
  }
  if (!renumber.identity()) {
    std::array<mm::Frame, mm::kMaxFrames> before;
    std::copy_n(s.frames.data(), s.frames_end, before.begin());
    for (unsigned f = mm::kFirstFrame; f < renumber.count(); ++f) {
      s.frames[f] = before[renumber.source(f)];
    }
    for (unsigned f = renumber.count(); f < s.frames_end; ++f) s.frames[f] = mm::Frame{};
  }
  s.frames_end = static_cast<std::uint8_t>(renumber.count());
  names[mm::kZeroFrame] = mm::kZeroFrame;
  return nothing_lost;
}

}  // namespace drover::machine
