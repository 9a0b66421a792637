// Starting, watching and ending child processes. Between fork and exec only async-signal-safe calls
// are made, because the caller may have threads.
#include "native/kernels/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <system_error>

namespace drover::kernels {
namespace {

[[noreturn]] void throw_errno(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> merged_environment(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : added) replaced = replaced || other.starts_with(name);
    if (!replaced) all.emplace_back(text);
  }
  return all;
}

struct Prepared {
  std::vector<char*> argv, environment;
  const char* folder;
  std::array<int, 3> standard;
  const std::vector<int>* inherited;
  pid_t parent;
};

// The child's half of fork: only async-signal-safe calls. Returns the errno of what failed.
int become(const Prepared& p) {
  if (setpgid(0, 0) != 0) return errno;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  if (getppid() != p.parent) return ESRCH;  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
  const int null = open("/dev/null", O_RDWR);
  if (null < 0) return errno;
  for (int target = 0; target < 3; ++target) {
    const int wanted = p.standard[static_cast<std::size_t>(target)];
    if (dup2(wanted < 0 ? null : wanted, target) < 0) return errno;
  }
  if (null > 2) close(null);
  for (const int fd : *p.inherited) {
    if (fcntl(fd, F_SETFD, 0) != 0) return errno;
  }
  if (p.folder != nullptr && chdir(p.folder) != 0) return errno;
  execvpe(p.argv[0], p.argv.data(), p.environment.data());
  return errno;
}

ExitStatus decoded(int status) {
  if (WIFSIGNALED(status)) return {.code = 0, .signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "pipe");
  Pipe made{Fd(ends[0]), Fd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) throw_errno(errno, "fcntl");
  return made;
}

bool read_available(int fd, std::string& text) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
      if (n < static_cast<ssize_t>(buffer.size())) return true;
    } else if (n == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

Child::Child(const Command& command) {
  Command own = command;
  std::vector<std::string> environment = merged_environment(own.environment);
  const std::string folder = own.folder.string();
  const Prepared prepared{.argv = pointers(own.argv),
                          .environment = pointers(environment),
                          .folder = folder.empty() ? nullptr : folder.c_str(),
                          .standard = {own.in, own.out, own.err},
                          .inherited = &own.inherited,
                          .parent = getpid()};
  std::array<int, 2> report{};
  if (pipe2(report.data(), O_CLOEXEC) != 0) throw_errno(errno, "pipe");
  const Fd report_read(report[0]);
  Fd report_write(report[1]);
  pid_ = fork();
  if (pid_ < 0) throw_errno(errno, "fork");
  if (pid_ == 0) {
    const int error = become(prepared);
    const ssize_t ignored = write(report[1], &error, sizeof error);
    _exit(ignored == sizeof error ? 126 : 127);
  }
  report_write.reset();
  int error = 0;
  ssize_t n = 0;
  do {
    n = read(report_read.get(), &error, sizeof error);
  } while (n < 0 && errno == EINTR);
  if (n == sizeof error) {
    kill();
    throw_errno(error, own.argv[0]);
  }
}

std::optional<ExitStatus> Child::poll() {
  int status = 0;
  if (pid_ > 0 && !status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = decoded(status);
  return status_;
}

void Child::ask_to_end(std::chrono::milliseconds patience) {
  if (pid_ <= 0 || poll()) return;
  ::kill(-pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!poll() && std::chrono::steady_clock::now() < deadline) usleep(5000);
}

void Child::kill() {
  if (pid_ <= 0) return;
  // Before the child is reaped its number cannot belong to another process group. If it was reaped
  // by poll(), the group may live on in its descendants, and then still has this number.
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (!status_) {
    if (waitpid(pid_, &status, 0) == pid_) {
      status_ = decoded(status);
    } else if (errno != EINTR) {
      break;
    }
  }
  pid_ = -1;
}

Finished run(Command command, StopFlag stop, std::chrono::milliseconds limit) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  command.out = out.write.get();
  command.err = err.write.get();
  Child child(command);
  out.write.reset();
  err.write.reset();
  Finished result;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::optional<ExitStatus> status;
  for (bool more = true; more;) {
    status = child.poll();
    std::array<pollfd, 2> fds{{{out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}}};
    if (!status) ::poll(fds.data(), fds.size(), 50);
    const bool out_open = read_available(out.read.get(), result.out);
    const bool err_open = read_available(err.read.get(), result.err);
    result.stopped = stopped(stop);
    result.timed_out = std::chrono::steady_clock::now() > deadline;
    more = !status && !result.stopped && !result.timed_out;
    // Output is closed, the process is about to end: do not spin until it has.
    if (more && !out_open && !err_open) usleep(1000);
  }
  if (status) {
    result.status = *status;
    result.timed_out = result.stopped = false;
  } else {
    child.ask_to_end(std::chrono::seconds(1));
  }
  return result;
}

TemporaryFolder::TemporaryFolder(std::string_view prefix, const std::filesystem::path& parent) {
  const auto base = parent.empty() ? std::filesystem::temp_directory_path() : parent;
  std::string name = (base / fmt::format("{}XXXXXX", prefix)).string();
  if (mkdtemp(name.data()) == nullptr) throw_errno(errno, name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace drover::kernels
