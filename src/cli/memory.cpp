// Memory limits of machine and cgroup; see memory.hpp.
#include "cli/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace drover::cli {
namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

/// The number in a file, or `otherwise` if there is none ("max", or no such file).
std::uint64_t number_in(const std::filesystem::path& file, std::uint64_t otherwise) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return in >> value ? value : otherwise;
}

std::uint64_t machine_leaves() {
  std::ifstream in("/proc/meminfo");
  for (std::string key, unit; in >> key;) {
    std::uint64_t kibibytes = 0;
    if (!(in >> kibibytes)) break;
    std::getline(in, unit);
    if (key == "MemAvailable:") return kibibytes * 1024;
  }
  return static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 2;
}

std::filesystem::path own_cgroup(const std::filesystem::path& top) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("0::/")) return top / line.substr(4);
  }
  return top;
}

}  // namespace

std::uint64_t cgroup_leaves(std::filesystem::path group, const std::filesystem::path& top) {
  std::uint64_t least = kNoLimit;
  for (;; group = group.parent_path()) {
    const std::uint64_t limit = number_in(group / "memory.max", kNoLimit);
    if (limit != kNoLimit) {
      least = std::min(least, limit - std::min(limit, number_in(group / "memory.current", 0)));
    }
    if (group == top || !group.has_relative_path()) return least;
  }
}

std::uint64_t available_memory() {
  const std::filesystem::path top = "/sys/fs/cgroup";
  return std::min(machine_leaves(), cgroup_leaves(own_cgroup(top), top));
}

}  // namespace drover::cli
