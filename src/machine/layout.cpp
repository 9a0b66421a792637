// Packed states: the parts of State that a program can use, one after the other, and the initial
// state. A packed state is what the search stores and compares.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "machine/machine.hpp"
#include "mm/gup.hpp"
#include "mm/large_folio.hpp"
#include "mm/swap.hpp"

namespace drover::machine {

using mm::State;

static_assert(std::is_trivially_copyable_v<State>);
template <class... Record>
inline constexpr bool kEqualBytes = (std::has_unique_object_representations_v<Record> && ...);
static_assert(kEqualBytes<mm::Frame, mm::Mm, mm::Actor, mm::Ref, mm::Job, mm::SwapSlot,
                          mm::FilePage, mm::LargeFolio>,
              "equal records must be equal bytes");

namespace {

// Frames that can exist at once: one per PTE, per reference, and two per path under way; a large
// folio keeps all its pages.
unsigned frame_bound(const litmus::Program& program) {
  const std::size_t bound =
      mm::kFirstFrame + static_cast<std::size_t>(program.pages) * program.mms + program.refs +
      2 * program.actors.size() +
      ((program.features & litmus::kFeatureSwap) != 0 ? mm::swap_slots(program) : 0) +
      ((program.features & litmus::kFeatureFiles) != 0 ? program.pages : 0) +
      static_cast<std::size_t>(mm::large_folios(program)) * litmus::kMaxFolioPages;
  return static_cast<unsigned>(std::min<std::size_t>(bound, mm::kMaxFrames));
}

unsigned most_words(const litmus::Program& program) {
  std::size_t words = 1;
  for (const litmus::Object& object : program.objects) words = std::max(words, object.words.size());
  return static_cast<unsigned>(words);
}

unsigned depth_of_advice(const litmus::Instr& i) {
  if (i.op != litmus::Op::madvise) return 2;
  if (i.advice == litmus::Advice::pageout)
    return mm::kMaxDepth;  // shrink_page, split, try_to_unmap
  if (i.advice == litmus::Advice::unmergeable) return mm::kMaxDepth;  // a fault
  if (i.advice == litmus::Advice::free) return 3;  // split_huge_page, try_to_unmap
  return 2;
}

// How deep the activation stack of an actor can get; see kMaxDepth.
unsigned depth_of(const litmus::Actor& actor, bool program_uses_pool) {
  using litmus::Op;
  if (actor.kind == litmus::ActorKind::speculate) return 1;
  if (actor.kind == litmus::ActorKind::writeback) return 2;
  if (actor.kind != litmus::ActorKind::thread) return mm::kMaxDepth;  // ksm, ksm_merge, a fault
  unsigned depth = actor.code.empty() ? 0 : 1;
  for (const litmus::Instr& i : actor.code) {
    switch (i.op) {
      case Op::load:
      case Op::store:
      case Op::move_pages:
        depth = std::max(depth, 3U);
        break;  // fault, do_wp_page; migrate_page, try_to_unmap
      case Op::fsync:
        depth = std::max(depth, 2U);
        break;  // writeback_page
      case Op::munmap:
      case Op::mmap:
      case Op::mremap:
      case Op::madvise:
      case Op::exit:
        depth = std::max(depth, depth_of_advice(i));
        break;  // zap_page_range; shrink_page and try_to_unmap
      case Op::fork:
        if (program_uses_pool) depth = std::max(depth, 2U);  // a failing fork unmaps the child
        break;
      case Op::ksm_scan:  // ksm_merge, handle_mm_fault, do_wp_page
      case Op::get:
      case Op::pin:
      case Op::register_buffer:
      case Op::reg_mr:
      case Op::xdp_umem:
      case Op::direct_read:
      case Op::direct_write:
      case Op::vmsplice:
      case Op::zerocopy_send:
      case Op::process_vm_writev:
      case Op::process_vm_readv:
      case Op::ptrace_poke:
      case Op::ptrace_peek:
        depth = mm::kMaxDepth;
        break;
      default:
        break;
    }
  }
  return depth;
}

}  // namespace

void Machine::add_segment(std::size_t offset, std::size_t bytes) {
  if (bytes == 0) return;
  const bool adjoins = !segments_.empty() && segments_.back().padding == 0 &&
                       segments_.back().offset + segments_.back().bytes == offset;
  if (adjoins) {
    segments_.back().bytes += static_cast<std::uint32_t>(bytes);
  } else {
    segments_.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes)});
  }
  packed_bytes_ += bytes;
}

