// The compiled form of a litmus test: what the machine executes and the verdict evaluates.
// Plain data only. The syntax tree lives in ast.hpp; how one becomes the other in compile.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drover::litmus {

// Capacities of the model's State; compile() reports a located error for a test that exceeds one.
inline constexpr unsigned kMaxPages = 10;     // virtual pages over all memory objects
inline constexpr unsigned kMaxObjects = 6;    // memory objects (each is one VMA at the start)
inline constexpr unsigned kMaxWords = 4;      // named words in one page
inline constexpr unsigned kMaxProcesses = 6;  // and so address spaces
inline constexpr unsigned kMaxActors = 12;    // main threads, further threads, daemons
inline constexpr unsigned kMaxRegisters = 8;  // in one actor, hidden ones included
inline constexpr unsigned kMaxRefs = 12;      // pages held by all handles together
inline constexpr unsigned kMaxCopies = 2048;  // references that one slot of a pipe stands for
inline constexpr unsigned kMaxJobs = 4;       // posted DMA operations
inline constexpr unsigned kMaxEvents = 16;
inline constexpr unsigned kMaxSwapSlots = 12;  // one per page of each process that can be written
inline constexpr unsigned kMaxHugetlbPool = 64;
inline constexpr unsigned kMaxHugePages = 4;   // pages of `huge` memory that a test can name
inline constexpr unsigned kMaxFolioPages = 5;  // those, and one that stands for all others
inline constexpr unsigned kMaxCode = 200;      // instructions of one actor, repeats unrolled

inline constexpr std::uint8_t kNone = 0xff;  // "no register", "no page", ...

/// What an instruction does. The comment gives the operands it uses beside `line` and `text`.
enum class Op : std::uint8_t {
  // Local to the actor: no other actor can observe them.
  assign,       // dst, value
  jump,         // target
  branch_zero,  // value, target: jump when value is 0
  // CPU accesses through the page table and TLB.
  load,   // dst, page, word
  store,  // page, word, value
  // Processes. dst (optional) receives 0 or -errno.
  fork,   // process (the child), dst
  vfork,  // process, dst
  exit,
  wait,  // process
  // Mapping changes. dst (optional) receives 0 or -errno.
  mmap,        // page, pages, dst
  munmap,      // page, pages, dst
  mremap,      // page, pages, to_page, dst
  mprotect,    // page, pages, prot, dst
  madvise,     // page, pages, advice, dst
  move_pages,  // page, pages, dst: 0, or -EBUSY when a page could not be migrated
  swapoff,     // dst
  clear_refs,  // dst: 4 written to /proc/self/clear_refs
  uffd_wp,     // page, pages, dst: UFFDIO_WRITEPROTECT
  uffd_unwp,   // page, pages, dst: the same, taking the protection away
  uffd_move,   // page, pages, to_page, dst: UFFDIO_MOVE
  ksm_scan,    // page, pages: ksmd has scanned these pages
  // Files. dst (optional) receives 0 or -errno.
  truncate,    // page, pages (the whole file), value (how many pages it has afterwards), dst
  punch_hole,  // page, pages, dst: fallocate(FALLOC_FL_PUNCH_HOLE)
  fsync,       // page, pages (the whole file), dst
  crash,       // the machine loses power: only the disk remains
  // References. dst (optional) receives 0 or -errno; ref .. ref+pages-1 are the reference slots.
  get,              // ref, page, pages, foll, gup, process (whose memory), dst
  pin,              // as get
  unpin,            // ref, pages: unpin_user_page
  put,              // ref, pages: put_page
  set_page_dirty,   // ref, pages: set_page_dirty_lock
  unpin_dirty,      // ref, pages: unpin_user_pages_dirty_lock
  register_buffer,  // ref, page, pages, dst
  reg_mr,           // ref, page, pages, access, dst
  rereg_mr,         // ref, pages, access, dst: other access rights, same pages
  xdp_umem,         // ref, page, pages, dst
  direct_read,      // ref, page (one page), word, value (what the device will deliver), dst
  direct_write,     // ref, page, word, dst
  complete_io,      // ref, dst: the transfer of a direct_* happens, then the references go
  vmsplice,         // ref, page, pages, copies, dst
  pipe_read,        // ref (the page's slot), dst, word; peeks
  pipe_close,       // ref, pages: last reader gone, references dropped
  zerocopy_send,    // ref, page, pages, dst
  socket_recv,      // ref (the page's slot), dst, word; the peer receives; peeks
  pagemap,          // ref, page: remember which frame is mapped now; takes no reference
  // The device acts through a reference.
  dma_write,   // ref (the page's slot), word, value
  dma_read,    // ref, dst, word
  post_write,  // job, ref, word, value
  post_read,   // job, ref, word
  complete,    // job, dst (optional; result of a read)
  // Other processes' memory: `process` owns `page`.
  process_vm_writev,  // process, page, word, value, dst (0 or -errno)
  process_vm_readv,   // process, page, word, dst (value or -errno)
  ptrace_poke,        // process, page, word, value, dst (0 or -errno)
  ptrace_peek,        // process, page, word, dst
  // Order between actors.
  signal,  // event
  await,   // event
};

