// The guest's first process: a static program that prepares the machine, runs the tests that
// /drover/plan lists one after the other and reports over the second serial port. It uses only the
// C library. What the report means is stream.hpp; what the kernel can do is guest_features.cpp.
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "native/qemu/guest_features.hpp"

namespace {

constexpr int kMostArguments = 64;
constexpr char kWork[] = "/tmp/work";

int report_fd = -1;   // the port that results go to
int kernel_log = -1;  // /dev/kmsg
char nonce[64] = "";  // marks our lines: a test cannot print one by accident

// One of our lines. The newline before it ends what a test may have left unfinished.
__attribute__((format(printf, 1, 2))) void report(const char* format, ...) {
  char line[1024];
  int length = snprintf(line, sizeof line, "\n@%s ", nonce);
  va_list arguments;
  va_start(arguments, format);
  const int room = static_cast<int>(sizeof line) - length - 1;
  const int wanted = vsnprintf(line + length, static_cast<size_t>(room), format, arguments);
  va_end(arguments);
  length += wanted < room ? wanted : room - 1;
  line[length++] = '\n';
  for (const char* at = line; length > 0;) {
    const ssize_t n = write(report_fd, at, static_cast<size_t>(length));
    if (n <= 0) return;
    at += n;
    length -= static_cast<int>(n);
  }
}

void write_text(const char* file, const char* text) {
  const int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) errno = 0;  // optional everywhere it is used
  close(fd);
}

void mount_at(const char* type, const char* place) {
  mkdir(place, 0755);
  if (mount(type, place, type, 0, nullptr) != 0 && errno != EBUSY) {
    fprintf(stderr, "drover: cannot mount %s: %s\n", place, strerror(errno));
  }
}

void mount_all() {
  mount_at("proc", "/proc");
  mount_at("sysfs", "/sys");
  mount_at("devtmpfs", "/dev");
  mount_at("devpts", "/dev/pts");
  mount_at("tmpfs", "/dev/shm");
  mount_at("tmpfs", "/tmp");
  mount_at("debugfs", "/sys/kernel/debug");
  mount_at("tracefs", "/sys/kernel/tracing");
  chmod("/tmp", 01777);
}

// Raw, so that a newline stays one byte and nothing a test prints is taken for a control character.
int open_port(const char* name) {
  const int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios settings{};
  if (fd < 0 || tcgetattr(fd, &settings) != 0) return -1;
  cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL;
  tcsetattr(fd, TCSANOW, &settings);
  return fd;
}

// Reads a whole file; the caller keeps it for ever.
char* read_text(const char* file) {
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat about {};
  fstat(fd, &about);
  char* text = static_cast<char*>(malloc(static_cast<size_t>(about.st_size) + 1));
  ssize_t size = 0;
  for (ssize_t n = 1; n > 0 && size<about.st_size; size += n> 0 ? n : 0) {
    n = read(fd, text + size, static_cast<size_t>(about.st_size - size));
  }
  text[size] = '\0';
  close(fd);
  return text;
}

void load_modules() {
  char* rest = read_text("/drover/modules");
  while (char* name = rest != nullptr ? strsep(&rest, "\n") : nullptr) {
    if (*name == '\0') continue;
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST)) {
      report("module %s %s", name, strerror(errno));
    }
    if (fd >= 0) close(fd);
    unlink(name);
  }
}

// What mkswap writes: version 1, the number of the last page, and the signature at the end of page
// 0.
bool write_swap_header(const char* device, unsigned pages) {
  static char page[4096];
  const unsigned header[2] = {1, pages - 1};
  memcpy(page + 1024, header, sizeof header);
  // A signature without a terminator: NOLINTNEXTLINE(bugprone-not-null-terminated-result)
  memcpy(page + sizeof page - 10, "SWAPSPACE2", 10);
  const int fd = open(device, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, page, sizeof page) == static_cast<ssize_t>(sizeof page);
  fsync(fd);
  close(fd);
  return written;
}

void set_up_swap() {
  constexpr unsigned kPages = 128U << 8;  // 128 MiB
  if (access("/sys/block/zram0", F_OK) != 0) return;
  write_text("/sys/block/zram0/disksize", "128M");
  if (write_swap_header("/dev/zram0", kPages)) swapon("/dev/zram0", 0);
}

void bring_up_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  memcpy(request.ifr_name, "lo", 3);
  if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    ioctl(fd, SIOCSIFFLAGS, &request);
  }
  if (fd >= 0) close(fd);
}

// Reports kernel messages of level warning and worse since the last call. "6,1234,5678,-;text".
void report_kernel_log(int test) {
  char record[8192];
  for (int reported = 0; kernel_log >= 0;) {
    const ssize_t n = read(kernel_log, record, sizeof record - 1);
    if (n < 0 && errno == EPIPE) continue;  // records were overwritten
    if (n <= 0) return;
    record[n] = '\0';
    char* text = strchr(record, ';');
    const int level = atoi(record) & 7, facility = atoi(record) >> 3;
    if (text == nullptr || level > 4 || facility != 0 || reported >= 300) continue;
    text[strcspn(text, "\n")] = '\0';
    report("log %d %s", test, text + 1);
    ++reported;
  }
}

long milliseconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1'000'000L;
}

