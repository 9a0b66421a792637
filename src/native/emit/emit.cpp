// emit_c(): head comment, tables, the runtime parts that the test uses, one function per actor.
#include "native/emit/emit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "native/emit/families.hpp"
#include "runtime_text.hpp"

namespace drover::native {
namespace {

using litmus::ActorKind;
using litmus::Instr;
using litmus::Program;

// Objects lie far apart: no two share a page table, and nothing else is mapped near them.
constexpr std::uint64_t kFirstObject = 0x1000000000, kObjectDistance = 0x2000000;

constexpr const char* kIncludes = R"(#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

)";

// Text that may stand inside a C comment.
std::string comment(std::string text) {
  for (std::size_t at = 0; (at = text.find("*/", at)) != std::string::npos;) text[at + 1] = '|';
  for (std::size_t at = 0; (at = text.find("/*", at)) != std::string::npos;) text[at + 1] = '|';
  return text;
}

// Actor indices with code; daemons are the kernel's own doing and have none.
std::vector<unsigned> threads(const Program& program) {
  std::vector<unsigned> out;
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    if (program.actors[a].kind == ActorKind::thread) out.push_back(a);
  }
  return out;
}

class Emitter {
 public:
  Emitter(const Program& program, const EmitOptions& options, const Runnable& runnable)
      : program_(program), runnable_(runnable), context_{program, options, runnable.ordered} {}

