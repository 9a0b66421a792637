// is_ordered() on tests whose order is plain to see.
#include "native/emit/emit.hpp"
#include "programs.hpp"

namespace drover::native {
namespace {

bool ordered(const std::string& actors) {
  return is_ordered(program("anon m { x, y }\n" + actors + "\nexists (true)"));
}

TEST(HappensBefore, OneProcessIsOrdered) {
  EXPECT_TRUE(ordered("process p { m.x = 1; r = m.x; }"));
}

TEST(HappensBefore, ForkIsBeforeTheChildOnly) {
  EXPECT_TRUE(ordered("process p { m.x = 1; fork(c); } process c { m.x = 2; }"));
  EXPECT_FALSE(ordered("process p { fork(c); m.x = 1; } process c { m.x = 2; }"));
}

TEST(HappensBefore, AnEventOrdersWhatIsBeforeAndAfterIt) {
  EXPECT_TRUE(ordered("process p { fork(c); await e; m.x = 1; } process c { m.x = 2; signal e; }"));
  EXPECT_FALSE(
      ordered("process p { fork(c); m.x = 1; await e; } process c { m.x = 2; signal e; }"));
  EXPECT_FALSE(
      ordered("process p { fork(c); await e; m.x = 1; } process c { signal e; m.x = 2; }"));
}

TEST(HappensBefore, AnEventWithTwoSignalsOrdersNothing) {
  EXPECT_FALSE(
      ordered("process p { fork(c); await e; m.x = 1; }"
              "thread p.t { signal e; } process c { m.x = 2; signal e; }"));
}

TEST(HappensBefore, AnAwaitInABranchOrdersNothingBehindTheBranch) {
  EXPECT_FALSE(
      ordered("process p { fork(c); r = 0; if (r) { await e; } m.x = 1; }"
              "process c { m.x = 2; signal e; }"));
  EXPECT_FALSE(
      ordered("process p { fork(c); r = 0; if (r) { r = 1; } else { await e; } m.x = 1; }"
              "process c { m.x = 2; signal e; }"));
}

TEST(HappensBefore, AnEventOrdersThroughAThirdActor) {
  EXPECT_TRUE(
      ordered("process p { fork(c); await f; m.x = 1; } thread p.t { await e; signal f; }"
              "process c { m.x = 2; signal e; }"));
}

TEST(HappensBefore, WaitIsAfterTheExit) {
  EXPECT_TRUE(ordered("process p { fork(c); wait(c); m.x = 1; } process c { m.x = 2; exit; }"));
  EXPECT_FALSE(ordered("process p { fork(c); m.x = 1; wait(c); } process c { m.x = 2; exit; }"));
}

TEST(HappensBefore, TwoExitsLeaveOpenWhichOneEndedTheProcess) {
  EXPECT_FALSE(
      ordered("process p { fork(c); wait(c); m.x = 1; }"
              "process c { r = m.x; if (r) { exit; } m.x = 2; exit; }"));
}

TEST(HappensBefore, AVforkParentGoesOnAfterTheExit) {
  EXPECT_TRUE(ordered("process p { vfork(c); m.x = 1; } process c { m.x = 2; exit; }"));
}

TEST(HappensBefore, ThreadsRunFromTheStart) {
  EXPECT_FALSE(ordered("process p { m.x = 1; } thread p.t { m.y = 1; }"));
  EXPECT_TRUE(ordered("process p { m.x = 1; signal e; } thread p.t { await e; m.y = 1; }"));
  EXPECT_TRUE(ordered("process p { m.x = 1; } thread p.t { r = 1; }"));
}

TEST(HappensBefore, IndependentProcessesAreNotOrdered) {
  EXPECT_FALSE(
      ordered("process p { m.x = 1; } process q : independent { process_vm_writev(p, m.x, 2); }"));
}

TEST(HappensBefore, TheDeviceActsBetweenPostAndComplete) {
  const std::string head = "process p { h = pin(m, FOLL_WRITE); j = post dma_write(h.x, 1); ";
  EXPECT_TRUE(ordered(head + "complete(j); m.x = 2; }"));
  EXPECT_FALSE(ordered(head + "m.x = 2; complete(j); }"));
}

TEST(HappensBefore, ADaemonActsWhenItLikes) {
  EXPECT_FALSE(ordered("process p { m.x = 1; } daemon speculate(m, 1);"));
}

}  // namespace
}  // namespace drover::native
