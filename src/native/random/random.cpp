// Random scenarios; see scenario.hpp. What is mapped where is tracked, so that no step waits for
// ever: a SIGSEGV or a write to memory under userfaultfd would end the order of the others.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>

#include "native/random/scenario.hpp"

namespace drover::native {
namespace {

struct Mapping {
  bool mapped = true, readable = true, writable = true, write_protected = false, dontfork = false;
};

enum class HandleKind : std::uint8_t { pin, umem, direct_read, direct_write, pipe, socket };

struct Handle {
  std::string name, process, memory;
  unsigned pages;
  HandleKind kind;
  bool posted = false;  // io_uring keeps what a transfer was posted through
};

bool is_anonymous(const Memory& m) {
  return m.kind == "anon";
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Scenario scenario(std::string name) {
    scenario_.name = std::move(name);
    declare_memory();
    const std::size_t wanted = 5 + pick(6);
    for (unsigned tries = 0; scenario_.steps.size() < wanted && tries < 200; ++tries) {
      if (pick(3) == 0) actor_ = processes_[pick(static_cast<unsigned>(processes_.size()))];
      step();
    }
    return scenario_;
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }

  void declare_memory() {
    static const std::vector<std::string> kAttributes = {"", "",          "", "",
                                                         "", "untouched", "", "fresh"};
    const unsigned objects = 1 + (pick(3) == 0 ? 1 : 0);
    for (unsigned o = 0; o < objects; ++o) {
      scenario_.memory.push_back({fmt::format("m{}", o), pick(4) == 0 ? 2U : 1U, 1 + pick(2),
                                  kAttributes[pick(static_cast<unsigned>(kAttributes.size()))]});
      if (pick(3) == 0) other_kind(scenario_.memory.back());
    }
    const bool anonymous = is_anonymous(scenario_.memory.front());
    if (anonymous && objects == 1 && pick(3) == 0) {  // a place for mremap or UFFDIO_MOVE
      by_uffd_ = pick(3) == 0;
      Memory to = scenario_.memory.front();
      to.name = "to";
      to.attribute = by_uffd_ ? "untouched" : "unmapped";
      scenario_.memory.push_back(to);
    }
    for (const Memory& m : scenario_.memory) {
      maps_["p"][m.name].mapped = m.attribute != "unmapped";
      file_pages_[m.name] = m.pages;
    }
  }

  // Guests have no file system on a disk: shared files and registered buffers need one, see
  // file_kind. One huge page: guests have eight of them for all processes and pins.
  void other_kind(Memory& m) {
    static const std::vector<std::string> kFiles = {"shared, shmem", "private, shmem",
                                                    "private, ext4"};
    if (pick(3) == 0) {
      m = {m.name, 1, m.words, pick(3) == 0 ? "untouched" : "", "hugetlb"};
    } else {
      static const std::vector<std::string> kTouched = {"", "", ", read", ", untouched"};
      m.kind = "file";
      m.attribute = kFiles[pick(3)] + kTouched[pick(4)];
    }
  }

  void add(std::string text, std::vector<std::string> names, std::string result = "",
           std::string defines = "") {
    if (!result.empty()) text = result + " = " + text;
    scenario_.steps.push_back(
        {actor_, std::move(text), std::move(names), std::move(defines), std::move(result)});
  }

  // A register that has no value yet; the last one is used again and again.
  std::string reg() { return fmt::format("r{}", std::min(registers_[actor_]++, 5U)); }

  std::string word(const Memory& m) {
    return fmt::format("{}[{}].w{}", m.name, pick(m.pages), pick(m.words));
  }

  [[nodiscard]] const Memory* target() const {
    return scenario_.memory.back().name == "to" ? &scenario_.memory.back() : nullptr;
  }

  void step() {
    const Memory& m = scenario_.memory[pick(static_cast<unsigned>(scenario_.memory.size()))];
    Mapping& map = maps_[actor_][m.name];
    switch (pick(8)) {
      case 0:
      case 1:
        return access(m, map);
      case 2:
        return process();
      case 3:
        if (m.kind == "file" && pick(2) == 0) return change_file(m);
        return map.write_protected ? unprotect(m, map) : mapping(m, map);
      case 4:
        return advice(m, map);
      case 5:
        return is_anonymous(m) ? kernel(m, map) : access(m, map);
      case 6:
        return use_handle(m, map);
      default:
        return other_process(m);
    }
  }

  void access(const Memory& m, const Mapping& map) {
    if (!map.mapped || !map.readable || file_pages_[m.name] < m.pages) return;
    if (pick(3) == 0) return add(word(m) + ";", {m.name}, reg());
    if (map.writable && !map.write_protected) {
      add(fmt::format("{} = {};", word(m), ++value_), {m.name});
    }
  }

  // Nobody accesses a file while pages of it are gone (SIGBUS); calls fail.
  void change_file(const Memory& m) {
    switch (pick(4)) {
      case 0:
        return add(fmt::format("punch_hole({});", m.name), {m.name}, reg());
      case 1:
        return add(fmt::format("fsync({});", m.name), {m.name}, reg());
      default:
        file_pages_[m.name] = file_pages_[m.name] < m.pages ? m.pages : pick(m.pages);
        return add(fmt::format("truncate({}, {});", m.name, file_pages_[m.name]), {m.name}, reg());
    }
  }

  void process() {
    if (processes_.size() + exited_ < 3 && pick(5) == 0) {
      vfork();
    } else if (processes_.size() + exited_ < 3) {
      const std::string child = processes_.size() + exited_ == 1 ? "c" : "d";
      parent_[child] = actor_;
      maps_[child] = maps_[actor_];
      for (auto& [name, map] : maps_[child]) {
        map.write_protected = false;  // UFFD_FEATURE_EVENT_FORK is not asked for
        map.mapped = map.mapped && !map.dontfork;
      }
      add(fmt::format("fork({});", child), {}, "", child);
      processes_.push_back(child);
    } else if (actor_ != "p" && pick(2) == 0) {
      exit();
    }
  }

  // The child borrows the address space and the parent waits: it does a little and exits.
  void vfork() {
    const std::string parent = actor_;
    const std::string child = processes_.size() + exited_ == 1 ? "c" : "d";
    add(fmt::format("vfork({});", child), {}, "", child);
    actor_ = child;
    for (const Memory& m : scenario_.memory) access(m, maps_[parent][m.name]);
    add("exit;", {}, "", "exit " + child);
    actor_ = parent;
    ++exited_;
  }

  void exit() {
    const std::string child = actor_;
    const std::string parent = parent_[child];
    const bool holds = std::any_of(handles_.begin(), handles_.end(),
                                   [&](const Handle& h) { return h.process == child; });
    // What an exiting process holds, the kernel drops later and in a worker (io_ring_exit_work).
    if (holds || std::find(processes_.begin(), processes_.end(), parent) == processes_.end()) {
      return;
    }
    add("exit;", {}, "", "exit " + child);
    actor_ = parent;
    add(fmt::format("wait({});", child), {child, "exit " + child});
    std::erase(processes_, child);
    ++exited_;
  }

  void unprotect(const Memory& m, Mapping& map) {
    map.write_protected = false;
    add(fmt::format("uffd_unwp({});", m.name), {m.name}, reg());
  }

  void mapping(const Memory& m, Mapping& map) {
    if (!map.mapped) {
      if (pick(2) == 0) return;
      map = Mapping{};
      return add(fmt::format("mmap({});", m.name), {m.name}, reg());
    }
    switch (pick(5)) {
      case 0:
        map.mapped = false;
        return add(fmt::format("munmap({});", m.name), {m.name});
      case 1: {
        if (m.name == "to" || target() == nullptr) return;
        Mapping& to = maps_[actor_]["to"];
        if (by_uffd_) return move_by_uffd(m, map, to);
        if (to.mapped) return;
        to = map;
        map.mapped = false;
        return add(fmt::format("mremap({}, to);", m.name), {m.name, "to"}, reg());
      }
      case 2:
        // One descriptor has the features that the first call asked for.
        if (!is_anonymous(m) || !map.writable || by_uffd_) return;
        map.write_protected = true;
        return add(fmt::format("uffd_wp({});", m.name), {m.name}, reg());
      default:
        return protect(m, map);
    }
  }

  void protect(const Memory& m, Mapping& map) {
    const bool none = map.readable && pick(4) == 0;
    map.writable = !none && !map.writable;
    map.readable = !none;
    add(fmt::format("mprotect({}, {});", m.name,
                    none           ? "PROT_NONE"
                    : map.writable ? "PROT_READ | PROT_WRITE"
                                   : "PROT_READ"),
        {m.name}, reg());
  }

  // validate_move_areas wants both writable; the model does not ask.
  void move_by_uffd(const Memory& m, const Mapping& from, const Mapping& to) {
    if (!from.mapped || !to.mapped || !from.writable || !to.writable) return;
    const unsigned page = pick(m.pages);
    add(fmt::format("uffd_move({0}[{1}], to[{1}]);", m.name, page), {m.name, "to"}, reg());
  }

  void advice(const Memory& m, Mapping& map) {
    // The first three are for all memory.
    static const std::vector<std::string> kAdvice = {"DONTNEED", "DONTFORK",   "DOFORK",
                                                     "PAGEOUT",  "PAGEOUT",    "FREE",
                                                     "FREE",     "WIPEONFORK", "KEEPONFORK"};
    if (!map.mapped) return;
    const bool any = is_anonymous(m);
    const std::string& chosen = kAdvice[pick(any ? static_cast<unsigned>(kAdvice.size()) : 3)];
    if (chosen == "DONTFORK") map.dontfork = true;
    if (chosen == "DOFORK") map.dontfork = false;
    add(fmt::format("madvise({}, MADV_{});", m.name, chosen), {m.name}, reg());
  }

  void kernel(const Memory& m, const Mapping& map) {
    switch (pick(4)) {
      case 0:
        return add("clear_refs();", {});
      case 1:
        return add("swapoff();", {});
      case 2:
        return ksm(m, map);
      default:
        if (map.mapped) add(fmt::format("move_pages({});", m.name), {m.name}, reg());
    }
  }

  // Once: ksmd would scan again what an earlier scan made mergeable.
  void ksm(const Memory& m, const Mapping& map) {
    if (!map.mapped) return;
    if (m.pages == 2 && !scanned_) {
      scanned_ = true;
      return add(fmt::format("ksm_scan({});", m.name), {m.name});
    }
    if (scanned_) add(fmt::format("madvise({}, MADV_UNMERGEABLE);", m.name), {m.name}, reg());
  }

  void use_handle(const Memory& m, const Mapping& map) {
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < handles_.size(); ++i) {
      if (handles_[i].process == actor_) own.push_back(i);
    }
    if (own.empty() || (pick(4) == 0 && taken_ < 3)) return take(m, map);
    const std::size_t at = own[pick(static_cast<unsigned>(own.size()))];
    Handle& h = handles_[at];
    const std::string place = fmt::format("{}[{}].w0", h.name, pick(h.pages));
    const auto dropped = [&](const std::string& text, const std::string& result = "") {
      const std::string name = h.name;
      handles_.erase(handles_.begin() + static_cast<std::ptrdiff_t>(at));
      add(fmt::format("{}({});", text, name), {name}, result);
    };
    switch (h.kind) {
      case HandleKind::direct_read:
        return dropped("complete");
      case HandleKind::direct_write:
        return dropped("complete", reg());
      case HandleKind::pipe:
        if (pick(3) == 0) return dropped("close");
        return add(fmt::format("pipe_read({});", place), {h.name}, reg());
      case HandleKind::socket:
        if (pick(3) == 0) return dropped("close");
        return received(at, place);
      case HandleKind::pin:
        if (pick(4) == 0 && !h.posted) return dropped("unpin");
        if (pick(4) == 0 && jobs_ < 4) return post(h, place);
        break;
      case HandleKind::umem:
        break;
    }
    if (pick(3) == 0) return add(fmt::format("dma_read({});", place), {h.name}, reg());
    add(fmt::format("dma_write({}, {});", place, ++value_), {h.name});
  }

