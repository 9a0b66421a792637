// Pins that io_uring registered buffers can stand for, and the device's accesses through them.
#include <fmt/format.h>

#include <algorithm>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {

using litmus::Instr;
using litmus::Op;

namespace {

std::string gup_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  const std::string target = assign_to(context, site.actor, i.dst);
  switch (i.op) {
    case Op::dma_write:
      return fmt::format("dma_write({}, {}, {});", i.ref, i.word,
                         expression(context, site.actor, i.value));
    case Op::dma_read:
      return fmt::format("{}dma_read({}, {});", target, i.ref, i.word);
    case Op::unpin:
      return fmt::format("unregister_buffer({});", handle_name(context, i.ref));
    default:
      return fmt::format("{}register_buffer({});", target, handle_name(context, i.ref));
  }
}

// A registered buffer is FOLL_PIN | FOLL_WRITE | FOLL_LONGTERM. Of anonymous memory a short pin
// differs from it only where the page lies in CMA or ZONE_MOVABLE.
std::string pin_obstacle(const Context& context, Site site) {
  const Instr& i = site.instr;
  const litmus::Backing backing = context.program.object(i.page).backing;
  if (backing != litmus::Backing::anonymous && backing != litmus::Backing::shmem) {
    return "io_uring has rules of its own for files; register_buffer says what they are";
  }
  if (i.gup == litmus::Gup::raw) return "no system call uses the fast-only entry";
  if (i.process != context.program.actors[site.actor].process) {
    return "no system call pins another process's memory and keeps it";
  }
  if ((i.foll & litmus::kFollForce) != 0) return "no system call pins with FOLL_FORCE and keeps it";
  if ((i.foll & litmus::kFollWrite) == 0) {
    return (i.foll & litmus::kFollLongterm) != 0
               ? "a read-only long-term pin needs a kernel with gup_test, 6.2 or later"
               : "no system call keeps a read-only short pin on every kernel";
  }
  return "";
}

std::string gup_obstacle(const Context& context, Site site) {
  switch (site.instr.op) {
    case Op::pin:
      return pin_obstacle(context, site);
    case Op::get:
      return "no system call keeps such a plain reference (FOLL_GET) on every kernel";
    case Op::reg_mr:
    case Op::rereg_mr:
      return "needs soft-RoCE, which drover does not set up";
    case Op::put:
      return "no system call releases a pin with put_page";
    case Op::unpin:
      return taker_of(context.program, site.instr.ref).op == Op::get
                 ? "no system call releases a plain reference with unpin_user_page"
                 : "";
    default:
      return "";
  }
}

HandleHooks gup_hooks(const Instr&, unsigned handle) {
  HandleHooks hooks;
  hooks.run = fmt::format("prepare_ring({});", handle);
  hooks.mark = fmt::format("mark_frames({});", handle);
  return hooks;
}

std::string job_statement(const Context& context, Site site) {
  const Instr& i = site.instr;
  if (i.op == Op::complete) {
    return fmt::format("{}complete_job({});", assign_to(context, site.actor, i.dst), i.job);
  }
  const bool write = i.op == Op::post_write;
  return fmt::format("post_job({}, {}, {}, {}, {});", i.job, i.ref, i.word, write,
                     write ? expression(context, site.actor, i.value) : "0");
}

std::string job_obstacle(const Context& context, Site site) {
  const Instr& i = site.instr;
  if (i.op == Op::complete) return "";
  if (&family_of(context, taker_of(context.program, i.ref)) != &kGupUsers) {
    return "only transfers through a registered buffer can be posted";
  }
  const litmus::Handle& handle = context.program.handle_of(i.ref);
  for (const litmus::Actor& actor : context.program.actors) {
    const bool unpinned = std::any_of(actor.code.begin(), actor.code.end(), [&](const Instr& u) {
      return u.op == Op::unpin && u.ref == handle.first_ref;
    });
    if (unpinned) return "io_uring keeps a buffer until the transfers through it are over";
  }
  return "";
}

}  // namespace

const Family kGupUsers{runtime::gup_users, gup_statement, gup_obstacle, gup_hooks};
const Family kJobs{runtime::jobs, job_statement, job_obstacle};

}  // namespace drover::native
