// The footprint of every statement; see footprint.hpp. A statement that is not listed touches all
// memory, so a new one is safe here before anybody thinks of it.
#include "machine/footprint.hpp"

#include <algorithm>

namespace drover::machine {

using litmus::Instr;
using litmus::Op;

void Footprint::add(const Footprint& other) {
  reads.add(other.reads);
  writes.add(other.writes);
  watches.add(other.watches);
  frames |= other.frames;
  stores |= other.stores;
  starts |= other.starts;
  exits |= other.exits;
  signals |= other.signals;
  all_memory = all_memory || other.all_memory;
}

void Footprint::touch_all_memory() {
  for (unsigned r = 0; r < resource::kCount; ++r) {
    const bool process = r >= resource::process(0) && r < resource::ref(0);
    (process ? reads : writes).add(r);
  }
  frames = kReadsWords | kWritesWords | kReadsCounts | kWritesCounts;
  all_memory = true;
}

namespace {

/// Builds the footprint of one statement of `actor`.
class Builder {
 public:
  Builder(const litmus::Program& program, const design::Switches& switches,
          const litmus::Actor& actor)
      : program_(program), switches_(switches), actor_(actor) {}

  Footprint statement(const Instr& i) {
    own_process();
    if (orders(i)) return f_;
    // The features are what this file does not know in detail.
    if (program_.features != 0) {
      f_.touch_all_memory();
      if (i.op == Op::fork || i.op == Op::vfork || i.op == Op::exit || i.op == Op::crash) {
        processes(i);
      }
      return f_;
    }
    known(i);
    return f_;
  }

  Footprint speculate() {
    if (program_.features != 0) {
      f_.touch_all_memory();
      return f_;
    }
    for (unsigned m = 0; m < program_.mms; ++m) {
      for (unsigned p = actor_.page; p < actor_.page + actor_.pages; ++p) {
        f_.reads.add(resource::place(m, program_.object_of[p]));
      }
    }
    f_.frames = kReadsCounts | kWritesCounts;
    return f_;
  }

 private:
  void own_process() { f_.reads.add(resource::process(actor_.process)); }
  [[nodiscard]] unsigned mm_of(unsigned process) const { return program_.processes[process].mm; }
  [[nodiscard]] unsigned own_mm() const { return mm_of(actor_.process); }

  // Statements that touch no memory.
  bool orders(const Instr& i) {
    switch (i.op) {
      case Op::assign:
      case Op::jump:
      case Op::branch_zero:
      case Op::await:
      case Op::wait:
        return true;
      case Op::signal:
        f_.signals = static_cast<std::uint16_t>(1U << i.event);
        return true;
      default:
        return false;
    }
  }

  void known(const Instr& i) {
    switch (i.op) {
      case Op::load:
      case Op::store:
        return access(i);
      case Op::fork:
      case Op::vfork:
      case Op::exit:
        return processes(i);
      case Op::munmap:
      case Op::mmap:
      case Op::mremap:
      case Op::mprotect:
        return change(i);
      case Op::madvise:
        return madvise(i);
      case Op::get:
      case Op::pin:
      case Op::register_buffer:
      case Op::reg_mr:
      case Op::xdp_umem:
      case Op::direct_read:
      case Op::direct_write:
      case Op::vmsplice:
      case Op::zerocopy_send:
        return take_reference(i);
      case Op::process_vm_readv:
      case Op::process_vm_writev:
      case Op::ptrace_peek:
      case Op::ptrace_poke:
        return remote_access(i);
      default:
        return through_reference(i);
    }
  }

  void through_reference(const Instr& i) {
    switch (i.op) {
      case Op::unpin:
      case Op::put:
      case Op::set_page_dirty:
      case Op::unpin_dirty:
      case Op::pipe_close:
        drop(i, std::max<unsigned>(i.pages, 1));
        return;
      case Op::complete_io:
        drop(i, 1);
        f_.frames |= kReadsWords | kWritesWords;
        return;
      case Op::pipe_read:
      case Op::socket_recv:
      case Op::dma_read:
        f_.reads.add(resource::ref(i.ref));
        f_.frames = kReadsWords | kReadsCounts;
        return;
      case Op::dma_write:
        f_.reads.add(resource::ref(i.ref));
        f_.frames = kWritesWords | kReadsCounts;
        return;
      case Op::post_read:
      case Op::post_write:  // and what the device will do then
        f_.reads.add(resource::ref(i.ref));
        f_.writes.add(resource::job(i.job));
        f_.frames = kReadsWords | kWritesWords | kReadsCounts | kWritesCounts;
        return;
      case Op::complete:
        f_.writes.add(resource::job(i.job));
        return;
      case Op::pagemap:
        f_.reads.add(resource::place(own_mm(), program_.object_of[i.page]));
        f_.writes.add(resource::ref(i.ref));
        f_.frames = kReadsCounts | kWritesCounts;
        return;
      default:
        f_.touch_all_memory();
        if (i.op == Op::crash) processes(i);
        return;
    }
  }

