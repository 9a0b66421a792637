// Running test programs on a real kernel: in guests under QEMU, or on the host. What the programs
// print is handed back as it is; what it means is decided elsewhere.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "native/kernels/kernel.hpp"
#include "native/kernels/process.hpp"

namespace drover::qemu {

using kernels::StopFlag;

/// A statically linked program, run as root in a guest.
struct TestProgram {
  std::string name;
  std::filesystem::path binary;
  std::vector<std::string> arguments = {};  // without tabs and newlines
  std::chrono::milliseconds timeout{10'000};
};

/// How a test ended.
enum class Ending {
  exited,     // status is the exit status
  signaled,   // status is the signal
  timed_out,  // killed; the guest went on
  hung,       // the whole guest did, or a process could not be killed
  panicked,   // the kernel did, while the test ran
  not_run,    // why says why
};
[[nodiscard]] std::string_view name_of(Ending ending);

struct TestOutput {
  std::string name;
  Ending ending = Ending::not_run;
  int status = 0;
  std::vector<std::string> lines;     // standard output and error
  std::vector<std::string> warnings;  // kernel messages of level warning or worse, while it ran
  std::string why;                    // one line, for hung, panicked and not_run
  bool truncated = false;             // it printed more than is kept
  std::chrono::milliseconds duration{0};
};

/// QEMU's accelerators. KVM may be there and not work: `automatic` takes it only after a guest
/// booted.
enum class Accelerator { tcg, kvm, automatic };

struct GuestOptions {
  unsigned cpus = 1;  // 1 for ordered tests (one translation thread), 2 or more for racy ones
  unsigned memory_mib = 1024;
  unsigned nodes = 1;  // NUMA nodes, each with an equal share of memory
  Accelerator accelerator = Accelerator::tcg;
  std::string qemu = "qemu-system-x86_64";
  std::string append;  // added to the kernel's command line
  std::chrono::milliseconds boot_timeout{90'000};
  std::chrono::milliseconds slack{
      15'000};                 // beyond a test's own time-out, before the guest is given up
  unsigned boot_attempts = 4;  // TCG panics at boot now and then
  std::uint64_t bytes_per_boot = 256U << 20;  // of test programs; more of them take more boots
  /// Called as soon as a test has ended, in the calling thread.
  std::function<void(const TestOutput&)> on_test = {};
};

struct GuestRun {
  std::vector<TestOutput> tests;  // one per program, in the same order
  std::string problem, hint;      // why tests were not run, and what to do; empty if all were
  std::string release, version;   // uname -r and -v
  std::map<std::string, std::string> features;  // "io_uring" -> "yes"
  std::vector<std::string> notes;  // modules that did not load, boots that were tried again
  std::string accelerator;         // "tcg" or "kvm"; empty on the host
  unsigned boots = 0;
  std::chrono::milliseconds boot_duration{0};  // of the last boot, until tests began
};

/// Runs the programs one after the other in as few boots as possible. A test that hangs or panics
/// its guest costs only itself: the others go on in a fresh boot. Nothing is left behind, also when
/// `stop` is set, which is noticed within a tenth of a second. Trouble is told in GuestRun, never
/// thrown.
[[nodiscard]] GuestRun run_in_guest(const kernels::Kernel& kernel,
                                    const std::vector<TestProgram>& programs,
                                    const GuestOptions& options = {}, StopFlag stop = nullptr);

/// Runs the programs one after the other on this machine, as this user, each in a process group and
/// an empty folder of its own. Kernel messages are had only by users who may read the kernel's log.
[[nodiscard]] GuestRun run_on_host(const std::vector<TestProgram>& programs,
                                   const std::function<void(const TestOutput&)>& on_test = {},
                                   StopFlag stop = nullptr);

}  // namespace drover::qemu
