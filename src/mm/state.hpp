// State: everything the model knows between two steps, as one trivially copyable object.
// Data and the smallest helpers only; kernel paths live in files named after them.
//
// Conventions. Names are indices, never pointers; 0 means "none" for frames, so that dead fields
// are zero bytes. Frame numbers carry no meaning: machine/canonical.cpp renumbers them in order of
// first use after every step, so equal states are equal bytes. Ghost fields (what no kernel has,
// kept for the properties) say so.
#pragma once

#include <array>
#include <cstdint>

#include "litmus/program.hpp"
#include "mm/access_log.hpp"

namespace drover::mm {

using litmus::kNone;

inline constexpr unsigned kMaxFrames = 48;
inline constexpr unsigned kMaxDepth = 4;  // op -> get_user_pages -> fault -> do_wp_page
inline constexpr std::uint8_t kNoFrame = 0;
inline constexpr std::uint8_t kZeroFrame = 1;  // the zero page, never freed
inline constexpr std::uint8_t kFirstFrame = 2;

/// GUP_PIN_COUNTING_BIAS (include/linux/mm.h, 3faa52c03f44).
inline constexpr std::int16_t kPinBias = 1024;

/// One named word of a page. `audience` is ghost: the address spaces that may see this value (bit
/// per mm): its writer's, and those forked off since. kWrittenByDevice exempts it from the
/// consistent cut.
struct Word {
  std::int8_t value;
  std::uint8_t audience;
};
inline constexpr std::uint8_t kEverybody = 0x3f;
inline constexpr std::uint8_t kWrittenByDevice = 0x80;

/// struct page/folio of a small page, or one page of a large folio: of those the map count,
/// kAnonExclusive and the words are each page's own, the rest is the folio's and kept in its head
/// page. What follows the words is packed only for programs that need it
/// (litmus::Program::features).
struct Frame {
  std::int16_t refcount;
  std::uint8_t mapcount;
  std::uint8_t flags;
  std::array<Word, litmus::kMaxWords> words;
  std::uint8_t state;     // kSwapCache, ...
  std::uint8_t index;     // swap slot + 1 of a swap cache page, file page + 1 of a page cache page
  std::uint8_t pincount;  // exact pins of a large folio; unused by small pages
  std::uint8_t folio;     // its large folio + 1, 0: a small page; see page_folio()
};
inline constexpr std::uint8_t kAllocated = 1, kAnonExclusive = 2, kPageLocked = 4, kInLruBatch = 8,
                              kFreed = 16,  // somebody still names this freed frame
    kHugetlb = 32,                          // a hugetlb page
    kUnpinnable =
        64;  // lies where the design lets no long-term pin stay (is_migrate_cma_page, ...)
// Frame::state. kIsolated: off the LRU lists, by reclaim or migration, which hold a reference.
inline constexpr std::uint8_t kSwapCache = 1, kPageDirty = 2, kWriteback = 4, kKsm = 8,
                              kLazyFree = 16, kPageCache = 32, kHasBuffers = 64, kIsolated = 128;

/// What a large folio has beside the fields of its head page: its pages, and who maps it.
/// `entire_mapcount`: mappings by a PMD. `mm_id`, `mm_id_mapcount`: _mm_id of struct folio
/// (6af8cb80d3a9, 6.15), mm + 1 and its share of the map count; unused by designs without it.
struct LargeFolio {
  std::array<std::uint8_t, litmus::kMaxFolioPages> pages;  // frames; kNoFrame behind the last
  std::uint8_t entire_mapcount;
  std::array<std::uint8_t, 2> mm_id;
  std::array<std::uint8_t, 2> mm_id_mapcount;
  std::uint8_t flags;  // kFolioMappedShared
};
inline constexpr std::uint8_t kFolioMappedShared = 1;  // FOLIO_MM_IDS_SHARED_BITNUM
inline constexpr unsigned kMaxLargeFolios = 8;

/// A page table entry. Not present: frame is kNoFrame, and the bits say what Mm::entry holds.
struct Pte {
  std::uint8_t frame;
  std::uint8_t bits;
  bool operator==(const Pte&) const = default;
};
inline constexpr std::uint8_t kPteWrite = 1, kPteDirty = 2, kPteProtNone = 4, kPteUffdWp = 8,
                              kPteHint = 16;  // PROT_NONE by NUMA balancing
inline constexpr std::uint8_t kPteInaccessible = kPteProtNone | kPteHint;
/// Not present: a swap entry (Mm::entry is the slot) or a migration entry (Mm::entry is the frame;
/// kPteWrite: it will be writable again). kPteExclusive: the page was PG_anon_exclusive.
inline constexpr std::uint8_t kPteSwap = 32, kPteMigration = 64, kPteExclusive = 128;

/// What CPUs may still hold in their TLBs for one page after the PTE lost rights: the CPUs running
/// `cpus` (bit per actor) may use `frame` until a flush or until they take a fault there. A TLB may
/// have been filled speculatively at any earlier time, so every other CPU of the mm is a suspect.
struct TlbEntry {
  std::uint8_t frame;
  std::uint8_t
      bits;  // kPteWrite: the stale entry allows stores. kGathered: an mmu_gather holds frame
  std::uint16_t cpus;
};
inline constexpr std::uint8_t kGathered = 0x80, kGatheredPmd = 0x40;

// VMA flags, kept per page: a VMA is a run of pages of one object with equal flags.
inline constexpr std::uint8_t kVmMapped = 1, kVmRead = 2, kVmWrite = 4, kVmDontCopy = 8,
                              kVmWipeOnFork = 16,
                              kVmAnonVma = 128;  // vma->anon_vma is set: it had an anonymous page

struct Mm {
  std::uint8_t flags;             // kMmAlive, ...
  std::uint8_t wp_seq;            // write_protect_seq; odd while fork copies a VMA
  std::uint8_t vma_write_locked;  // bit per object: vma_start_write was called
  std::uint8_t forking;           // ghost: child mm + 1 while dup_mmap runs on this mm
  std::array<std::uint8_t, litmus::kMaxPages> vma;
  std::array<Pte, litmus::kMaxPages> pte;
  std::array<TlbEntry, litmus::kMaxPages> tlb;
  std::array<std::uint8_t, litmus::kMaxPages> entry;  // of swap and migration entries
  // The reservation map of hugetlb memory, a bit per page: who made the mapping
  // (HPAGE_RESV_OWNER), what is still reserved, what was taken away (HPAGE_RESV_UNMAPPED).
  std::uint16_t hugetlb_owner, hugetlb_reserved, hugetlb_unmapped;
  // Of `huge` memory, bit per object. Mapped by a huge PMD: its PTEs here all say what the PMD
  // says. PMD cleared: khugepaged has unhooked the page table, which only a GUP-fast still walks.
  std::uint8_t pmd_mapped, pmd_cleared;
};
inline constexpr std::uint8_t kMmAlive = 1, kMmHasPinned = 2,
                              kMmCutPossible = 4;  // ghost, see consistent_cut.cpp
/// mm->tlb_flush_pending, a count in the upper bits of Mm::flags: this is one.
inline constexpr std::uint8_t kMmTlbFlushPending = 16;

/// Where one kernel path of one actor stands: an explicit stack frame.
struct Activation {
  std::uint8_t path;                  // enum Path
  std::uint8_t point;                 // the path's own enum of resume points
  std::array<std::uint8_t, 2> frame;  // locals that name frames (canonicalised)
  std::array<std::uint8_t, 6> arg;    // other locals
};

enum class LockKind : std::uint8_t { none, mmap_read, mmap_write, vma_read };

struct Actor {
  std::uint8_t pc;
  std::uint8_t flags;    // kParked: took a SIGSEGV
  LockKind lock;         // the mmap_lock or VMA lock it holds ...
  std::uint8_t lock_mm;  // ... of this mm
  std::uint8_t lock_object;
  std::uint8_t ptl;    // page table lock held: 1 + mm * kMaxObjects + object, 0: none
  std::uint8_t depth;  // activations in use
  std::int8_t result;  // of the path that returned last
  std::array<std::int8_t, litmus::kMaxRegisters> regs;
  std::array<Activation, kMaxDepth> stack;
};
inline constexpr std::uint8_t kParked = 1;

/// One page reference held through a handle. The owner's address of it follows mremap.
struct Ref {
  std::uint8_t frame;
  std::uint8_t page;  // virtual page + 1 in the owner's mm; 0: the owner unmapped it (or not held)
  std::uint8_t flags;
  std::int8_t value;  // direct_read: what the device will deliver
};
inline constexpr std::uint8_t kRefHeld = 1, kRefPin = 2, kRefWrite = 4,
                              kRefWeak = 8,  // weak: pagemap
    kRefTentative = 16,                      // GUP may still take it back
    kRefIsolated = 32,      // a long-term pin has isolated the page, see migrate_longterm.cpp
    kRefDeviceWrites = 64;  // a memory region whose keys let the device write

/// Whether the program has the reference: it was taken and GUP has returned.
[[nodiscard]] inline bool handed_out(const Ref& ref) {
  return (ref.flags & (kRefHeld | kRefTentative)) == kRefHeld;
}

enum class JobState : std::uint8_t { idle, queued, done };
struct Job {
  JobState state;
  std::uint8_t frame;
  std::int8_t value;  // to write, or what was read
};

/// A slot of the swap device: how many swap entries name it, its page in the swap cache, and what
/// was written there.
struct SwapSlot {
  std::uint8_t count;
  std::uint8_t cache;
  std::array<Word, litmus::kMaxWords> words;
};

/// A page of a file: its page in the page cache (0: not there), and what the disk holds. `disk` of
/// a DAX file is what its pages get when they are first touched.
struct FilePage {
  std::uint8_t frame;
  std::uint8_t flags;  // kBeyondEof
  std::array<Word, litmus::kMaxWords> disk;
};
inline constexpr std::uint8_t kBeyondEof = 1;

inline constexpr std::uint8_t kStarted = 1, kExiting = 2, kExited = 4, kSigsegv = 8, kSigbus = 16,
                              kForkFailed = 32;  // there is no such process to wait for

struct State {
  Records<Frame, kMaxFrames, 0> frames;
  Records<Mm, litmus::kMaxProcesses, 48> mms;
  Records<Actor, litmus::kMaxActors, 54> actors;
  Records<Ref, litmus::kMaxRefs, 66> refs;
  // These are looked at by every step: whether it can move at all depends on them.
  std::array<Job, litmus::kMaxJobs> jobs;
  std::array<std::uint8_t, litmus::kMaxProcesses> processes;  // kStarted, ...
  std::uint16_t events;
  Records<SwapSlot, litmus::kMaxSwapSlots, 78> slots;
  Records<FilePage, litmus::kMaxPages, 90> files;  // by virtual page: one object maps one file
  Records<LargeFolio, kMaxLargeFolios, 100> folios;
  // No part of what is stored: frames from here on are zero bytes, so nobody need look at them.
  std::uint8_t frames_end;
  std::array<std::uint8_t, 15> unused;  // machine/layout.cpp copies 16 bytes at a time