  void places(unsigned mm, unsigned page, unsigned pages) {
    for (unsigned p = page; p < page + pages; ++p) {
      f_.writes.add(resource::place(mm, program_.object_of[p]));
    }
  }
  void all_places(unsigned mm) { places(mm, 0, program_.pages); }

  // A load or store, with the fault it may take.
  void access(const Instr& i) {
    const unsigned mm = own_mm();
    places(mm, i.page, 1);
    f_.reads.add(resource::lock(mm));
    f_.reads.add(resource::forking(mm));
    f_.reads.add(resource::cpus(mm));  // a SIGSEGV stops the thread
    f_.frames = kReadsWords | kReadsCounts;
    if (i.op == Op::load) return;
    f_.frames |= kWritesWords | kWritesCounts;
    f_.stores = static_cast<std::uint8_t>(1U << mm);
  }

  // Who runs user code of the mm, which is what leave_stale() wants to know.
  void asks_for_cpus(unsigned mm) {
    f_.writes.add(resource::cpus(mm));
    for (unsigned p = 0; p < program_.processes.size(); ++p) {
      if (mm_of(p) == mm) f_.reads.add(resource::process(p));
    }
  }

  void refs_of(unsigned mm, Resources& set) const {
    for (const litmus::Handle& handle : program_.handles) {
      if (mm_of(handle.process) != mm) continue;
      for (unsigned r = 0; r < handle.pages; ++r) set.add(resource::ref(handle.first_ref + r));
    }
  }

  // lru_add_drain() looks at every frame; only fresh pages are ever in a batch.
  void drain() {
    const bool fresh =
        std::any_of(program_.objects.begin(), program_.objects.end(),
                    [](const auto& object) { return object.state == litmus::InitialPage::fresh; });
    if (fresh) f_.touch_all_memory();
  }

  void processes(const Instr& i) {
    const unsigned mm = own_mm();
    if (i.op == Op::crash) {
      for (unsigned p = 0; p < program_.processes.size(); ++p) {
        f_.writes.add(resource::process(p));
        f_.exits |= static_cast<std::uint8_t>(1U << p);
      }
      return;
    }
    if (i.op == Op::vfork) {
      f_.writes.add(resource::process(i.process));
      f_.starts |= static_cast<std::uint8_t>(1U << i.process);
      asks_for_cpus(mm);
      return;
    }
    f_.writes.add(resource::lock(mm));
    f_.writes.add(resource::flags(mm));
    f_.writes.add(resource::forking(mm));
    all_places(mm);
    asks_for_cpus(mm);
    f_.frames = kReadsWords | kWritesWords | kReadsCounts | kWritesCounts;
    if (i.op == Op::fork) {
      const unsigned child = mm_of(i.process);
      all_places(child);
      f_.writes.add(resource::lock(child));
      f_.writes.add(resource::flags(child));
      f_.writes.add(resource::process(i.process));
      f_.starts |= static_cast<std::uint8_t>(1U << i.process);
      refs_of(mm, f_.reads);  // pin_held()
    } else {
      f_.writes.add(resource::process(actor_.process));
      f_.exits |= static_cast<std::uint8_t>(1U << actor_.process);
      refs_of(mm, f_.writes);  // forget_addresses()
      drain();
    }
  }

  void change(const Instr& i) {
    const unsigned mm = own_mm();
    places(mm, i.page, i.pages);
    if (i.op == Op::mremap) places(mm, i.to_page, i.pages);
    f_.writes.add(resource::lock(mm));
    f_.reads.add(resource::flags(mm));
    asks_for_cpus(mm);
    refs_of(mm, f_.writes);
    f_.frames = kReadsCounts | kWritesCounts;
    if (i.op == Op::munmap || i.op == Op::mmap || i.op == Op::mremap) drain();
  }

  void madvise(const Instr& i) {
    using litmus::Advice;
    change(i);
    if (i.advice == Advice::dontneed) drain();
    if (i.advice == Advice::pageout || i.advice == Advice::free ||
        i.advice == Advice::unmergeable) {
      f_.touch_all_memory();
    }
  }

