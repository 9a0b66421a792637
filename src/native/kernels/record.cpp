// kernel.json beside the image; flock for the lock.
#include "native/kernels/record.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>

namespace drover::kernels {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRecord = "kernel.json";

}  // namespace

bool valid_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-';
  });
}

std::optional<Kernel> read_record(const fs::path& folder) {
  std::ifstream in(folder / kRecord);
  if (!in) return std::nullopt;
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto text = [&](const char* key) { return json.value(key, std::string()); };
  Kernel kernel{.name = text("name"),
                .series = text("series"),
                .release = text("release"),
                .version = text("version"),
                .package = text("package"),
                .image = folder / "vmlinuz",
                .config = {},
                .modules = {}};
  if (fs::exists(folder / "config")) kernel.config = folder / "config";
  for (const auto& module : json.value("modules", std::vector<std::string>())) {
    kernel.modules.push_back(folder / "modules" / module);
    if (!fs::exists(kernel.modules.back())) return std::nullopt;
  }
  if (kernel.series.empty() || !fs::exists(kernel.image)) return std::nullopt;
  return kernel;
}

void write_record(const fs::path& folder, const Kernel& kernel) {
  std::vector<std::string> modules;
  for (const fs::path& module : kernel.modules) modules.push_back(module.filename().string());
  const nlohmann::json json = {{"name", kernel.name},       {"series", kernel.series},
                               {"release", kernel.release}, {"version", kernel.version},
                               {"package", kernel.package}, {"modules", modules}};
  std::ofstream out(folder / kRecord);
  out << json.dump(2) << '\n';
  out.close();
  if (!out)
    throw KernelError(fmt::format("cannot write to {}", folder.string()), "is the disk full?");
}

std::vector<std::string> suites_of(const std::string& series) {
  if (series == "5.10") return {"bullseye", "bullseye-security"};
  if (series == "6.1") return {"bookworm", "bookworm-updates", "bookworm-security"};
  if (series == "6.12")
    return {"trixie", "trixie-updates", "trixie-security", "bookworm-backports"};
  return {"sid", "trixie-backports"};
}

Lock::Lock(const fs::path& file, StopFlag stop)
    : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_.get() < 0) {
    throw KernelError(fmt::format("cannot write to {}", file.parent_path().string()),
                      "choose another folder with --kernel-cache");
  }
  while (flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (stopped(stop)) throw KernelError("stopped", "");
    usleep(100'000);
  }
}

}  // namespace drover::kernels
