// What is looked at of the parts of a state: by one step, by what makes a state canonical and
// checks it (Machine::normalise), by partial-order reduction. Nothing is decided here; whoever
// changes what is decided elsewhere must see to it that it is shown here;
// tests/verdict/transition_cache_test.cpp compares with what happens without views.
#include <algorithm>
#include <cstring>

#include "machine/machine.hpp"
#include "mm/page_cache.hpp"

namespace drover::machine {

using mm::Look;
using mm::State;

namespace {

// Looks of mm/access_log.hpp come after those of the search.
constexpr std::uint8_t look_of(Look look) {
  return look == Look::whole
             ? explore::kWholePart
             : static_cast<std::uint8_t>(explore::kOwnLooks - 1 + static_cast<unsigned>(look));
}
static_assert(explore::kOwnLooks - 1 + mm::kLooks <= explore::kMostLooks);

constexpr std::uint8_t kLocks = look_of(Look::locks), kPosition = look_of(Look::position),
                       kInUse = look_of(Look::in_use);

template <class Record>
void append(const Record& record, std::vector<std::uint8_t>& out) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&record);
  out.insert(out.end(), bytes, bytes + sizeof record);
}

}  // namespace

// Whether it can move at all depends on where it stands, on processes and on jobs.
void Machine::begin_log(unsigned mover) {
  log_.clear();
  if (mover < program_.actors.size()) {
    log_.note(decltype(State::actors)::kFirst + mover, Look::whole);
  }
  base_.log_to(&log_);
  next_.log_to(&log_);
}

void Machine::end_log(std::vector<explore::View>& looked_at) {
  base_.log_to(nullptr);
  next_.log_to(nullptr);
  looked_at.clear();
  if (rest_part_ < part_words_.size()) looked_at.push_back({rest_part_, explore::kWholePart});
  for (const mm::AccessLog::Entry& entry : log_) {
    const std::uint8_t part = part_of_[entry.record];
    if (part == kNoPart) continue;  // the program has no such record: it is always zero
    const explore::View view{part, look_of(entry.look)};
    if (std::find(looked_at.begin(), looked_at.end(), view) == looked_at.end()) {
      looked_at.push_back(view);
    }
  }
}

// Whether a step (base_ to next_, what is logged) leaves alone what normalise_next() looks at, so
// that a state that was canonical and violated nothing stays so, whatever is in the records that
// were not looked at. No is always a right answer.
bool Machine::stays_normal() const {
  if (dead_values_ || std::memcmp(&base_.jobs, &next_.jobs, sizeof base_.jobs) != 0 ||
      base_.processes != next_.processes) {
    return false;
  }
  for (unsigned f = 0; f < frames_; ++f) {
    if (log_.has(decltype(State::frames)::kFirst + f) && !frame_stays_normal(f)) return false;
  }
  for (unsigned m = 0; m < program_.mms; ++m) {
    if (!log_.has(decltype(State::mms)::kFirst + m)) continue;
    const mm::Mm &before = base_.mms.unlogged(m), &after = next_.mms.unlogged(m);
    if (before.pte != after.pte || before.entry != after.entry || before.wp_seq != after.wp_seq) {
      return false;
    }
  }
  for (unsigned r = 0; r < program_.refs; ++r) {
    const mm::Ref &before = base_.refs.unlogged(r), &after = next_.refs.unlogged(r);
    if (before.frame != after.frame || before.page != after.page || before.flags != after.flags) {
      return false;
    }
  }
  for (unsigned a = 0; a < program_.actors.size(); ++a) {
    if (log_.has(decltype(State::actors)::kFirst + a) && !actor_stays_normal(a)) return false;
  }
  constexpr std::size_t kRest = offsetof(State, frames_end) - offsetof(State, slots);
  const auto rest = [](const State& s) { return reinterpret_cast<const std::byte*>(&s.slots); };
  return std::memcmp(rest(base_), rest(next_), kRest) == 0 &&
         first_names(base_) == first_names(next_);
}

bool Machine::frame_stays_normal(unsigned number) const {
  const mm::Frame &before = base_.frames.unlogged(number), &after = next_.frames.unlogged(number);
  return before.flags == after.flags && before.state == after.state &&
         before.index == after.index && before.folio == after.folio;
}

// A page table lock that is released shows what was done under it; a thread of a process that is
// gone ends (bury_threads).
bool Machine::actor_stays_normal(unsigned number) const {
  const mm::Actor &before = base_.actors.unlogged(number), &after = next_.actors.unlogged(number);
  if (before.ptl != 0 && before.ptl != after.ptl) return false;
  const litmus::Actor& code = program_.actors[number];
  if (code.kind == litmus::ActorKind::thread &&
      (base_.processes[code.process] & mm::kExited) != 0) {
    return false;
  }
  return watched_mms(before) == watched_mms(after);
}