  std::string run() {
    head();
    out_ += kIncludes;
    names();
    add(runtime::core);
    families();
    for (const unsigned a : threads(program_)) function(a);
    tables();
    hooks();
    outcome();
    add(runtime::main);
    return std::move(out_);
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void add(std::string_view part) {
    out_ += part;
    out_ += '\n';
  }

  void head() {
    line("/*");
    line(" * litmus {}", program_.name);
    line(" * Hash={}", program_.hash);
    if (!program_.description.empty()) line(" * {}", comment(program_.description));
    line(" *");
    line(" * Made by drover. Build: gcc -O2 -static -pthread -o test {}.c", program_.name);
    line(" * Run alone{}: ./test [-n RUNS] [-t SECONDS] [-T TIMEOUT] [-v]",
         runnable_.needs_root ? " (as root)" : "");
    line(" * {}", runnable_.ordered ? "Ordered: the statements have one order; one CPU, one run."
                                    : "Racy: each run is another interleaving; many runs.");
    line(" * Condition: {}", comment(program_.condition.text));
    line(" */");
  }

  // An enumeration of names under a prefix; `empty` names what an empty table holds.
  template <class Items, class Name>
  void enumeration(const char* count, const char* prefix, const Items& items, Name name) {
    line("#define {} {}", count, std::max<std::size_t>(items.size(), 1));
    if (items.empty()) return;
    out_ += "enum {";
    for (const auto& item : items) out_ += fmt::format(" {}{},", prefix, name(item));
    out_.back() = ' ';
    line("}};");
  }

  void names() {
    const auto own_name = [](const auto& item) { return item.name; };
    line("#define TEST_NAME \"{}\"", program_.name);
    line("#define TEST_HASH \"{}\"", program_.hash);
    line("#define ORDERED {}", runnable_.ordered ? 1 : 0);
    line("#define HAS_FRESH {}", has_fresh_page(program_) ? 1 : 0);
    line("#define LARGE_FOLIOS {}", uses_large_folios() ? 1 : 0);
    if (uses_large_folios()) line("#define COLLAPSES {}", collapses() ? 1 : 0);
    line("#define NEEDS_ROOT {}", runnable_.needs_root ? 1 : 0);
    line("#define NEEDS_ROOT_WHY \"{}\"", runnable_.needs_root_why);
    line("#define ACTORS {}", threads(program_).size());
    line("#define OBJECTS {}", std::max<std::size_t>(program_.objects.size(), 1));
    line("#define PAGES {}", std::max<unsigned>(program_.pages, 1));
    line("#define SLOTS {}", std::max<unsigned>(program_.refs, 1));
    line("#define JOBS {}", std::max<unsigned>(program_.jobs, 1));
    enumeration("PROCESSES", "P_", program_.processes, own_name);
    enumeration("HANDLES", "H_", program_.handles, own_name);
    enumeration("EVENTS", "E_", program_.events, [](const std::string& e) { return e; });
    for (std::size_t o = 0; o < program_.objects.size(); ++o) {
      line("#define MEM_{} ((char *){:#x}ul)", program_.objects[o].name,
           kFirstObject + o * kObjectDistance);
    }
    line("/* A register of the running actor. */");
    line("#define R(name) shared->reg[self][r_##name]\n");
  }

  // The parts that every program has come first; the rest in the order of first use.
  void families() {
    std::vector<std::string_view> parts = {runtime::memory, runtime::process};
    const auto use = [&](std::string_view part) {
      if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
    };
    for (const litmus::Actor& actor : program_.actors) {
      for (const Instr& i : actor.code) {
        const Family& family = family_of(context_, i);
        if (&family == &kJobs) use(runtime::gup_users);  // the device of jobs uses its functions
        use(family.runtime);
      }
    }
    if (uses_hugetlb()) use(runtime::hugetlb);
    use(uses_large_folios() ? runtime::large_folio : runtime::small_pages);
    for (const std::string_view part : parts) add(part);
  }

  [[nodiscard]] bool uses_large_folios() const {
    return (program_.features & litmus::kFeatureHuge) != 0;
  }
  [[nodiscard]] bool collapses() const {
    return std::any_of(program_.actors.begin(), program_.actors.end(), [](const auto& actor) {
      return std::any_of(actor.code.begin(), actor.code.end(), [](const Instr& i) {
        return i.op == litmus::Op::madvise && i.advice == litmus::Advice::collapse;
      });
    });
  }
  [[nodiscard]] bool uses_hugetlb() const {
    return (program_.features & litmus::kFeatureHugetlb) != 0;
  }
  // Huge pages that the mappings at the start reserve.
  [[nodiscard]] unsigned needed_huge_pages() const {
    unsigned pages = 0;
    for (const litmus::Object& o : program_.objects) {
      if (o.hugetlb && o.state != litmus::InitialPage::unmapped) pages += o.pages;
    }
    return pages;
  }

  void function(unsigned a) {
    const litmus::Actor& actor = program_.actors[a];
    line("/* {} */", actor.name);
    line("static void actor_{}(void)\n{{", a);
    if (!actor.registers.empty()) {
      out_ += "    enum {";
      for (unsigned r = 0; r < actor.registers.size(); ++r) {
        out_ += fmt::format(" r_{},", register_name(context_, a, r));
      }
      out_.back() = ' ';
      line("}};");
    }
    for (std::size_t i = 0; i <= actor.code.size(); ++i) {
      if (is_target(actor, i)) line("L{}:;", i);
      if (i < actor.code.size()) statement(a, actor.code[i]);
    }
    line("}}\n");
  }

  static bool is_target(const litmus::Actor& actor, std::size_t index) {
    return std::any_of(actor.code.begin(), actor.code.end(), [&](const Instr& i) {
      return (i.op == litmus::Op::jump || i.op == litmus::Op::branch_zero) && i.target == index;
    });
  }

  void statement(unsigned a, const Instr& i) {
    using litmus::Op;
    if (!i.text.empty()) line("    /* {} */", comment(i.text.substr(0, i.text.find('\n'))));
    const bool local = i.op == Op::assign || i.op == Op::jump || i.op == Op::branch_zero;
    if (!local) line("    at_line({});", i.line);
    line("    {}", family_of(context_, i).statement(context_, Site{i, a}));
  }

  void tables() {
    objects();
    line("static const struct process processes[PROCESSES] = {{");
    for (const litmus::Process& p : program_.processes) {
      line("    {{ \"{}\", {}, {}, {}, {} }},", p.name, p.parent == litmus::kNone, p.vforked, p.mm,
           p.actor);
    }
    line("}};\nstatic const struct actor actors[ACTORS] = {{");
    for (const unsigned a : threads(program_)) {
      line("    {{ \"{}\", {} }},", program_.actors[a].name, program_.actors[a].process);
    }
    line("}};\nstatic const struct handle handles[HANDLES] = {{");
    for (const litmus::Handle& h : program_.handles) {
      line("    {{ \"{}\", {}, {}, {}, {} }},", h.name, page_address(context_, h.first_page),
           h.first_ref, h.pages, h.process);
    }
    if (program_.handles.empty()) line("    {{ \"\", NULL, 0, 0, 0 }},");
    line("}};\nstatic void run_code(unsigned actor)\n{{\n    switch (actor) {{");
    for (const unsigned a : threads(program_)) line("    case {0}: actor_{0}(); break;", a);
    line("    }}\n}}\n");
  }

  void objects() {
    static constexpr const char* kStates[] = {"WRITTEN", "FRESH", "UNTOUCHED", "UNMAPPED",
                                              "ONLY_READ"};
    static constexpr const char* kHuge[] = {"SMALL", "PMD_MAPPED", "PTE_MAPPED", "SPLIT"};
    line("/* name, address, first page, pages, words, values, state, readonly, dontfork,");
    line(" * wipeonfork, process, what it is mapped from, MAP_SHARED, hugetlb, large folio */");
    line("static const struct object objects[OBJECTS] = {{");
    for (const litmus::Object& o : program_.objects) {
      line("    {{ \"{}\", MEM_{}, {}, {}, {}, {{ {} }}, {}, {}, {}, {}, {}, {}, {}, {}, {} }},",
           o.name, o.name, o.first_page, o.pages, o.words.size(),
           fmt::format("{}, {}, {}, {}", o.initial[0], o.initial[1], o.initial[2], o.initial[3]),
           kStates[static_cast<unsigned>(o.state)], o.readonly, o.dontfork, o.wipeonfork, o.process,
           file_kind(program_, o), o.shared, o.hugetlb, kHuge[static_cast<unsigned>(o.huge)]);
    }
    if (program_.objects.empty()) {
      line(
          "    {{ \"\", NULL, 0, 0, 0, {{ 0 }}, UNMAPPED, false, false, false, 0, ANONYMOUS, "
          "false, false, SMALL }},");
    }
    line("}};");
  }

  void hooks() {
    std::string program, run, process, mark, end, clean;
    const auto collect = [](std::string& all, const std::string& one) {
      if (!one.empty()) all += "    " + one + "\n";
    };
    for (unsigned h = 0; h < program_.handles.size(); ++h) {
      const Instr& taker = taker_of(program_, program_.handles[h].first_ref);
      const Family& family = family_of(context_, taker);
      if (family.hooks == nullptr) continue;
      const HandleHooks hook = family.hooks(taker, h);
      collect(program, hook.program);
      collect(run, hook.run);
      if (!hook.process.empty()) {
        collect(process,
                fmt::format("if (process == {}) {}", program_.handles[h].process, hook.process));
      }
      collect(mark, hook.mark);
      collect(end, hook.end);
      collect(clean, hook.clean);
    }
    if (uses_hugetlb()) {
      const unsigned pool = program_.hugetlb_pool == litmus::kNone ? 0 : program_.hugetlb_pool;
      collect(program, fmt::format("prepare_pool({}, {});", needed_huge_pages(), pool));
      collect(clean, "restore_pool();");
    }
    if (program_.jobs > 0) collect(run, "start_device();");
    if (process.empty()) process = "    (void)process;\n";
    line("/* Once, by main */\nstatic void prepare_program(void)\n{{\n{}}}\n", program);
    line("/* In the supervisor, before the test's processes exist */");
    line("static void prepare_run(void)\n{{\n{}}}\n", run);
    line("static void prepare_process(unsigned process)\n{{\n{}}}\n", process);
    line("/* When all is over, before memory is looked at */");
    line("static void mark_handles(void)\n{{\n{}}}\n", mark);
    line("/* By main, before the processes are killed */");
    line("static void end_run(void)\n{{\n{}}}\n", end);
    line("static void clean_up(void)\n{{\n{}}}\n", clean);
  }

  std::string frame(const litmus::FramePlace& place) {
    if (place.is_ref) return fmt::format("slot_frame({})", place.ref);
    return fmt::format("page_frame({}, {})", program_.processes[place.process].mm, place.page);
  }

  std::string atom(const litmus::Atom& a) {
    switch (a.kind) {
      case litmus::AtomKind::reg:
        return fmt::format("add_value(text, \"{}\", shared->reg[{}][{}]);", a.name, a.actor, a.reg);
      case litmus::AtomKind::memory:
        return fmt::format("add_word(text, \"{}\", {}, {}, {});", a.name,
                           program_.processes[a.process].mm, a.page, a.word);
      case litmus::AtomKind::sigsegv:
        return fmt::format("add_value(text, \"{}\", shared->sigsegv[{}]);", a.name, a.process);
      case litmus::AtomKind::sigbus:
        return fmt::format("add_value(text, \"{}\", shared->sigbus[{}]);", a.name, a.process);
      case litmus::AtomKind::disk:
        throw std::logic_error("the disk cannot be shown");  // runnable() says so
      case litmus::AtomKind::same_frame:
        break;
    }
    return fmt::format("add_value(text, \"{}\", same_frame({}, {}));", a.name, frame(a.left),
                       frame(a.right));
  }

  void outcome() {
    line("static void add_value(char *text, const char *name, int value);");
    line(
        "static void add_word(char *text, const char *name, unsigned mm, unsigned page, "
        "unsigned word);");
    line("static uint64_t slot_frame(unsigned slot);");
    line("static uint64_t page_frame(unsigned mm, unsigned page);");
    line("static int same_frame(uint64_t a, uint64_t b);\n");
    line("/* The condition's atoms and their values */");
    line("static void describe_outcome(char *text)\n{{");
    for (const litmus::Atom& a : program_.condition.atoms) line("    {}", atom(a));
    line("    (void)text;\n}}\n");
  }

  const Program& program_;
  const Runnable& runnable_;
  Context context_;
  std::string out_;
};

}  // namespace

std::string emit_c(const Program& program, const EmitOptions& options) {
  const Runnable result = runnable(program, options);
  if (!result.ok) throw std::invalid_argument(program.name + ": not runnable: " + result.why);
  return Emitter(program, options, result).run();
}

}  // namespace drover::native
