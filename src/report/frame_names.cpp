// Letters for page frames; see frame_names.hpp.
#include "report/frame_names.hpp"

#include <fmt/format.h>

namespace drover::report {

FrameNames::FrameNames(const litmus::Program& program, const mm::State& initial)
    : program_(program) {
  ids_.fill(kNoId);
  see(initial);
}

void FrameNames::advance(const machine::Renumbering& renumbering, const mm::State& after) {
  std::array<Id, mm::kMaxFrames> ids{};
  ids.fill(kNoId);
  for (unsigned f = mm::kFirstFrame; f < mm::kMaxFrames; ++f) {
    if (ids_[f] != kNoId && renumbering[f] >= mm::kFirstFrame) ids[renumbering[f]] = ids_[f];
  }
  ids_ = ids;
  see(after);
}

void FrameNames::note(std::uint8_t frame, unsigned page) {
  if (frame < mm::kFirstFrame) return;
  if (ids_[frame] == kNoId) {
    ids_[frame] = next_++;
    pages_.push_back(litmus::kNone);
  }
  std::uint8_t& known = pages_[static_cast<std::size_t>(ids_[frame])];
  if (known == litmus::kNone) known = static_cast<std::uint8_t>(page);
}

// Everything that names a frame, the page tables first: they say which page it backs.
void FrameNames::see(const mm::State& s) {
  for (unsigned m = 0; m < program_.mms; ++m) {
    for (unsigned p = 0; p < program_.pages; ++p) note(s.mms[m].pte[p].frame, p);
  }
  for (unsigned m = 0; m < program_.mms; ++m) {
    for (unsigned p = 0; p < program_.pages; ++p) note(s.mms[m].tlb[p].frame, p);
  }
  for (unsigned r = 0; r < program_.refs; ++r) {
    const litmus::Handle& handle = program_.handle_of(r);
    note(s.refs[r].frame, handle.first_page + r - handle.first_ref);
  }
  for (unsigned j = 0; j < program_.jobs; ++j) note(s.jobs[j].frame, litmus::kNone);
  for (unsigned a = 0; a < program_.actors.size(); ++a) {
    for (unsigned d = 0; d < s.actors[a].depth; ++d) {
      for (const std::uint8_t frame : s.actors[a].stack[d].frame) note(frame, litmus::kNone);
    }
  }
}

std::uint8_t FrameNames::number(Id id) const {
  for (unsigned f = mm::kFirstFrame; f < mm::kMaxFrames; ++f) {
    if (ids_[f] == id) return static_cast<std::uint8_t>(f);
  }
  return mm::kNoFrame;
}

std::string FrameNames::letter(Id id) {
  constexpr int kLetters = 26;
  std::string text(1, static_cast<char>('A' + id % kLetters));
  if (id >= kLetters) text += fmt::format("{}", id / kLetters);
  return text;
}

std::string FrameNames::name(std::uint8_t frame) const {
  if (frame == mm::kNoFrame) return "nothing";
  if (frame == mm::kZeroFrame) return "the zero page";
  return "frame " + (ids_[frame] == kNoId ? "?" : letter(ids_[frame]));
}

}  // namespace drover::report
