// Reading .modinfo without an ELF reader: its entries are NUL-terminated "key=value" strings, and a
// NUL precedes each one.
#include "native/kernels/modules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "native/kernels/kernel.hpp"
#include "native/kernels/process.hpp"

namespace drover::kernels {
namespace fs = std::filesystem;
namespace {

std::string module_name(std::string_view file) {
  std::string name(file.substr(0, file.find(".ko")));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::vector<std::string> split_names(std::string_view text, char separator) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) names.push_back(module_name(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

// The values of all entries that start with `key`.
std::vector<std::string_view> entries(std::string_view contents, std::string_view key) {
  std::vector<std::string_view> found;
  const std::string pattern = '\0' + std::string(key);
  for (std::size_t at = contents.find(pattern); at != std::string_view::npos;
       at = contents.find(pattern, at + 1)) {
    const std::string_view value = contents.substr(at + pattern.size());
    found.push_back(value.substr(0, value.find('\0')));
  }
  return found;
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) throw KernelError(fmt::format("cannot read {}", file.string()), "");
  return text;
}

std::string read_module(const fs::path& file) {
  const std::string extension = file.extension().string();
  const std::map<std::string, std::pair<const char*, const char*>> tools = {
      {".xz", {"xz", "xz-utils"}}, {".zst", {"zstd", "zstd"}}, {".gz", {"gzip", "gzip"}}};
  const auto tool = tools.find(extension);
  if (tool == tools.end()) return read_file(file);
  const auto [program, package] = tool->second;
  const std::string hint = fmt::format("apt install {}", package);
  try {
    Finished done =
        run({.argv = {program, "-dc", file.string()}}, nullptr, std::chrono::seconds(60));
    if (done.status.success() && !done.out.empty()) return std::move(done.out);
    throw KernelError(fmt::format("{} cannot uncompress {}", program, file.filename().string()),
                      hint);
  } catch (const std::system_error& error) {
    throw KernelError(fmt::format("cannot run {}: {}", program, error.code().message()), hint);
  }
}

class Collector {
 public:
  Collector(const fs::path& from, const fs::path& to) : to_(to) {
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
      const std::string file = entry.path().filename().string();
      if (entry.is_regular_file() && file.find(".ko") != std::string::npos) {
        files_.emplace(module_name(file), entry.path());
      }
    }
  }

  void add(const std::string& name) {
    const auto file = files_.find(name);
    if (file == files_.end() || !seen_.insert(name).second) return;
    const std::string contents = read_module(file->second);
    for (const std::string& other : module_dependencies(contents)) add(other);
    const fs::path copy = to_ / (name + ".ko");
    std::ofstream out(copy, std::ios::binary);
    out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    out.close();
    if (!out) {
      throw KernelError(fmt::format("cannot write {}", copy.string()), "is the disk full?");
    }
    order_.push_back(copy);
  }

  std::vector<fs::path> order() && { return std::move(order_); }

 private:
  fs::path to_;
  std::map<std::string, fs::path> files_;
  std::set<std::string> seen_;
  std::vector<fs::path> order_;
};

}  // namespace

std::vector<std::string> module_dependencies(std::string_view contents) {
  std::vector<std::string> all;
  for (const std::string_view value : entries(contents, "depends=")) {
    for (std::string& name : split_names(value, ',')) all.push_back(std::move(name));
  }
  constexpr std::string_view kPre = "softdep=pre:";
  for (const std::string_view value : entries(contents, kPre)) {
    for (std::string& name : split_names(value.substr(0, value.find("post:")), ' ')) {
      all.push_back(std::move(name));
    }
  }
  return all;
}

std::vector<std::string> wanted_modules(bool rdma) {
  // The compressors come before zram, which asks for its default one by alias, not as a dependency.
  std::vector<std::string> names = {"lzo_rle", "lz4", "zram", "loop", "fuse", "veth"};
  if (rdma) {
    // 7.2 has a part of ib_uverbs apart; it is a dependency there.
    for (const char* name : {"rdma_rxe", "ib_uverbs", "rdma_ucm"}) names.emplace_back(name);
  }
  return names;
}

std::vector<fs::path> collect_modules(const fs::path& from, const fs::path& to,
                                      const std::vector<std::string>& wanted) {
  Collector collector(from, to);
  for (const std::string& name : wanted) collector.add(name);
  return std::move(collector).order();
}

}  // namespace drover::kernels
