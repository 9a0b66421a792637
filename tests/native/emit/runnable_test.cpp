// runnable(): what real kernels cannot be made to do, and why.
#include "native/emit/emit.hpp"
#include "programs.hpp"

namespace drover::native {
namespace {

Runnable of(const std::string& statements, const std::string& condition = "true",
            const EmitOptions& options = {}) {
  return runnable(
      program("anon m { x, y }\nprocess p { " + statements + " }\nexists (" + condition + ")"),
      options);
}

void expect_obstacle(const std::string& statements, const std::string& part) {
  const Runnable r = of(statements);
  EXPECT_FALSE(r.ok) << statements;
  EXPECT_NE(r.why.find(part), std::string::npos) << statements << ": " << r.why;
  EXPECT_EQ(r.why.rfind("line 3: `", 0), 0U) << r.why;
}

TEST(Runnable, WritePinsAreRegisteredBuffers) {
  for (const char* pin : {"register_buffer(m)", "pin(m, FOLL_WRITE)", "pin(m, FOLL_WRITE, fast)",
                          "pin(m, FOLL_WRITE | FOLL_LONGTERM)"}) {
    const Runnable r = of(std::string("h = ") + pin + "; dma_write(h.x, 1); unpin(h);");
    EXPECT_TRUE(r.ok) << pin << ": " << r.why;
    EXPECT_FALSE(r.needs_root) << pin;
  }
}

TEST(Runnable, WhatNoSystemCallDoesIsNamed) {
  expect_obstacle("h = pin(m, FOLL_LONGTERM);", "gup_test");
  expect_obstacle("h = pin(m, 0);", "read-only short pin");
  expect_obstacle("h = pin(m, FOLL_WRITE, raw);", "fast-only");
  expect_obstacle("h = pin(m, FOLL_WRITE | FOLL_FORCE);", "FOLL_FORCE");
  expect_obstacle("h = get(m, FOLL_WRITE);", "FOLL_GET");
  expect_obstacle("h = get(m, 0, raw);", "FOLL_GET");
  expect_obstacle("h = reg_mr(m, 0);", "soft-RoCE");
  expect_obstacle("h = pin(m, FOLL_WRITE); put(h);", "put_page");
  expect_obstacle("r = ptrace_peek(p, m.x);", "trace itself");
}

TEST(Runnable, APlainReadOnlyReferenceIsVmsplice) {
  EXPECT_TRUE(of("h = get(m, 0); r = dma_read(h.x); put(h);").ok);
  expect_obstacle("h = get(m, 0); dma_write(h.x, 1);", "must not write");
}

TEST(Runnable, GupTestTakesOneReadOnlyPin) {
  const EmitOptions gup_test{.gup_test = true};
  const Runnable one = of("h = pin(m, FOLL_LONGTERM); r = dma_read(h.x);", "true", gup_test);
  EXPECT_TRUE(one.ok) << one.why;
  EXPECT_TRUE(one.needs_root);
  const Runnable two =
      of("h = pin(m, FOLL_LONGTERM); g = pin(m, FOLL_LONGTERM);", "true", gup_test);
  EXPECT_NE(two.why.find("one pin at a time"), std::string::npos) << two.why;
}

TEST(Runnable, APostedTransferDoesNotOutliveARegisteredBuffer) {
  EXPECT_TRUE(of("h = pin(m, FOLL_WRITE); j = post dma_write(h.x, 1); complete(j);").ok);
  expect_obstacle("h = pin(m, FOLL_WRITE); j = post dma_write(h.x, 1); unpin(h); complete(j);",
                  "io_uring keeps");
}

TEST(Runnable, ASocketDeliversOnce) {
  EXPECT_TRUE(of("z = zerocopy_send(m); r = socket_recv(z.x);").ok);
  expect_obstacle("z = zerocopy_send(m); r = socket_recv(z.x); r = socket_recv(z.x);", "once");
}

TEST(Runnable, ExitWaitsForDirectTransfers) {
  const Runnable r = of("io = direct_read(m.x, 1); complete(io); exit;");
  EXPECT_TRUE(r.ok) << r.why;
  EXPECT_TRUE(r.needs_root);
  EXPECT_FALSE(r.needs_root_why.empty());
  expect_obstacle("io = direct_read(m.x, 1); exit;", "exit waits");
}

TEST(Runnable, PageFramesNeedRoot) {
  EXPECT_TRUE(of("f = pagemap(m);").needs_root);
  EXPECT_TRUE(of("h = pin(m, FOLL_WRITE);", "same_frame(h, p:m)").needs_root);
  EXPECT_FALSE(of("m.x = 1;", "p:m.x = 1").needs_root);
}

TEST(Runnable, RacesAndPagesInAnLruBatchTakeTwoCpus) {
  const auto cpus = [](const char* text) { return runnable(program(text)).cpus; };
  EXPECT_EQ(cpus("anon m { x }\nprocess p { fork(c); }\nprocess c { m.x = 1; }\nexists (true)"),
            1U);
  EXPECT_EQ(cpus("anon m { x }\nprocess p { m.x = 1; }\nthread p.t { m.x = 2; }\nexists (true)"),
            2U);
  EXPECT_EQ(cpus("anon m { x } : fresh\nprocess p { fork(c); wait(c); m.x = 1; }\n"
                 "process c { exit; }\nexists (true)"),
            2U);
}

TEST(Runnable, AnXdpUmemNeedsRootAndIsNotUnpinnedAtOnce) {
  const Runnable umem = of("h = xdp_umem(m); dma_write(h.x, 1); r = dma_read(h.y);");
  EXPECT_TRUE(umem.ok) << umem.why;
  EXPECT_TRUE(umem.needs_root);
  expect_obstacle("h = xdp_umem(m); unpin(h);", "in a worker");
  expect_obstacle("h = xdp_umem(m); j = post dma_write(h.x, 1); complete(j);", "registered buffer");
}

TEST(Runnable, InARaceOnlyADeviceThatWritesShowsItsFrame) {
  const auto racy = [](const char* take) {
    return runnable(program(std::string("anon m { x }\nprocess p { m.x = 1; }\nthread p.t { h = ") +
                            take + "; }\nexists (same_frame(h, p:m))"));
  };
  EXPECT_TRUE(racy("register_buffer(m)").ok);
  EXPECT_TRUE(racy("xdp_umem(m)").ok);
  EXPECT_NE(racy("vmsplice(m)").why.find("same_frame"), std::string::npos);
}

}  // namespace
}  // namespace drover::native
