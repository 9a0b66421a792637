// The loop over boots: what runs next, what became of it, when a guest is given up.
#include "native/qemu/guest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <system_error>

#include "native/qemu/initrd.hpp"
#include "native/qemu/machine.hpp"
#include "native/qemu/stream.hpp"

namespace drover::qemu {
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
namespace {

constexpr std::size_t kMostLines = 20'000;  // kept of one test
constexpr milliseconds kPoll{50};

std::string new_nonce() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

// One boot: which tests ran in it, and why it ended.
class Boot {
 public:
  enum class End { done, boot_failed, boot_hung, guest_died, guest_hung, stuck, stopped };

  Boot(GuestRun& run, const std::vector<TestProgram>& programs, const GuestOptions& options)
      : run_(run), programs_(programs), options_(options) {}

  End go(const MachineSetup& setup, const std::string& nonce, StopFlag stop) {
    started_ = Clock::now();
    deadline_ = started_ + options_.boot_timeout;
    Machine machine(setup);
    StreamParser parser(nonce, [this](GuestEvent event) { take(std::move(event)); });
    std::string bytes;
    End end = End::done;
    for (;;) {
      bytes.clear();
      machine.wait(kPoll, bytes);
      parser.feed(bytes);
      if (done_ || stuck_) {
        end = done_ ? End::done : End::stuck;
        break;
      }
      if (machine.over()) {
        parser.finish();
        end = ready_ ? End::guest_died : End::boot_failed;
        break;
      }
      if (kernels::stopped(stop)) {
        end = End::stopped;
        break;
      }
      if (Clock::now() > deadline_) {
        end = ready_ ? End::guest_hung : End::boot_hung;
        break;
      }
    }
    machine.kill();
    console_ = machine.console();
    complaints_ = machine.complaints();
    return end;
  }

  [[nodiscard]] int running() const { return running_; }  // or -1
  [[nodiscard]] int last_ended() const { return last_; }  // or -1
  [[nodiscard]] Clock::time_point running_since() const { return test_started_; }
  [[nodiscard]] const std::string& console() const { return console_; }
  [[nodiscard]] const std::string& complaints() const { return complaints_; }

 private:
  bool known(int test) const { return test >= 0 && test < static_cast<int>(run_.tests.size()); }
  TestOutput& output(int test) { return run_.tests[static_cast<std::size_t>(test)]; }

  void take(GuestEvent event) {
    using Kind = GuestEvent::Kind;
    switch (event.kind) {
      case Kind::kernel: {
        const std::size_t space = std::min(event.text.find(' '), event.text.size());
        run_.release = event.text.substr(0, space);
        run_.version = event.text.substr(std::min(space + 1, event.text.size()));
        break;
      }
      case Kind::module:
        note("module does not load: " + event.text);
        break;
      case Kind::feature: {
        const std::size_t space = std::min(event.text.find(' '), event.text.size());
        run_.features[event.text.substr(0, space)] =
            event.text.substr(std::min(space + 1, event.text.size()));
        break;
      }
      case Kind::ready:
        ready_ = true;
        run_.boot_duration = since(started_);
        deadline_ = Clock::now() + options_.slack;
        break;
      case Kind::stuck:
        stuck_ = true;
        break;
      case Kind::done:
        done_ = true;
        break;
      default:
        if (known(event.test)) take_test(std::move(event));
    }
  }

  void take_test(GuestEvent event) {
    using Kind = GuestEvent::Kind;
    TestOutput& test = output(event.test);
    if (event.kind == Kind::begin) {
      running_ = event.test;
      test_started_ = Clock::now();
      deadline_ =
          test_started_ + options_.slack + programs_[static_cast<std::size_t>(event.test)].timeout;
    } else if (event.kind == Kind::line) {
      test.truncated = test.lines.size() >= kMostLines;
      if (!test.truncated) test.lines.push_back(std::move(event.text));
    } else if (event.kind == Kind::log) {
      test.warnings.push_back(std::move(event.text));
    } else if (event.kind == Kind::end) {
      using Ended = GuestEvent::Ended;
      test.ending = event.ended == Ended::exit     ? Ending::exited
                    : event.ended == Ended::signal ? Ending::signaled
                                                   : Ending::timed_out;
      test.status = event.value;
      test.duration = since(test_started_);
      if (test.ending == Ending::timed_out) test.why = "took longer than its time-out";
      last_ = event.test;
      running_ = -1;
      deadline_ = Clock::now() + options_.slack;
      if (options_.on_test) options_.on_test(test);
    }
  }

