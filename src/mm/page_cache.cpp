// The page cache; see page_cache.hpp.
#include "mm/page_cache.hpp"

#include "mm/page.hpp"

namespace drover::mm {

using litmus::Backing;

bool tracks_dirty_pages(const litmus::Program& program, unsigned page) {
  if (!is_file(program, page)) return false;
  const Backing backing = program.object(page).backing;
  return backing == Backing::ext4 || backing == Backing::xfs;
}

std::uint8_t read_page(Kernel& k, unsigned page) {
  const std::uint8_t frame = alloc_page(k);
  Frame& f = k.s.frames[frame];
  f.words = k.s.files[page].disk;
  f.state |= kPageCache;
  f.index = static_cast<std::uint8_t>(page + 1);
  k.s.files[page].frame = frame;
  k.say("the page is read into the page cache");
  return frame;
}

void delete_from_page_cache(Kernel& k, std::uint8_t frame) {
  Frame& f = k.s.frames[frame];
  k.s.files[file_index(f)].frame = kNoFrame;
  f.state = static_cast<std::uint8_t>(f.state & ~(kPageCache | kPageDirty | kHasBuffers));
  put_page(k, frame);
}

void set_file_page_dirty(Kernel& k, std::uint8_t frame) {
  Frame& f = k.s.frames[frame];
  if (!in_page_cache(f) || (f.state & kPageDirty) != 0) return;
  f.state |= kPageDirty;
  k.say("the file page becomes dirty");
  const bool wants_buffers = k.program.object(file_index(f)).backing == Backing::ext4;
  if (!wants_buffers || (f.state & kHasBuffers) != 0) return;
  k.violate(litmus::Property::sanity);
  k.say("WARNING: ext4 is told of a dirty page without buffer heads");
}

bool must_stay_stable(const Kernel& k, std::uint8_t frame) {
  const Frame& page = k.s.frames[frame];
  return is_file_page(page) && (page.state & kWriteback) != 0 &&
         k.program.object(file_index(page)).stable_writes;
}

void page_mkwrite(Kernel& k, std::uint8_t frame) {
  Frame& f = k.s.frames[frame];
  if (k.program.object(file_index(f)).backing == Backing::ext4) f.state |= kHasBuffers;
  set_file_page_dirty(k, frame);
}

bool differs_from_disk(const State& s, const litmus::Program& program, unsigned page) {
  const FilePage& file = s.files[page];
  if (file.frame == kNoFrame) return false;
  for (std::size_t w = 0; w < program.object(page).words.size(); ++w) {
    if (s.frames[file.frame].words[w].value != file.disk[w].value) return true;
  }
  return false;
}

}  // namespace drover::mm
