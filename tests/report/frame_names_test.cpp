// Letters for frames over a run in which the model renumbers them.
#include "report/frame_names.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace drover::report {
namespace {

/// Two address spaces, one page `buf`.
litmus::Program two_spaces() {
  litmus::Program program = sample_program();
  program.mms = 2;
  return program;
}

TEST(FrameNames, AFrameKeepsItsLetterThroughRenumbering) {
  const litmus::Program program = two_spaces();
  mm::State s{};
  s.mms[0].pte[0].frame = 2;
  FrameNames names(program, s);
  EXPECT_EQ(names.name(2), "frame A");

  // The first address space moves to a copy, which becomes number 2; the old frame becomes 3.
  mm::State after{};
  after.mms[0].pte[0].frame = 2;
  after.mms[1].pte[0].frame = 3;
  machine::Renumbering renumbering{};
  renumbering[2] = 3;
  names.advance(renumbering, after);
  EXPECT_EQ(names.name(3), "frame A");
  EXPECT_EQ(names.name(2), "frame B");
  EXPECT_EQ(names.number(0), 3);
  EXPECT_EQ(names.page(1), 0);
}

TEST(FrameNames, ALetterIsNotUsedAgain) {
  const litmus::Program program = two_spaces();
  mm::State s{};
  s.mms[0].pte[0].frame = 2;
  FrameNames names(program, s);
  names.advance({}, mm::State{});  // nobody names the frame any more
  EXPECT_EQ(names.number(0), mm::kNoFrame);
  names.advance({}, s);  // another frame under the same number
  EXPECT_EQ(names.name(2), "frame B");
  EXPECT_EQ(names.count(), 2);
}

TEST(FrameNames, SpecialFrames) {
  const litmus::Program program = two_spaces();
  const FrameNames names(program, mm::State{});
  EXPECT_EQ(names.name(mm::kNoFrame), "nothing");
  EXPECT_EQ(names.name(mm::kZeroFrame), "the zero page");
  EXPECT_EQ(FrameNames::letter(25), "Z");
  EXPECT_EQ(FrameNames::letter(26), "A1");
}

}  // namespace
}  // namespace drover::report