  void note(std::string text) {
    if (std::find(run_.notes.begin(), run_.notes.end(), text) == run_.notes.end()) {
      run_.notes.push_back(std::move(text));
    }
  }

  GuestRun& run_;
  const std::vector<TestProgram>& programs_;
  const GuestOptions& options_;
  Clock::time_point started_, deadline_, test_started_;
  bool ready_ = false, done_ = false, stuck_ = false;
  int running_ = -1, last_ = -1;
  std::string console_, complaints_;
};

// All boots of one call.
class Session {
 public:
  Session(const kernels::Kernel& kernel, const std::vector<TestProgram>& programs,
          const GuestOptions& options, StopFlag stop)
      : kernel_(kernel), programs_(programs), options_(options), stop_(stop) {
    for (const TestProgram& program : programs) {
      TestOutput output;
      output.name = program.name;
      run_.tests.push_back(std::move(output));
    }
  }

  GuestRun go(bool kvm) {
    for (std::size_t i = 0; i < programs_.size(); ++i) {
      if (acceptable(i)) waiting_.push_back(i);
    }
    unsigned failures = 0;
    // Every turn either ends a test or counts as a failure: this ends.
    while (run_.problem.empty() && (!waiting_.empty() || programs_.empty())) {
      const std::size_t before = waiting_.size();
      try {
        boot_once(kvm, failures);
      } catch (const std::system_error& error) {
        explain(error);
      }
      if (waiting_.size() < before) failures = 0;
      if (programs_.empty()) break;
    }
    for (const std::size_t i : waiting_) not_run(i, run_.problem);
    return std::move(run_);
  }

 private:
  // A program the plan cannot name is not run; the others are.
  bool acceptable(std::size_t i) {
    for (const std::string& argument : programs_[i].arguments) {
      if (argument.find_first_of("\t\n") != std::string::npos) {
        not_run(i, "an argument has a tab or a newline");
        return false;
      }
    }
    std::error_code error;
    if (fs::is_regular_file(programs_[i].binary, error)) return true;
    not_run(i, fmt::format("there is no program {}", programs_[i].binary.string()));
    return false;
  }

  void not_run(std::size_t i, const std::string& why) {
    run_.tests[i].why = why;
    if (options_.on_test) options_.on_test(run_.tests[i]);
  }

  // As many of the waiting tests as fit in one boot, at least one.
  std::vector<std::size_t> next_batch() const {
    std::vector<std::size_t> batch;
    std::uint64_t bytes = 0;
    for (const std::size_t i : waiting_) {
      bytes += fs::file_size(programs_[i].binary);
      if (!batch.empty() && bytes > options_.bytes_per_boot) break;
      batch.push_back(i);
    }
    return batch;
  }

  void boot_once(bool kvm, unsigned& failures) {
    const std::string nonce = new_nonce();
    const kernels::Fd initrd = make_initrd(kernel_, nonce, programs_, next_batch());
    Boot boot(run_, programs_, options_);
    ++run_.boots;
    const auto end =
        boot.go({.image = kernel_.image, .initrd = initrd.get(), .options = &options_, .kvm = kvm},
                nonce, stop_);
    settle(boot, end, failures);
    std::erase_if(waiting_,
                  [this](std::size_t i) { return run_.tests[i].ending != Ending::not_run; });
  }