// For each record that was looked at, in the order of canonicalise(), the frames that it names and
// no earlier one of them does. If these stay the same, so does the order of first use in all of the
// state, whatever the other records name: what precedes them among all is what precedes them here
// and what the others name.
std::vector<std::pair<unsigned, std::uint8_t>> Machine::first_names(const State& s) const {
  std::vector<std::pair<unsigned, std::uint8_t>> first;
  std::uint64_t known = 0;
  std::vector<std::uint8_t> names;
  const auto add = [&](unsigned begin, unsigned count) {
    for (unsigned record = begin; record < begin + count; ++record) {
      if (!log_.has(record)) continue;
      names.clear();
      names_in_record(s, record, names);
      for (const std::uint8_t name : names) {
        if ((known >> name & 1U) != 0) continue;
        known |= std::uint64_t{1} << name;
        first.emplace_back(record, name);
      }
    }
  };
  add(decltype(State::mms)::kFirst, program_.mms);
  add(decltype(State::refs)::kFirst, program_.refs);
  add(decltype(State::actors)::kFirst, static_cast<unsigned>(program_.actors.size()));
  return first;
}

// As canonicalise() goes through them.
explore::Names Machine::names() const {
  explore::Names names;
  names.first = mm::kFirstFrame;
  names.lost = kLost;
  for (unsigned f = 0; f < frames_; ++f) {
    const std::uint8_t part = part_of_[decltype(State::frames)::kFirst + f];
    const bool alone = part != kNoPart && records_of_[part].size() == 1;
    names.part_of.push_back(alone ? part : explore::Names::kNoPart);
    const bool known = !names.shared.empty() && names.shared.back() == part;
    if (!alone && part != kNoPart && !known) names.shared.push_back(part);
  }
  const auto add = [&](unsigned first, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const std::uint8_t part = part_of_[first + i];
      if (part == kNoPart || (!names.order.empty() && names.order.back() == part)) continue;
      names.order.push_back(part);
    }
  };
  add(decltype(State::mms)::kFirst, program_.mms);
  add(decltype(State::refs)::kFirst, program_.refs);
  if (program_.jobs > 0) names.order.push_back(rest_part_);
  add(decltype(State::slots)::kFirst, litmus::kMaxSwapSlots);
  add(decltype(State::files)::kFirst, program_.pages);
  add(decltype(State::actors)::kFirst, static_cast<unsigned>(program_.actors.size()));
  return names;
}

void Machine::names_in_record(const State& s, unsigned record,
                              std::vector<std::uint8_t>& out) const {
  const auto add = [&out](std::uint8_t frame) {
    if (frame >= mm::kFirstFrame) out.push_back(frame);
  };
  if (record >= decltype(State::mms)::kFirst && record < decltype(State::mms)::kEnd) {
    const mm::Mm& mm = s.mms.unlogged(record - decltype(State::mms)::kFirst);
    for (unsigned p = 0; p < program_.pages; ++p) {
      add(mm.pte[p].frame);
      add(mm.tlb[p].frame);
      if ((mm.pte[p].bits & mm::kPteMigration) != 0) add(mm.entry[p]);
    }
  } else if (record >= decltype(State::actors)::kFirst && record < decltype(State::actors)::kEnd) {
    const mm::Actor& actor = s.actors.unlogged(record - decltype(State::actors)::kFirst);
    for (unsigned d = 0; d < actor.depth; ++d) {
      for (const std::uint8_t frame : actor.stack[d].frame) add(frame);
    }
  } else if (record >= decltype(State::refs)::kFirst && record < decltype(State::refs)::kEnd) {
    add(s.refs.unlogged(record - decltype(State::refs)::kFirst).frame);
  } else if (record >= decltype(State::slots)::kFirst && record < decltype(State::slots)::kEnd) {
    add(s.slots.unlogged(record - decltype(State::slots)::kFirst).cache);
  } else if (record >= decltype(State::files)::kFirst && record < decltype(State::files)::kEnd) {
    add(s.files.unlogged(record - decltype(State::files)::kFirst).frame);
  }
}

// The view starts where the part does in a state, so that unpack() puts it where it belongs.
void Machine::view(explore::View view, const std::uint64_t* value, std::vector<std::uint8_t>& out) {
  viewed_.resize(packed_bytes_);
  std::size_t begin = 0;
  for (unsigned part = 0; part < view.part; ++part) begin += part_words_[part] * sizeof *value;
  std::memcpy(viewed_.data() + begin, value, part_words_[view.part] * sizeof *value);
  unpack(viewed_.data(), base_);
  if (view.look == explore::kNamesLook) {
    if (view.part == rest_part_) {
      for (const mm::Job& job : base_.jobs) {
        if (job.frame >= mm::kFirstFrame) out.push_back(job.frame);
      }
    }
    for (const std::uint8_t record : records_of_[view.part]) names_in_record(base_, record, out);
    return;
  }
  if (view.part == rest_part_) {
    append(base_.jobs, out);
    append(base_.processes, out);
    append(base_.events, out);
  }
  for (const std::uint8_t record : records_of_[view.part]) view_of_record(record, view.look, out);
}

