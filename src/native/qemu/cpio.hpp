// Writing an initramfs: a cpio archive in the "newc" format that the kernel unpacks
// (Documentation/driver-api/early-userspace/buffer-format.rst). Nothing is compressed.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace drover::qemu {

class CpioWriter {
 public:
  /// Throws std::system_error, as all members do, if the file cannot be written.
  explicit CpioWriter(const std::filesystem::path& archive);
  void folder(std::string_view name, mode_t permissions = 0755);
  void file(std::string_view name, std::string_view contents, mode_t permissions = 0644);
  /// A copy of a file of this machine.
  void copy(std::string_view name, const std::filesystem::path& from, mode_t permissions = 0644);
  /// A character device, for the console that the kernel opens before devtmpfs is mounted.
  void device(std::string_view name, unsigned major, unsigned minor, mode_t permissions = 0600);
  void finish();

 private:
  void header(std::string_view name, mode_t mode, std::uint64_t size, unsigned major = 0,
              unsigned minor = 0);
  void write(std::string_view bytes);
  void pad();

  std::ofstream out_;
  std::filesystem::path path_;
  std::uint64_t written_ = 0;
  unsigned next_inode_ = 1;
};

}  // namespace drover::qemu
