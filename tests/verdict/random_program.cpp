// Random litmus tests; see random_program.hpp.
#include "random_program.hpp"

#include <fmt/format.h>

#include <array>
#include <random>
#include <regex>
#include <vector>

namespace drover::tests {
namespace {

enum class Kind : std::uint8_t { anon, huge, hugetlb, file };

struct Memory {
  std::string name;
  Kind kind = Kind::anon;
  bool shared = false;  // of a file
  bool disk = false;    // ext4, xfs: pages become dirty and are written back
  bool dax = false;
  bool p2pdma = false;
};

class Generator {
 public:
  /// `twins`: two threads of the same statements instead of perhaps one.
  Generator(std::uint64_t seed, bool twins) : random_(seed), seed_(seed), twins_(twins) {}

  std::string text() {
    const unsigned objects = 1 + pick(2);
    words_ = 1 + pick(2);
    const bool small = pick(2) != 0;  // anonymous memory alone, with all that only it can have
    const bool two_pages = small && pick(5) == 0;  // for what goes page by page
    huge_ = small && !two_pages && pick(5) == 0;
    if (two_pages || huge_) words_ = 1;
    pages_ = two_pages ? 2 : 1;
    const bool forks = pick(4) != 0;
    const bool thread = pick(3) != 0 || twins_;
    std::string out = fmt::format("litmus random-{}\n", seed_);
    for (unsigned o = 0; o < (two_pages || huge_ ? 1 : objects); ++o) out += object(o, small);
    if (small && !huge_ && pick(3) == 0) out += target();
    if (pick(4) == 0) out += pick(2) != 0 ? "swap disk;\n" : "swap disk : stable_writes;\n";
    std::string child;
    if (forks) child = actor("process c", 1 + pick(2), false, true);
    std::string second = thread ? actor("thread p.t", 1 + pick(2), false, false) : "";
    if (twins_) second += twin_of(second);
    out += actor("process p", 2 + pick(2), forks, false);
    out += child + second;
    out += daemon();
    return out + condition(forks, thread);
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
  const Memory& memory() { return memory_[pick(static_cast<unsigned>(memory_.size()))]; }
  std::string page() { return pages_ == 2 && pick(2) != 0 ? "[1]" : ""; }
  std::string word(const Memory& m) {
    return fmt::format("{}{}.w{}", m.name, page(), pick(words_));
  }
  std::string value() { return std::to_string(1 + pick(3)); }

  template <std::size_t N>
  std::string one_of(const std::array<const char*, N>& names) {
    return names[pick(N)];
  }

  // What takes one page: of `huge` memory the first one.
  static std::string one_page(const Memory& m) {
    return m.kind == Kind::huge ? m.name + "[0]" : m.name;
  }
  // What takes a range: of `huge` memory also a part of it.
  std::string range(const Memory& m) { return pick(2) != 0 ? one_page(m) : m.name; }

  std::string words() const { return words_ == 1 ? "w0" : "w0, w1"; }

  std::string object(unsigned index, bool small) {
    Memory m{.name = fmt::format("m{}", index)};
    if (huge_) m.kind = Kind::huge;
    if (!small) m.kind = pick(3) == 0 ? Kind::hugetlb : pick(5) == 0 ? Kind::anon : Kind::file;
    std::string out;
    switch (m.kind) {
      case Kind::anon:
        out = fmt::format("anon {}{} {{ {} }}{}\n", m.name, pages_ == 2 ? "[2]" : "", words(),
                          one_of(std::array{"", "", "", "", " : fresh", " : untouched", " : cma",
                                            " : fresh, movable"}));
        break;
      case Kind::huge:
        out = fmt::format("anon {} {{ {} }} : {}\n", m.name, words(),
                          one_of(std::array{"huge", "huge", "huge, pte_mapped", "huge, split"}));
        break;
      case Kind::hugetlb:
        out = fmt::format("hugetlb {} {{ {} }}{}", m.name, words(),
                          pick(3) == 0 ? " : untouched" : "");
        // One page more than is mapped at the start at most: fork and write faults run out of them.
        if (!pooled_ && pick(3) != 0) {
          out += fmt::format("{} pool {}", out.back() == '}' ? " :" : ",", 2 + pick(2));
        }
        pooled_ = true;
        out += "\n";
        break;
      case Kind::file:
        out = file(m);
        break;
    }
    memory_.push_back(m);
    return out;
  }

  std::string file(Memory& m) {
    const std::string backing = one_of(std::array{"ext4", "ext4", "xfs", "ext4, stable_writes",
                                                  "xfs, stable_writes", "shmem", "dax", "p2pdma"});
    m.dax = backing == "dax";
    m.p2pdma = backing == "p2pdma";
    m.disk = backing.starts_with("ext4") || backing.starts_with("xfs");
    m.shared = m.dax || m.p2pdma || pick(3) != 0;
    if (m.p2pdma) return fmt::format("file {} {{ {} }} : p2pdma\n", m.name, words());
    return fmt::format("file {} {{ {} }} : {}, {}{}\n", m.name, words(),
                       m.shared ? "shared" : "private", backing,
                       one_of(std::array{"", "", ", read", ", untouched"}));
  }

  // Where mremap and UFFDIO_MOVE move m0.
  std::string target() {
    moves_by_uffd_ = pick(2) != 0;
    has_target_ = true;
    return fmt::format("anon to{} {{ {} }} : {}\n", pages_ == 2 ? "[2]" : "", words(),
                       moves_by_uffd_ ? "untouched" : "unmapped");
  }

  std::string flags(const Memory& m) {
    if (m.p2pdma) return one_of(std::array{"FOLL_WRITE | FOLL_PCI_P2PDMA", "FOLL_WRITE"});
    return one_of(std::array{"FOLL_WRITE", "FOLL_WRITE | FOLL_LONGTERM", "0", "FOLL_LONGTERM",
                             "FOLL_FORCE | FOLL_WRITE"});
  }
  std::string entry() { return one_of(std::array{"slow", "fast", "raw"}); }

  // A statement or two that take a reference, use it, and perhaps drop it.
  std::string reference(const Memory& memory) {
    const std::string h = fmt::format("h{}", handles_++);
    const std::string m = one_page(memory);
    const std::string w = fmt::format("w{}", pick(words_));
    const std::string v = value();
    switch (pick(11)) {
      case 0:
        return fmt::format("{} = vmsplice({}{}); {} = pipe_read({}.{});{}", h, m,
                           pick(3) == 0 ? ", 1024" : "", reg(), h, w,
                           pick(2) != 0 ? " close(" + h + ");" : "");
      case 1:
        if (pick(2) != 0)
          return fmt::format("{0} = direct_write({1}.{2}); complete({0});", h, m, w);
        return fmt::format("{0} = direct_read({1}.{2}, {3}); complete({0});", h, m, w, v);
      case 2:
        return fmt::format("{0} = reg_mr({1}, {2});{6} dma_write({0}.{3}, {4});{5}", h, m,
                           pick(2) != 0 ? "IBV_ACCESS_LOCAL_WRITE" : "0", w, v,
                           pick(2) != 0 ? " unpin(" + h + ");" : "",
                           pick(3) == 0 ? " rereg_mr(" + h + ", IBV_ACCESS_REMOTE_WRITE);" : "");
      case 3:
        return fmt::format("{0} = get({1}, {2}, {3}); dma_write({0}.{4}, {5}); {6}({0});", h, m,
                           flags(memory), entry(), w, v,
                           memory.kind == Kind::file && pick(2) != 0 ? "set_page_dirty" : "put");
      case 4:
        if (pick(3) == 0) {
          return fmt::format(
              "{0} = pin({1}, {2}); j{0} = post dma_write({0}.{3}, {4}); complete(j{0});", h, m,
              flags(memory), w, v);
        }
        return fmt::format("{0} = pin({1}, {2}, {3}); dma_write({0}{4}.{5}, {6});{7}", h, m,
                           flags(memory), entry(), page(), w, v, release(memory, h));
      case 5:
        return fmt::format("{0} = xdp_umem({1}); dma_write({0}.{2}, {3});{4}", h, m, w, v,
                           pick(2) != 0 ? " unpin(" + h + ");" : "");
      case 6:
        return fmt::format("{0} = register_buffer({1}); dma_write({0}.{2}, {3});{4}", h, m, w, v,
                           pick(2) != 0 ? " unpin(" + h + ");" : "");
      case 7:
        return fmt::format("{} = zerocopy_send({}); {} = socket_recv({}.{});", h, m, reg(), h, w);
      case 8:
        return fmt::format(
            "{0} = pin({1}, {2}); j{0} = post dma_read({0}.{3}); {4} = complete(j{0});", h, m,
            flags(memory), w, reg());
      default:
        return fmt::format("{0} = pin({1}, {2}, {3}); {4} = dma_read({0}.{5});", h, m,
                           flags(memory), entry(), reg(), w);
    }
  }

  std::string release(const Memory& memory, const std::string& h) {
    if (pick(2) != 0) return "";
    if (memory.kind != Kind::file) return " unpin(" + h + ");";
    return pick(2) != 0 ? " unpin_dirty(" + h + ");"
                        : " set_page_dirty(" + h + "); unpin(" + h + ");";
  }

  // What changes a mapping behind the program's back, or write-protects it.
  std::string event(const Memory& memory) {
    const std::string m = range(memory);
    if (memory.kind == Kind::file) return file_event(memory);
    if (memory.kind == Kind::hugetlb || pick(3) == 0) {
      return fmt::format("madvise({}, MADV_{});", m,
                         one_of(std::array{"DONTNEED", "DONTFORK", "DOFORK"}));
    }
    switch (pick(9)) {
      case 0:
        return "clear_refs();";
      case 1:
        return fmt::format("uffd_wp({0}); uffd_unwp({0});", m);
      case 2:
        return fmt::format("madvise({}, MADV_PAGEOUT);", m);
      case 3:
        return fmt::format("madvise({}, MADV_FREE);", m);
      case 4:
        if (huge_) return fmt::format("{} = madvise({}, MADV_COLLAPSE);", reg(), memory.name);
        return fmt::format("{} = move_pages({});", reg(), m);
      case 5:
        if (pages_ == 2) {
          return fmt::format("ksm_scan({0});{1}", m,
                             pick(2) != 0 ? " madvise(" + m + ", MADV_UNMERGEABLE);" : "");
        }
        return fmt::format("madvise({0}, MADV_PAGEOUT); swapoff();", m);
      case 6:
        return fmt::format("madvise({}, MADV_{}ONFORK);", m, pick(2) != 0 ? "WIPE" : "KEEP");
      default:
        return has_target_ ? move() : fmt::format("madvise({}, MADV_DONTNEED);", m);
    }
  }

  std::string move() {
    if (!moves_by_uffd_) return fmt::format("{} = mremap(m0, to);", reg());
    return pages_ == 2 ? fmt::format("{} = uffd_move(m0[0], to[0]);", reg())
                       : fmt::format("{} = uffd_move(m0, to);", reg());
  }

  std::string file_event(const Memory& memory) {
    const std::string& m = memory.name;
    if (memory.p2pdma) return pick(2) != 0 ? "clear_refs();" : "munmap(" + m + ");";
    switch (pick(6)) {
      case 0:
        return fmt::format("{} = truncate({}, 0);", reg(), m);
      case 1:
        return fmt::format("{} = punch_hole({});", reg(), m);
      case 2:
        return fmt::format("fsync({});", m);
      case 3:
        if (memory.disk) return fmt::format("madvise({}, MADV_PAGEOUT);", m);
        return "clear_refs();";
      case 4:
        return memory.disk ? "crash;" : fmt::format("madvise({}, MADV_DONTFORK);", m);
      default:
        return fmt::format("madvise({}, MADV_DONTNEED);", m);
    }
  }

  std::string daemon() {
    if (pick(3) != 0) return "";
    const Memory& m = memory_[0];
    if (m.kind == Kind::hugetlb || m.dax || (m.kind == Kind::file && !m.disk)) {
      return "daemon speculate(m0, 1);\n";
    }
    if (m.kind == Kind::file) {
      return fmt::format("daemon {}(m0, 1);\n",
                         one_of(std::array{"writeback", "writeback", "reclaim", "speculate"}));
    }
    if (m.kind == Kind::huge) {
      return fmt::format("daemon {};\n",
                         one_of(std::array{"khugepaged(m0, 1)", "khugepaged(m0, 1)",
                                           "reclaim(m0, 1)", "speculate(m0, 1) : page_lock"}));
    }
    return fmt::format(
        "daemon {};\n",
        one_of(std::array{"speculate(m0, 1)", "reclaim(m0, 1)", "migrate(m0, 1)", "ksm(m0, 1)",
                          "numa_scan(m0, 1)", "speculate(m0, 1) : page_lock"}));
  }

  std::string reg() { return fmt::format("r{}", pick(2)); }

  std::string statement(bool child) {
    const Memory& memory = this->memory();
    const std::string m = range(memory);
    switch (pick(child || memory.p2pdma ? 10 : 15)) {
      case 0:
      case 1:
        return fmt::format("{} = {};", word(memory), value());
      case 2:
      case 3:
        return fmt::format("{} = {};", reg(), word(memory));
      case 4:
      case 5:
      case 6:
        return reference(memory);
      case 7:
      case 8:
        return event(memory);
      case 9:
        return fmt::format("mprotect({0}, {1}); mprotect({0}, PROT_READ | PROT_WRITE);", m,
                           pick(3) == 0 ? "PROT_NONE" : "PROT_READ");
      case 10:
        return fmt::format("munmap({0}); {1} = mmap({0});", m, reg());
      case 11:
        return fmt::format("process_vm_writev(p, {}, {});", word(memory), value());
      case 12:
        return fmt::format("{} = process_vm_readv(p, {});", reg(), word(memory));
      case 13:
        return fmt::format("{} = ptrace_peek(p, {});", reg(), word(memory));
      default:
        return fmt::format("ptrace_poke(p, {}, {});", word(memory), value());
    }
  }

  std::string actor(const std::string& head, unsigned statements, bool forks, bool child) {
    const unsigned fork_at = forks ? pick(statements + 1) : ~0U;
    std::string body = "    r0 = 0; r1 = 0;\n";
    for (unsigned i = 0; i <= statements; ++i) {
      if (i == fork_at) body += fmt::format("    {} = fork(c);\n", reg());
      if (i < statements) body += "    " + statement(child) + "\n";
    }
    if (child && pick(3) == 0) body += "    exit;\n";
    return head + " {\n" + body + "}\n";
  }

  // The same statements, with handles and jobs of its own.
  static std::string twin_of(const std::string& thread) {
    const std::string named = std::regex_replace(thread, std::regex("p\\.t"), "p.u");
    return std::regex_replace(named, std::regex("\\b(j?h[0-9]+)\\b"), "$1u");
  }

  // All registers and words are named, so that outcomes are compared in full.
  std::string condition(bool forks, bool thread) {
    std::string atoms = "p:r0 = 0 /\\ p:r1 = 0 /\\ ~p:SIGBUS";
    if (forks) atoms += " /\\ c:r0 = 0 /\\ c:r1 = 0 /\\ c:m0.w0 = 0 /\\ ~c:SIGSEGV /\\ ~c:SIGBUS";
    if (thread) atoms += " /\\ p.t:r0 = 0 /\\ p.t:r1 = 0";
    if (twins_) atoms += " /\\ p.u:r0 = 0 /\\ p.u:r1 = 0";
    for (const Memory& m : memory_) {
      for (unsigned w = 0; w < words_; ++w) {
        atoms += fmt::format(" /\\ p:{}.w{} = 0", m.name, w);
        if (m.disk) atoms += fmt::format(" /\\ disk:{}.w{} = 0", m.name, w);
      }
      if (pages_ == 2) atoms += fmt::format(" /\\ p:{}[1].w0 = 0", m.name);
      if (forks)
        atoms += fmt::format(" /\\ ~same_frame(p:{0}{1}, c:{0}{1})", one_page(m),
                             pages_ == 2 ? "[1]" : "");
    }
    if (has_target_) atoms += " /\\ p:to.w0 = 0";
    return "exists (" + atoms + " /\\ ~p:SIGSEGV)\n";
  }

  std::mt19937_64 random_;
  std::uint64_t seed_;
  bool twins_;
  std::vector<Memory> memory_;
  bool huge_ = false, pooled_ = false, has_target_ = false, moves_by_uffd_ = false;
  unsigned words_ = 1, pages_ = 1, handles_ = 0;
};

}  // namespace

std::string random_program(std::uint64_t seed) {
  return Generator(seed, false).text();
}

std::string random_program_with_twins(std::uint64_t seed) {
  return Generator(seed, true).text();
}

}  // namespace drover::tests
