// The words for what a step changed; see state_changes.hpp.
#include "report/state_changes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace drover::report {

using litmus::kNone;
using mm::State;

namespace {

std::string process_of_mm(const litmus::Program& program, unsigned mm_index) {
  for (const litmus::Process& process : program.processes) {
    if (process.mm == mm_index) return process.name;
  }
  return fmt::format("mm {}", mm_index);
}

std::string rights(std::uint8_t pte_bits) {
  if ((pte_bits & mm::kPteProtNone) != 0) return "PROT_NONE";
  return (pte_bits & mm::kPteWrite) != 0 ? "writable" : "read-only";
}

std::string pte_text(const FrameNames& names, const mm::Pte& pte) {
  if (pte.frame == mm::kNoFrame) return "nothing";
  return fmt::format("{}, {}", names.name(pte.frame), rights(pte.bits));
}

std::string words_text(const litmus::Program& program, const mm::Frame& frame, unsigned page) {
  if (page == kNone) return "";
  std::string text;
  const litmus::Object& object = program.objects[program.object_of[page]];
  for (unsigned w = 0; w < object.words.size(); ++w) {
    if (w > 0) text += ' ';
    text += fmt::format("{}={}", program.word_name(page, w), frame.words[w].value);
  }
  return text;
}

/// A refcount as its plain references and its pins: "3+1*1024".
std::string refcount_text(int refcount) {
  if (refcount < mm::kPinBias) return fmt::format("{}", refcount);
  return fmt::format("{}+{}*{}", refcount % mm::kPinBias, refcount / mm::kPinBias,
                     int{mm::kPinBias});
}

std::string vma_text(std::uint8_t flags) {
  if ((flags & mm::kVmMapped) == 0) return "unmapped";
  std::string text = (flags & mm::kVmWrite) != 0  ? "PROT_READ | PROT_WRITE"
                     : (flags & mm::kVmRead) != 0 ? "PROT_READ"
                                                  : "PROT_NONE";
  if ((flags & mm::kVmDontCopy) != 0) text += ", dontfork";
  if ((flags & mm::kVmWipeOnFork) != 0) text += ", wipeonfork";
  return text;
}

std::string ref_name(const litmus::Program& program, unsigned ref) {
  const litmus::Handle& handle = program.handle_of(ref);
  if (handle.pages == 1) return handle.name;
  return fmt::format("{}[{}]", handle.name, ref - handle.first_ref);
}

/// The statement that posted job `job`.
std::string job_name(const litmus::Program& program, unsigned job) {
  for (const litmus::Actor& actor : program.actors) {
    for (const litmus::Instr& i : actor.code) {
      const bool posts = i.op == litmus::Op::post_write || i.op == litmus::Op::post_read;
      if (posts && i.job == job) return i.text;
    }
  }
  return fmt::format("job {}", job);
}

std::string actors_text(const litmus::Program& program, unsigned bits) {
  std::string text;
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    if ((bits >> a & 1U) == 0) continue;
    if (!text.empty()) text += ", ";
    text += program.actors[a].name;
  }
  return text;
}

}  // namespace

/// Collects the lines of one step.
struct StateChanges::Step {
  const litmus::Program& program;
  const State &before, &after;
  const FrameNames &old_names, &names;
  std::vector<std::string> lines;

  template <class... A>
  void say(fmt::format_string<A...> format, A&&... arguments) {
    lines.push_back(fmt::format(format, std::forward<A>(arguments)...));
  }

  void processes() {
    for (unsigned p = 0; p < program.processes.size(); ++p) {
      const unsigned risen = after.processes[p] & ~unsigned{before.processes[p]};
      if ((risen & mm::kStarted) != 0) say("{} starts", program.processes[p].name);
    }
  }

