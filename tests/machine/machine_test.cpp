// The Machine stepped by hand: packing, canonical frame numbers, single kernel paths.
#include "machine/machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "support/programs.hpp"

namespace drover::machine {
namespace {

using Bytes = std::vector<std::byte>;

using tests::parse;

design::Switches design_of(const char* name) {
  return tests::registry().find(name)->switches;
}

/// Steps one machine along the first enabled action of a chosen actor.
class Stepper {
 public:
  Stepper(const litmus::Program& test, const char* design)
      : model_(test, design_of(design), Granularity::coarse), state_(model_.state_bytes()) {
    model_.initial(state_.data());
  }

  /// One step of `actor`; false if it cannot move.
  bool step(unsigned actor) {
    Bytes next;
    model_.expand(state_.data(), [&](const explore::Transition& t) {
      if (t.action.actor == actor && next.empty()) {
        next.assign(t.successor.begin(), t.successor.end());
        marks_ |= t.marks;
      }
    });
    if (next.empty()) return false;
    state_ = next;
    return true;
  }
  void run(unsigned actor) {
    while (step(actor)) {
    }
  }
  [[nodiscard]] mm::State state() const {
    mm::State s{};
    model_.unpack(state_.data(), s);
    return s;
  }
  [[nodiscard]] const Bytes& bytes() const { return state_; }
  [[nodiscard]] explore::Marks marks() const { return marks_; }