void Machine::add_record(unsigned record, std::size_t offset, std::size_t bytes) {
  add_segment(offset, bytes);
  part_of_[record] = static_cast<std::uint8_t>(part_words_.size());
  records_of_.resize(part_words_.size() + 1);
  auto& records = records_of_.back();
  const auto number = static_cast<std::uint8_t>(record);
  if (std::find(records.begin(), records.end(), number) == records.end()) records.push_back(number);
}

// What was added since the last part is one: it ends with a whole word.
void Machine::end_part() {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::size_t before = 0;
  for (const std::uint32_t words : part_words_) before += words * kWord;
  if (packed_bytes_ == before) return;
  const std::size_t words = (packed_bytes_ - before + kWord - 1) / kWord;
  const std::size_t end = before + words * kWord;
  segments_.back().padding = static_cast<std::uint32_t>(end - packed_bytes_);
  packed_bytes_ = end;
  part_words_.push_back(static_cast<std::uint32_t>(words));
  records_of_.resize(part_words_.size());
}

// The first frames are those in use, and change one by one.
void Machine::lay_out_frames(unsigned words) {
  constexpr unsigned kAlone = 16, kTogether = 4;
  for (unsigned f = mm::kZeroFrame; f < frames_; ++f) {
    const std::size_t at = offsetof(State, frames) + f * sizeof(mm::Frame);
    add_record(decltype(State::frames)::kFirst + f, at,
               offsetof(mm::Frame, words) + (f == mm::kZeroFrame ? 0 : words * sizeof(mm::Word)));
    if ((program_.features & litmus::kFeatureFolioState) != 0) {
      add_segment(at + offsetof(mm::Frame, state), sizeof(mm::Frame) - offsetof(mm::Frame, state));
    }
    if (f < kAlone || f % kTogether == 0) end_part();
  }
  end_part();
}

void Machine::lay_out_mms() {
  for (unsigned m = 0; m < program_.mms; ++m) {
    const std::size_t at = offsetof(State, mms) + m * sizeof(mm::Mm);
    add_record(decltype(State::mms)::kFirst + m, at, offsetof(mm::Mm, vma) + program_.pages);
    add_segment(at + offsetof(mm::Mm, pte), program_.pages * sizeof(mm::Pte));
    add_segment(at + offsetof(mm::Mm, tlb), program_.pages * sizeof(mm::TlbEntry));
    const bool entries =
        (program_.features & (litmus::kFeatureSwap | litmus::kFeatureMigration)) != 0;
    add_segment(at + offsetof(mm::Mm, entry), entries ? program_.pages : 0);
    if ((program_.features & litmus::kFeatureHugetlb) != 0) {
      add_segment(at + offsetof(mm::Mm, hugetlb_owner), 3 * sizeof(mm::Mm::hugetlb_owner));
    }
    if ((program_.features & litmus::kFeatureHuge) != 0) {
      add_segment(at + offsetof(mm::Mm, pmd_mapped), 2 * sizeof(mm::Mm::pmd_mapped));
    }
    end_part();
  }
}

void Machine::lay_out_actors() {
  for (unsigned a = 0; a < program_.actors.size(); ++a) {
    const std::size_t at = offsetof(State, actors) + a * sizeof(mm::Actor);
    add_record(decltype(State::actors)::kFirst + a, at,
               offsetof(mm::Actor, regs) + program_.actors[a].registers.size());
    add_segment(at + offsetof(mm::Actor, stack),
                depth_of(program_.actors[a], program_.hugetlb_pool != litmus::kNone) *
                    sizeof(mm::Activation));
    end_part();
  }
}

