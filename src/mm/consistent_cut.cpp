// Ghost bookkeeping of the consistent cut; see consistent_cut.hpp.
#include "mm/consistent_cut.hpp"

#include "mm/page.hpp"

namespace drover::mm {
namespace {

// The activation of the dup_mmap that copies `parent`, and how far its early copy is.
struct EarlyCopy {
  std::uint8_t page = kNone, frame = kNoFrame, words = 0;
};
EarlyCopy early_copy_in_progress(const Kernel& k, unsigned parent) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Actor& actor = k.s.actors[a];
    if (actor.depth != 1 || actor.stack[0].path != static_cast<std::uint8_t>(Path::dup_mmap) ||
        k.program.actors[a].kind != litmus::ActorKind::thread ||
        k.program.processes[k.program.actors[a].process].mm != parent) {
      continue;
    }
    const Activation& fork = actor.stack[0];  // arg[0]: page, arg[1]: next word; frame[1]: the copy
    return EarlyCopy{fork.arg[0], fork.frame[1], fork.arg[1]};
  }
  return {};
}

bool words_match(const Kernel& k, unsigned page, std::uint8_t parent_frame,
                 std::uint8_t child_frame, unsigned words) {
  for (unsigned w = 0; w < words && w < k.words_of(page); ++w) {
    const Word& now = k.s.frames[parent_frame].words[w];
    if ((now.audience & kWrittenByDevice) != 0) continue;
    if (now.value != k.s.frames[child_frame].words[w].value) return false;
  }
  return true;
}

// Whether this very moment is a possible cut as far as the frozen words are concerned.
bool frozen_words_match(const Kernel& k, unsigned parent, unsigned child) {
  const EarlyCopy copying = early_copy_in_progress(k, parent);
  for (unsigned page = 0; page < k.program.pages; ++page) {
    const std::uint8_t of_parent = k.s.mms[parent].pte[page].frame;
    const std::uint8_t of_child = k.s.mms[child].pte[page].frame;
    if (of_child != kNoFrame && of_child != of_parent) {
      if (!words_match(k, page, of_parent, of_child, litmus::kMaxWords)) return false;
    } else if (copying.page == page && copying.frame != kNoFrame) {
      if (!words_match(k, page, of_parent, copying.frame, copying.words)) return false;
    }
  }
  return true;
}

}  // namespace

void begin_cut(Kernel& k, unsigned parent, unsigned child) {
  k.s.mms[parent].forking = static_cast<std::uint8_t>(child + 1);
  k.s.mms[child].flags |= kMmCutPossible;
}

void note_store(Kernel& k, unsigned mm, unsigned page, unsigned word, bool changed) {
  if (!changed || k.s.mms[mm].forking == 0) return;
  const unsigned child = k.s.mms[mm].forking - 1U;
  // Not in the snapshot at all: left out of the child, or replaced by zeros there.
  if ((k.vma(child, page) & kVmMapped) == 0 || (k.vma(mm, page) & kVmWipeOnFork) != 0) return;
  const std::uint8_t of_child = k.s.mms[child].pte[page].frame;
  const EarlyCopy copying = early_copy_in_progress(k, mm);
  const bool copied = copying.page == page && copying.frame != kNoFrame && word < copying.words;
  const bool frozen = copied || (of_child != kNoFrame && of_child != k.s.mms[mm].pte[page].frame);
  const bool match = frozen_words_match(k, mm, child);
  auto& flags = k.s.mms[child].flags;
  if (!frozen && !match) {
    flags = static_cast<std::uint8_t>(flags & ~kMmCutPossible);
  } else if (match) {
    flags |= kMmCutPossible;
  }
}

void end_cut(Kernel& k, unsigned parent, unsigned child) {
  if ((k.s.mms[child].flags & kMmCutPossible) == 0) {
    k.violate(litmus::Property::isolation);
    k.say("the child's memory is no consistent cut of its parent's");
  }
  auto& flags = k.s.mms[child].flags;
  flags = static_cast<std::uint8_t>(flags & ~kMmCutPossible);
  k.s.mms[parent].forking = 0;
  for (unsigned page = 0; page < k.program.pages; ++page) {
    const std::uint8_t frame = k.s.mms[child].pte[page].frame;
    if (!counted(frame)) continue;
    for (Word& word : k.s.frames[frame].words) {
      if ((word.audience >> parent & 1U) != 0) {
        word.audience = static_cast<std::uint8_t>(word.audience | 1U << child);
      }
    }
  }
}

}  // namespace drover::mm
