// Random scenarios are what they promise, and a disagreement shrinks to what causes it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "litmus/litmus.hpp"
#include "native/emit/emit.hpp"
#include "native/random/scenario.hpp"

namespace drover::native {
namespace {

constexpr std::uint64_t kSeeds = 1000;

bool has(const Scenario& scenario, const std::string& text) {
  return text_of(scenario).find(text) != std::string::npos;
}

StillShows showing(bool (*property)(const Scenario&)) {
  return [property](const std::vector<Scenario>& candidates) {
    std::vector<bool> shows;
    for (const Scenario& s : candidates) shows.push_back(property(s));
    return shows;
  };
}

TEST(RandomScenario, ParsesIsOrderedAndRunnable) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string text = text_of(random_scenario(seed));
    const auto parsed = litmus::parse(text, "random");
    ASSERT_TRUE(parsed.program) << text;
    EXPECT_TRUE(is_ordered(*parsed.program)) << text;
    EXPECT_TRUE(runnable(*parsed.program).ok) << text << runnable(*parsed.program).why;
  }
}

TEST(RandomScenario, DependsOnTheSeedAlone) {
  std::set<std::string> texts;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string text = text_of(random_scenario(seed));
    EXPECT_EQ(text, text_of(random_scenario(seed)));
    texts.insert(text.substr(text.find('\n')));  // without the name, which has the seed
  }
  EXPECT_GT(texts.size(), 95U);
}

TEST(RandomScenario, EveryOperationOccurs) {
  std::string all;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) all += text_of(random_scenario(seed));
  for (const char* operation : {"fork(",
                                "exit;",
                                "wait(",
                                "mprotect(",
                                "mremap(",
                                "munmap(",
                                "mmap(",
                                "MADV_DONTNEED",
                                "MADV_DONTFORK",
                                "MADV_WIPEONFORK",
                                "MADV_FREE",
                                "MADV_PAGEOUT",
                                "clear_refs(",
                                "uffd_wp(",
                                "uffd_unwp(",
                                "move_pages(",
                                "swapoff(",
                                "ksm_scan(",
                                "register_buffer(",
                                "FOLL_LONGTERM",
                                "dma_read(",
                                "dma_write(",
                                "unpin(",
                                "direct_read(",
                                "direct_write(",
                                "complete(",
                                "vmsplice(",
                                "pipe_read(",
                                "close(",
                                "process_vm_writev(",
                                "process_vm_readv(",
                                "ptrace_poke(",
                                "ptrace_peek(",
                                "same_frame(",
                                "signal",
                                "await",
                                "untouched",
                                "vfork(",
                                "PROT_NONE",
                                "MADV_DOFORK",
                                "MADV_KEEPONFORK",
                                "MADV_UNMERGEABLE",
                                "uffd_move(",
                                "xdp_umem(",
                                "zerocopy_send(",
                                "socket_recv(",
                                "post dma_write(",
                                "post dma_read(",
                                "hugetlb",
                                "shared, shmem",
                                "private, shmem",
                                "private, ext4",
                                ", read",
                                "truncate(",
                                "punch_hole(",
                                "fsync(",
                                "fresh"}) {
    EXPECT_NE(all.find(operation), std::string::npos) << operation;
  }
}

// By hand: what must be there is the fork and the pageout; all else can go, and the memory that
// the pageout names keeps one page and one word.
TEST(Shrink, AFakeDisagreementShrinksToItsCause) {
  const auto property = [](const Scenario& s) {
    return has(s, "fork(c);") && has(s, "MADV_PAGEOUT");
  };
  unsigned shrunk = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && shrunk < 5; ++seed) {
    const Scenario scenario = random_scenario(seed);
    if (!property(scenario) || scenario.steps.size() < 6) continue;
    ++shrunk;
    const Scenario small = shrink(scenario, showing(property));
    ASSERT_EQ(small.steps.size(), 2U) << text_of(small);
    ASSERT_EQ(small.memory.size(), 1U) << text_of(small);
    EXPECT_EQ(small.memory[0].pages * small.memory[0].words, 1U) << text_of(small);
    EXPECT_TRUE(property(small) && is_usable(small)) << text_of(small);
  }
  EXPECT_EQ(shrunk, 5U);
}

TEST(Shrink, WhatDependsOnADroppedStepGoesWithIt) {
  Scenario scenario{"t", {{"m0", 1, 1, ""}}, {}};
  scenario.steps = {{"p", "h0 = register_buffer(m0);", {"m0"}, "h0", "h0"},
                    {"p", "fork(c);", {}, "c", ""},
                    {"c", "m0[0].w0 = 1;", {"m0"}, "", ""},
                    {"c", "exit;", {}, "exit c", ""},
                    {"p", "wait(c);", {"c", "exit c"}, "", ""},
                    {"p", "dma_write(h0[0].w0, 2);", {"h0"}, "", ""},
                    {"p", "m0[0].w0 = 3;", {"m0"}, "", ""}};
  ASSERT_TRUE(is_usable(scenario)) << text_of(scenario);
  const Scenario small =
      shrink(scenario, showing([](const Scenario& s) { return has(s, "w0 = 3"); }));
  ASSERT_EQ(small.steps.size(), 1U) << text_of(small);
  EXPECT_EQ(small.steps[0].text, "m0[0].w0 = 3;");
  // A device write needs its handle, and nothing of the child.
  const Scenario device =
      shrink(scenario, showing([](const Scenario& s) { return has(s, "dma_write("); }));
  ASSERT_EQ(device.steps.size(), 2U) << text_of(device);
  EXPECT_EQ(device.steps[0].defines, "h0");
}

TEST(Shrink, WhatNothingSmallerShowsStays) {
  const Scenario scenario = random_scenario(3);
  const auto never = [](const std::vector<Scenario>& s) { return std::vector<bool>(s.size()); };
  EXPECT_EQ(text_of(shrink(scenario, never)), text_of(scenario));
}

}  // namespace
}  // namespace drover::native
