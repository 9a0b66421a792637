// The picture of a witness made by hand: a parent whose write fault moves it to a copy.
#include "report/explain.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "report/state_changes.hpp"
#include "samples.hpp"

namespace drover::report {
namespace {

using litmus::Property;

class Explain : public ::testing::Test {
 protected:
  Explain() {
    program_.processes.push_back(program_.processes[0]);
    program_.processes[1].name = "child";
    program_.processes[1].mm = 1;
    program_.mms = 2;
    // Frame 2 is shared read-only, pinned once.
    before_.frames[2] = frame(1026, 2, mm::kAllocated, 5);
    before_.mms[0].vma[0] = before_.mms[1].vma[0] = mm::kVmMapped | mm::kVmRead | mm::kVmWrite;
    before_.mms[0].pte[0] = before_.mms[1].pte[0] = {2, mm::kPteDirty};
    // The copy is number 2 afterwards, the old frame 3.
    after_ = before_;
    after_.frames[3] = before_.frames[2];
    after_.frames[3].refcount = 1025;
    after_.frames[3].mapcount = 1;
    after_.frames[2] = frame(1, 1, mm::kAllocated | mm::kAnonExclusive, 6);
    after_.mms[0].pte[0] = {2, mm::kPteDirty | mm::kPteWrite};
    after_.mms[1].pte[0] = {3, mm::kPteDirty};
    after_.actors[0].regs[0] = 1;
  }
  static mm::Frame frame(int refcount, unsigned mapcount, unsigned flags, int x) {
    mm::Frame frame{};
    frame.refcount = static_cast<std::int16_t>(refcount);
    frame.mapcount = static_cast<std::uint8_t>(mapcount);
    frame.flags = static_cast<std::uint8_t>(flags);
    frame.words[0].value = static_cast<std::int8_t>(x);
    return frame;
  }
  verdict::WitnessStep step() {
    verdict::WitnessStep step;
    step.text.actor = 0;
    step.text.statement = "buf.x = 6";
    step.text.notes = {"page fault (write)"};
    step.text.frames[2] = 3;
    step.before = before_;
    step.after = after_;
    step.violated = bit(Property::coherence);
    return step;
  }
  litmus::Program program_ = sample_program();
  design::Design design_ = sample_kernel("4.18", 0);
  mm::State before_{}, after_{};
};

TEST_F(Explain, WholePicture) {
  verdict::Witness witness;
  witness.goal = Property::coherence;
  witness.steps = {step()};
  EXPECT_EQ(explain_text(program_, design_, witness, {}),
            "Test sample\n"
            "Design linux-4.18\n"
            "Condition ~exists (parent:r=0)\n"
            "Shown: coherence is violated\n"
            "1 step, 0 context switches\n"
            "\n"
            "  parent: buf -> frame A, read-only: refcount 2+1*1024, mapcount 2, buf.x=5\n"
            "      buf.y=0\n"
            "  child: buf -> frame A, read-only: refcount 2+1*1024, mapcount 2, buf.x=5\n"
            "      buf.y=0\n"
            "\n"
            "    | parent\n"
            "----+---------------------------------------------------------------------------\n"
            "  1 | buf.x = 6\n"
            "    |   page fault (write)\n"
            "      * parent: buf -> frame B, writable\n"
            "      * frame A: refcount 2+1*1024 -> 1+1*1024, mapcount 2 -> 1\n"
            "      * frame B is new: refcount 1, mapcount 1, PG_anon_exclusive, buf.x=6\n"
            "        buf.y=0\n"
            "      * parent: r = 1\n"
            "      * VIOLATED: coherence\n"
            "\n"
            "Outcome: none yet, the run is shown up to where coherence is violated\n");
}

TEST_F(Explain, OutcomeOfAFinishedRun) {
  verdict::Witness witness;
  witness.goal = true;
  witness.steps = {step()};
  witness.outcome = machine::Outcome{0};
  const std::string text = explain_text(program_, design_, witness, {});
  EXPECT_NE(text.find("Shown: the condition's proposition is true at the end\n"),
            std::string::npos);
  EXPECT_TRUE(text.ends_with("\nOutcome parent:r=0;\n")) << text;
}

TEST_F(Explain, AGoalOfTheInitialState) {
  verdict::Witness witness;
  witness.goal = false;
  EXPECT_TRUE(explain_text(program_, design_, witness, {})
                  .ends_with("The initial state shows it already.\n"));
}

TEST_F(Explain, Json) {
  verdict::Witness witness;
  witness.goal = Property::coherence;
  witness.steps = {step()};
  const auto json = explain_json(program_, design_, witness);
  EXPECT_EQ(json["schema"], "drover.explain/1");
  ASSERT_EQ(json["steps"].size(), 1U);
  EXPECT_EQ(json["steps"][0]["actor"], "parent");
  EXPECT_EQ(json["steps"][0]["statement"], "buf.x = 6");
  EXPECT_EQ(json["steps"][0]["begins"], true);
  EXPECT_EQ(json["steps"][0]["violated"], std::vector<std::string>{"coherence"});
  EXPECT_EQ(json["beginning"].size(), 2U);
  EXPECT_TRUE(json["outcome"].is_null());
}

class Changes : public Explain {
 protected:
  /// The only change of a step from before_ to `after`.
  std::string change(const mm::State& after) {
    verdict::WitnessStep step;
    step.before = before_;
    step.after = after;
    step.text.frames[2] = 2;
    StateChanges changes(program_, before_);
    const auto lines = changes.of(step);
    return join(lines, "; ");
  }
};

TEST_F(Changes, NothingChanged) {
  EXPECT_EQ(change(before_), "");
}

TEST_F(Changes, PageTables) {
  mm::State s = before_;
  s.mms[0].pte[0].bits |= mm::kPteWrite;
  EXPECT_EQ(change(s), "parent: buf -> frame A, writable");
  s.mms[0].pte[0] = {};
  EXPECT_EQ(change(s), "parent: buf -> nothing");
  s.mms[0].pte[0] = {2, 0};
  EXPECT_EQ(change(s), "parent: PTE of buf is clean");
  s = before_;
  s.mms[1].vma[0] = 0;
  EXPECT_EQ(change(s), "child: VMA of buf: unmapped");
  s.mms[1].vma[0] = mm::kVmMapped | mm::kVmRead | mm::kVmDontCopy;
  EXPECT_EQ(change(s), "child: VMA of buf: PROT_READ, dontfork");
}

TEST_F(Changes, Frames) {
  mm::State s = before_;
  s.frames[2].refcount = 2;
  s.frames[2].words[0].value = -3;
  EXPECT_EQ(change(s), "frame A: refcount 2+1*1024 -> 2, buf.x 5 -> -3");
  s = before_;
  s.frames[2].flags = mm::kFreed;
  EXPECT_EQ(change(s), "frame A is freed while somebody still names it");
}

TEST_F(Changes, LocksAreSaidByWhoHoldsThem) {
  mm::State s = before_;
  s.actors[0].lock = mm::LockKind::mmap_write;
  s.actors[0].lock_mm = 0;
  EXPECT_EQ(change(s), "parent holds its mmap_lock for writing");
  s.actors[0].lock = mm::LockKind::mmap_read;
  s.actors[0].lock_mm = 1;
  EXPECT_EQ(change(s), "parent holds child's mmap_lock for reading");
  s = before_;
  s.actors[0].ptl = 1;
  EXPECT_EQ(change(s), "parent holds its page table lock of buf");
}

TEST_F(Changes, References) {
  litmus::Handle mr;
  mr.name = "mr";
  program_.handles = {mr};
  program_.refs = 1;
  mm::State s = before_;
  s.refs[0].frame = 2;
  s.refs[0].page = 1;
  s.refs[0].flags = mm::kRefHeld | mm::kRefPin | mm::kRefWrite;
  EXPECT_EQ(change(s), "mr pins frame A for writing");
  s.refs[0].flags = mm::kRefHeld;
  EXPECT_EQ(change(s), "mr holds frame A");
  s.refs[0].flags = mm::kRefWeak;
  EXPECT_EQ(change(s), "mr remembers frame A");
  before_.refs[0] = s.refs[0];
  before_.refs[0].flags = mm::kRefHeld | mm::kRefPin;
  EXPECT_EQ(change(s = before_), "");
  s.refs[0].page = 0;
  EXPECT_EQ(change(s), "mr: its owner unmapped the page");
  s.refs[0] = {};
  EXPECT_EQ(change(s), "mr lets go of frame A");
}

TEST_F(Changes, StaleTlbEntries) {
  mm::State s = before_;
  s.mms[0].tlb[0] = {2, mm::kPteWrite, 1};
  EXPECT_EQ(change(s), "parent: TLBs may still have buf -> frame A, writable (running: parent)");
  std::swap(before_, s);
  EXPECT_EQ(change(s), "parent: no stale TLB entries of buf any more");
}

TEST_F(Changes, AViolationIsToldOnce) {
  StateChanges changes(program_, before_);
  verdict::WitnessStep first = step(), second = step();
  const auto has = [](const std::vector<std::string>& lines) {
    return std::find(lines.begin(), lines.end(), "VIOLATED: coherence") != lines.end();
  };
  EXPECT_TRUE(has(changes.of(first)));
  EXPECT_FALSE(has(changes.of(second)));
}

}  // namespace
}  // namespace drover::report