  void settle(const Boot& boot, Boot::End end, unsigned& failures) {
    const std::string panic = panic_reason(boot.console());
    if (end == Boot::End::stopped) {
      run_.problem = "stopped";
    } else if (end == Boot::End::boot_failed) {
      boot_failed(boot, panic, ++failures);
    } else if (end == Boot::End::boot_hung) {
      // Waiting is what costs: a guest that says nothing is tried half as often as one that panics.
      failures += 2;
      boot_failed(boot, panic, failures);
    } else if (end == Boot::End::stuck && boot.last_ended() >= 0) {
      TestOutput& test = run_.tests[static_cast<std::size_t>(boot.last_ended())];
      test.ending = Ending::hung;
      test.why = "a process of it cannot be killed";
    } else if (boot.running() >= 0) {
      const bool died = end == Boot::End::guest_died;
      TestOutput& test = run_.tests[static_cast<std::size_t>(boot.running())];
      test.ending = died ? Ending::panicked : Ending::hung;
      test.why = !panic.empty() ? panic : died ? "the guest ended" : "the guest does not answer";
      test.duration = since(boot.running_since());
      for (std::string& line : last_lines(boot.console(), 40)) test.warnings.push_back(line);
      if (options_.on_test) options_.on_test(test);
    } else if (end != Boot::End::done) {
      // Between two tests. The one before is the likely cause, which its reader must see.
      run_.notes.push_back(fmt::format("the guest ended between tests: {}", panic));
      if (boot.last_ended() >= 0) {
        TestOutput& test = run_.tests[static_cast<std::size_t>(boot.last_ended())];
        test.warnings.push_back("after this test the guest ended: " + panic);
      } else if (++failures >= options_.boot_attempts) {
        run_.problem = "the guest ends before the first test: " + panic;
      }
    }
  }

  void boot_failed(const Boot& boot, const std::string& panic, unsigned failures) {
    const auto first = last_lines(boot.complaints(), 1);
    const auto last = last_lines(boot.console(), 1);
    const std::string reason = !first.empty()   ? first.front()
                               : !panic.empty() ? panic
                               : !last.empty()  ? "its last words: " + last.front()
                                                : "it printed nothing on its serial console";
    run_.notes.push_back(fmt::format("boot {} failed: {}", run_.boots, reason));
    // QEMU's own complaint will not go away by trying again.
    if (failures < options_.boot_attempts && first.empty()) return;
    run_.problem = fmt::format("{} does not boot: {}", kernel_.name, reason);
    run_.hint =
        "it needs CONFIG_SERIAL_8250_CONSOLE, CONFIG_BLK_DEV_INITRD, CONFIG_BINFMT_ELF, "
        "CONFIG_DEVTMPFS, CONFIG_PROC_FS and CONFIG_SYSFS, all =y";
  }

  void explain(const std::system_error& error) {
    run_.problem = error.what();
    if (error.code() == std::errc::no_such_file_or_directory &&
        run_.problem.starts_with(options_.qemu)) {
      run_.problem = fmt::format("{} is not installed", options_.qemu);
      run_.hint = "apt install qemu-system-x86";
    } else if (error.code() == std::errc::no_space_on_device) {
      run_.problem = "no space left for the guest's first file system";
      run_.hint = "the folder for temporary files is full: set TMPDIR to another";
    }
  }

  const kernels::Kernel& kernel_;
  const std::vector<TestProgram>& programs_;
  const GuestOptions& options_;
  StopFlag stop_;
  GuestRun run_;
  std::vector<std::size_t> waiting_;
};

// A guest without tests boots and ends under KVM.
bool kvm_works(const kernels::Kernel& kernel, const GuestOptions& options, StopFlag stop) {
  GuestOptions probe = options;
  probe.boot_attempts = 1;
  probe.boot_timeout = std::min(options.boot_timeout, milliseconds(10'000));
  probe.on_test = {};
  const GuestRun run = Session(kernel, {}, probe, stop).go(true);
  return run.problem.empty() && !run.release.empty();
}

}  // namespace

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::exited:
      return "exited";
    case Ending::signaled:
      return "killed by a signal";
    case Ending::timed_out:
      return "timed out";
    case Ending::hung:
      return "hung";
    case Ending::panicked:
      return "panicked";
    case Ending::not_run:
      return "not run";
  }
  return "";
}

GuestRun run_in_guest(const kernels::Kernel& kernel, const std::vector<TestProgram>& programs,
                      const GuestOptions& options, StopFlag stop) {
  bool kvm = options.accelerator == Accelerator::kvm;
  if (options.accelerator == Accelerator::automatic) kvm = kvm_works(kernel, options, stop);
  GuestRun run = Session(kernel, programs, options, stop).go(kvm);
  run.accelerator = kvm ? "kvm" : "tcg";
  return run;
}

}  // namespace drover::qemu
