// Ghost bookkeeping of the consistent cut; see consistent_cut.hpp.
#include "mm/consistent_cut.hpp"

#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/swap.hpp"

namespace drover::mm {
namespace {

// The activation of the dup_mmap that copies `parent`, and how far its early copy is.
struct EarlyCopy {
  std::uint8_t page = kNone, frame = kNoFrame, words = 0;
};
EarlyCopy early_copy_in_progress(const Kernel& k, unsigned parent) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Position at = position_of(k.s, a);
    if (at.depth != 1 || at.path[0] != static_cast<std::uint8_t>(Path::dup_mmap) ||
        k.program.actors[a].kind != litmus::ActorKind::thread ||
        k.program.processes[k.program.actors[a].process].mm != parent) {
      continue;
    }
    const Activation& fork =
        k.s.actors[a].stack[0];  // arg[0]: page, arg[1]: next word; frame[1]: the copy
    return EarlyCopy{fork.arg[0], fork.frame[1], fork.arg[1]};
  }
  return {};
}

using Words = std::array<Word, litmus::kMaxWords>;

bool words_match(const Kernel& k, unsigned page, const Words* of_parent, const Words* of_child,
                 unsigned words) {
  if (of_parent == nullptr || of_child == nullptr) return true;
  for (unsigned w = 0; w < words && w < k.words_of(page); ++w) {
    const Word& now = (*of_parent)[w];
    if ((now.audience & kWrittenByDevice) != 0) continue;
    if (now.value != (*of_child)[w].value) return false;
  }
  return true;
}

// Whether this very moment is a possible cut as far as the frozen words are concerned.
bool frozen_words_match(const Kernel& k, unsigned parent, unsigned child) {
  const EarlyCopy copying = early_copy_in_progress(k, parent);
  for (unsigned page = 0; page < k.program.pages; ++page) {
    const Words* of_parent = contents_of(k.s, parent, page);
    const Words* of_child = contents_of(k.s, child, page);
    if (of_child != nullptr && of_child != of_parent) {
      if (!words_match(k, page, of_parent, of_child, litmus::kMaxWords)) return false;
    } else if (copying.page == page && copying.frame != kNoFrame) {
      const Words& copied = k.s.frames[copying.frame].words;
      if (!words_match(k, page, of_parent, &copied, copying.words)) return false;
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
  if (!changed || k.s.mms[mm].forking == 0 || is_shared_file(k.program, page)) return;
  const unsigned child = k.s.mms[mm].forking - 1U;
  // Not in the snapshot at all: left out of the child, or replaced by zeros there.
  if ((k.vma(child, page) & kVmMapped) == 0 || (k.vma(mm, page) & kVmWipeOnFork) != 0) return;
  const Words* of_child = contents_of(k.s, child, page);
  const EarlyCopy copying = early_copy_in_progress(k, mm);
  const bool copied = copying.page == page && copying.frame != kNoFrame && word < copying.words;
  const bool frozen = copied || (of_child != nullptr && of_child != contents_of(k.s, mm, page));
  const bool match = frozen_words_match(k, mm, child);
  auto& flags = k.s.mms[child].flags;
  if (!frozen && !match) {
    flags = static_cast<std::uint8_t>(flags & ~kMmCutPossible);
  } else if (match) {
    flags |= kMmCutPossible;
  }
}

namespace {

// What the parent may see of `words`, the child may see as well.
void widen(Words& words, unsigned parent, unsigned child) {
  for (Word& word : words) {
    if ((word.audience >> parent & 1U) != 0) {
      word.audience = static_cast<std::uint8_t>(word.audience | 1U << child);
    }
  }
}

// The first activation of `path` that `matches`, or nullptr.
template <class Matches>
const Activation* find_activation(const Kernel& k, Path path, Matches matches) {
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Position at = position_of(k.s, a);
    for (unsigned d = 0; d < at.depth; ++d) {
      if (at.path[d] != static_cast<std::uint8_t>(path)) continue;
      const Activation& act = k.s.actors[a].stack[d];
      if (matches(act)) return &act;
    }
  }
  return nullptr;
}

// The page that a migration under way has copied `frame` to, or kNoFrame.
std::uint8_t migrated_to(const Kernel& k, std::uint8_t frame) {
  const Activation* migrates = find_activation(
      k, Path::remove_migration_ptes, [=](const Activation& act) { return act.frame[0] == frame; });
  return migrates != nullptr ? migrates->frame[1] : kNoFrame;
}

// The page whose PTE in `mm` try_to_unmap has cleared and not yet replaced, or kNoFrame.
std::uint8_t being_unmapped(const Kernel& k, unsigned mm, unsigned page) {
  const auto here = [=](const Activation& act) { return act.arg[1] == mm && act.arg[2] == page; };
  const Activation* unmaps = find_activation(k, Path::try_to_unmap, here);
  return unmaps != nullptr ? unmaps->frame[0] : kNoFrame;
}

// As below for what is swapped out, being migrated, or about to be one of the two.
void widen_audience_of_entry(Kernel& k, unsigned parent, unsigned child, unsigned page) {
  const Pte pte = k.s.mms[child].pte[page];
  const std::uint8_t entry = k.s.mms[child].entry[page];
  const auto widen_frame = [&](std::uint8_t frame) {
    if (counted(frame)) widen(k.s.frames[frame].words, parent, child);
  };
  if (pte == Pte{}) widen_frame(being_unmapped(k, child, page));
  if (is_migration_entry(pte)) {
    widen_frame(entry);
    widen_frame(migrated_to(k, entry));
  }
  if (!is_swap_entry(pte)) return;
  widen(k.s.slots[entry].words, parent, child);
  widen_frame(k.s.slots[entry].cache);
}

}  // namespace

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
    if (!counted(frame)) {
      widen_audience_of_entry(k, parent, child, page);
      continue;
    }
    widen(k.s.frames[frame].words, parent, child);
  }
}

}  // namespace drover::mm