void Machine::view_of_record(unsigned record, std::uint8_t look,
                             std::vector<std::uint8_t>& out) const {
  if (record < decltype(State::frames)::kEnd) {
    view_of_frame(record, look, out);
  } else if (record < decltype(State::mms)::kEnd) {
    view_of_mm(record - decltype(State::mms)::kFirst, look, out);
  } else if (record < decltype(State::actors)::kEnd) {
    view_of_actor(record - decltype(State::actors)::kFirst, look, out);
  } else if (record < decltype(State::refs)::kEnd) {
    const mm::Ref& ref = base_.refs[record - decltype(State::refs)::kFirst];
    out.insert(out.end(), {ref.frame, ref.page, ref.flags});
  } else if (record < decltype(State::slots)::kEnd) {
    out.push_back(base_.slots[record - decltype(State::slots)::kFirst].cache);
  } else if (record < decltype(State::files)::kEnd) {
    out.push_back(base_.files[record - decltype(State::files)::kFirst].frame);
  } else {
    append(base_.folios[record - decltype(State::folios)::kFirst], out);
  }
}

// kNormalLook: violated_invariants(); kUseLook: canonicalise().
void Machine::view_of_frame(unsigned number, std::uint8_t look,
                            std::vector<std::uint8_t>& out) const {
  const mm::Frame& frame = base_.frames[number];
  if (look == kInUse) {
    out.push_back(mm::frame_in_use(base_, number));
  } else if (look == explore::kNormalLook) {
    constexpr unsigned kFlags = mm::kAllocated | mm::kAnonExclusive;
    out.insert(out.end(),
               {static_cast<std::uint8_t>(frame.flags & kFlags), mm::is_file_page(frame)});
    if (dead_values_) DeadValues::view_frame(base_, number, out);
  } else if (look == explore::kUseLook) {
    out.push_back(frame.flags == 0         ? explore::kNameUnused
                  : lost_if_unnamed(frame) ? explore::kNameLost
                                           : explore::kNameDropped);
  }
}

// kNormalLook: write_protect_seq, its PTEs (violated_invariants), and TLB entries for DeadValues.
// kOrderLook: what Ample::name_frames() and refine_access() look at.
void Machine::view_of_mm(unsigned number, std::uint8_t look, std::vector<std::uint8_t>& out) const {
  const mm::Mm& mm = base_.mms[number];
  const bool order = look == explore::kOrderLook;
  if (order) {
    out.push_back(mm.forking);
  } else {
    out.push_back(mm.wp_seq);
    if (dead_values_) out.push_back(mm.flags);
  }
  for (unsigned p = 0; p < program_.pages; ++p) {
    out.insert(out.end(), {mm.pte[p].frame, mm.pte[p].bits});
    if (order || dead_values_) out.push_back(mm.tlb[p].frame);
    if (order) append(mm.tlb[p].cpus, out);
  }
}

// kNormalLook: bury_threads(), forget_wp_seq() and violated_invariants(); kOrderLook:
// Ample::look_at() and refine().
void Machine::view_of_actor(unsigned number, std::uint8_t look,
                            std::vector<std::uint8_t>& out) const {
  const mm::Actor& actor = base_.actors[number];
  if (look == kLocks) {
    append(mm::held_locks(base_, number), out);
    return;
  }
  if (look == kPosition) {
    append(mm::position_of(base_, number), out);
    return;
  }
  const bool order = look == explore::kOrderLook;
  if (order) {
    out.insert(out.end(), {actor.pc, actor.flags, actor.depth});
  } else {
    const litmus::Actor& code = program_.actors[number];
    const bool to_bury =
        code.kind == litmus::ActorKind::thread && actor.depth == 0 && actor.pc != code.code.size();
    out.insert(out.end(), {actor.ptl, to_bury, static_cast<std::uint8_t>(watched_mms(actor))});
    if (dead_values_) dead_values_->view_actor(base_, number, out);
  }
  for (unsigned d = 0; d < actor.depth; ++d) {
    const mm::Activation& act = actor.stack[d];
    if (order) out.insert(out.end(), {act.path, act.point});
    if (order || dead_values_) out.insert(out.end(), act.frame.begin(), act.frame.end());
  }
}

}  // namespace drover::machine
