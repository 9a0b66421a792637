// RDMA memory regions after their pages are pinned: what the device may do with them. How they are
// pinned is in mm/take_reference.cpp (ib_umem_get).
#include "device/paths.hpp"
#include "mm/kernel.hpp"

namespace drover::device {
namespace policy = design::policy;

bool device_may_write(const Kernel& k, unsigned ref) {
  return k.program.handle_of(ref).op != litmus::Op::reg_mr ||
         (k.s.refs[ref].flags & mm::kRefDeviceWrites) != 0;
}

// ib_uverbs_rereg_mr with IB_MR_REREG_ACCESS alone: new rights for the keys, the pages stay pinned
// as they are (mlx5_ib_rereg_user_mr). badad6fad60d: ib_umem_check_rereg asks how that was.
Step rereg_mr(Kernel& k) {
  const litmus::Instr& i = k.instr();
  if (!mm::handed_out(k.s.refs[i.ref])) {
    k.set_register(i.dst, -mm::kEINVAL);
    return k.done();
  }
  const bool pinned_writable = (k.s.refs[i.ref].flags & mm::kRefWrite) != 0;
  if (i.writable_mr && !pinned_writable && k.policy.rdma_rereg == policy::rdma_rereg::checked) {
    k.say("ib_umem_check_rereg: the pages are pinned read-only");
    k.set_register(i.dst, -mm::kEACCES);
    return k.done();
  }
  for (unsigned r = i.ref; r < static_cast<unsigned>(i.ref) + i.pages; ++r) {
    auto& flags = k.s.refs[r].flags;
    flags = static_cast<std::uint8_t>(flags & ~mm::kRefDeviceWrites);
    if (i.writable_mr) flags |= mm::kRefDeviceWrites;
  }
  k.say("the device may {} the memory region now", i.writable_mr ? "write" : "only read");
  k.set_register(i.dst, 0);
  return k.done();
}

}  // namespace drover::device