  void locks() {
    for (unsigned a = 0; a < program.actors.size(); ++a) {
      const mm::Actor &was = before.actors[a], &is = after.actors[a];
      const std::string& who = program.actors[a].name;
      if (was.lock != is.lock) {
        if (was.lock != mm::LockKind::none) say("{} drops {}", who, lock_text(a, was));
        if (is.lock != mm::LockKind::none) say("{} holds {}", who, lock_text(a, is));
      }
      if (was.ptl == is.ptl) continue;
      if (was.ptl != 0) say("{} drops {}", who, ptl_text(a, was.ptl));
      if (is.ptl != 0) say("{} holds {}", who, ptl_text(a, is.ptl));
    }
  }
  /// "its" or "child's": the owner of an address space as `actor` would say it.
  [[nodiscard]] std::string whose(unsigned actor, unsigned mm_index) const {
    const std::uint8_t process = program.actors[actor].process;
    const bool own = process != kNone && program.processes[process].mm == mm_index;
    return own ? "its" : process_of_mm(program, mm_index) + "'s";
  }
  [[nodiscard]] std::string lock_text(unsigned actor, const mm::Actor& holder) const {
    const std::string owner = whose(actor, holder.lock_mm);
    switch (holder.lock) {
      case mm::LockKind::mmap_read:
        return owner + " mmap_lock for reading";
      case mm::LockKind::mmap_write:
        return owner + " mmap_lock for writing";
      case mm::LockKind::vma_read:
        return fmt::format("{} VMA lock of {}", owner, program.objects[holder.lock_object].name);
      case mm::LockKind::none:
        break;
    }
    return "no lock";
  }
  [[nodiscard]] std::string ptl_text(unsigned actor, std::uint8_t ptl) const {
    const unsigned index = ptl - 1U;
    return fmt::format("{} page table lock of {}", whose(actor, index / litmus::kMaxObjects),
                       program.objects[index % litmus::kMaxObjects].name);
  }

  void address_spaces() {
    for (unsigned m = 0; m < program.mms; ++m) {
      const mm::Mm &was = before.mms[m], &is = after.mms[m];
      const std::string who = process_of_mm(program, m);
      const unsigned risen = is.flags & ~unsigned{was.flags};
      if ((risen & mm::kMmHasPinned) != 0) say("{}: has_pinned is set", who);
      if (((was.wp_seq ^ is.wp_seq) & 1U) != 0) {
        say("{}: write_protect_seq is {}", who, (is.wp_seq & 1U) != 0 ? "odd" : "even");
      }
      for (unsigned p = 0; p < program.pages; ++p) {
        vma(who, was.vma[p], is.vma[p], p);
        pte(who, was.pte[p], is.pte[p], p);
        tlb(who, was.tlb[p], is.tlb[p], p);
      }
    }
  }
  void vma(const std::string& who, std::uint8_t was, std::uint8_t is, unsigned page) {
    if (vma_text(was) == vma_text(is)) return;
    // What fork copies is not worth a line per page: the child's page table says it.
    const bool copied = was == 0 && page_is_copied(page, is);
    if (!copied) say("{}: VMA of {}: {}", who, program.page_name(page), vma_text(is));
  }
  [[nodiscard]] bool page_is_copied(unsigned page, std::uint8_t flags) const {
    const auto parent = [&](const mm::Mm& m) {
      return m.forking != 0 && vma_text(m.vma[page]) == vma_text(flags);
    };
    return std::any_of(before.mms.begin(), before.mms.begin() + program.mms, parent) ||
           std::any_of(after.mms.begin(), after.mms.begin() + program.mms, parent);
  }
  void pte(const std::string& who, const mm::Pte& was, const mm::Pte& is, unsigned page) {
    const std::string text = pte_text(names, is);
    if (pte_text(old_names, was) != text) {
      say("{}: {} -> {}", who, program.page_name(page), text);
    } else if (((was.bits ^ is.bits) & mm::kPteDirty) != 0 && is.frame != mm::kNoFrame) {
      say("{}: PTE of {} is {}", who, program.page_name(page),
          (is.bits & mm::kPteDirty) != 0 ? "dirty" : "clean");
    }
  }
  void tlb(const std::string& who, const mm::TlbEntry& was, const mm::TlbEntry& is, unsigned page) {
    const std::string name = program.page_name(page);
    const bool gathered = (is.bits & mm::kGathered) != 0;
    if (gathered && (was.bits & mm::kGathered) == 0) {
      say("{}: mmu_gather holds {} of {}", who, names.name(is.frame), name);
    }
    if (is.cpus == 0) {
      if (was.cpus != 0) say("{}: no stale TLB entries of {} any more", who, name);
      return;
    }
    const bool same =
        was.cpus == is.cpus && old_names.id(was.frame) == names.id(is.frame) && was.bits == is.bits;
    if (same) return;
    say("{}: TLBs may still have {} -> {}, {} (running: {})", who, name, names.name(is.frame),
        rights(is.bits), actors_text(program, is.cpus));
  }

