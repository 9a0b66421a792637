// The page cache of files (mm/filemap.c): which frames are file pages, adding and removing them,
// and set_page_dirty. What faults, writeback and truncate do with it is in files of their own.
#pragma once

#include "mm/kernel.hpp"

namespace drover::mm {

/// Whether `page` (a virtual page) belongs to a file's memory object.
[[nodiscard]] inline bool is_file(const litmus::Program& program, unsigned page) {
  return (program.features & litmus::kFeatureFiles) != 0 &&
         program.object(page).backing != litmus::Backing::anonymous;
}
/// Whether `page` is mapped MAP_SHARED, wherever it is mapped.
[[nodiscard]] inline bool is_shared_file(const litmus::Program& program, unsigned page) {
  return is_file(program, page) && program.object(page).shared;
}
/// Whether the file is on a disk, so that its dirty pages must be written back: its shared mappings
/// want a fault on the first write (vma_wants_writenotify).
[[nodiscard]] bool tracks_dirty_pages(const litmus::Program& program, unsigned page);

/// PageAnon's opposite: a page of a file, perhaps one that truncate took out of the page cache.
[[nodiscard]] inline bool is_file_page(const Frame& frame) {
  return frame.index != 0 && (frame.state & kSwapCache) == 0;
}
[[nodiscard]] inline bool in_page_cache(const Frame& frame) {
  return (frame.state & kPageCache) != 0;
}
/// The page of the file, as a virtual page number, that a file page is or was.
[[nodiscard]] inline unsigned file_index(const Frame& frame) {
  return frame.index - 1U;
}

/// filemap_add_folio and the read: a new page with what the disk holds; the cache has a reference.
std::uint8_t read_page(Kernel& k, unsigned page);
/// __filemap_remove_folio: takes the page out; the cache's reference goes. What is dirty is lost.
void delete_from_page_cache(Kernel& k, std::uint8_t frame);
/// set_page_dirty of a file page (page.hpp has the one for all): nothing for a page that is dirty
/// or was truncated. Reports sanity where ext4 warns of a page without buffer heads
/// (ext4_dirty_folio).
void set_file_page_dirty(Kernel& k, std::uint8_t frame);
/// block_page_mkwrite, ext4_page_mkwrite: the page gets buffer heads where the file system has
/// them, and becomes dirty.
void page_mkwrite(Kernel& k, std::uint8_t frame);
/// folio_wait_stable: whether a write fault has to wait because the disk is taking the page and
/// needs it to stay as it is (bdev_stable_writes, SB_I_STABLE_WRITES).
[[nodiscard]] bool must_stay_stable(const Kernel& k, std::uint8_t frame);
/// Whether some word of the cached page is not what the disk holds.
[[nodiscard]] bool differs_from_disk(const State& s, const litmus::Program& program, unsigned page);

}  // namespace drover::mm
