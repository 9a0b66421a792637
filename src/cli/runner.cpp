// The thread pool of checks; see runner.hpp.
#include "cli/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/memory.hpp"
#include "cli/terminal.hpp"
#include "cli/usage_error.hpp"

namespace drover::cli {

namespace {

unsigned cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

verdict::CheckOptions check_options(const SearchFlags& flags, unsigned at_once,
                                    const std::atomic<bool>& stop) {
  verdict::CheckOptions options;
  options.granularity = flags.steps();
  if (flags.time_limit > 0) options.time_limit = flags.time_limit;
  options.threads = flags.threads > 0 ? flags.threads : 1;
  options.first = flags.first;
  options.reduction = !flags.no_reduction;
  options.symmetry = !flags.no_reduction && !flags.no_symmetry;
  options.audit = flags.audit;
  // A quarter stays free for what the store's count leaves out and for the other programs.
  options.memory_limit =
      flags.memory_limit > 0 ? flags.memory_limit : available_memory() / 4 * 3 / at_once;
  options.stop = &stop;
  if ((flags.walks > 0) + (flags.swarm > 0) + !flags.compact.empty() > 1) {
    throw UsageError("only one of --walks, --swarm and --compact");
  }
  if (flags.compact == "fingerprints") options.mode = verdict::Mode::fingerprints;
  if (flags.compact == "bitstate") options.mode = verdict::Mode::bitstate;
  if (flags.walks > 0) options.mode = verdict::Mode::walks;
  if (flags.swarm > 0) options.mode = verdict::Mode::swarm;
  options.runs = std::max(flags.walks, flags.swarm);
  options.seed = flags.seed;
  options.checkpoint.file = flags.checkpoint;
  options.checkpoint.every = flags.every;
  options.checkpoint.version = DROVER_VERSION;
  options.checkpoint.say = [](const std::string& text) {
    fmt::print(stderr, "drover: checkpoint: {}\n", text);
  };
  return options;
}

namespace {

using Clock = std::chrono::steady_clock;

/// What the threads share. Everything but `next` is guarded by `mutex`.
struct Shared {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable ready;
  std::vector<std::optional<verdict::CheckResult>> results;
  std::vector<std::size_t> order;            // of tasks: the longest first
  std::vector<explore::Progress> under_way;  // by thread
  std::size_t finished = 0;
};

verdict::CheckResult run_one(const Task& task, const verdict::CheckOptions& options) {
  verdict::CheckResult result;
  result.design = task.design->name;
  try {
    if (!options.stop->load()) return verdict::check(*task.program, *task.design, options);
    result.incomplete = explore::Incomplete::interrupted;
    result.incomplete_reason = "interrupted before it began";
  } catch (const std::exception& error) {  // memory, or a bug: never a verdict
    result.incomplete_reason = error.what();
  }
  return result;
}

void work(Shared& shared, std::span<const Task> tasks, verdict::CheckOptions options,
          std::size_t thread) {
  options.progress = [&shared, thread](const explore::Progress& progress) {
    const std::scoped_lock lock(shared.mutex);
    shared.under_way[thread] = progress;
  };
  explore::StateStore arena(1);
  options.arena = &arena;
  for (;;) {
    const std::size_t turn = shared.next++;
    if (turn >= tasks.size()) return;
    const std::size_t index = shared.order[turn];
    verdict::CheckResult result = run_one(tasks[index], options);
    const std::scoped_lock lock(shared.mutex);
    shared.results[index] = std::move(result);
    shared.under_way[thread] = {};
    ++shared.finished;
    shared.ready.notify_one();
  }
}

/// One line on stderr: rewritten in place on a terminal, else a line per report.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted)
      : terminal_(stderr_is_terminal()), wanted_(wanted || terminal_) {}

  void show(const Shared& shared, std::size_t tasks) {
    if (!wanted_) return;
    explore::Progress sum;
    for (const explore::Progress& one : shared.under_way) {
      sum.states += one.states;
      sum.transitions += one.transitions;
      sum.frontier += one.frontier;
      sum.memory += one.memory;
      sum.depth = std::max(sum.depth, one.depth);
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    const double since = seconds - seconds_;
    const double rate =
        sum.states >= states_ && since > 0 ? static_cast<double>(sum.states - states_) / since : 0;
    states_ = sum.states;
    seconds_ = seconds;
    std::string text = fmt::format(
        "{:.0f} s: {} states, {} transitions, {:.0f} states/s, frontier {}, depth {}, "
        "{} MiB",
        seconds, sum.states, sum.transitions, rate, sum.frontier, sum.depth, sum.memory >> 20U);
    if (tasks > 1) text = fmt::format("{} of {} checks done; {}", shared.finished, tasks, text);
    fmt::print(stderr, "{}{}{}", terminal_ ? "\r" : "", text, terminal_ ? "\033[K" : "\n");
    std::fflush(stderr);
    shown_ = true;
  }
  /// Makes room for other output.
  void clear() {
    if (terminal_ && shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  Clock::time_point begin_ = Clock::now();
  bool terminal_, wanted_, shown_ = false;
  std::uint64_t states_ = 0;  // at the last report
  double seconds_ = 0;
};

}  // namespace

namespace {

/// The tasks, those with the most interleavings of their statements first; only the order in which
/// they begin.
std::vector<std::size_t> longest_first(std::span<const Task> tasks) {
  std::vector<double> size;
  for (const Task& task : tasks) {
    double states = 1;
    for (const litmus::Actor& actor : task.program->actors) {
      states *= 1 + static_cast<double>(actor.kind == litmus::ActorKind::thread ? actor.code.size()
                                                                                : actor.bound);
    }
    size.push_back(states);
  }
  std::vector<std::size_t> order(tasks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size[a] > size[b]; });
  return order;
}

}  // namespace

void run_all(std::span<const Task> tasks, const SearchFlags& flags, const std::atomic<bool>& stop,
             const std::function<void(std::size_t, verdict::CheckResult)>& done) {
  constexpr auto kReportInterval = std::chrono::seconds(1);
  const unsigned share = std::max(1U, cores() / std::max(1U, flags.threads));
  const std::size_t threads =
      std::min<std::size_t>(flags.jobs > 0 ? flags.jobs : share, tasks.size());
  if (threads == 0) return;
  auto options = check_options(flags, static_cast<unsigned>(threads), stop);
  if (tasks.size() == 1 && flags.threads == 0) options.threads = cores();
  Shared shared;
  shared.results.resize(tasks.size());
  shared.under_way.resize(threads);
  shared.order = longest_first(tasks);
  std::vector<std::jthread> pool;
  for (std::size_t t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] { work(shared, tasks, options, t); });
  }
  ProgressLine progress(flags.progress);
  auto next_report = Clock::now() + kReportInterval;
  for (std::size_t index = 0; index < tasks.size(); ++index) {
    std::unique_lock lock(shared.mutex);
    while (!shared.results[index]) {
      shared.ready.wait_until(lock, next_report);
      if (Clock::now() < next_report) continue;
      progress.show(shared, tasks.size());
      next_report = Clock::now() + kReportInterval;
    }
    verdict::CheckResult result = std::move(*shared.results[index]);
    lock.unlock();
    progress.clear();
    done(index, std::move(result));
  }
}

}  // namespace drover::cli
