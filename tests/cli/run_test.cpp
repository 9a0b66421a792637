// What `drover run` and `drover kernels` say when something is missing or broken. No kernel is
// booted here and no test is compiled: the compiler is a script.
#include <filesystem>

#include "drover_process.hpp"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

class Run : public DroverProcess {
 protected:
  Run() {
    write("t.litmus", fork_test("t", kTrueExpectations));
    fs::create_directories(folder_ / "tmp");
  }
  // A compiler whose programs are `program`, a shell script.
  void compiler(const std::string& program) {
    write("program", "#!/bin/sh\n" + program + "\n");
    write("cc",
          "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n[ -n \"$5\" ] || exit 1\n"
          "while IFS= read -r line; do echo \"$line\"; done <'" +
              (folder_ / "program").string() + "' >\"$5\"\n/bin/chmod +x \"$5\"\n");
    fs::permissions(folder_ / "cc", fs::perms::owner_all);
  }
  // With nothing of the user's own: cache, temporary files and compiler are in the test's folder.
  Output drover_run(const std::string& arguments, const std::string& before = "") {
    return run("run t.litmus --kernel-cache cache/kernels " + arguments,
               before + " /usr/bin/env CC='" + (folder_ / "cc").string() + "' TMPDIR='" +
                   (folder_ / "tmp").string() + "'");
  }
  [[nodiscard]] bool nothing_left() const { return fs::is_empty(folder_ / "tmp"); }
  // A bzImage as far as its header goes: banner "6.1.0-own" at 0x300, no code behind it.
  void image(const std::string& name, char more_code) {
    std::string bytes(0x400, '\0');
    bytes.replace(0x202, 4, "HdrS");
    bytes[0x1f1] = '\1';
    bytes[0x1f4] = more_code;
    bytes[0x20f] = '\1';
    const std::string banner = "6.1.0-own (x) #1 SMP";
    bytes.replace(0x300, banner.size(), banner);
    write(name, bytes);
  }
};

TEST_F(Run, AKernelThatIsNotThereSaysWhatToGive) {
  compiler("exit 0");
  for (const char* name : {"debian:9.9", "no/such/bzImage"}) {
    const Output out = drover_run(std::string("-k ") + name);
    EXPECT_EQ(out.status, 2) << out.err;
    EXPECT_TRUE(contains(out.err, std::string("error: ") + name)) << out.err;
    EXPECT_TRUE(contains(out.err, "hint: ")) << out.err;
  }
}

TEST_F(Run, WhatIsNoImageOrATruncatedOneIsToldApart) {
  compiler("exit 0");
  write("garbage", std::string(5000, 'x'));
  Output out = drover_run("-k ./garbage");
  EXPECT_EQ(out.status, 2);
  EXPECT_TRUE(contains(out.err, "neither a bzImage nor a vmlinux")) << out.err;
  image("short", '\1');
  out = drover_run("-k ./short");
  EXPECT_EQ(out.status, 2);
  EXPECT_TRUE(contains(out.err, "truncated: 1024 of 1040 bytes")) << out.err;
}

TEST_F(Run, WithoutQemuTheHostStillRuns) {
  compiler("echo drover-skip t no io_uring; exit 77");
  image("own", '\0');
  const Output out = drover_run("-k ./own,host", "PATH=/nonexistent");
  EXPECT_EQ(out.status, 3) << out.err;
  EXPECT_TRUE(contains(out.err, "qemu-system-x86_64 is not installed\nhint: apt install"))
      << out.err;
  EXPECT_TRUE(contains(out.out, "host: 0 agree, 0 forbidden, 0 failed, 1 not runnable")) << out.out;
  EXPECT_TRUE(contains(out.out, "  t: no io_uring\n")) << out.out;
  EXPECT_TRUE(nothing_left());
}

TEST_F(Run, WithoutACompilerItSaysWhichPackage) {
  const Output out = drover_run("-k host");  // there is no file `cc` yet
  EXPECT_EQ(out.status, 2);
  EXPECT_TRUE(contains(out.err, "there is no C compiler")) << out.err;
  EXPECT_TRUE(contains(out.err, "hint: apt install gcc")) << out.err;
}

TEST_F(Run, AProgramThatDoesNotCompileIsAFailureNotASkip) {
  write("cc",
        "#!/bin/sh\n[ \"$1\" = --version ] || { echo 'x.c:1: error: broken' >&2; exit 1; }\n");
  fs::permissions(folder_ / "cc", fs::perms::owner_all);
  const Output out = drover_run("-k host");
  EXPECT_EQ(out.status, 3);
  EXPECT_TRUE(contains(out.out, "does not compile: x.c:1: error: broken")) << out.out;
  EXPECT_TRUE(nothing_left());
}

TEST_F(Run, AnInterruptLeavesNothingBehind) {
  compiler("exec /bin/sleep 60");
  const Output out = drover_run("-k host", "timeout --preserve-status -s INT 2");
  EXPECT_EQ(out.status, 3) << out.err;
  EXPECT_TRUE(contains(out.out, "not run: stopped")) << out.out;
  EXPECT_TRUE(nothing_left());
}

TEST_F(Run, OrderedTestsAreNoRaces) {
  compiler("exit 0");
  const Output out = drover_run("-k host --racy");
  EXPECT_EQ(out.status, 2);
  EXPECT_TRUE(contains(out.err, "no test is racy")) << out.err;
}

TEST_F(Run, NeedsTestsOrANumberOfRandomOnes) {
  Output out = run("run -k host --kernel-cache cache/kernels");
  EXPECT_EQ(out.status, 2);
  EXPECT_TRUE(contains(out.err, "hint: name some, or --random N")) << out.err;
  out = run("run t.litmus --random 3 -k host --kernel-cache cache/kernels");
  EXPECT_EQ(out.status, 2) << out.out;
  out = run("run t.litmus --seed 3 -k host --kernel-cache cache/kernels");
  EXPECT_EQ(out.status, 2) << out.out;
}

TEST_F(Run, ARandomProgramThatPrintsNothingFailed) {
  compiler("exit 0");
  const Output out = run("run --random 2 --seed 2 -k host --kernel-cache cache/kernels",
                         "/usr/bin/env CC='" + (folder_ / "cc").string() + "' TMPDIR='" +
                             (folder_ / "tmp").string() + "'");
  if (contains(out.out, "0 failed, 2 not runnable")) GTEST_SKIP() << "needs root";
  EXPECT_EQ(out.status, 3) << out.out << out.err;
  EXPECT_TRUE(contains(out.out, "its program printed no outcome")) << out.out;
}

TEST_F(Run, KernelsNeedsAPlaceForItsCache) {
  const Output out = run("kernels", "env -u HOME -u XDG_CACHE_HOME");
  EXPECT_EQ(out.status, 2);
  EXPECT_TRUE(contains(out.err, "hint: choose a folder with --kernel-cache")) << out.err;
}

}  // namespace
}  // namespace drover::cli
