// One QEMU process: its command line, its two serial ports and its end. What runs in it is
// guest.cpp.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "native/qemu/guest.hpp"

namespace drover::qemu {

/// What to boot, and how.
struct MachineSetup {
  std::filesystem::path image;
  int initrd;  // an open file
  const GuestOptions* options;
  bool kvm = false;
};

/// The command line; the serial ports are the descriptors `console` and `results`.
[[nodiscard]] std::vector<std::string> qemu_arguments(const MachineSetup& setup, int console,
                                                      int results);

class Machine {
 public:
  /// Throws std::system_error if QEMU cannot be started.
  explicit Machine(const MachineSetup& setup);

  /// Waits for output at most as long as given, and appends it to console() and `results`.
  void wait(std::chrono::milliseconds patience, std::string& results);
  /// QEMU has ended and all of its output was taken.
  [[nodiscard]] bool over() const { return over_; }
  /// What the kernel printed, the last 64 KiB.
  [[nodiscard]] const std::string& console() const { return console_; }
  /// What QEMU itself complained of.
  [[nodiscard]] const std::string& complaints() const { return complaints_; }
  void kill() { child_->kill(); }

 private:
  kernels::Pipe console_pipe_, results_pipe_, complaints_pipe_;
  std::optional<kernels::Child> child_;
  std::string console_, complaints_;
  bool over_ = false;
};

/// The line of a panic in a kernel's console, or "".
[[nodiscard]] std::string panic_reason(const std::string& console);

/// The last `count` lines of a console that are not empty, without control characters.
[[nodiscard]] std::vector<std::string> last_lines(const std::string& console, std::size_t count);

}  // namespace drover::qemu