void Machine::lay_out_rest(unsigned words) {
  for (unsigned r = 0; r < program_.refs; ++r) {
    add_record(decltype(State::refs)::kFirst + r, offsetof(State, refs) + r * sizeof(mm::Ref),
               sizeof(mm::Ref));
    if (r % 2 == 1) end_part();
  }
  end_part();
  rest_part_ = static_cast<std::uint8_t>(part_words_.size());
  add_segment(offsetof(State, jobs), program_.jobs * sizeof(mm::Job));
  add_segment(offsetof(State, processes), program_.processes.size());
  add_segment(offsetof(State, events), program_.events.empty() ? 0 : sizeof(State::events));
  end_part();
  for (unsigned slot = 0; slot < mm::swap_slots(program_); ++slot) {
    if ((program_.features & litmus::kFeatureSwap) == 0) break;
    add_record(decltype(State::slots)::kFirst + slot,
               offsetof(State, slots) + slot * sizeof(mm::SwapSlot),
               offsetof(mm::SwapSlot, words) + words * sizeof(mm::Word));
    end_part();
  }
  for (unsigned page = 0; page < program_.pages; ++page) {
    if ((program_.features & litmus::kFeatureFiles) == 0) break;
    add_record(decltype(State::files)::kFirst + page,
               offsetof(State, files) + page * sizeof(mm::FilePage),
               offsetof(mm::FilePage, disk) + words * sizeof(mm::Word));
    end_part();
  }
  for (unsigned f = 0; f < mm::large_folios(program_); ++f) {
    add_record(decltype(State::folios)::kFirst + f,
               offsetof(State, folios) + f * sizeof(mm::LargeFolio), sizeof(mm::LargeFolio));
  }
  end_part();
}

// What a step may touch beside frames.
void Machine::lay_out_regions() {
  const std::size_t small = offsetof(State, refs);
  const auto region = [this](std::size_t offset, std::size_t bytes) {
    regions_.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes)});
  };
  region(offsetof(State, mms), program_.mms * sizeof(mm::Mm));
  region(offsetof(State, actors), program_.actors.size() * sizeof(mm::Actor));
  const bool files = (program_.features & litmus::kFeatureFiles) != 0;
  region(small, offsetof(State, files) + (files ? sizeof(State::files) : 0) - small);
  if (mm::large_folios(program_) > 0) region(offsetof(State, folios), sizeof(State::folios));
}

void Machine::lay_out() {
  part_of_.fill(kNoPart);
  frames_ = frame_bound(program_);
  const unsigned words = most_words(program_);
  lay_out_frames(words);
  lay_out_mms();
  lay_out_actors();
  lay_out_rest(words);
  lay_out_pieces();
  lay_out_regions();
}

// The same as pieces of 16 bytes, of which the next piece overwrites what is too much, and the
// words that end with padding.
void Machine::lay_out_pieces() {
  std::size_t to = 0;
  for (const Segment& segment : segments_) {
    for (std::size_t done = 0; done < segment.bytes; done += sizeof(Overrun)) {
      pieces_.push_back({static_cast<std::uint32_t>(segment.offset + done),
                         static_cast<std::uint32_t>(to + done)});
    }
    to += segment.bytes + segment.padding;
    if (segment.padding == 0) continue;
    const std::uint64_t kept = ~std::uint64_t{0} >> (8 * segment.padding);
    padded_.push_back({static_cast<std::uint32_t>(to - sizeof kept), kept});
  }
}

void Machine::pack(const State& from, std::byte* to) const {
  const auto* bytes = reinterpret_cast<const std::byte*>(&from);
  for (const Piece& piece : pieces_) {
    std::memcpy(to + piece.to, bytes + piece.from, sizeof(Overrun));
  }
  for (const Padded& padded : padded_) {
    std::uint64_t word = 0;
    std::memcpy(&word, to + padded.to, sizeof word);
    word &= padded.kept;
    std::memcpy(to + padded.to, &word, sizeof word);
  }
}

// The same without a byte beyond packed_bytes_.
void Machine::pack_exactly(const State& from, std::byte* to) const {
  std::vector<std::byte> packed(packed_bytes_ + sizeof(Overrun));
  pack(from, packed.data());
  std::copy_n(packed.begin(), packed_bytes_, to);
}

void Machine::copy_used(const State& from, State& to) const {
  const auto frames = static_cast<std::size_t>(std::max(from.frames_end, to.frames_end));
  std::copy_n(from.frames.data(), frames, to.frames.data());
  to.frames_end = from.frames_end;
  const auto* source = reinterpret_cast<const std::byte*>(&from);
  auto* target = reinterpret_cast<std::byte*>(&to);
  for (const Segment& region : regions_) {
    std::memcpy(target + region.offset, source + region.offset, region.bytes);
  }
}

