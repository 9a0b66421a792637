// Random litmus tests; see random_program.hpp.
#include "random_program.hpp"

#include <fmt/format.h>

#include <random>
#include <vector>

namespace drover::tests {
namespace {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed), seed_(seed) {}

  std::string text() {
    objects_ = 1 + pick(2);
    words_ = 1 + pick(2);
    if (pick(5) == 0) {  // one object of two pages, for what goes page by page
      objects_ = words_ = 1;
      pages_ = 2;
    }
    const bool forks = pick(4) != 0;
    const bool thread = pick(3) != 0;
    std::string out = fmt::format("litmus random-{}\n", seed_);
    for (unsigned o = 0; o < objects_; ++o) out += object(o);
    std::string child;
    if (forks) child = actor("process c", 1 + pick(2), false, true);
    const std::string second = thread ? actor("thread p.t", 1 + pick(2), false, false) : "";
    out += actor("process p", 2 + pick(2), forks, false);
    out += child + second;
    out += daemon();
    return out + condition(forks, thread);
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string memory() { return fmt::format("m{}", pick(objects_)); }
  std::string page() { return pages_ == 2 && pick(2) != 0 ? "[1]" : ""; }
  std::string word() { return fmt::format("{}{}.w{}", memory(), page(), pick(words_)); }

  std::string object(unsigned index) {
    static const std::vector<std::string> kAttributes = {"", "",         "",
                                                         "", " : fresh", " : untouched"};
    std::string words;
    for (unsigned w = 0; w < words_; ++w) words += fmt::format("{}w{}", w == 0 ? "" : ", ", w);
    return fmt::format("anon m{}{} {{ {} }}{}\n", index, pages_ == 2 ? "[2]" : "", words,
                       kAttributes[pick(static_cast<unsigned>(kAttributes.size()))]);
  }

  std::string flags() {
    static const std::vector<std::string> kFlags = {"FOLL_WRITE", "FOLL_WRITE | FOLL_LONGTERM", "0",
                                                    "FOLL_LONGTERM", "FOLL_FORCE | FOLL_WRITE"};
    return kFlags[pick(static_cast<unsigned>(kFlags.size()))];
  }

  // A statement or two that take a reference, use it, and perhaps drop it.
  std::string reference() {
    static const std::vector<std::string> kEntries = {"slow", "fast", "raw"};
    const std::string h = fmt::format("h{}", handles_++);
    const std::string m = memory();
    const std::string w = fmt::format("w{}", pick(words_));
    const std::string v = std::to_string(1 + pick(3));
    switch (pick(7)) {
      case 6:
        return fmt::format("{0} = xdp_umem({1}); dma_write({0}.{2}, {3});", h, m, w, v);
      case 0:
        return fmt::format("{} = vmsplice({}); {} = pipe_read({}.{});", h, m, reg(), h, w);
      case 1:
        return fmt::format("{0} = direct_read({1}.{2}, {3}); complete({0});", h, m, w, v);
      case 2:
        return fmt::format("{0} = reg_mr({1}, {2}); dma_write({0}.{3}, {4});", h, m,
                           pick(2) != 0 ? "IBV_ACCESS_LOCAL_WRITE" : "0", w, v);
      case 3:
        return fmt::format("{0} = get({1}, {2}, {3}); dma_write({0}.{4}, {5}); put({0});", h, m,
                           flags(), kEntries[pick(3)], w, v);
      case 4:
        if (pick(3) == 0) {
          return fmt::format(
              "{0} = pin({1}, {2}); j{0} = post dma_write({0}.{3}, {4}); complete(j{0});", h, m,
              flags(), w, v);
        }
        return fmt::format("{0} = pin({1}, {2}, {3}); dma_write({0}{4}.{5}, {6});{7}", h, m,
                           flags(), kEntries[pick(3)], page(), w, v,
                           pick(2) != 0 ? " unpin(" + h + ");" : "");
      default:
        return fmt::format("{0} = pin({1}, {2}, {3}); {4} = dma_read({0}.{5});", h, m, flags(),
                           kEntries[pick(3)], reg(), w);
    }
  }

  // What changes a mapping behind the program's back, or write-protects it.
  std::string event(const std::string& m) {
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
        return fmt::format("move_pages({});", m);
      case 5:
        return pages_ == 2 ? fmt::format("ksm_scan({});", m)
                           : fmt::format("madvise({0}, MADV_PAGEOUT); swapoff();", m);
      default:
        return fmt::format("madvise({}, MADV_DONTNEED);", m);
    }
  }

  std::string daemon() {
    static const std::vector<std::string> kKinds = {"speculate", "reclaim", "migrate", "ksm",
                                                    "numa_scan"};
    if (pick(3) != 0) return "";
    return fmt::format("daemon {}(m0, 1);\n", kKinds[pick(static_cast<unsigned>(kKinds.size()))]);
  }

  std::string reg() { return fmt::format("r{}", pick(2)); }

  std::string statement(bool child) {
    const std::string m = memory();
    switch (pick(child ? 9 : 12)) {
      case 0:
      case 1:
        return fmt::format("{} = {};", word(), 1 + pick(3));
      case 2:
      case 3:
        return fmt::format("{} = {};", reg(), word());
      case 4:
      case 5:
      case 6:
        return reference();
      case 7:
        return event(m);
      case 8:
        return fmt::format("mprotect({0}, PROT_READ); mprotect({0}, PROT_READ | PROT_WRITE);", m);
      case 9:
        return fmt::format("munmap({0}); mmap({0});", m);
      case 10:
        return fmt::format("process_vm_writev(p, {}, {});", word(), 1 + pick(3));
      default:
        return fmt::format("ptrace_poke(p, {}, {});", word(), 1 + pick(3));
    }
  }

  std::string actor(const std::string& head, unsigned statements, bool forks, bool child) {
    const unsigned fork_at = forks ? pick(statements + 1) : ~0U;
    std::string body = "    r0 = 0; r1 = 0;\n";
    for (unsigned i = 0; i <= statements; ++i) {
      if (i == fork_at) body += "    fork(c);\n";
      if (i < statements) body += "    " + statement(child) + "\n";
    }
    if (child && pick(3) == 0) body += "    exit;\n";
    return head + " {\n" + body + "}\n";
  }

  // All registers and words are named, so that outcomes are compared in full.
  std::string condition(bool forks, bool thread) {
    std::string atoms = "p:r0 = 0 /\\ p:r1 = 0";
    if (forks) atoms += " /\\ c:r0 = 0 /\\ c:r1 = 0 /\\ c:m0.w0 = 0 /\\ ~c:SIGSEGV";
    if (thread) atoms += " /\\ p.t:r0 = 0 /\\ p.t:r1 = 0";
    for (unsigned o = 0; o < objects_; ++o) {
      for (unsigned w = 0; w < words_; ++w) atoms += fmt::format(" /\\ p:m{}.w{} = 0", o, w);
      if (pages_ == 2) atoms += fmt::format(" /\\ p:m{}[1].w0 = 0", o);
    }
    return "exists (" + atoms + " /\\ ~p:SIGSEGV)\n";
  }

  std::mt19937_64 random_;
  std::uint64_t seed_;
  unsigned objects_ = 1, words_ = 1, pages_ = 1, handles_ = 0;
};

}  // namespace

std::string random_program(std::uint64_t seed) {
  return Generator(seed).text();
}

}  // namespace drover::tests