/// Parts of the model's State that only some programs need, bits of Program::features.
inline constexpr std::uint16_t kFeatureSwap = 1,  // swap slots, swap entries, swap cache
    kFeatureMigration = 2,                        // migration entries
    kFeatureFolioState = 4,                       // Frame::state and what follows it
    kFeatureFiles = 256,                          // page cache, disk, crash
    kFeatureHugetlb = 512,                        // reservations of huge pages
    kFeatureHuge = 1024,                          // large folios, PMDs
    kFeatureZones = 2048;                         // pages that long-term pins migrate

/// Arithmetic of the language: `a`, or `a fn b`. A register operand reads the acting actor's own.
struct Operand {
  bool is_register = false;
  std::int8_t value = 0;  // the constant, or the register's index
  bool operator==(const Operand&) const = default;
};
enum class Fn : std::uint8_t { none, add, sub, eq, ne, lt, le, gt, ge };
struct Expr {
  Operand a;
  Fn fn = Fn::none;
  Operand b;
};

// FOLL_ flags of get/pin, as bits of Instr::foll.
inline constexpr std::uint8_t kFollWrite = 1, kFollForce = 2, kFollLongterm = 4,
                              kFollPciP2pdma = 128;
enum class Gup : std::uint8_t { slow, fast, raw };  // raw = get_user_pages_fast_only
// mprotect bits of Instr::prot.
inline constexpr std::uint8_t kProtRead = 1, kProtWrite = 2;
enum class Advice : std::uint8_t {
  dontneed,
  dontfork,
  dofork,
  wipeonfork,
  keeponfork,
  pageout,
  free,
  unmergeable,
  collapse
};

struct Instr {
  Op op = Op::exit;
  std::uint8_t dst = kNone;
  std::uint8_t page = kNone;  // first virtual page (index over all objects)
  std::uint8_t pages = 0;     // how many pages or reference slots
  std::uint8_t to_page = kNone;
  std::uint8_t word = 0;
  std::uint8_t ref = kNone;  // first reference slot
  std::uint8_t job = kNone;
  std::uint8_t process = kNone;
  std::uint8_t event = kNone;
  std::uint8_t target = 0;  // jump target, index into Actor::code
  std::uint8_t foll = 0;
  std::uint8_t prot = 0;
  Gup gup = Gup::slow;
  Advice advice = Advice::dontneed;
  bool writable_mr = false;  // reg_mr, rereg_mr: an IBV_ACCESS_ flag asks for write access
  std::uint16_t copies = 1;  // vmsplice: pipe buffers that each page goes into
  Expr value;
  std::uint32_t line = 0;  // 1-based line of the statement
  std::string text;        // the statement in canonical form, for pictures
};

/// What a memory object is made of, as far as the kernel's paths differ.
enum class Backing : std::uint8_t {
  anonymous,
  ext4,    // a disk file system that tracks dirty pages and hangs buffer heads on them
  xfs,     // one that tracks dirty pages without buffer heads (iomap)
  shmem,   // tmpfs, memfd, MAP_SHARED | MAP_ANONYMOUS: the page cache is all there is
  dax,     // the file's pages are persistent memory, mapped directly
  p2pdma,  // no file system: memory of a PCI device for its peers (p2pmem's sysfs file)
};