void Machine::unpack(const std::byte* from, State& to) const {
  auto* bytes = reinterpret_cast<std::byte*>(&to);
  for (const Segment& segment : segments_) {
    std::memcpy(bytes + segment.offset, from, segment.bytes);
    from += segment.bytes + segment.padding;
  }
  const mm::Frame none{};
  to.frames_end = static_cast<std::uint8_t>(frames_);
  while (to.frames_end > mm::kFirstFrame &&
         std::memcmp(&to.frames[to.frames_end - 1U], &none, sizeof none) == 0) {
    --to.frames_end;
  }
}

void Machine::map_initial_page(State& s, unsigned page, std::uint8_t& next_frame) const {
  const litmus::Object& object = program_.objects[program_.object_of[page]];
  const unsigned owner = program_.processes[object.process].mm;
  if (object.backing != litmus::Backing::anonymous) return map_initial_file(s, page, next_frame);
  if (object.state == litmus::InitialPage::unmapped) return;
  s.mms[owner].vma[page] = static_cast<std::uint8_t>(
      mm::kVmMapped | mm::kVmRead | (object.readonly ? 0 : mm::kVmWrite) |
      (object.dontfork ? mm::kVmDontCopy : 0) | (object.wipeonfork ? mm::kVmWipeOnFork : 0));
  const auto page_bit = static_cast<std::uint16_t>(1U << page);
  if (object.hugetlb) s.mms[owner].hugetlb_owner |= page_bit;
  if (object.state == litmus::InitialPage::untouched) {
    if (object.hugetlb) s.mms[owner].hugetlb_reserved |= page_bit;
    return;
  }
  map_private_page(s, page, next_frame);
}

// A page that its owner has written, exclusive and dirty.
void Machine::map_private_page(State& s, unsigned page, std::uint8_t& next_frame) const {
  const litmus::Object& object = program_.object(page);
  const unsigned owner = program_.processes[object.process].mm;
  const std::uint8_t number = next_frame++;
  mm::Frame& frame = s.frames[number];
  frame.refcount = 1;
  frame.mapcount = 1;
  frame.flags = mm::kAllocated;
  if (object.hugetlb) frame.flags |= mm::kHugetlb;
  if (mm::unpinnable(switches_, object.zone)) frame.flags |= mm::kUnpinnable;
  if (switches_.anon_exclusive == design::policy::anon_exclusive::yes) {
    frame.flags |= mm::kAnonExclusive;
  }
  if (object.state == litmus::InitialPage::fresh) {
    frame.flags |= mm::kInLruBatch;
    frame.refcount++;
  }
  for (std::size_t w = 0; w < object.words.size(); ++w) {
    frame.words[w] = {object.initial[w], static_cast<std::uint8_t>(1U << owner)};
  }
  s.mms[owner].pte[page] = {
      number, static_cast<std::uint8_t>(mm::kPteDirty | (object.readonly ? 0 : mm::kPteWrite))};
  if (!object.hugetlb) s.mms[owner].vma[page] |= mm::kVmAnonVma;
  using litmus::HugeMapping;
  if (object.huge == HugeMapping::pmd || object.huge == HugeMapping::ptes) {
    add_to_folio(s, page, number);
  }
}

// Makes the page just mapped one of the object's large folio. What the folio has as a whole comes
// with its head page.
void Machine::add_to_folio(State& s, unsigned page, std::uint8_t number) const {
  const litmus::Object& object = program_.object(page);
  const unsigned owner = program_.processes[object.process].mm;
  const unsigned index = page - object.first_page;
  const bool by_pmd = object.huge == litmus::HugeMapping::pmd;
  const std::uint8_t head = s.mms[owner].pte[object.first_page].frame;
  unsigned folio = 0;
  if (index > 0) {
    folio = s.frames[head].folio - 1U;
  } else {
    while (s.folios[folio].pages[0] != mm::kNoFrame) ++folio;
  }
  mm::LargeFolio& large = s.folios[folio];
  large.pages[index] = number;
  s.frames[number].folio = static_cast<std::uint8_t>(folio + 1);
  s.frames[number].mapcount = by_pmd ? 0 : 1;
  s.frames[number].refcount = 0;
  if (index > 0) return;
  const auto mappings = static_cast<std::uint8_t>(by_pmd ? 1 : object.pages);
  s.frames[number].refcount = mappings;
  large.entire_mapcount = by_pmd ? 1 : 0;
  if (by_pmd) {
    s.mms[owner].pmd_mapped |= static_cast<std::uint8_t>(1U << program_.object_of[page]);
  }
  if (switches_.wp_reuse_large_pte == design::policy::wp_reuse_large_pte::mm_id_owner) {
    large.mm_id[0] = static_cast<std::uint8_t>(owner + 1);
    large.mm_id_mapcount[0] = mappings;
  }
}