  // What a real peer has received, the socket has let go of: the two are one statement, here and
  // for those who make the program smaller.
  void received(std::size_t at, const std::string& place) {
    const std::string name = handles_[at].name;
    handles_.erase(handles_.begin() + static_cast<std::ptrdiff_t>(at));
    add(fmt::format("socket_recv({}); close({});", place, name), {name}, reg());
  }

  void post(Handle& h, const std::string& place) {
    const std::string job = fmt::format("j{}", jobs_++);
    const bool write = pick(2) == 0;
    h.posted = true;
    const std::string call = write ? fmt::format("dma_write({}, {})", place, ++value_)
                                   : fmt::format("dma_read({})", place);
    add(fmt::format("{} = post {};", job, call), {h.name}, "", job);
    add(fmt::format("complete({});", job), {job}, write ? "" : reg());
  }

  // A call on memory under userfaultfd that wants to write waits.
  void take(const Memory& m, const Mapping& map) {
    if (taken_ >= 3 || map.write_protected || !map.mapped) return;
    const std::string name = fmt::format("h{}", taken_++);
    const auto taken = [&](HandleKind kind, std::string call) {
      handles_.push_back({name, actor_, m.name, m.pages, kind});
      add(std::move(call), {m.name}, name, name);
    };
    const bool pins = m.attribute.find("ext4") == std::string::npos;  // see other_kind
    switch (pick(pins ? 8 : 4)) {
      case 0:
        return taken(HandleKind::direct_read,
                     fmt::format("direct_read({}.w0, {});", m.name, ++value_));
      case 1:
        return taken(HandleKind::direct_write, fmt::format("direct_write({}.w0);", m.name));
      case 2:
        return taken(HandleKind::pipe, fmt::format("vmsplice({});", m.name));
      case 3:
        return taken(HandleKind::socket, fmt::format("zerocopy_send({});", m.name));
      case 4:
        return taken(HandleKind::umem, fmt::format("xdp_umem({});", m.name));
      case 5:
        return taken(HandleKind::pin, fmt::format("pin({}, FOLL_WRITE | FOLL_LONGTERM);", m.name));
      default:
        return taken(HandleKind::pin, fmt::format("register_buffer({});", m.name));
    }
  }

