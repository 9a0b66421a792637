// Programs run on the host and in a real guest. The guest needs QEMU and a cached kernel.
#include "native/qemu/guest.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "native/kernels/cache.hpp"

namespace drover::qemu {
namespace {

namespace fs = std::filesystem;

TestProgram program(const std::string& what, int milliseconds = 60'000) {
  return {.name = what,
          .binary = DROVER_TEST_PAYLOAD,
          .arguments = {what},
          .timeout = std::chrono::milliseconds(milliseconds)};
}

const TestOutput& find(const GuestRun& run, const std::string& name) {
  for (const TestOutput& test : run.tests) {
    if (test.name == name) return test;
  }
  throw std::runtime_error("no test " + name);
}

// Our own temporary folders below TMPDIR.
std::size_t leftovers(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    count += entry.path().filename().string().starts_with("drover-") ? 1 : 0;
  }
  return count;
}

// A folder for temporary files of this test alone, in which nothing may be left.
class OwnTemporaryFolder : public testing::Test {
 protected:
  OwnTemporaryFolder() : folder_("own-") { setenv("TMPDIR", folder_.path().c_str(), 1); }
  ~OwnTemporaryFolder() override {
    EXPECT_EQ(leftovers(folder_.path()), 0U);
    unsetenv("TMPDIR");
  }
  kernels::TemporaryFolder folder_;
};

using Host = OwnTemporaryFolder;

TEST_F(Host, EachEndingIsReported) {
  const auto run = run_on_host({program("ok"),
                                program("fail"),
                                program("abort"),
                                program("hang", 200),
                                program("clean"),
                                {.name = "none", .binary = "/nonexistent/program"}});
  ASSERT_EQ(run.tests.size(), 6U);
  EXPECT_EQ(find(run, "ok").ending, Ending::exited);
  EXPECT_EQ(find(run, "ok").status, 0);
  EXPECT_EQ(find(run, "ok").lines, std::vector<std::string>{"ok begins"});
  EXPECT_EQ(find(run, "fail").status, 77);
  EXPECT_EQ(find(run, "abort").ending, Ending::signaled);
  EXPECT_EQ(find(run, "abort").status, SIGABRT);
  EXPECT_EQ(find(run, "hang").ending, Ending::timed_out);
  EXPECT_EQ(find(run, "hang").lines, std::vector<std::string>{"hang begins"});
  EXPECT_EQ(find(run, "none").ending, Ending::not_run);
  EXPECT_NE(find(run, "none").why.find("/nonexistent/program"), std::string::npos);
}

TEST_F(Host, TheStopFlagEndsTheRunningTestAndTheRest) {
  std::atomic<bool> stop{false};
  std::thread user([&] {
    usleep(200'000);
    stop = true;
  });
  const auto start = std::chrono::steady_clock::now();
  const auto run = run_on_host({program("hang"), program("ok")}, {}, &stop);
  user.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(find(run, "hang").ending, Ending::not_run);
  EXPECT_EQ(find(run, "ok").ending, Ending::not_run);
  EXPECT_EQ(run.problem, "stopped");
}

using Guest = OwnTemporaryFolder;

TEST_F(Guest, AMissingQemuIsAReasonNotAnException) {
  GuestOptions options;
  options.qemu = "qemu-that-is-not-installed";
  const auto run = run_in_guest({}, {program("ok")}, options);
  EXPECT_EQ(run.problem, "qemu-that-is-not-installed is not installed");
  EXPECT_NE(run.hint, "");
  EXPECT_EQ(run.tests[0].ending, Ending::not_run);
  EXPECT_EQ(run.tests[0].why, run.problem);
}

TEST_F(Guest, ABootThatFailsIsTriedAgainAndThenExplained) {
  GuestOptions options;
  options.qemu = "false";  // ends at once and says nothing
  options.boot_attempts = 3;
  const auto run = run_in_guest({}, {program("ok")}, options);
  EXPECT_EQ(run.boots, 3U);
  EXPECT_NE(run.problem.find("does not boot"), std::string::npos);
}

TEST_F(Guest, ProgramsThatCannotBeGivenToAGuestAreNotRun) {
  GuestOptions options;
  options.qemu = "false";
  TestProgram tab = program("tab");
  tab.arguments = {"a\tb"};
  const auto run = run_in_guest({}, {tab, {.name = "none", .binary = "/nonexistent"}}, options);
  EXPECT_EQ(run.boots, 0U);
  EXPECT_NE(find(run, "tab").why.find("a tab"), std::string::npos);
  EXPECT_NE(find(run, "none").why.find("/nonexistent"), std::string::npos);
}

// The kernel to boot: DROVER_TEST_KERNEL, or any that is cached.
std::optional<kernels::Kernel> some_kernel() {
  if (const char* image = std::getenv("DROVER_TEST_KERNEL")) {
    return kernels::kernel_from_image(image);
  }
  const char* folder = std::getenv("DROVER_KERNEL_CACHE");
  const auto cached =
      (folder != nullptr ? kernels::KernelCache(folder) : kernels::KernelCache()).cached();
  if (cached.empty()) return std::nullopt;
  return cached.front();
}

bool qemu_installed() {
  try {
    const auto done = kernels::run({.argv = {"qemu-system-x86_64", "--version"}}, nullptr,
                                   std::chrono::seconds(20));
    return done.status.success();
  } catch (const std::system_error&) {
    return false;
  }
}

#define NEED_A_GUEST(kernel)                                                    \
  const auto kernel = some_kernel();                                            \
  if (!qemu_installed()) GTEST_SKIP() << "qemu-system-x86_64 is not installed"; \
  if (!kernel) GTEST_SKIP() << "no kernel is cached: drover kernels get 6.1"

// What any guest may say on a host that is busy.
bool about_slowness(const std::string& line) {
  for (const char* mark : {"hrtimer", "clocksource", "tsc", "rcu", "stall", "lockup", "sched"}) {
    if (line.find(mark) != std::string::npos) return true;
  }
  return false;
}

TEST_F(Guest, ATestThatHangsOrPanicsCostsOnlyItself) {
  NEED_A_GUEST(kernel);
  std::vector<std::string> ended;
  GuestOptions options;
  options.on_test = [&](const TestOutput& test) { ended.push_back(test.name); };
  const auto run = run_in_guest(
      *kernel,
      {program("ok"), program("left"), program("clean"), program("memory"), program("abort"),
       program("hang", 1000), program("panic"), program("fail"), program("off"), program("last")},
      options);
  EXPECT_EQ(run.problem, "");
  EXPECT_GE(run.boots, 3U);  // one each after "panic" and "off", more if a boot was tried again
  EXPECT_EQ(ended.size(), run.tests.size());
  for (const char* name : {"ok", "left", "clean", "last"}) {
    EXPECT_EQ(find(run, name).ending, Ending::exited) << name;
    EXPECT_EQ(find(run, name).status, 0) << name;
  }
  EXPECT_EQ(find(run, "ok").lines, std::vector<std::string>{"ok begins"});
  for (const std::string& line : find(run, "ok").warnings) {
    EXPECT_TRUE(about_slowness(line)) << line;
  }
  EXPECT_FALSE(find(run, "memory").warnings.empty());
  EXPECT_EQ(find(run, "fail").status, 77);
  EXPECT_EQ(find(run, "abort").ending, Ending::signaled);
  EXPECT_EQ(find(run, "hang").ending, Ending::timed_out);
  EXPECT_EQ(find(run, "hang").lines, std::vector<std::string>{"hang begins"});
  EXPECT_EQ(find(run, "panic").ending, Ending::panicked);
  EXPECT_NE(find(run, "panic").why.find("sysrq triggered crash"), std::string::npos);
  EXPECT_EQ(find(run, "off").ending, Ending::panicked);
  EXPECT_EQ(run.release, kernel->release);
  for (const char* feature : {"io_uring", "loop", "fuse", "pagemap", "swap"}) {
    EXPECT_EQ(run.features.at(feature), "yes") << feature;
  }
}

TEST_F(Guest, MoreProgramsThanFitTakeMoreBoots) {
  NEED_A_GUEST(kernel);
  GuestOptions options;
  options.bytes_per_boot = 1;
  const auto run = run_in_guest(*kernel, {program("ok"), program("fail")}, options);
  EXPECT_GE(run.boots, 2U);
  EXPECT_EQ(find(run, "ok").ending, Ending::exited);
  EXPECT_EQ(find(run, "fail").status, 77);
}

TEST_F(Guest, TheStopFlagEndsQemu) {
  NEED_A_GUEST(kernel);
  std::atomic<bool> stop{false};
  std::thread user([&] {
    usleep(1'500'000);
    stop = true;
  });
  const auto start = std::chrono::steady_clock::now();
  const auto run = run_in_guest(*kernel, {program("hang")}, {}, &stop);
  user.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(run.problem, "stopped");
  // QEMU was our child and was reaped: there is none left.
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace drover::qemu