  /// From now on, who looks at a record is logged; nullptr: no more.
  void log_to(AccessLog* log) {
    frames.log_to(log);
    mms.log_to(log);
    actors.log_to(log);
    refs.log_to(log);
    slots.log_to(log);
    files.log_to(log);
    folios.log_to(log);
  }
};
static_assert(decltype(State::folios)::kEnd <= AccessLog::kMostRecords);

/// The locks an actor holds.
struct HeldLocks {
  LockKind lock;
  std::uint8_t lock_mm, lock_object, ptl;
};
[[nodiscard]] inline HeldLocks held_locks(const State& s, unsigned actor) {
  s.actors.note(actor, Look::locks);
  const Actor& a = s.actors.unlogged(actor);
  return {a.lock, a.lock_mm, a.lock_object, a.ptl};
}

/// Where an actor stands: all but its locks, registers and the locals of its paths.
struct Position {
  std::uint8_t pc, flags, depth;
  std::array<std::uint8_t, kMaxDepth> path, point;
};
[[nodiscard]] inline Position position_of(const State& s, unsigned actor) {
  s.actors.note(actor, Look::position);
  const Actor& a = s.actors.unlogged(actor);
  Position position{a.pc, a.flags, a.depth, {}, {}};
  for (unsigned d = 0; d < kMaxDepth; ++d) {
    position.path[d] = a.stack[d].path;
    position.point[d] = a.stack[d].point;
  }
  return position;
}

/// Whether a frame is allocated, or freed and still named.
[[nodiscard]] inline bool frame_in_use(const State& s, unsigned frame) {
  s.frames.note(frame, Look::in_use);
  return (s.frames.unlogged(frame).flags & (kAllocated | kFreed)) != 0;
}
/// Behind the last frame in use: frames from here on are zero bytes.
[[nodiscard]] inline std::uint8_t frames_end(const State& s) {
  for (unsigned f = kFirstFrame; f <= s.frames_end && f < kMaxFrames; ++f) {
    s.frames.note(f, Look::in_use);
  }
  return s.frames_end;
}

}  // namespace drover::mm