  void frames() {
    const mm::Frame &zero_was = before.frames[mm::kZeroFrame],
                    &zero_is = after.frames[mm::kZeroFrame];
    if (zero_was.refcount != zero_is.refcount) {
      say("the zero page: refcount {} -> {}", refcount_text(zero_was.refcount),
          refcount_text(zero_is.refcount));
    }
    for (FrameNames::Id id = 0; id < names.count(); ++id) {
      const std::uint8_t was = old_names.number(id), is = names.number(id);
      if (is != mm::kNoFrame) {
        if (was == mm::kNoFrame) {
          new_frame(id, after.frames[is]);
        } else {
          changed_frame(id, before.frames[was], after.frames[is]);
        }
      } else if (was != mm::kNoFrame && (before.frames[was].flags & mm::kAllocated) != 0) {
        say("frame {} is freed", FrameNames::letter(id));
      }
    }
  }
  void new_frame(FrameNames::Id id, const mm::Frame& frame) {
    std::string text =
        fmt::format("frame {} is new: refcount {}, mapcount {}", FrameNames::letter(id),
                    refcount_text(frame.refcount), frame.mapcount);
    if ((frame.flags & mm::kAnonExclusive) != 0) text += ", PG_anon_exclusive";
    if ((frame.flags & mm::kInLruBatch) != 0) text += ", in an LRU batch";
    const std::string words = words_text(program, frame, names.page(id));
    if (!words.empty()) text += ", " + words;
    lines.push_back(std::move(text));
  }
  void changed_frame(FrameNames::Id id, const mm::Frame& was, const mm::Frame& is) {
    const std::string name = "frame " + FrameNames::letter(id);
    const unsigned risen = is.flags & ~unsigned{was.flags},
                   fallen = was.flags & ~unsigned{is.flags};
    if ((risen & mm::kFreed) != 0) {
      say("{} is freed while somebody still names it", name);
      return;
    }
    std::string text;
    const auto add = [&text](const std::string& part) {
      text += (text.empty() ? "" : ", ") + part;
    };
    if (was.refcount != is.refcount) {
      add(fmt::format("refcount {} -> {}", refcount_text(was.refcount),
                      refcount_text(is.refcount)));
    }
    if (was.mapcount != is.mapcount) {
      add(fmt::format("mapcount {} -> {}", was.mapcount, is.mapcount));
    }
    if ((risen & mm::kAnonExclusive) != 0) add("PG_anon_exclusive set");
    if ((fallen & mm::kAnonExclusive) != 0) add("PG_anon_exclusive cleared");
    if ((risen & mm::kPageLocked) != 0) add("locked");
    if ((fallen & mm::kPageLocked) != 0) add("unlocked");
    if ((fallen & mm::kInLruBatch) != 0) add("off the LRU batch");
    const std::uint8_t page = names.page(id);
    if (page != kNone) {
      const std::size_t words = program.objects[program.object_of[page]].words.size();
      for (unsigned w = 0; w < words; ++w) {
        if (was.words[w].value == is.words[w].value) continue;
        add(fmt::format("{} {} -> {}", program.word_name(page, w), was.words[w].value,
                        is.words[w].value));
      }
    }
    if (!text.empty()) say("{}: {}", name, text);
  }

