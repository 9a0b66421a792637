// Child processes, pipes and temporary folders that are gone when their owner is.
// What is run, and why, is decided elsewhere.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::kernels {

/// A flag that another thread or a signal handler sets when the user wants the work to end; may be
/// null.
using StopFlag = const std::atomic<bool>*;
[[nodiscard]] inline bool stopped(StopFlag stop) {
  return stop != nullptr && stop->load(std::memory_order_relaxed);
}

/// An open file descriptor, closed on destruction.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  void reset();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// Both ends close on exec; reading does not block. Throws std::system_error.
struct Pipe {
  Fd read, write;
};
[[nodiscard]] Pipe make_pipe();

/// Appends what can be read from `fd` now to `text`. False at end of file or on an error.
bool read_available(int fd, std::string& text);

/// How a process ended. A program that could not be started at all throws instead.
struct ExitStatus {
  int code = 0;    // of exit(), when signal is 0
  int signal = 0;  // that killed it
  [[nodiscard]] bool success() const { return code == 0 && signal == 0; }
};

/// A program to start. Descriptors of -1 are /dev/null.
struct Command {
  std::vector<std::string> argv;              // argv[0] is looked up in PATH
  std::vector<std::string> environment = {};  // "NAME=value", added to the parent's
  std::filesystem::path folder = {};          // to run in; empty: the parent's
  int in = -1, out = -1, err = -1;
  std::vector<int> inherited = {};  // further descriptors it keeps, under the same numbers
};

/// A running child that leads its own process group, so that Ctrl-C does not reach it. Destruction
/// kills the whole group and reaps the child; the kernel kills the child if this thread dies first.
class Child {
 public:
  /// Throws std::system_error, with the program's name, if it cannot be started.
  explicit Child(const Command& command);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }
  /// Its status once it has ended; does not wait.
  [[nodiscard]] std::optional<ExitStatus> poll();
  /// Asks its process group to end, and waits for the child at most as long as given.
  void ask_to_end(std::chrono::milliseconds patience);
  /// Kills its process group and reaps it. Does nothing if that was done before.
  void kill();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  std::optional<ExitStatus> status_;
};

/// What a short program printed.
struct Finished {
  ExitStatus status;
  std::string out, err;
  bool timed_out = false, stopped = false;  // and therefore killed
};

/// Runs a program to its end, or ends it when `limit` is over or `stop` is set. The descriptors of
/// `command` are ignored: output is returned. Throws std::system_error if it cannot be started.
[[nodiscard]] Finished run(Command command, StopFlag stop, std::chrono::milliseconds limit);

/// A folder with a unique name, removed with all it contains on destruction.
class TemporaryFolder {
 public:
  /// Below `parent`, which must exist, or the system's folder for temporary files.
  explicit TemporaryFolder(std::string_view prefix, const std::filesystem::path& parent = {});
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace drover::kernels