 private:
  Machine model_;
  Bytes state_;
  explore::Marks marks_ = 0;
};

constexpr const char* kFork = R"(litmus f
anon m { x }
process p { h = pin(m, FOLL_WRITE | FOLL_LONGTERM); fork(c); m.x = 1; }
process c { m.x = 2; }
exists (true)
)";

TEST(Machine, InitialPageIsExclusiveWritableAndMappedOnce) {
  const auto test = parse(kFork);
  const mm::State s = Stepper(test, "linux-7.2").state();
  const mm::Pte pte = s.mms[0].pte[0];
  EXPECT_EQ(pte.frame, mm::kFirstFrame);
  EXPECT_EQ(pte.bits, mm::kPteWrite | mm::kPteDirty);
  EXPECT_EQ(s.frames[pte.frame].refcount, 1);
  EXPECT_EQ(s.frames[pte.frame].mapcount, 1);
  EXPECT_TRUE(s.frames[pte.frame].flags & mm::kAnonExclusive);
}

TEST(Machine, APinAddsTheBiasAndMarksTheMm) {
  const auto test = parse(kFork);
  Stepper stepper(test, "linux-5.10");
  ASSERT_TRUE(stepper.step(0));
  const mm::State s = stepper.state();
  EXPECT_EQ(s.frames[mm::kFirstFrame].refcount, 1 + 1024);  // GUP_PIN_COUNTING_BIAS
  EXPECT_TRUE(s.mms[0].flags & mm::kMmHasPinned);
}

TEST(Machine, AnOldKernelCountsAPinLikeAGet) {
  const auto test = parse(kFork);
  Stepper stepper(test, "linux-5.4");
  ASSERT_TRUE(stepper.step(0));
  EXPECT_EQ(stepper.state().frames[mm::kFirstFrame].refcount, 2);
  EXPECT_FALSE(stepper.state().mms[0].flags & mm::kMmHasPinned);
}

// kernel-semantics 4: 5.10 copies the pinned page for the child and leaves the parent's PTE alone.
TEST(Machine, ForkCopiesAPinnedPage) {
  const auto test = parse(kFork);
  Stepper stepper(test, "linux-5.10");
  stepper.run(0);
  const mm::State s = stepper.state();
  EXPECT_NE(s.mms[0].pte[0].frame, s.mms[1].pte[0].frame);
  EXPECT_TRUE(s.mms[0].pte[0].bits & mm::kPteWrite);
  EXPECT_TRUE(s.mms[1].pte[0].bits & mm::kPteWrite);
  EXPECT_EQ(stepper.marks(), 0U);
}

// <= 5.8 share it, and the parent's write moves the parent away from the pinned page.
TEST(Machine, AnOldForkSharesAPinnedPage) {
  const auto test = parse(kFork);
  Stepper stepper(test, "linux-5.8");
  stepper.run(0);
  const mm::State s = stepper.state();
  EXPECT_EQ(s.refs[0].frame, s.mms[1].pte[0].frame);
  EXPECT_NE(s.refs[0].frame, s.mms[0].pte[0].frame);
  EXPECT_TRUE(stepper.marks() & 1U << static_cast<unsigned>(litmus::Property::coherence));
}

TEST(Machine, FrameNumbersDoNotDependOnTheOrderOfAllocation) {
  const auto test = parse(R"(litmus order
anon a { x } : untouched
anon b { y } : untouched
process p { a.x = 1; }
thread p.t { b.y = 1; }
exists (true)
)");
  Stepper first(test, "linux-7.2");
  first.run(0);
  first.run(1);
  Stepper second(test, "linux-7.2");
  second.run(1);
  second.run(0);
  EXPECT_EQ(first.bytes(), second.bytes());
}

TEST(Machine, AFaultWaitsForTheForkOfItsMm) {
  const auto test = parse(R"(litmus wait
anon m { x } : untouched
process p { fork(c); }
thread p.t { m.x = 1; }
process c { }
exists (true)
)");
  Stepper stepper(test, "linux-6.1");
  ASSERT_TRUE(stepper.step(0));  // fork holds the mmap_lock for writing
  ASSERT_EQ(stepper.state().actors[0].lock, mm::LockKind::mmap_write);
  EXPECT_FALSE(stepper.step(2));  // actors: p, c, p.t
}

TEST(Machine, TypicalStatesAreSmall) {
  const auto test = parse(kFork);
  const Machine model(test, design_of("linux-7.2"), Granularity::coarse);
  EXPECT_LE(model.state_bytes(), 256U);
}

// By hand, each part in whole words of 8 bytes: 7 frames of 4 bytes, 6 of them with a word of 2; 2
// address spaces of 4 + 7 bytes; actors of 8 bytes, one with 3 activations of 10; 2 process flags.
// What huge pages need comes on top, for their programs only: 4 bytes a frame, 6 an address space.
TEST(Layout, SmallPagesPayNothingForHugeOnes) {
  const std::string rest =
      " buf { x } process p { fork(c); buf.x = 1; } process c { } exists (true)";
  const litmus::Program small = parse("litmus t anon" + rest);
  const litmus::Program huge = parse("litmus t hugetlb" + rest);
  const design::Switches switches = design_of("linux-7.2");
  EXPECT_EQ(Machine(small, switches, Granularity::coarse).state_bytes(),
            7U * 8 + 2 * 16 + 40 + 8 + 8);
  EXPECT_EQ(Machine(huge, switches, Granularity::coarse).state_bytes(),
            8U + 6 * 16 + 2 * 24 + 40 + 8 + 8);
}

// An exact pin count beside the reference count: no bias that references could imitate.
TEST(Hugetlb, PinsAreCountedExactly) {
  const litmus::Program test = parse(
      "litmus t hugetlb buf { x } process p { m = pin(buf, FOLL_WRITE, fast); unpin(m); } "
      "exists (true)");
  for (const char* design : {"linux-5.4", "linux-5.10", "linux-7.2"}) {
    Stepper stepper(test, design);
    unsigned most_references = 0, most_pins = 0;
    do {
      const mm::State s = stepper.state();
      const mm::Frame& page = s.frames[s.mms[0].pte[0].frame];
      most_references = std::max<unsigned>(most_references, static_cast<unsigned>(page.refcount));
      most_pins = std::max<unsigned>(most_pins, page.pincount);
    } while (stepper.step(0));
    EXPECT_EQ(most_references, 2U) << design;
    EXPECT_EQ(most_pins, std::string(design) == "linux-5.4" ? 0U : 1U) << design;
  }
}

}  // namespace
}  // namespace drover::machine
