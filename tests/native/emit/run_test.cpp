// Emitted programs on the kernel that runs these tests: only operations that every kernel offers to
// every user, so that it is the runner that is tested.
#include <fmt/format.h>

#include "native/emit/emit.hpp"
#include "programs.hpp"

namespace drover::native {
namespace {

class Run : public testing::Test {
 protected:
  void SetUp() override {
    if (!have_c_compiler()) GTEST_SKIP() << "no C compiler";
  }

  CommandResult run(const std::string& text, const std::string& arguments) {
    const auto p = program(text);
    hash_ = p.hash;
    std::ofstream(folder_.file("t.c")) << emit_c(p);
    const auto built = run_command(fmt::format("cc -O2 -pthread -o {0} {0}.c", folder_.file("t")));
    EXPECT_EQ(built.status, 0) << built.output;
    return run_command(folder_.file("t") + " " + arguments);
  }

  // The program's only outcome, or everything it said.
  std::string outcome(const std::string& text, const std::string& arguments = "-n 3") {
    const auto result = run(text, arguments);
    EXPECT_EQ(result.status, 0) << result.output;
    const std::string head = fmt::format("drover-outcome t {} n=3 ", hash_);
    if (result.output.rfind(head, 0) != 0) return result.output;
    return result.output.substr(head.size(), result.output.find('\n') - head.size());
  }

  Folder folder_;
  std::string hash_;
};

TEST_F(Run, WordsRegistersAndBranches) {
  EXPECT_EQ(outcome("anon m[2] { x = 3, y }\n"
                    "process p { a = m.x; if (a > 2) { m[1].y = a - 5; } else { m[1].y = 9; }\n"
                    "  repeat 3 { b = b + a; } }\nexists (p:a = 3 /\\ p:b = 9 /\\ p:m[1].y = -2)"),
            "p:a=3 p:b=9 p:m[1].y=-2");
}

TEST_F(Run, ForkGivesTheChildItsOwnMemory) {
  EXPECT_EQ(outcome("anon m { x = 1 }\n"
                    "process p { m.x = 2; fork(c); m.x = 3; signal e; }\n"
                    "process c { await e; r = m.x; m.x = 4; }\n"
                    "exists (c:r = 2 /\\ c:m.x = 4 /\\ p:m.x = 3)"),
            "c:m.x=4 c:r=2 p:m.x=3");
}

TEST_F(Run, AVforkChildSharesItsParentsMemory) {
  EXPECT_EQ(outcome("anon m { x = 1 }\nprocess p { vfork(c); r = m.x; }\n"
                    "process c { m.x = 4; exit; }\nexists (p:r = 4)"),
            "p:r=4");
}

TEST_F(Run, SigsegvParksTheActorAndIsReported) {
  EXPECT_EQ(outcome("anon m { x = 1, y } : readonly\n"
                    "process p { m.x = 2; r = 7; }\nexists (p:SIGSEGV /\\ p:r = 0 /\\ p:m.x = 1)"),
            "p:SIGSEGV=1 p:m.x=1 p:r=0");
}

TEST_F(Run, WhatIsNotMappedIsSaid) {
  EXPECT_EQ(outcome("anon m { x = 1 }\nanon u { x } : untouched\nanon d { x } : dontfork\n"
                    "process p { fork(c); munmap(m); wait(c); }\nprocess c { exit; }\n"
                    "exists (p:m.x = 1 /\\ p:u.x = 0 /\\ p:d.x = 0 /\\ c:m.x = 1)"),
            "c:m.x=unmapped p:d.x=0 p:m.x=unmapped p:u.x=unmapped");
}

TEST_F(Run, MremapMovesThePage) {
  EXPECT_EQ(outcome("anon m { x = 1 }\nanon t { x } : unmapped\n"
                    "process p { e = mremap(m, t); t.x = 2; }\n"
                    "exists (p:e = 0 /\\ p:t.x = 2 /\\ p:m.x = 1)"),
            "p:e=0 p:m.x=unmapped p:t.x=2");
}

// One actor stores, the other loads: whatever the schedule, runs must be counted and outcomes
// sound.
TEST_F(Run, RacyTestsCountTheirOutcomes) {
  const auto result =
      run("anon m { x }\nprocess p { m.x = 1; } thread p.t { r = m.x; }\n"
          "exists (p.t:r = 1)",
          "-n 200");
  EXPECT_EQ(result.status, 0) << result.output;
  const auto count = [&](const std::string& outcome) {
    const std::string head = fmt::format("drover-outcome t {} n=", hash_);
    for (std::size_t at = result.output.find(head); at != std::string::npos;
         at = result.output.find(head, at + 1)) {
      const std::string line = result.output.substr(at, result.output.find('\n', at) - at);
      if (line.ends_with(outcome)) return std::stoi(line.substr(head.size()));
    }
    return 0;
  };
  EXPECT_EQ(count(" p.t:r=0") + count(" p.t:r=1"), 200) << result.output;
}

TEST_F(Run, ARunThatDoesNotEndIsKilledAndSaysWhere) {
  const auto result =
      run("anon m { x }\nprocess p { fork(c); await e; }\n"
          "process c { r = m.x; if (r) { signal e; } }\nexists (true)",
          "-T 1");
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.output, "drover-error t timeout after 1 s: p at line 3, c done\n");
}

}  // namespace
}  // namespace drover::native
