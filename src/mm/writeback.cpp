// Writeback of file pages (mm/page-writeback.c, mm/rmap.c, fs/ext4/inode.c), fsync and the flusher,
// and the crash after which only what was written remains (kernel-semantics 7).
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"
#include "mm/tlb.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

// frame[0]: the page, with a reference. arg: mm cursor of page_mkclean, next word.
enum Point : std::uint8_t { kLockPage, kMkclean, kWriteWord };

Step finish(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  unlock_page(k, frame);
  put_page(k, frame);
  return k.done();
}

// ext4: mpage_prepare_extent_to_map. cc5095747edf (5.18): it skips the page with a warning, and
// calls it clean; before, BUG_ON(!page_has_buffers).
Step without_buffers(Kernel& k) {
  Frame& page = k.s.frames[k.activation().frame[0]];
  k.violate(litmus::Property::sanity);
  if (k.policy.dirty_without_buffers == policy::dirty_without_buffers::bug) {
    k.say("BUG: ext4 writes a dirty page without buffer heads");
  } else {
    page.state = static_cast<std::uint8_t>(page.state & ~kPageDirty);
    k.say("ext4 warns of a dirty page without buffer heads and forgets that it is dirty");
  }
  return finish(k);
}

// Whether somebody has a reference beyond the cache, the mappings and those who write it back.
bool pinned(const Kernel& k, std::uint8_t frame) {
  int known = 1 + k.s.frames[frame].mapcount;
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    const Actor& actor = k.s.actors[a];
    for (unsigned d = 0; d < actor.depth; ++d) {
      const Activation& act = actor.stack[d];
      const bool writes = act.path == static_cast<std::uint8_t>(Path::writeback_page);
      if (writes && act.frame[0] == frame) known++;
    }
  }
  return k.s.frames[frame].refcount > known;
}

// The proposal to wait for the unpin (claim 88).
bool waits(const Kernel& k, std::uint8_t frame) {
  return k.policy.pinned_file_page == policy::pinned_file_page::wait &&
         in_page_cache(k.s.frames[frame]) && pinned(k, frame);
}

Step lock_page(Kernel& k) {
  const std::uint8_t frame = k.activation().frame[0];
  Frame& page = k.s.frames[frame];
  if (waits(k, frame)) return k.blocked();
  if ((page.state & kWriteback) != 0) return k.blocked();
  if (!trylock_page(k, frame)) return k.blocked();
  if (!in_page_cache(page) || (page.state & kPageDirty) == 0) return finish(k);
  const unsigned index = file_index(page);
  const bool wants_buffers = k.program.object(index).backing == litmus::Backing::ext4;
  if (wants_buffers && (page.state & kHasBuffers) == 0) return without_buffers(k);
  return k.yield(kMkclean);
}

// page_mkclean_one: clear and flush, then the same PTE read-only and clean. It looks at no pin.
Step mkclean(Kernel& k) {
  Activation& a = k.activation();
  Frame& page = k.s.frames[a.frame[0]];
  const unsigned index = file_index(page);
  for (; a.arg[0] < k.program.mms; ++a.arg[0]) {
    const unsigned mm = a.arg[0];
    const Pte old = k.pte(mm, index);
    if (old.frame != a.frame[0] || (old.bits & (kPteWrite | kPteDirty)) == 0) continue;
    if (gather_pending(k, mm, index) || !ptl_trylock(k, mm, index)) return k.blocked();
    k.pte(mm, index).bits = static_cast<std::uint8_t>(old.bits & ~(kPteWrite | kPteDirty));
    flush_tlb_page(k, mm, index);
    ptl_unlock(k);
    k.say("page_mkclean write-protects the PTE");
    return k.yield(kMkclean);
  }
  if (waits(k, a.frame[0])) {  // GUP-fast took a reference before its PTE lost the right
    unlock_page(k, a.frame[0]);
    a.arg[0] = 0;
    k.mark_backward();
    return k.yield(kLockPage);
  }
  page.state = static_cast<std::uint8_t>((page.state & ~kPageDirty) | kWriteback);
  unlock_page(k, a.frame[0]);
  k.say("clear_page_dirty_for_io: the page is clean, its writeback begins");
  return k.yield(kWriteWord);
}

