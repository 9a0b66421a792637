// Signal handlers; see stop.hpp.
#include "cli/stop.hpp"

#include <csignal>
#include <cstdint>
#include <ctime>

namespace drover::cli {
namespace {

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

std::atomic<std::int64_t> first_signal{0};  // milliseconds, 0: none yet
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "set by a signal handler");

std::int64_t now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000 + 1;
}

// The second signal ends the program at once. Not one that comes with the first: timeout(1) signals
// the program and then its process group.
extern "C" void on_signal(int number) {
  std::int64_t first = 0;
  if (first_signal.compare_exchange_strong(first, now())) {
    stop_flag.store(true);
  } else if (now() - first > 500) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop_flag;
}

}  // namespace drover::cli