  void references() {
    for (unsigned r = 0; r < program.refs; ++r) {
      const mm::Ref &was = before.refs[r], &is = after.refs[r];
      const bool held = mm::handed_out(was), holds = mm::handed_out(is);
      const std::string name = ref_name(program, r);
      if ((is.flags & mm::kRefWeak) != 0) {
        if (was.flags != is.flags) say("{} remembers {}", name, names.name(is.frame));
      } else if (holds && !held) {
        say("{} {} {}{}", name, (is.flags & mm::kRefPin) != 0 ? "pins" : "holds",
            names.name(is.frame), (is.flags & mm::kRefWrite) != 0 ? " for writing" : "");
      } else if (held && !holds) {
        say("{} lets go of {}", name, old_names.name(was.frame));
      }
      if (!held || !holds || was.page == is.page) continue;
      if (is.page == 0) {
        say("{}: its owner unmapped the page", name);
      } else {
        say("{}: its page is now {}", name, program.page_name(is.page - 1U));
      }
    }
  }

  void jobs() {
    for (unsigned j = 0; j < program.jobs; ++j) {
      const mm::Job &was = before.jobs[j], &is = after.jobs[j];
      if (was.state == is.state) continue;
      const char* what = is.state == mm::JobState::queued ? "queued"
                         : is.state == mm::JobState::done ? "done"
                                                          : "completed";
      say("{}: {}", job_name(program, j), what);
    }
  }

  void registers() {
    for (unsigned a = 0; a < program.actors.size(); ++a) {
      const litmus::Actor& actor = program.actors[a];
      for (unsigned r = 0; r < actor.registers.size(); ++r) {
        const int is = after.actors[a].regs[r];
        if (actor.registers[r].empty() || is == before.actors[a].regs[r]) continue;
        say("{}: {} = {}", actor.name, actor.registers[r], is);
      }
    }
  }

  void events() {
    for (unsigned e = 0; e < program.events.size(); ++e) {
      if (((after.events ^ before.events) >> e & 1U) != 0)
        say("event {} is set", program.events[e]);
    }
  }
};

StateChanges::StateChanges(const litmus::Program& program, const State& initial)
    : program_(program), initial_(initial), names_(program, initial) {}

std::vector<std::string> StateChanges::beginning() const {
  std::vector<std::string> lines;
  for (unsigned m = 0; m < program_.mms; ++m) {
    for (unsigned p = 0; p < program_.pages; ++p) {
      if ((initial_.mms[m].vma[p] & mm::kVmMapped) == 0) continue;
      const mm::Pte& pte = initial_.mms[m].pte[p];
      std::string line = fmt::format("{}: {} -> {}", process_of_mm(program_, m),
                                     program_.page_name(p), pte_text(names_, pte));
      if (pte.frame >= mm::kFirstFrame) {
        const mm::Frame& frame = initial_.frames[pte.frame];
        line += fmt::format(": refcount {}, mapcount {}", refcount_text(frame.refcount),
                            frame.mapcount);
        if ((frame.flags & mm::kAnonExclusive) != 0) line += ", PG_anon_exclusive";
        if ((frame.flags & mm::kInLruBatch) != 0) line += ", in an LRU batch";
        line += ", " + words_text(program_, frame, p);
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::vector<std::string> StateChanges::of(const verdict::WitnessStep& step) {
  const FrameNames old_names = names_;
  names_.advance(step.text.frames, step.after);
  Step told{program_, step.before, step.after, old_names, names_, {}};
  told.processes();
  told.locks();
  told.address_spaces();
  told.references();
  told.frames();
  told.jobs();
  told.registers();
  told.events();
  const std::uint32_t fresh = step.violated & ~violated_;
  violated_ |= step.violated;
  for (unsigned p = 0; p < litmus::kProperties; ++p) {
    if ((fresh >> p & 1U) != 0) {
      told.say("VIOLATED: {}", litmus::to_string(static_cast<litmus::Property>(p)));
    }
  }
  return std::move(told.lines);
}

}  // namespace drover::report