// The I/O: the disk takes the words from the page itself, one after the other.
Step write_word_out(Kernel& k) {
  Activation& a = k.activation();
  Frame& page = k.s.frames[a.frame[0]];
  const unsigned index = file_index(page);
  k.s.files[index].disk[a.arg[1]] = page.words[a.arg[1]];
  if (k.tracing()) k.say("the disk gets {}", k.program.word_name(index, a.arg[1]));
  a.arg[1]++;
  if (a.arg[1] < k.words_of(index)) return k.yield(kWriteWord);
  page.state = static_cast<std::uint8_t>(page.state & ~kWriteback);
  put_page(k, a.frame[0]);
  k.say("end_page_writeback");
  return k.done();
}

}  // namespace

Step writeback_page(Kernel& k) {
  switch (k.activation().point) {
    case kLockPage:
      return lock_page(k);
    case kMkclean:
      return mkclean(k);
    default:
      return write_word_out(k);
  }
}

namespace {

Step write_page(Kernel& k, std::uint8_t frame, unsigned resume) {
  get_page(k, frame);
  k.call(Path::writeback_page, resume, {});
  k.activation().frame[0] = frame;
  return Step::yield;
}

}  // namespace

// filemap_write_and_wait_range: writes every dirty page of the file, then waits for those that
// somebody else is writing. Nothing is to do for shmem and DAX.
Step fsync(Kernel& k) {
  enum : std::uint8_t { kWrite, kWritten, kWait };
  const litmus::Instr& i = k.instr();
  auto& cursor = k.activation().arg[0];
  if (k.activation().point == kWritten) cursor++;
  for (; k.activation().point != kWait && cursor < i.pages && tracks_dirty_pages(k.program, i.page);
       ++cursor) {
    const std::uint8_t frame = k.s.files[i.page + cursor].frame;
    if (frame != kNoFrame && (k.s.frames[frame].state & kPageDirty) != 0) {
      return write_page(k, frame, kWritten);
    }
  }
  for (unsigned page = i.page; page < static_cast<unsigned>(i.page) + i.pages; ++page) {
    const std::uint8_t frame = k.s.files[page].frame;
    if (frame == kNoFrame || (k.s.frames[frame].state & kWriteback) == 0) continue;
    return k.activation().point == kWait ? k.blocked() : k.yield(kWait);
  }
  k.set_register(i.dst, 0);
  return k.done();
}

// The flusher: at any moment, any dirty page of its range.
Step writeback(Kernel& k) {
  enum : std::uint8_t { kPick, kWritten };
  if (k.activation().point == kWritten) return k.done();
  const litmus::Actor& daemon = k.code();
  std::array<std::uint8_t, litmus::kMaxPages> candidates{};
  unsigned n = 0;
  for (unsigned page = daemon.page; page < static_cast<unsigned>(daemon.page) + daemon.pages;
       ++page) {
    const std::uint8_t frame = k.s.files[page].frame;
    if (frame == kNoFrame || (k.s.frames[frame].state & kPageDirty) == 0) continue;
    candidates[n++] = frame;
  }
  if (n == 0) return k.blocked();
  k.say("the flusher picks a dirty page");
  return write_page(k, candidates[k.choose(n)], kWritten);
}

// Power is lost: everything but the disk is gone. Registers are what was known until then.
Step crash(Kernel& k) {
  State& s = k.s;
  for (unsigned page = 0; page < k.program.pages; ++page) {
    FilePage& file = s.files[page];
    const bool persistent = is_file(k.program, page) && file.frame != kNoFrame &&
                            k.program.object(page).backing == litmus::Backing::dax;
    if (persistent) file.disk = s.frames[file.frame].words;
    file.frame = kNoFrame;
  }
  for (unsigned f = kFirstFrame; f < kMaxFrames; ++f) s.frames[f] = Frame{};
  s.frames[kZeroFrame].refcount = 1;
  s.mms.fill({});
  s.refs.fill({});
  s.jobs = {};
  s.slots.fill({});
  for (std::uint8_t& process : s.processes) process = static_cast<std::uint8_t>(process | kExited);
  for (unsigned a = 0; a < k.program.actors.size(); ++a) {
    Actor& actor = s.actors[a];
    const auto regs = actor.regs;
    const litmus::Actor& code = k.program.actors[a];
    const bool thread = code.kind == litmus::ActorKind::thread;
    if (a == k.actor) continue;
    actor = Actor{};
    actor.regs = regs;
    actor.pc = thread ? static_cast<std::uint8_t>(code.code.size()) : code.bound;
  }
  k.say("the machine loses power: only the disk remains");
  return k.done();
}

}  // namespace drover::mm