/// What the machine swaps to, as far as swap-out and swap-in differ.
enum class SwapDevice : std::uint8_t {
  zram,         // SWP_SYNCHRONOUS_IO: a write is over when it returns
  disk,         // the page is under writeback until the device is done
  stable_disk,  // the same, SWP_STABLE_WRITES: nobody may write the page meanwhile
};

/// Initial state of a memory object's pages.
enum class InitialPage : std::uint8_t {
  written,    // one exclusive anonymous page per virtual page, writable, dirty, off the LRU batches
  fresh,      // the same, but still in a CPU's LRU-add batch (one extra reference)
  untouched,  // nothing mapped yet: a read maps the zero page
  unmapped,   // no VMA: an address range for mmap or mremap to use
  read,       // file pages: read, and mapped as the read left them
};

/// How the pages of `huge` memory, an aligned 2 MiB range, are mapped at the start.
enum class HugeMapping : std::uint8_t {
  none,   // not `huge`
  pmd,    // one large folio (THP) behind a huge PMD
  ptes,   // the same folio behind PTEs
  split,  // small pages, which khugepaged may collapse
};

/// Where the pages that are there at the start lie. Pages that come later lie in `normal`.
enum class Zone : std::uint8_t {
  normal,   // where a long-term pin may stay
  cma,      // in a page block of type MIGRATE_CMA
  movable,  // in ZONE_MOVABLE
};

struct Object {
  std::string name;
  std::uint8_t first_page = 0;
  std::uint8_t pages = 1;
  std::vector<std::string> words;
  /// How many of the pages a test can name.
  [[nodiscard]] unsigned named_pages() const {
    return huge == HugeMapping::none ? pages : pages - 1U;
  }
  std::array<std::int8_t, kMaxWords> initial{};  // same in each page
  InitialPage state = InitialPage::written;
  bool readonly = false, dontfork = false, wipeonfork = false;
  Zone zone = Zone::normal;
  Backing backing = Backing::anonymous;
  bool shared = false;         // MAP_SHARED
  bool stable_writes = false;  // a file on a disk for which nobody may change what it is writing
  bool hugetlb = false;        // each page is one huge page of hugetlbfs
  // `huge` memory has a last page that a test cannot name: it stands for the rest of the 2 MiB.
  HugeMapping huge = HugeMapping::none;
  std::uint8_t process = 0;  // the process that has it mapped at the start
};

struct Process {
  std::string name;
  std::uint8_t parent = kNone;  // kNone: exists from the start
  std::uint8_t mm = 0;          // address space; a vfork child has its parent's
  bool vforked = false;
  std::uint8_t actor = 0;  // its main thread
};

enum class ActorKind : std::uint8_t {
  thread,
  speculate,
  reclaim,
  migrate,
  numa_scan,
  ksm,
  writeback,
  khugepaged,
  swap_io  // the swap device itself: there with every SwapDevice but zram, acts without a bound
};
struct Actor {
  ActorKind kind = ActorKind::thread;
  std::string name;              // "parent", "parent.t", "speculate"
  std::uint8_t process = kNone;  // kNone for daemons
  std::vector<Instr> code;
  std::vector<std::string> registers;  // user-visible names first; hidden ones are empty strings
  // Daemons: which page they act on, how often, and whether they also take the page lock.
  std::uint8_t page = kNone, pages = 0, bound = 0;
  bool page_lock = false;
};

/// A handle is what pin, register_buffer, direct_read ... return; it holds `pages` reference slots.
struct Handle {
  std::string name;
  std::uint8_t first_ref = 0;
  std::uint8_t pages = 1;
  std::uint8_t actor = 0;    // who takes it
  std::uint8_t process = 0;  // whose address space is pinned
  Op op = Op::pin;
  std::uint8_t first_page = 0;
  std::uint16_t copies = 1;  // references that each slot stands for
};

