// Verdicts, properties and witnesses of small tests worked out by hand.
#include "verdict/check.hpp"

#include <gtest/gtest.h>

#include "support/programs.hpp"
#include "verdict/expectation.hpp"
#include "verdict/witness.hpp"

namespace drover::verdict {
namespace {

using litmus::Property;
using litmus::Verdict;
using tests::parse;
using tests::registry;

CheckResult run(const std::string& text, const char* design) {
  return check(parse(text), *registry().find(design));
}

constexpr const char* kStoreBuffering = R"(litmus sb
anon m { x, y }
process p { m.x = 1; r = m.y; }
thread p.t { m.y = 1; r = m.x; }
exists (p:r = 0 /\ p.t:r = 0)
)";

TEST(Check, MemoryIsSequentiallyConsistent) {
  // Four accesses in 6 interleavings: (0,1), (1,0) and (1,1) are possible, (0,0) is not.
  const CheckResult result = run(kStoreBuffering, "linux-7.2");
  EXPECT_EQ(result.verdict, Verdict::never);
  EXPECT_EQ(result.outcomes.size(), 3U);
  EXPECT_EQ(result.violated, 0U);
  // States by (pc of p, pc of t) and what was read: 1 + 2 + (1 + 1 + 1 or 2 ...) worked out on
  // paper: (0,0) (1,0) (0,1) (1,1) (2,0)r=0 (0,2)r=0 (2,1)r=0 (2,1)r=1 (1,2)r=0 (1,2)r=1 and
  // finals 3.
  EXPECT_EQ(result.states, 13U);
}

TEST(Check, ADeadlockIsAViolationOfProgressAndNoOutcome) {
  const CheckResult result = run(R"(litmus stuck
anon m { x }
process p { fork(c); await never; r = m.x; }
process c { if (0) { signal never; } }
exists (true)
)",
                                 "linux-7.2");
  EXPECT_TRUE(result.violates(Property::progress));
  EXPECT_EQ(result.positive + result.negative, 0U);
  EXPECT_EQ(result.verdict, Verdict::never);
}

TEST(Check, SegfaultParksTheThread) {
  const CheckResult result = run(R"(litmus segv
anon m { x } : readonly
process p { r = 1; m.x = 1; r = 2; }
exists (p:SIGSEGV /\ p:r = 1)
)",
                                 "linux-7.2");
  EXPECT_EQ(result.verdict, Verdict::always);
}

TEST(Check, UnpinOfAGetIsImbalance) {
  const CheckResult result = run(R"(litmus mismatch
anon m { x }
process p { h = get(m, FOLL_WRITE); unpin(h); }
exists (true)
)",
                                 "linux-5.10");
  EXPECT_TRUE(result.violates(Property::balance));
}

TEST(Check, ADeviceThatOutlivesItsPinTouchesFreedMemory) {
  const std::string text = R"(litmus late-dma
anon m { x }
process p { h = pin(m, FOLL_WRITE); j = post dma_write(h.x, 7); munmap(m); unpin(h); complete(j); }
exists (true)
)";
  EXPECT_TRUE(run(text, "linux-7.2").violates(Property::lifetime));
}

// Seen on a 6.18 host: the process is gone, although its address space is still its parent's.
TEST(Check, AVforkChildThatExitedHasNoMemoryToRead) {
  const CheckResult result = run(R"(litmus zombie
anon m { x = 9 }
process p { vfork(c); r = process_vm_readv(c, m.x); }
process c { exit; }
exists (p:r = -ESRCH)
)",
                                 "linux-6.18");
  EXPECT_EQ(result.verdict, Verdict::always);
}

TEST(Check, StaleTlbEntryLetsAStoreThroughUntilTheFlush) {
  // y is shared by fork, write-protected in the PTE, and still stored to by the other thread before
  // the flush at the end of dup_mmap: that store is before the fork's end, so the child sees it.
  const CheckResult result = run(R"(litmus stale
anon y { w }
process p { fork(c); }
thread p.t { y.w = 1; }
process c { r = y.w; }
exists (c:r = 1)
)",
                                 "linux-7.2");
  EXPECT_EQ(result.verdict, Verdict::sometimes);
  EXPECT_FALSE(result.violates(Property::isolation));
}

TEST(Witness, IsShortestAndReplays) {
  const auto test = parse(R"(litmus w
anon m { x }
process p { h = pin(m, FOLL_WRITE | FOLL_LONGTERM); fork(c); m.x = 1; dma_write(h.x, 2); r = m.x; }
process c { }
exists (p:r = 1)
)");
  const auto witness = find_witness(test, *registry().find("linux-4.18"), Goal{true});
  ASSERT_TRUE(witness);
  // pin 1, fork: copy (test, share) 2, flush 1; store: fault 1, copy of the word 1, install 1, put
  // 1, store 1; DMA 1, load 1. One actor: no context switch.
  EXPECT_EQ(witness->context_switches, 0U);
  EXPECT_FALSE(find_witness(test, *registry().find("linux-5.10"), Goal{true}));
  EXPECT_TRUE(find_witness(test, *registry().find("linux-5.10"), Goal{false}));
  EXPECT_TRUE(find_witness(test, *registry().find("linux-4.18"), Goal{Property::coherence}));
}

TEST(Expectation, DifferencesAreNamed) {
  const auto test = parse(R"(litmus e
anon m { x }
process p { r = m.x; }
exists (p:r = 0)
expect Never on linux-7.2 "wrong on purpose"
expect violates coherence on linux-7.2
)");
  const design::Design& design = *registry().find("linux-7.2");
  const auto found = differences(expected(test, design, registry()), check(test, design));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0], "expected Never, found Always");
  EXPECT_EQ(found[1], "coherence should be violated, but holds");
  const design::Design& other = *registry().find("linux-6.1");
  EXPECT_TRUE(differences(expected(test, other, registry()), check(test, other)).empty());
}

}  // namespace
}  // namespace drover::verdict
