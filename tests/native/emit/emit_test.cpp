// The emitted C: what must be in it, and that a C compiler has nothing to say about it.
#include "native/emit/emit.hpp"

#include "programs.hpp"

namespace drover::native {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kPin = R"("A /* pin */ and a fork."
anon buf { x, y = 5 }
process parent { mr = pin(buf, FOLL_WRITE | FOLL_LONGTERM); fork(child); buf.x = 2;
  dma_write(mr.y, 7); r = buf.y; }
process child { }
forall (parent:mr = 0 /\ parent:r = 7)
)";

// One test per family of operations; all together use every operation that can be emitted.
const std::vector<std::string>& every_operation() {
  static const std::vector<std::string> texts = {
      kPin,
      "anon m { x }\nprocess p { r = 1; if (r == 1) { repeat 2 { r = r + 1; } } else { m.x = r; }\n"
      "  f = pagemap(m); s = fork(c); wait(c); vfork(v); }\nprocess c { exit; }\n"
      "process v { exit; }\nexists (p:r = 3 /\\ same_frame(f, p:m) /\\ ~c:SIGSEGV /\\ p:m.x = 0)",
      "anon m[2] { x } : fresh\nanon t[2] { x } : unmapped\nanon w { x } : wipeonfork\n"
      "anon d { x } : dontfork\nanon o { x } : readonly\nanon u { x } : untouched\n"
      "process p { a = mremap(m, t); mmap(m); munmap(t[1]); mprotect(m[1], PROT_NONE);\n"
      "  madvise(m, MADV_DONTNEED); madvise(m, MADV_DOFORK); madvise(m, MADV_KEEPONFORK); }\n"
      "exists (p:t[1].x = 0)",
      "anon m[2] { x }\nprocess p { h = register_buffer(m); j = post dma_write(h[1].x, 3);\n"
      "  k = post dma_read(h.x); complete(j); r = complete(k); b = dma_read(h.x); }\n"
      "thread p.t { m.x = 1; }\nexists (p:r = 1)",
      "anon m { x }\nprocess p { h = pin(m, FOLL_WRITE); unpin(h); }\nexists (true)",
      "anon m { x, y }\nprocess p { i = direct_read(m.x, 7); o = direct_write(m.y); complete(i);\n"
      "  r = complete(o); }\nexists (p:r = 0)",
      "anon m { x }\nprocess p { h = vmsplice(m); r = pipe_read(h.x); close(h); g = get(m, 0);\n"
      "  r = dma_read(g.x); put(g); }\nexists (p:r = 0)",
      "anon m[2] { x }\nprocess p { u = xdp_umem(m); dma_write(u[1].x, 3); r = dma_read(u.x); }\n"
      "exists (p:r = 0)",
      "anon m { x }\nprocess p { z = zerocopy_send(m); r = socket_recv(z.x); close(z); }\n"
      "exists (p:r = 0)",
      "anon m { x }\nprocess p { signal e; }\nprocess q : independent { await e;\n"
      "  a = process_vm_writev(p, m.x, 1); b = process_vm_readv(p, m.x); c = ptrace_poke(p, m.x, "
      "2);\n"
      "  d = ptrace_peek(p, m.x); }\nexists (q:d = 2)",
  };
  return texts;
}

TEST(Emit, HeadNamesTestHashAndHowToBuildIt) {
  const auto p = program(kPin);
  const std::string c = emit_c(p);
  EXPECT_EQ(c.rfind("/*\n * litmus t\n * Hash=" + p.hash + "\n", 0), 0U);
  EXPECT_TRUE(contains(c, "gcc -O2 -static -pthread -o test t.c"));
  EXPECT_TRUE(contains(c, "A /| pin *| and a fork.")) << "a comment must not end early";
}

TEST(Emit, EachStatementStandsAboveItsC) {
  const std::string c = emit_c(program(kPin));
  EXPECT_TRUE(contains(c,
                       "    /* mr = pin(buf, FOLL_WRITE | FOLL_LONGTERM) */\n"
                       "    at_line(4);\n    R(mr) = register_buffer(H_mr);\n"));
  EXPECT_TRUE(contains(c, "    fork_process(P_child);\n"));
  EXPECT_TRUE(contains(c, "    *word_at(MEM_buf, 0, 0) = 2;\n"));
  EXPECT_TRUE(contains(c, "    dma_write(0, 1, 7);\n"));
  EXPECT_TRUE(contains(c, "    R(r) = *word_at(MEM_buf, 0, 1);\n"));
}

TEST(Emit, OnlyWhatATestUsesIsInIt) {
  const std::string c = emit_c(program(kPin));
  EXPECT_TRUE(contains(c, "IORING_OP_READ_FIXED"));
  for (const char* part :
       {"MSG_ZEROCOPY", "FUSE_INIT", "XDP_UMEM_REG", "PTRACE_SEIZE", "process_vm_readv"}) {
    EXPECT_FALSE(contains(c, part)) << part;
  }
}

TEST(Emit, OutcomesAreTheAtomsOfTheCondition) {
  const auto p = program(every_operation()[1]);
  const std::string c = emit_c(p);
  for (const litmus::Atom& atom : p.condition.atoms) {
    EXPECT_TRUE(contains(c, "(text, \"" + atom.name + "\", ")) << atom.name;
  }
}

TEST(Emit, OrderDecidesHowItRuns) {
  EXPECT_TRUE(contains(emit_c(program(kPin)), "#define ORDERED 1"));
  EXPECT_TRUE(contains(emit_c(program(every_operation()[3])), "#define ORDERED 0"));
}

TEST(Emit, WhatIsNotRunnableIsRefused) {
  const auto p = program("anon m { x }\nprocess p { h = get(m, FOLL_WRITE); }\nexists (true)");
  EXPECT_THROW((void)emit_c(p), std::invalid_argument);
}

TEST(Emit, CompilesWithoutWarnings) {
  if (!have_c_compiler()) GTEST_SKIP() << "no C compiler";
  const Folder folder;
  const EmitOptions gup_test{.gup_test = true};
  auto texts = every_operation();
  texts.push_back(
      "anon m { x }\nprocess p { h = pin(m, FOLL_LONGTERM); r = dma_read(h.x); unpin(h); }\n"
      "exists (p:r = 0)");
  for (const std::string& text : texts) {
    std::ofstream(folder.file("t.c")) << emit_c(program(text), gup_test);
    const auto result = run_command("cc -std=gnu11 -O1 -Wall -Wextra -Werror -pthread -c -o " +
                                    folder.file("t.o") + " " + folder.file("t.c"));
    EXPECT_EQ(result.status, 0) << text << "\n" << result.output;
  }
}

}  // namespace
}  // namespace drover::native