// Reaps until `wanted` has ended (0: until there is no child) or the time is over.
bool reap(pid_t wanted, int* status, long deadline) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  for (;;) {
    int any = 0;
    const pid_t pid = waitpid(-1, &any, WNOHANG);
    if (pid > 0 && pid == wanted) {
      *status = any;
      return true;
    }
    if (pid > 0) continue;
    if (pid < 0 && errno == ECHILD) return wanted == 0;
    const long left = deadline - milliseconds_now();
    if (left <= 0) return false;
    const timespec patience{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1'000'000L};
    sigtimedwait(&child, nullptr, &patience);
  }
}

// Everything below `folder`, which itself stays.
void remove_contents(const char* folder) {
  DIR* directory = opendir(folder);
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (unlink(path) == 0) continue;
    remove_contents(path);
    rmdir(path);
  }
  closedir(directory);
}

// Undoes what a test that was killed may have left: mounts, loop devices, merging.
void clean_up() {
  char* rest = nullptr;
  if (FILE* mounts = fopen("/proc/mounts", "re"); mounts != nullptr) {
    char line[4096], place[2048];
    while (fgets(line, sizeof line, mounts) != nullptr) {
      if (sscanf(line, "%*s %2047s", place) == 1 && strncmp(place, "/tmp/", 5) == 0) {
        umount2(place, MNT_DETACH);
      }
    }
    fclose(mounts);
  }
  constexpr unsigned long kLoopClear = 0x4C01;  // LOOP_CLR_FD
  for (int i = 0; i < 8; ++i) {
    char file[64];
    snprintf(file, sizeof file, "/sys/block/loop%d/loop", i);
    if (access(file, F_OK) != 0) continue;  // not bound
    snprintf(file, sizeof file, "/dev/loop%d", i);
    const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) ioctl(fd, kLoopClear, 0);
    if (fd >= 0) close(fd);
  }
  write_text("/sys/kernel/mm/ksm/run", "0\n");
  if (chdir("/") == 0) remove_contents(kWork);
  free(rest);
}

[[noreturn]] void become_test(char** arguments) {
  setsid();
  const int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(report_fd, 1);
  dup2(report_fd, 2);
  if (null > 2) close(null);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit no_core{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &no_core);
  char path[] = "PATH=/bin", home[] = "HOME=/tmp", temporary[] = "TMPDIR=/tmp/work";
  char* environment[] = {path, home, temporary, nullptr};
  if (chdir(kWork) != 0) _exit(126);
  execve(arguments[0], arguments, environment);
  dprintf(1, "cannot run %s: %s\n", arguments[0], strerror(errno));
  _exit(126);
}

// Runs one test to its end. False if its processes cannot be killed: then this boot is over.
bool run_test(int number, long limit, char** arguments) {
  report("begin %d", number);
  const pid_t pid = fork();
  if (pid == 0) become_test(arguments);
  int status = 0;
  const bool ended = pid > 0 && reap(pid, &status, milliseconds_now() + limit);
  kill(-1, SIGKILL);  // everything but this process: also what a test left in a session of its own
  int ignored = 0;
  const bool gone = reap(0, &ignored, milliseconds_now() + 3000);
  unlink(arguments[0]);
  clean_up();
  report_kernel_log(number);
  if (!ended) {
    report("end %d timeout", number);
  } else if (WIFSIGNALED(status)) {
    report("end %d signal %d", number, WTERMSIG(status));
  } else {
    report("end %d exit %d", number, WEXITSTATUS(status));
  }
  if (!gone) report("stuck");
  return gone;
}

// A line of the plan: "number TAB milliseconds TAB program [TAB argument]...".
bool run_line(char* line) {
  char* arguments[kMostArguments + 1] = {};
  const char* number = strsep(&line, "\t");
  const char* limit = line != nullptr ? strsep(&line, "\t") : "0";
  int count = 0;
  while (line != nullptr && count < kMostArguments) arguments[count++] = strsep(&line, "\t");
  return count == 0 || run_test(atoi(number), atol(limit), arguments);
}

void prepare() {
  kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  write_text("/proc/sys/vm/nr_hugepages", "8\n");  // now, before memory is in pieces
  write_text("/proc/sys/kernel/printk_devkmsg", "on\n");
  write_text("/sys/kernel/mm/transparent_hugepage/enabled", "madvise\n");
  load_modules();
  set_up_swap();
  bring_up_loopback();
  mkdir(kWork, 0777);
}

}  // namespace

int main() {
  mount_all();
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  report_fd = open_port("/dev/ttyS1");
  if (report_fd < 0) report_fd = open_port("/dev/ttyS0");  // a kernel with one port: lines may mix
  char* plan = read_text("/drover/plan");
  if (const char* first = plan != nullptr ? strsep(&plan, "\n") : nullptr; first != nullptr) {
    snprintf(nonce, sizeof nonce, "%s", first);
  }
  prepare();
  drover::guest::report_features(report);
  report_kernel_log(-1);
  report("ready");
  bool healthy = true;
  while (healthy && plan != nullptr) healthy = run_line(strsep(&plan, "\n"));
  report("done");
  tcdrain(report_fd);
  reboot(RB_POWER_OFF);
  for (;;) pause();  // the first process must not end
}
