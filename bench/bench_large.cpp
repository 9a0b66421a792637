// One exact search that fills memory: German's protocol with six caches, some 440 million states.
// Prints states, time, memory, and how long the longest shortest run takes to find afterwards.
// bench_large [THREADS [GIBIBYTES]]; by hand only, it takes minutes and up to 16 GiB.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "explore/breadth_first.hpp"
#include "explore/witness.hpp"
#include "models/german.hpp"

namespace {

using namespace drover::explore;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double peak_gibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1024.0 * 1024.0);
}

}  // namespace

int main(int argc, char** argv) {
  models::German<6> model;
  StateStore store(model.state_bytes());
  SearchOptions options;
  options.threads = argc > 1 ? static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10)) : 1U;
  const std::uint64_t gibibytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 16;
  options.memory_limit = gibibytes << 30U;
  options.progress_interval = 10;
  options.progress = [](const Progress& p) { fmt::print(stderr, "{} states\n", p.states); };
  const auto start = Clock::now();
  const SearchResult result = breadth_first(model, store, options);
  const double seconds = seconds_since(start);
  const auto states = static_cast<double>(result.states());
  fmt::print("{} states, {} transitions, {} levels, {}\n", result.states(), result.transitions,
             result.level_count(),
             result.incomplete == Incomplete::none ? "complete" : "INCOMPLETE");
  fmt::print("{} threads: {:.1f} s, {:.2f} M states/s; {:.1f} bytes/state, peak {:.2f} GiB\n",
             options.threads, seconds, states / seconds / 1e6,
             static_cast<double>(store.bytes_used()) / states, peak_gibibytes());
  if (result.incomplete != Incomplete::none) return 3;
  Targets targets;
  targets.steps = result.level_count() - 1;
  targets.states.push_back(result.levels[targets.steps]);
  const auto extraction = Clock::now();
  const auto run = witness(model, store, result, targets);
  const bool faithful = run && replay(model, *run).faithful;
  fmt::print("witness of {} steps in {:.1f} s: {}\n", targets.steps, seconds_since(extraction),
             faithful ? "faithful" : "WRONG");
  return faithful ? 0 : 1;
}
