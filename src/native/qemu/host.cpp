// Test programs on this machine's own kernel.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "native/qemu/guest.hpp"

namespace drover::qemu {
using kernels::Child;
using kernels::Fd;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
namespace {

constexpr std::size_t kMostBytes = 4 << 20;  // kept of one test

// The kernel's log from now on, if this user may read it.
class KernelLog {
 public:
  KernelLog() : fd_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (fd_.get() >= 0 && lseek(fd_.get(), 0, SEEK_END) < 0) fd_.reset();
  }
  [[nodiscard]] bool readable() const { return fd_.get() >= 0; }

  // Messages of level warning or worse since the last call.
  std::vector<std::string> take() {
    std::vector<std::string> messages;
    std::array<char, 8192> record{};
    while (fd_.get() >= 0) {
      const ssize_t n = read(fd_.get(), record.data(), record.size());
      if (n < 0 && errno == EPIPE) continue;  // records were overwritten
      if (n <= 0) break;
      const std::string_view all(record.data(), static_cast<std::size_t>(n));
      const std::size_t text = all.find(';');
      const int priority = std::atoi(record.data());
      if (text == std::string_view::npos || (priority & 7) > 4 || priority >> 3 != 0) continue;
      messages.emplace_back(all.substr(text + 1, all.find('\n') - text - 1));
    }
    return messages;
  }

 private:
  Fd fd_;
};

void split_lines(const std::string& text, TestOutput& test) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    test.lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

void run_one(const TestProgram& program, TestOutput& test, StopFlag stop) {
  const kernels::TemporaryFolder folder("drover-test-");
  kernels::Pipe out = kernels::make_pipe();
  kernels::Command command{.argv = {std::filesystem::absolute(program.binary).string()}};
  command.argv.insert(command.argv.end(), program.arguments.begin(), program.arguments.end());
  command.environment = {"TMPDIR=" + folder.path().string()};
  command.folder = folder.path();
  command.out = command.err = out.write.get();
  const auto start = Clock::now();
  Child child(command);
  out.write.reset();
  std::string text;
  std::optional<kernels::ExitStatus> status;
  bool in_time = true;
  while (!status && in_time && !kernels::stopped(stop)) {
    pollfd fd{out.read.get(), POLLIN, 0};
    poll(&fd, 1, 20);
    status = child.poll();
    const bool open = kernels::read_available(out.read.get(), text);
    if (!open && !status) usleep(1000);  // it closed its output and lives on
    if (text.size() > kMostBytes) {
      text.resize(kMostBytes);
      test.truncated = true;
    }
    in_time = Clock::now() - start < program.timeout;
  }
  // Asked to end, a program takes back what outlives processes: its FUSE mount, its loop device.
  if (!status) child.ask_to_end(std::chrono::seconds(5));
  child.kill();
  split_lines(text, test);
  test.duration = std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  if (status) {
    test.ending = status->signal != 0 ? Ending::signaled : Ending::exited;
    test.status = status->signal != 0 ? status->signal : status->code;
  } else if (!in_time) {
    test.ending = Ending::timed_out;
    test.why = "took longer than its time-out";
  } else {
    test.why = "stopped";
  }
}

}  // namespace

GuestRun run_on_host(const std::vector<TestProgram>& programs,
                     const std::function<void(const TestOutput&)>& on_test, StopFlag stop) {
  GuestRun run;
  utsname name{};
  uname(&name);
  run.release = name.release;
  run.version = name.version;
  KernelLog log;
  if (!log.readable()) run.notes.emplace_back("the kernel's log cannot be read: no warnings");
  for (const TestProgram& program : programs) {
    TestOutput test;
    test.name = program.name;
    if (kernels::stopped(stop)) {
      test.why = run.problem = "stopped";
    } else {
      try {
        run_one(program, test, stop);
      } catch (const std::system_error& error) {
        test.why = error.what();
      }
    }
    test.warnings = log.take();
    run.tests.push_back(test);
    if (on_test) on_test(run.tests.back());
  }
  return run;
}

}  // namespace drover::qemu