// The owner has written (by default), read or not touched the page; the disk holds the same.
void Machine::map_initial_file(State& s, unsigned page, std::uint8_t& next_frame) const {
  using litmus::Backing;
  using litmus::InitialPage;
  const litmus::Object& object = program_.object(page);
  const unsigned owner = program_.processes[object.process].mm;
  const bool touched = object.state == InitialPage::written || object.state == InitialPage::read;
  const bool copied = object.state == InitialPage::written && !object.shared;
  const bool tracked = object.backing == Backing::ext4 || object.backing == Backing::xfs;
  std::array<mm::Word, litmus::kMaxWords> words{};
  for (mm::Word& word : words) word = {0, mm::kEverybody};
  bool contents = false;
  for (std::size_t w = 0; w < object.words.size(); ++w) {
    words[w].value = object.initial[w];
    contents = contents || object.initial[w] != 0;
  }
  for (mm::Word& word : s.files[page].disk) word = {0, mm::kEverybody};
  const bool memory_only = object.backing == Backing::shmem || object.backing == Backing::p2pdma;
  if (!memory_only) s.files[page].disk = words;
  if (object.state != InitialPage::unmapped) {
    s.mms[owner].vma[page] = static_cast<std::uint8_t>(mm::kVmMapped | mm::kVmRead |
                                                       (object.readonly ? 0 : mm::kVmWrite) |
                                                       (object.dontfork ? mm::kVmDontCopy : 0));
  }
  if (touched || (memory_only && contents)) {
    const std::uint8_t number = next_frame++;
    mm::Frame& frame = s.frames[number];
    const bool written = object.state == InitialPage::written && object.shared;
    const bool mapped = touched && !copied;
    frame.refcount = mapped ? 2 : 1;
    frame.mapcount = mapped ? 1 : 0;
    frame.flags = mm::kAllocated;
    frame.index = static_cast<std::uint8_t>(page + 1);
    frame.state = static_cast<std::uint8_t>(
        mm::kPageCache | (written && tracked ? mm::kPageDirty : 0) |
        (written && object.backing == Backing::ext4 ? mm::kHasBuffers : 0));
    frame.words = words;
    s.files[page].frame = number;
    const bool writable = !object.readonly && object.shared && (written || memory_only);
    if (mapped) {
      s.mms[owner].pte[page] = {number, static_cast<std::uint8_t>((writable ? mm::kPteWrite : 0) |
                                                                  (written ? mm::kPteDirty : 0))};
    }
  }
  if (copied) map_private_page(s, page, next_frame);
}

void Machine::initial_state(State& s) const {
  s = State{};
  s.frames[mm::kZeroFrame].refcount = 1;
  s.frames[mm::kZeroFrame].flags = mm::kAllocated;
  for (unsigned p = 0; p < program_.processes.size(); ++p) {
    if (program_.processes[p].parent != litmus::kNone) continue;
    s.processes[p] = mm::kStarted;
    s.mms[program_.processes[p].mm].flags = mm::kMmAlive;
  }
  std::uint8_t next_frame = mm::kFirstFrame;
  for (unsigned page = 0; page < program_.pages; ++page) map_initial_page(s, page, next_frame);
  s.frames_end = next_frame;
  for (unsigned a = 0; a < program_.actors.size(); ++a) skip_local(s, a);
  if (dead_values_) dead_values_->clear(s);
  Renumbering names{};
  canonicalise(s, program_, frames_, names);
}

void Machine::initial(std::byte* out) const {
  State s;
  initial_state(s);
  pack_exactly(s, out);
}

}  // namespace drover::machine
