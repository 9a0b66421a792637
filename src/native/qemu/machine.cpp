// The kernel's messages and the tests' results have a serial port each: a message cannot cut a
// result.
#include "native/qemu/machine.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>

namespace drover::qemu {
namespace {

constexpr std::size_t kConsoleKept = 64 << 10;

void keep_end(std::string& text) {
  if (text.size() > 2 * kConsoleKept) text.erase(0, text.size() - kConsoleKept);
}

}  // namespace

std::vector<std::string> qemu_arguments(const MachineSetup& setup, int console, int results) {
  const GuestOptions& o = *setup.options;
  // One translation thread for one CPU: with several, a guest panics at boot now and then.
  const std::string accelerator =
      setup.kvm ? "kvm" : fmt::format("tcg,thread={}", o.cpus > 1 ? "multi" : "single");
  // mem-merge: else the host's ksmd merges pages of the same test in guest and host.
  std::vector<std::string> arguments = {
      o.qemu, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-monitor",
      "none", "-machine", "pc,mem-merge=off", "-accel", accelerator, "-smp", fmt::to_string(o.cpus),
      "-m", fmt::to_string(o.memory_mib), "-kernel", setup.image.string(), "-initrd",
      fmt::format("/dev/fd/{}", setup.initrd),
      // Without a user's own words, an oops ends the boot: what runs after one proves nothing.
      "-append", fmt::format("console=ttyS0 quiet panic=-1 oops=panic {}", o.append)};
  if (setup.kvm) arguments.insert(arguments.end(), {"-cpu", "host"});
  for (const int port : {console, results}) {
    const std::string id = fmt::format("port{}", port);
    arguments.insert(arguments.end(),
                     {"-chardev", fmt::format("file,id={},path=/dev/fd/{}", id, port), "-serial",
                      "chardev:" + id});
  }
  const unsigned nodes = std::max(o.nodes, 1U);
  for (unsigned node = 0; nodes > 1 && node < nodes; ++node) {
    const unsigned share = o.memory_mib / nodes + (node == 0 ? o.memory_mib % nodes : 0);
    arguments.insert(
        arguments.end(),
        {"-object", fmt::format("memory-backend-ram,id=memory{},size={}M", node, share), "-numa",
         fmt::format("node,nodeid={0},memdev=memory{0}{1}", node,
                     node == 0 ? fmt::format(",cpus=0-{}", o.cpus - 1) : "")});
  }
  return arguments;
}

Machine::Machine(const MachineSetup& setup)
    : console_pipe_(kernels::make_pipe()),
      results_pipe_(kernels::make_pipe()),
      complaints_pipe_(kernels::make_pipe()) {
  const int console = console_pipe_.write.get(), results = results_pipe_.write.get();
  kernels::Command command{.argv = qemu_arguments(setup, console, results)};
  command.err = complaints_pipe_.write.get();
  command.inherited = {console, results, setup.initrd};
  child_.emplace(command);
  // Only QEMU may hold these ends: their closing tells that it has gone.
  console_pipe_.write.reset();
  results_pipe_.write.reset();
  complaints_pipe_.write.reset();
}

void Machine::wait(std::chrono::milliseconds patience, std::string& results) {
  const bool ended = child_->poll().has_value();
  std::array<pollfd, 3> fds{{{results_pipe_.read.get(), POLLIN, 0},
                             {console_pipe_.read.get(), POLLIN, 0},
                             {complaints_pipe_.read.get(), POLLIN, 0}}};
  if (!ended) poll(fds.data(), fds.size(), static_cast<int>(patience.count()));
  kernels::read_available(results_pipe_.read.get(), results);
  kernels::read_available(console_pipe_.read.get(), console_);
  kernels::read_available(complaints_pipe_.read.get(), complaints_);
  keep_end(console_);
  keep_end(complaints_);
  over_ = ended;
}

std::string panic_reason(const std::string& console) {
  for (const std::string_view mark : {"Kernel panic - not syncing", "BUG: ", "Oops: "}) {
    const std::size_t found = console.find(mark);
    if (found == std::string::npos) continue;
    std::string line = console.substr(found, console.find_first_of("\r\n", found) - found);
    return line;
  }
  return {};
}

std::vector<std::string> last_lines(const std::string& console, std::size_t count) {
  std::vector<std::string> lines;
  std::string line;
  const auto end_line = [&] {
    if (line.find_first_not_of(' ') != std::string::npos) lines.push_back(line);
    line.clear();
  };
  for (const char c : console) {
    if (c == '\n') {
      end_line();
    } else if (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) {
      line += c;
    }
  }
  end_line();
  if (lines.size() > count) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  }
  return lines;
}

}  // namespace drover::qemu
