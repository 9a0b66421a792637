// The statements that take page references: get and pin themselves, and the users of GUP whose
// FOLL_ flags the design decides (kernel-semantics 13). And the statements that drop them.
#include "mm/gup.hpp"
#include "mm/huge_memory.hpp"
#include "mm/large_folio.hpp"
#include "mm/locks.hpp"
#include "mm/page.hpp"
#include "mm/page_cache.hpp"
#include "mm/paths.hpp"

namespace drover::mm {
namespace policy = design::policy;
namespace {

struct Request {
  unsigned flags = 0;  // kGup*
  bool fast = false;
};

// FOLL_ flags and entry point of a user of GUP; the function that calls GUP is named in each case.
Request request(const design::Switches& policy, const litmus::Instr& i) {
  using litmus::Op;
  const auto pin_if = [](bool pin) { return pin ? kGupPin : 0U; };
  switch (i.op) {
    case Op::get:
    case Op::pin:
      return {(i.foll & ~unsigned{litmus::kFollPciP2pdma}) | pin_if(i.op == Op::pin) |
                  (i.gup == litmus::Gup::raw ? kGupFastOnly : 0U),
              i.gup != litmus::Gup::slow};
    case Op::register_buffer:  // io_pin_pages: write access, whatever the buffer is used for
      return {kGupWrite | kGupLongterm | pin_if(policy.io_uring_ref == policy::io_uring_ref::pin),
              policy.io_uring_gup == policy::io_uring_gup::fast};
    case Op::reg_mr: {  // ib_umem_get
      const unsigned ref = kGupLongterm | pin_if(policy.rdma_ref == policy::rdma_ref::pin);
      const bool fast = policy.rdma_ref == policy::rdma_ref::pin;
      if (i.writable_mr) return {ref | kGupWrite, fast};
      if (policy.rdma_readonly_mr == policy::rdma_readonly_mr::read) return {ref, fast};
      return {ref | kGupWrite | kGupForce, fast};
    }
    case Op::xdp_umem:  // xdp_umem_pin_pages: under the mmap_lock in every version
      return {kGupWrite | kGupLongterm | pin_if(policy.xdp_umem_ref == policy::xdp_umem_ref::pin),
              false};
    case Op::direct_read:  // the device writes memory: iov_iter_get_pages with READ
      return {kGupWrite | pin_if(policy.odirect_ref == policy::odirect_ref::pin), true};
    case Op::direct_write:
      return {pin_if(policy.odirect_ref == policy::odirect_ref::pin), true};
    case Op::vmsplice:  // vmsplice_to_pipe: iov_iter_get_pages
      return {pin_if(policy.vmsplice_ref == policy::vmsplice_ref::pin), true};
    case Op::zerocopy_send:  // __zerocopy_sg_from_iter
      return {pin_if(policy.zerocopy_ref == policy::zerocopy_ref::pin), true};
    default:
      return {};
  }
}

// arg, where long-term pins look at zones (checks_zones()): pages that GUP-fast took; whether the
// slow path took the others; whether it is to leave them where they are.
enum Point : std::uint8_t { kStart, kGetPages, kReturned, kZonesChecked };

// ibv_fork_init: libibverbs calls madvise(MADV_DONTFORK) before it registers. As in madvise, a part
// of a huge page becomes a VMA of its own, which splits the PMD (split_vma, vma_adjust_trans_huge).
Step mark_dontfork(Kernel& k, unsigned mm) {
  const litmus::Instr& i = k.instr();
  if (ptl_held(k.s, k.program, mm, i.page) || !mmap_write_trylock(k, mm)) return k.blocked();
  split_partly_covered(k, mm, i.page, i.pages);
  for (unsigned p = i.page; p < static_cast<unsigned>(i.page) + i.pages; ++p) {
    k.vma(mm, p) |= kVmDontCopy;
  }
  k.say("the library marks the pages MADV_DONTFORK");
  mmap_unlock(k);
  return k.yield(kGetPages);
}

Step get_pages(Kernel& k, const Request& r, unsigned mm) {
  const litmus::Instr& i = k.instr();
  const auto& arg = k.activation().arg;
  unsigned flags = r.flags;
  // Who comes with the mmap_lock held keeps it until the pages are where they may stay; so does
  // GUP-fast's slow path up to 6.2 (__gup_longterm_unlocked).
  if (checks_zones(k, r.flags) &&
      (!r.fast || k.policy.longterm_migrate_lock == policy::longterm_migrate_lock::held)) {
    flags |= kGupKeepLock;
  }
  const bool fast = r.fast && arg[1] == 0;
  return k.call(fast ? Path::gup_fast : Path::gup_slow, kReturned,
                {static_cast<unsigned>(i.page) + arg[0], static_cast<unsigned>(i.page) + i.pages,
                 flags, mm, static_cast<unsigned>(i.ref) + arg[0], arg[0]});
}

// The other pipe buffers that the page is in: all in the step that takes or drops the last of them.
void add_copies(Kernel& k, unsigned ref, int sign) {
  const auto copies = static_cast<int>(further_copies(k.policy, k.program.handle_of(ref)));
  Frame& page = page_folio(k, k.s.refs[ref].frame);
  page.refcount = static_cast<std::int16_t>(page.refcount + sign * copies);
}

Step finish(Kernel& k, int result) {
  const litmus::Instr& i = k.instr();
  for (unsigned r = i.ref; r < static_cast<unsigned>(i.ref) + i.pages; ++r) {
    k.s.refs[r].flags = static_cast<std::uint8_t>(k.s.refs[r].flags & ~kRefTentative);
    if (!handed_out(k.s.refs[r])) continue;
    if (i.copies > 1) add_copies(k, r, 1);
    if (i.op == litmus::Op::reg_mr && i.writable_mr) k.s.refs[r].flags |= kRefDeviceWrites;
    if (i.op == litmus::Op::direct_read) k.s.refs[r].value = k.evaluate(i.value);
  }
  k.set_register(i.dst, result);
  if (k.self().lock != LockKind::none) mmap_unlock(k);
  return k.done();
}

// The loop of __gup_longterm_locked.
Step returned(Kernel& k, const Request& r) {
  const litmus::Instr& i = k.instr();
  const auto& arg = k.activation().arg;
  const bool slow = !r.fast || arg[1] != 0;
  if (k.result() < 0 || !checks_zones(k, r.flags) || !slow || arg[2] != 0) {
    return finish(k, k.result());
  }
  const unsigned first = static_cast<unsigned>(i.ref) + arg[0];
  return k.call(Path::migrate_longterm, kZonesChecked,
                {first, static_cast<unsigned>(i.ref) + i.pages, first, r.flags, 0, i.ref});
}

Step zones_checked(Kernel& k) {
  const int result = k.result();
  if (result != -kEAGAIN && result != -kEBUSY) return finish(k, result);
  if (result == -kEBUSY) k.activation().arg[2] = 1;
  k.mark_backward();
  return k.yield(kGetPages);
}

}  // namespace

Step take_reference(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const Request r = request(k.policy, i);
  const unsigned mm = k.mm_of(i.process == kNone ? k.process() : i.process);
  switch (k.activation().point) {
    case kStart:
      if (i.op == litmus::Op::register_buffer &&
          k.policy.io_uring_ref == policy::io_uring_ref::absent) {
        k.set_register(i.dst, -kENOSYS);
        return k.done();
      }
      if ((i.foll & litmus::kFollPciP2pdma) != 0 && (i.foll & litmus::kFollLongterm) != 0) {
        k.violate(litmus::Property::sanity);
        k.say("WARNING: is_valid_gup_args: a long-term reference to peer-to-peer memory");
        k.set_register(i.dst, -kEINVAL);
        return k.done();
      }
      if (k.policy.longterm_marks_dontfork == policy::longterm_marks_dontfork::yes &&
          (r.flags & kGupLongterm) != 0) {
        return mark_dontfork(k, mm);
      }
      return k.fused(kGetPages);
    case kGetPages:
      return get_pages(k, r, mm);
    case kReturned:
      return returned(k, r);
    default:
      return zones_checked(k);
  }
}

// arg: pages released so far. One page a step: unpin_user_pages and release_pages go one by one.
Step release_reference(Kernel& k) {
  enum : std::uint8_t { kDirty, kRelease };
  const litmus::Instr& i = k.instr();
  auto& released = k.activation().arg[0];
  Ref& ref = k.s.refs[i.ref + released];
  if (k.activation().point == kDirty && handed_out(ref) && release_dirties(k, i, ref)) {
    if (page_locked(k, ref.frame)) return k.blocked();  // lock_page
    set_page_dirty(k, ref.frame);
    return k.yield(kRelease);
  }
  if (handed_out(ref)) {
    const litmus::Op taken_by = k.program.handle_of(i.ref).op;
    if (taken_by == litmus::Op::pin || taken_by == litmus::Op::get) {
      // As the program says, right or wrong (claims 86 and 93).
      if (i.op == litmus::Op::unpin || i.op == litmus::Op::unpin_dirty) {
        unpin_page(k, ref.frame);
      } else {
        put_page(k, ref.frame);
      }
    } else {
      if (taken_by == litmus::Op::vmsplice) add_copies(k, i.ref + released, -1);
      release_frame(k, (ref.flags & kRefPin) != 0 ? kGupPin : 0, ref.frame);
    }
    ref = Ref{};
  }
  if (++released < i.pages) return k.yield(kDirty);
  return k.done();
}

// set_page_dirty_lock of each page behind a handle.
Step dirty_reference(Kernel& k) {
  const litmus::Instr& i = k.instr();
  auto& done = k.activation().arg[0];
  const Ref& ref = k.s.refs[i.ref + done];
  if (handed_out(ref) && is_file_page(k.s.frames[ref.frame])) {
    if (page_locked(k, ref.frame)) return k.blocked();
    set_page_dirty(k, ref.frame);
  }
  if (++done < i.pages) return k.yield(0);
  return k.done();
}

Step pagemap(Kernel& k) {
  const litmus::Instr& i = k.instr();
  const std::uint8_t frame = k.pte(k.mm(), i.page).frame;
  k.s.refs[i.ref] = Ref{frame, 0, kRefWeak, 0};
  return k.done();
}

}  // namespace drover::mm
