// What cgroups leave of the memory, on a cgroup tree of our own.
#include "cli/memory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

class Memory : public ::testing::Test {
 protected:
  Memory() {
    std::string pattern = ::testing::TempDir() + "/drover-cgroup-XXXXXX";
    top_ = mkdtemp(pattern.data());
    fs::create_directories(top_ / "outer/inner");
  }
  ~Memory() override { fs::remove_all(top_); }
  void group(const std::string& name, const std::string& limit, const std::string& used) {
    std::ofstream(top_ / name / "memory.max") << limit << '\n';
    std::ofstream(top_ / name / "memory.current") << used << '\n';
  }
  fs::path top_;
};

TEST_F(Memory, TheLeastOfAllGroupsAbove) {
  group("outer", "1000", "400");
  group("outer/inner", "900", "100");
  EXPECT_EQ(cgroup_leaves(top_ / "outer/inner", top_), 600U);
}

TEST_F(Memory, NoLimitIsNoLimit) {
  group("outer", "max", "400");
  EXPECT_EQ(cgroup_leaves(top_ / "outer/inner", top_), std::numeric_limits<std::uint64_t>::max());
}

TEST_F(Memory, MoreUsedThanAllowedLeavesNothing) {
  group("outer/inner", "100", "200");
  EXPECT_EQ(cgroup_leaves(top_ / "outer/inner", top_), 0U);
}

TEST_F(Memory, TheMachineHasSome) {
  EXPECT_GT(available_memory(), 1U << 20U);
}

}  // namespace
}  // namespace drover::cli