  void other_process(const Memory& m) {
    const std::string other = processes_[pick(static_cast<unsigned>(processes_.size()))];
    if (maps_[other][m.name].write_protected) return;
    const std::string place = word(m);
    std::vector<std::string> names = {m.name, other};
    switch (pick(other == actor_ ? 2 : 4)) {
      case 0:
        return add(fmt::format("process_vm_writev({}, {}, {});", other, place, ++value_), names,
                   reg());
      case 1:
        return add(fmt::format("process_vm_readv({}, {});", other, place), names, reg());
      case 2:
        return add(fmt::format("ptrace_poke({}, {}, {});", other, place, ++value_), names, reg());
      default:
        return add(fmt::format("ptrace_peek({}, {});", other, place), names, reg());
    }
  }

  std::mt19937_64 random_;
  Scenario scenario_;
  std::string actor_ = "p";
  std::vector<std::string> processes_ = {"p"};  // that live
  std::map<std::string, std::string> parent_;
  std::map<std::string, std::map<std::string, Mapping>> maps_;
  std::map<std::string, unsigned> registers_;
  std::vector<Handle> handles_;                 // not dropped yet
  std::map<std::string, unsigned> file_pages_;  // up to the end of the file
  bool by_uffd_ = false, scanned_ = false;
  unsigned taken_ = 0, exited_ = 0, value_ = 0, jobs_ = 0;
};

}  // namespace

Scenario random_scenario(std::uint64_t seed) {
  // What exceeds one of the language's limits is thrown away.
  for (std::uint64_t attempt = 0;; ++attempt) {
    std::uint64_t mixed = seed * 0x9e3779b97f4a7c15 + attempt * 0xd1b54a32d192ed03;
    mixed ^= mixed >> 32U;
    Scenario scenario = Generator(mixed).scenario(fmt::format("random-{}", seed));
    if (!scenario.steps.empty() && is_usable(scenario)) return scenario;
  }
}

}  // namespace drover::native