// Conditions.
enum class AtomKind : std::uint8_t {
  reg,         // actor:reg == value
  memory,      // process:page.word == value, through the process's page table at the end
  sigsegv,     // process took a SIGSEGV (true or false)
  same_frame,  // two places are the same page frame
  sigbus,      // process took a SIGBUS (true or false)
  disk,        // page.word == value on the disk
};
struct FramePlace {  // of same_frame: a handle's slot, or a page as a process maps it
  bool is_ref = false;
  std::uint8_t ref = 0, process = 0, page = 0;
};
struct Atom {
  AtomKind kind = AtomKind::reg;
  std::uint8_t actor = 0, reg = 0, process = 0, page = 0, word = 0;
  FramePlace left, right;
  std::string name;  // "parent:r", as outcomes print it
  bool operator<(const Atom& o) const { return name < o.name; }
};
enum class CondOp : std::uint8_t { constant, equal, not_equal, land, lor, lnot };
struct CondNode {  // equal/not_equal: atom `atom` compared with `value`
  CondOp op = CondOp::constant;
  std::int8_t value = 1;
  std::uint8_t atom = 0;
  std::uint16_t left = 0, right = 0;  // children, indices into Condition::nodes
};
enum class Quantifier : std::uint8_t { exists, not_exists, forall };
struct Condition {
  Quantifier quantifier = Quantifier::exists;
  std::vector<Atom> atoms;  // sorted by name, no duplicates: the columns of an outcome
  std::vector<CondNode> nodes;
  std::uint16_t root = 0;
  std::string text;  // canonical, without the quantifier: "(parent:r = 0)"
};

enum class Verdict : std::uint8_t { always, sometimes, never, unsupported };
enum class Property : std::uint8_t {
  coherence,
  isolation,
  lifetime,
  progress,
  balance,
  sanity,
  durability
};
inline constexpr unsigned kProperties = 7;

struct DesignRange {  // `linux-4.18 .. linux-5.8`, or one design (first == last)
  std::string first, last;
};
struct Expectation {
  enum class Kind : std::uint8_t { verdict, violates, holds } kind = Kind::verdict;
  Verdict verdict = Verdict::never;
  std::vector<Property> properties;  // of violates and holds
  std::vector<DesignRange> designs;
  std::string reason;
  std::uint32_t line = 0;
};

struct Program {
  std::string name, description, hash;  // hash: 32 hex digits of the canonical form
  std::string file;
  std::vector<int> claims;
  std::vector<std::string> sources;
  std::vector<Object> objects;
  std::uint8_t pages = 0;                           // virtual pages in all
  std::array<std::uint8_t, kMaxPages> object_of{};  // virtual page -> object
  std::vector<Process> processes;                   // processes[0] exists from the start
  std::uint8_t mms = 0;                             // address spaces in all
  std::vector<Actor> actors;  // actors[i] for i < processes.size(): main threads
  std::vector<Handle> handles;
  std::uint8_t refs = 0, jobs = 0;
  SwapDevice swap_device = SwapDevice::zram;
  std::uint8_t hugetlb_pool = kNone;  // huge pages of the machine; kNone: always enough
  std::uint16_t features = 0;         // kFeature*
  std::vector<std::string> events;
  Condition condition;
  std::vector<Expectation> expectations;

  /// The memory object that a virtual page belongs to.
  [[nodiscard]] const Object& object(unsigned page) const { return objects[object_of[page]]; }
  /// "buf.x" or "buf[1].x" for a virtual page and word.
  [[nodiscard]] std::string word_name(unsigned page, unsigned word) const;
  /// "buf" or "buf[1]" for a virtual page.
  [[nodiscard]] std::string page_name(unsigned page) const;
  /// The handle whose slots include `ref`.
  [[nodiscard]] const Handle& handle_of(unsigned ref) const;
};

[[nodiscard]] const char* to_string(Verdict v);   // "Always", "Sometimes", "Never", "Unsupported"
[[nodiscard]] const char* to_string(Property p);  // "coherence", ...

}  // namespace drover::litmus
