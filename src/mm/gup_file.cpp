// What get_user_pages makes of file mappings: which references the VMA refuses, which GUP-fast
// leaves to the slow path, and who dirties a page when it lets go of it (kernel-semantics 5, 7,
// 16).
#include "mm/gup.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;

int file_error(const Kernel& k, unsigned flags, unsigned page) {
  if ((flags & kGupLongterm) == 0) return 0;
  if (k.program.object(page).backing == litmus::Backing::dax) {
    return k.policy.longterm_fsdax == policy::longterm_fsdax::eopnotsupp ? -kEOPNOTSUPP : 0;
  }
  // 8ac268436e6d (6.5), vma_needs_dirty_tracking. A FOLL_GET is not asked.
  const bool write_pin = (flags & kGupWrite) != 0 && (flags & kGupPin) != 0;
  const bool tracked = is_shared_file(k.program, page) && tracks_dirty_pages(k.program, page);
  const bool refused =
      k.policy.longterm_shared_file_write == policy::longterm_shared_file_write::efault;
  return write_pin && tracked && refused ? -kEFAULT : 0;
}

// O_DIRECT says it for a disk whose queue can do it (bio_iov_iter_get_pages with
// ITER_ALLOW_P2PDMA, 5e3e3f2e15df), nobody else does.
bool refuses_p2pdma(const Kernel& k, unsigned page) {
  if (!is_file(k.program, page)) return false;
  if (k.program.object(page).backing != litmus::Backing::p2pdma) return false;
  const litmus::Instr& i = k.instr();
  const bool direct = i.op == litmus::Op::direct_read || i.op == litmus::Op::direct_write;
  return !direct && (i.foll & litmus::kFollPciP2pdma) == 0;
}

// a6e79df92e4a (6.5). It cannot know whether the mapping is shared.
bool fast_refuses_file(const Kernel& k, unsigned flags, std::uint8_t frame) {
  constexpr unsigned kLongtermWritePin = kGupPin | kGupLongterm | kGupWrite;
  const Frame& page = k.s.frames[frame];
  if (k.policy.gup_fast_file_check != policy::gup_fast_file_check::yes) return false;
  if ((flags & kLongtermWritePin) != kLongtermWritePin || !is_file_page(page)) return false;
  return !in_page_cache(page) ||  // truncated: not knowable any more what it was
         k.program.object(file_index(page)).backing != litmus::Backing::shmem;
}

bool io_uring_refuses(const Kernel& k) {
  if (k.policy.io_uring_file_buffer == policy::io_uring_file_buffer::allowed) return false;
  const litmus::Instr& i = k.instr();
  for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
    if (!is_file(k.program, p)) continue;
    const bool shmem = k.program.object(p).backing == litmus::Backing::shmem;
    if (!shmem || k.policy.io_uring_file_buffer == policy::io_uring_file_buffer::refused)
      return true;
  }
  return false;
}

bool release_dirties(const Kernel& k, const litmus::Instr& i, const Ref& ref) {
  if (!is_file_page(k.s.frames[ref.frame])) return false;
  if (i.op == litmus::Op::unpin_dirty) return true;
  // ib_umem_release: a memory region that the device may write.
  return i.op == litmus::Op::unpin && (ref.flags & kRefWrite) != 0 &&
         k.program.handle_of(i.ref).op == litmus::Op::reg_mr;
}

}  // namespace drover::mm
