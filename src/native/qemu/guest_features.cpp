// Each feature is tried, not looked up in a configuration.
#include "native/qemu/guest_features.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace drover::guest {
namespace {

constexpr std::size_t kPage = 4096;

bool can_open(const char* file, int flags) {
  const int fd = open(file, flags | O_CLOEXEC);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

bool has_io_uring() {
  char parameters[120] = {};  // struct io_uring_params
  const long fd = syscall(SYS_io_uring_setup, 1, parameters);
  if (fd >= 0) close(static_cast<int>(fd));
  return fd >= 0;
}

std::uint64_t pagemap_entry(const void* address) {
  std::uint64_t entry = 0;
  const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const auto at = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(address) / kPage * 8);
  if (fd < 0 || pread(fd, &entry, sizeof entry, at) != sizeof entry) entry = 0;
  if (fd >= 0) close(fd);
  return entry;
}

bool clear_soft_dirty() {
  const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  const bool done = fd >= 0 && write(fd, "4", 1) == 1;
  if (fd >= 0) close(fd);
  return done;
}

void report_pagemap(void (*report)(const char*, ...)) {
  constexpr std::uint64_t kFrame = (1ULL << 55) - 1, kSoftDirty = 1ULL << 55;
  void* memory = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  auto* page = static_cast<volatile char*>(memory);
  *page = 1;
  report("feature pagemap %s", (pagemap_entry(memory) & kFrame) != 0 ? "yes" : "no");
  // Where it is configured out, writing 4 succeeds and does nothing: the bit must go and come back.
  const bool cleared = clear_soft_dirty() && (pagemap_entry(memory) & kSoftDirty) == 0;
  *page = 2;
  const bool set = (pagemap_entry(memory) & kSoftDirty) != 0;
  report("feature soft_dirty %s", cleared && set ? "yes" : "no");
  constexpr int kPageOut = 21;  // MADV_PAGEOUT
  constexpr std::uint64_t kSwapped = 1ULL << 62;
  const bool out = madvise(memory, kPage, kPageOut) == 0 && (pagemap_entry(memory) & kSwapped) != 0;
  report("feature swap %s", out && *page == 2 ? "yes" : "no");
  munmap(memory, kPage);
}

bool has_userfaultfd_wp() {
  const long fd = syscall(SYS_userfaultfd, O_CLOEXEC);
  if (fd >= 0) close(static_cast<int>(fd));
  return fd >= 0;
}

bool has_hugetlb() {
  constexpr std::size_t kHuge = 2UL << 20;
  void* memory = mmap(nullptr, kHuge, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  if (memory == MAP_FAILED) return false;
  munmap(memory, kHuge);
  return true;
}

bool has_huge_pages() {
  constexpr std::size_t kHuge = 2UL << 20;
  void* memory =
      mmap(nullptr, 2 * kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  const auto start = (reinterpret_cast<std::uintptr_t>(memory) + kHuge - 1) / kHuge * kHuge;
  auto* huge = reinterpret_cast<volatile char*>(start);
  bool same = madvise(reinterpret_cast<void*>(start), kHuge, MADV_HUGEPAGE) == 0;
  *huge = 1;
  char line[256];
  bool found = false;
  FILE* map = fopen("/proc/self/smaps", "re");
  while (map != nullptr && fgets(line, sizeof line, map) != nullptr) {
    found = found || (strncmp(line, "AnonHugePages:", 14) == 0 && atol(line + 14) >= 2048);
  }
  if (map != nullptr) fclose(map);
  munmap(memory, 2 * kHuge);
  return same && found;
}

bool has_xdp_sockets() {
  constexpr int kXdp = 44;  // AF_XDP
  const int fd = socket(kXdp, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

int count_nodes() {
  int count = 0;
  DIR* nodes = opendir("/sys/devices/system/node");
  if (nodes == nullptr) return 1;
  while (const dirent* entry = readdir(nodes)) {
    if (strncmp(entry->d_name, "node", 4) == 0) ++count;
  }
  closedir(nodes);
  return count;
}

}  // namespace

void report_features(void (*report)(const char* format, ...)) {
  const auto say = [report](const char* name, bool has) {
    report("feature %s %s", name, has ? "yes" : "no");
  };
  utsname name{};
  uname(&name);
  report("kernel %s %s", name.release, name.version);
  say("io_uring", has_io_uring());
  say("loop", can_open("/dev/loop-control", O_RDWR));
  say("fuse", can_open("/dev/fuse", O_RDWR));
  report_pagemap(report);
  say("ksm", access("/sys/kernel/mm/ksm/run", W_OK) == 0);
  say("userfaultfd", has_userfaultfd_wp());
  say("thp", has_huge_pages());
  say("hugetlb", has_hugetlb());
  say("af_xdp", has_xdp_sockets());
  say("soft_roce", access("/sys/module/rdma_rxe", F_OK) == 0);
  say("gup_test", access("/sys/kernel/debug/gup_test", F_OK) == 0);
  report("feature cpus %ld", sysconf(_SC_NPROCESSORS_ONLN));
  report("feature nodes %d", count_nodes());
}

}  // namespace drover::guest
