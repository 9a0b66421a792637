// Every field of a header is eight hexadecimal digits; names and contents are padded to four bytes.
#include "native/qemu/cpio.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

namespace drover::qemu {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), file.string());
}

}  // namespace

CpioWriter::CpioWriter(const std::filesystem::path& archive)
    : out_(archive, std::ios::binary | std::ios::trunc), path_(archive) {
  if (!out_) fail(path_);
}

void CpioWriter::write(std::string_view bytes) {
  errno = 0;
  out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out_) fail(path_);
  written_ += bytes.size();
}

void CpioWriter::pad() {
  write(std::string_view("\0\0\0", 3).substr(0, (4 - written_ % 4) % 4));
}

void CpioWriter::header(std::string_view name, mode_t mode, std::uint64_t size, unsigned major,
                        unsigned minor) {
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw std::system_error(EFBIG, std::generic_category(), std::string(name));
  }
  // inode, mode, uid, gid, links, mtime, size, device (2), device it is (2), name's size, checksum
  const std::array<std::uint64_t, 13> fields = {
      next_inode_++, mode, 0, 0, 1, 0, size, 0, 0, major, minor, name.size() + 1, 0};
  std::string text = "070701";
  for (const std::uint64_t field : fields) text += fmt::format("{:08x}", field);
  write(text);
  write(name);
  write(std::string_view("\0", 1));
  pad();
}

void CpioWriter::folder(std::string_view name, mode_t permissions) {
  header(name, S_IFDIR | permissions, 0);
}

void CpioWriter::file(std::string_view name, std::string_view contents, mode_t permissions) {
  header(name, S_IFREG | permissions, contents.size());
  write(contents);
  pad();
}

void CpioWriter::copy(std::string_view name, const std::filesystem::path& from,
                      mode_t permissions) {
  errno = 0;
  std::ifstream in(from, std::ios::binary);
  if (!in) fail(from);
  std::uint64_t left = std::filesystem::file_size(from);
  header(name, S_IFREG | permissions, left);
  std::array<char, 65536> buffer{};
  while (left > 0) {
    const std::size_t wanted =
        left < buffer.size() ? static_cast<std::size_t>(left) : buffer.size();
    in.read(buffer.data(), static_cast<std::streamsize>(wanted));
    if (!in) fail(from);
    write(std::string_view(buffer.data(), wanted));
    left -= wanted;
  }
  pad();
}

void CpioWriter::device(std::string_view name, unsigned major, unsigned minor, mode_t permissions) {
  header(name, S_IFCHR | permissions, 0, major, minor);
}

void CpioWriter::finish() {
  header("TRAILER!!!", 0, 0);
  errno = 0;
  out_.close();
  if (!out_) fail(path_);
}

}  // namespace drover::qemu