  // get_user_pages of `pages` pages of `process`, faults included.
  void gup(unsigned process, unsigned page, unsigned pages) {
    const unsigned mm = mm_of(process);
    places(mm, page, pages);
    f_.reads.add(resource::process(process));
    f_.reads.add(resource::lock(mm));
    f_.reads.add(resource::forking(mm));
    f_.writes.add(resource::flags(mm));
    f_.frames = kReadsWords | kReadsCounts | kWritesCounts;
  }

  void take_reference(const Instr& i) {
    const unsigned process = i.process == litmus::kNone ? actor_.process : i.process;
    const unsigned pages = std::max<unsigned>(i.pages, 1);
    gup(process, i.page, pages);
    if (switches_.longterm_marks_dontfork == design::policy::longterm_marks_dontfork::yes) {
      f_.writes.add(resource::lock(mm_of(process)));
    }
    for (unsigned r = 0; r < pages; ++r) f_.writes.add(resource::ref(i.ref + r));
  }

  void remote_access(const Instr& i) {
    gup(i.process, i.page, 1);
    if (i.op != Op::process_vm_writev && i.op != Op::ptrace_poke) return;
    f_.frames |= kWritesWords;
    f_.stores = static_cast<std::uint8_t>(1U << mm_of(i.process));
  }

  // A reference that goes ends what coherence and sanity say of its page (invariants.cpp), so the
  // page tables that could break those count as read: the state they break them in is not lost.
  void drop(const Instr& i, unsigned pages) {
    const litmus::Handle& handle = program_.handle_of(i.ref);
    const unsigned mm = mm_of(handle.process);
    for (unsigned r = 0; r < pages; ++r) f_.writes.add(resource::ref(i.ref + r));
    for (unsigned o = 0; o < program_.objects.size(); ++o) {
      f_.watches.add(resource::place(mm, o));  // any: mremap may have moved it
    }
    f_.frames = kReadsCounts | kWritesCounts;
  }

  const litmus::Program& program_;
  const design::Switches& switches_;
  const litmus::Actor& actor_;
  Footprint f_;
};

bool local(Op op) {
  return op == Op::assign || op == Op::jump || op == Op::branch_zero;
}

}  // namespace

Footprints::Footprints(const litmus::Program& program, const design::Switches& switches)
    : program_(&program) {
  actors_.resize(program.actors.size());
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    const litmus::Actor& code = program.actors[a];
    Actor& actor = actors_[a];
    if (code.kind == litmus::ActorKind::thread) {
      for (const Instr& i : code.code) {
        actor.statements.push_back(Builder(program, switches, code).statement(i));
      }
    } else if (code.kind == litmus::ActorKind::speculate) {
      actor.statements.push_back(Builder(program, switches, code).speculate());
    } else {
      actor.statements.emplace_back().touch_all_memory();
    }
    actor.statements.emplace_back();  // the end of the code
    add_actor(a);
  }
}

// Futures and may_finish, backwards from the end of the code until nothing changes: jumps go both
// ways.
void Footprints::add_actor(unsigned a) {
  const litmus::Actor& code = program_->actors[a];
  Actor& actor = actors_[a];
  actor.futures = actor.statements;
  if (code.kind != litmus::ActorKind::thread) {
    actor.may_finish.assign(actor.statements.size(), false);
    return;
  }
  const std::size_t end = code.code.size();
  // Whether what follows a position, local statements left out, may be the end.
  std::vector<bool> reaches_end(end + 1, false);
  reaches_end[end] = true;
  // The last statement stops the thread's use of its TLB, see resource::cpus().
  for (std::size_t pc = 0; pc < end; ++pc) {
    actor.futures[pc].reads.add(resource::cpus(program_->processes[code.process].mm));
  }
  bool loops = false;
  for (std::size_t pc = 0; pc < end; ++pc) {
    const Op op = code.code[pc].op;
    loops = loops || ((op == Op::jump || op == Op::branch_zero) && code.code[pc].target <= pc);
  }
  for (std::size_t round = 0; round <= (loops ? end : 0); ++round) {
    for (std::size_t pc = end; pc-- > 0;) {
      const Instr& i = code.code[pc];
      const bool jumps = i.op == Op::jump || i.op == Op::branch_zero;
      if (i.op != Op::jump) actor.futures[pc].add(actor.futures[pc + 1]);
      if (jumps) actor.futures[pc].add(actor.futures[i.target]);
      if (!local(i.op)) continue;
      reaches_end[pc] =
          (i.op != Op::jump && reaches_end[pc + 1]) || (jumps && reaches_end[i.target]);
    }
  }
  actor.may_finish.assign(end + 1, false);
  for (std::size_t pc = 0; pc < end; ++pc) actor.may_finish[pc] = reaches_end[pc + 1];
}

}  // namespace drover::machine
