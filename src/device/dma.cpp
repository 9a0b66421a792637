// A device with pinned memory (no notifier, no translation of its own): it reads and writes the
// page frame behind a reference, whatever the page table says by now.
#include "device/paths.hpp"
#include "mm/gup.hpp"
#include "mm/memory_access.hpp"
#include "mm/page.hpp"
#include "mm/paths.hpp"

namespace drover::device {
namespace {

using mm::JobState;

// Device accesses are made for the process whose memory was pinned.
unsigned owner_mm(const Kernel& k, unsigned ref) {
  return k.mm_of(k.program.handle_of(ref).process);
}

bool held(const Kernel& k, unsigned ref) {
  return mm::handed_out(k.s.refs[ref]);
}

void transfer(Kernel& k, std::uint8_t frame, unsigned word, unsigned mm_index, bool write,
              std::int8_t& value) {
  if (write) {
    mm::write_word(k, frame, word, value, mm_index, true);
  } else {
    value = mm::read_word(k, frame, word, mm_index);
  }
}

}  // namespace

Step dma(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const bool write = i.op == litmus::Op::dma_write;
  std::int8_t value = write ? k.evaluate(i.value) : std::int8_t{0};
  if (write && held(k, i.ref) && !device_may_write(k, i.ref)) {
    k.say("the device refuses: the memory region is read-only");
  } else if (held(k, i.ref)) {
    transfer(k, k.s.refs[i.ref].frame, i.word, owner_mm(k, i.ref), write, value);
  }
  if (!write) k.set_register(i.dst, value);
  return k.done();
}

// The work request carries the bus address, so it outlives an unpin (a driver bug the model shows).
Step post_job(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const bool refused = i.op == litmus::Op::post_write && !device_may_write(k, i.ref);
  if (!held(k, i.ref) || refused) {
    k.s.jobs[i.job] = mm::Job{JobState::done, mm::kNoFrame, 0};
    return k.done();
  }
  const bool write = i.op == litmus::Op::post_write;
  k.s.jobs[i.job] = mm::Job{JobState::queued, k.s.refs[i.ref].frame,
                            write ? k.evaluate(i.value) : std::int8_t{0}};
  return k.done();
}

bool job_ready(const mm::State& s, unsigned job) {
  return s.jobs[job].state == JobState::queued;
}

namespace {

// The statement that posts `job`; every job has exactly one.
const litmus::Instr* find_post(const litmus::Program& program, unsigned job) {
  for (const litmus::Actor& actor : program.actors) {
    for (const litmus::Instr& i : actor.code) {
      const bool post = i.op == litmus::Op::post_write || i.op == litmus::Op::post_read;
      if (post && i.job == job) return &i;
    }
  }
  return nullptr;
}

}  // namespace

void run_job(Kernel& k, unsigned job) {
  const litmus::Instr* post = find_post(k.program, job);
  if (post == nullptr) return;
  mm::Job& j = k.s.jobs[job];
  const bool write = post->op == litmus::Op::post_write;
  transfer(k, j.frame, post->word, owner_mm(k, post->ref), write, j.value);
  if (write) j.value = 0;
  j.frame = mm::kNoFrame;
  j.state = JobState::done;
}

Step complete_job(Kernel& k) {
  const litmus::Instr& i = k.instr();
  mm::Job& job = k.s.jobs[i.job];
  if (job.state == JobState::queued) return k.blocked();
  k.set_register(i.dst, job.value);
  job = mm::Job{};
  return k.done();
}

// bio_complete of O_DIRECT: the transfer that was held back happens, then the references go.
Step complete_io(Kernel& k) {
  enum { kTransfer, kRelease };
  const litmus::Instr& i = k.instr();
  const litmus::Instr* submit = nullptr;
  const litmus::Handle& handle = k.program.handle_of(i.ref);
  for (const litmus::Instr& candidate : k.program.actors[handle.actor].code) {
    if (candidate.op == handle.op && candidate.ref == i.ref) submit = &candidate;
  }
  if (submit == nullptr || !held(k, i.ref)) return k.done();
  if (k.activation().point == kTransfer) {
    const bool write = submit->op == litmus::Op::direct_read;  // the device writes memory
    std::int8_t value = k.s.refs[i.ref].value;
    transfer(k, k.s.refs[i.ref].frame, submit->word, owner_mm(k, i.ref), write, value);
    k.set_register(i.dst, write ? 0 : value);
    return k.yield(kRelease);
  }
  // bio_check_pages_dirty, or set_page_dirty_lock of fs/direct-io.c: what the device wrote is
  // dirty. Reclaim neither discards it (MADV_FREE) nor trusts an older copy on the swap device.
  if (submit->op == litmus::Op::direct_read) {
    const std::uint8_t frame = k.s.refs[i.ref].frame;
    if (mm::page_locked(k, frame)) return k.blocked();
    mm::set_page_dirty(k, frame);
  }
  mm::Ref& ref = k.s.refs[i.ref];
  mm::release_frame(k, (ref.flags & mm::kRefPin) != 0 ? mm::kGupPin : 0U, ref.frame);
  ref = mm::Ref{};
  return k.done();
}

// A word of a page in a pipe or a socket queue, as its reader gets it.
Step peek(Kernel& k) {
  const litmus::Instr& i = k.instr();
  std::int8_t value = 0;
  if (held(k, i.ref)) {
    value = mm::read_word(k, k.s.refs[i.ref].frame, i.word, owner_mm(k, i.ref));
  }
  k.set_register(i.dst, value);
  return k.done();
}

}  // namespace drover::device
