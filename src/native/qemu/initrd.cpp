// The first process is built with the library and embedded by the assembler.
#include "native/qemu/initrd.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "native/qemu/cpio.hpp"

// clang-format off
asm(".pushsection .rodata\n"
    ".global drover_guest_init_begin\n"
    ".global drover_guest_init_end\n"
    "drover_guest_init_begin:\n"
    ".incbin \"" DROVER_GUEST_INIT "\"\n"
    "drover_guest_init_end:\n"
    ".byte 0\n"
    ".popsection\n");
// clang-format on
extern "C" {
extern const char drover_guest_init_begin[];
extern const char drover_guest_init_end[];
}

namespace drover::qemu {
namespace {

kernels::Fd open_nameless() {
  const kernels::TemporaryFolder folder("drover-guest-");
  const std::string name = (folder.path() / "initrd").string();
  kernels::Fd file(open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) throw std::system_error(errno, std::generic_category(), name);
  return file;
}

std::string program_path(std::size_t number) {
  return fmt::format("drover/test{}", number);
}

}  // namespace

std::string_view guest_init() {
  return {drover_guest_init_begin,
          static_cast<std::size_t>(drover_guest_init_end - drover_guest_init_begin)};
}

std::string make_plan(std::string_view nonce, std::span<const TestProgram> programs,
                      std::span<const std::size_t> which) {
  std::string plan = fmt::format("{}\n", nonce);
  for (const std::size_t number : which) {
    const TestProgram& program = programs[number];
    plan += fmt::format("{}\t{}\t/{}", number, program.timeout.count(), program_path(number));
    for (const std::string& argument : program.arguments) plan += "\t" + argument;
    plan += '\n';
  }
  return plan;
}

kernels::Fd make_initrd(const kernels::Kernel& kernel, std::string_view nonce,
                        std::span<const TestProgram> programs, std::span<const std::size_t> which) {
  kernels::Fd file = open_nameless();
  CpioWriter cpio(fmt::format("/dev/fd/{}", file.get()));
  for (const char* folder : {"dev", "proc", "sys", "tmp", "drover", "drover/modules.d"}) {
    cpio.folder(folder);
  }
  cpio.device("dev/console", 5, 1);
  cpio.device("dev/null", 1, 3, 0666);
  cpio.file("init", guest_init(), 0755);
  std::string modules;
  for (const std::filesystem::path& module : kernel.modules) {
    const std::string name = "drover/modules.d/" + module.filename().string();
    cpio.copy(name, module);
    modules += fmt::format("/{}\n", name);
  }
  cpio.file("drover/modules", modules);
  for (const std::size_t number : which) {
    cpio.copy(program_path(number), programs[number].binary, 0755);
  }
  cpio.file("drover/plan", make_plan(nonce, programs, which));
  cpio.finish();
  return file;
}

}  // namespace drover::qemu
