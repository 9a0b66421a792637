// The lines that come out of the guest's second serial port, taken apart: what the first process
// says, and what tests print. Who asked for which test is guest.cpp.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drover::qemu {

/// One thing that happened in the guest.
struct GuestEvent {
  enum class Kind {
    kernel,   // text: uname -r and -v
    module,   // text: one that cannot be loaded, and why
    feature,  // text: "io_uring yes"
    ready,    // tests begin now
    begin,    // test
    line,     // test printed text
    log,      // text: a kernel message of level warning or worse, while test ran; -1: at boot
    end,      // test; ended and value say how
    stuck,    // processes of the last test cannot be killed: this boot is over
    done,     // all tests were run
  };
  enum class Ended { exit, signal, timeout };

  Kind kind;
  int test = -1;
  std::string text = {};
  Ended ended = Ended::exit;
  int value = 0;  // exit status or signal

  bool operator==(const GuestEvent&) const = default;
};

/// Cuts a stream of bytes into events. Lines of the first process start with "@" and the boot's
/// nonce; every other line belongs to the running test.
class StreamParser {
 public:
  StreamParser(std::string_view nonce, std::function<void(GuestEvent)> sink);
  /// Bytes as they arrive, cut anywhere.
  void feed(std::string_view bytes);
  /// The stream is over: an unfinished line of the running test counts.
  void finish();

 private:
  void take_line(std::string_view line);
  void take_own_line(std::string_view line);

  std::string mark_;
  std::function<void(GuestEvent)> sink_;
  std::string pending_;
  std::optional<std::string> held_;  // an empty line, which the first process puts before its own
  int test_ = -1;                    // that runs now
};

}  // namespace drover::qemu
