// The one-line summary of a test.
#include "report/summary.hpp"

#include <gtest/gtest.h>

#include "report/text.hpp"
#include "samples.hpp"

namespace drover::report {
namespace {

class Summary : public ::testing::Test {
 protected:
  Summary() { run_.reserve(8); }
  void add(const design::Design& design, std::uint64_t positive, std::uint64_t negative) {
    run_.push_back(sample_run(program_, design, sample_result(positive, negative)));
  }
  litmus::Program program_ = sample_program();
  design::Design k418_ = sample_kernel("4.18", 0), k54_ = sample_kernel("5.4", 1),
                 k58_ = sample_kernel("5.8", 2), k72_ = sample_kernel("7.2", 3);
  design::Design block_ = sample_proposal("block-fork"), omit_ = sample_proposal("omit");
  std::vector<report::Run> run_;
};

TEST_F(Summary, NeighboursWithEqualVerdictsAreOneStretch) {
  add(k418_, 1, 0);
  add(k54_, 1, 0);
  add(k58_, 1, 1);
  add(k72_, 0, 1);
  EXPECT_EQ(join(verdict_stretches(run_), "|"), "A 4.18-5.4|S 5.8|N 7.2");
}

TEST_F(Summary, ProposalsAreCounted) {
  add(k418_, 1, 0);
  add(block_, 0, 1);
  EXPECT_EQ(join(verdict_stretches(run_), "|"), "A 4.18;|N block-fork");
  add(omit_, 1, 0);
  EXPECT_EQ(join(verdict_stretches(run_), "|"), "A 4.18;|others A 1 N 1");
}

TEST_F(Summary, TheLineSaysTheWorst) {
  add(k418_, 1, 0);
  EXPECT_EQ(summary_line(run_), "Ok sample                              A 4.18\n");
  add(k72_, 0, 1);
  run_.back() = incomplete(run_.back(), "time limit");
  EXPECT_TRUE(summary_line(run_).starts_with("Incomplete sample ")) << summary_line(run_);
  EXPECT_TRUE(summary_line(run_).ends_with("A 4.18 ? 7.2\n")) << summary_line(run_);
  run_.front().differences = {"expected Never, found Always"};
  EXPECT_TRUE(summary_line(run_).starts_with("Differs sample ")) << summary_line(run_);
}

}  // namespace
}  // namespace drover::report
