// Speed and memory of the exhaustive search on the toy systems of tests/explore/models. The counts
// are checked, so that a fast wrong search is no result. peers.sh compares with SPIN.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdint>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "explore/witness.hpp"
#include "models/german.hpp"
#include "models/mutual_exclusion.hpp"
#include "models/philosophers.hpp"

namespace drover::explore {
namespace {

/// Peak resident size of this process, in MiB.
double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void report(benchmark::State& bench, const SearchResult& result, const StateStore& store) {
  const auto states = static_cast<double>(result.states());
  bench.counters["states"] = states;
  bench.counters["states/s"] =
      benchmark::Counter(states, benchmark::Counter::kIsIterationInvariantRate);
  bench.counters["transitions/s"] = benchmark::Counter(
      static_cast<double>(result.transitions), benchmark::Counter::kIsIterationInvariantRate);
  bench.counters["bytes/state"] = static_cast<double>(store.bytes_used()) / states;
  bench.counters["peak_MiB"] = peak_mebibytes();
}

/// German's protocol with both invariants checked on every transition. The states stay stored level
/// by level, which is all a witness needs. Each round maps and returns its memory anew.
template <unsigned kCaches, std::uint64_t kStates>
void german(benchmark::State& bench) {
  models::German<kCaches> model;
  StateStore store(model.state_bytes());
  SearchResult result;
  for (auto round : bench) {
    result = breadth_first(model, store);
    if (result.states() != kStates) bench.SkipWithError("wrong number of states");
  }
  report(bench, result, store);
}
BENCHMARK(german<4, 1'105'435>)->Name("german/4")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(german<5, 22'031'029>)->Name("german/5")->Unit(benchmark::kMillisecond)->Iterations(1);

/// The same on two threads: the CPU time is that of both.
void german_two_threads(benchmark::State& bench) {
  models::German<4> model;
  StateStore store(model.state_bytes());
  SearchOptions options;
  options.threads = 2;
  SearchResult result;
  for (auto round : bench) {
    result = breadth_first(model, store, options);
    if (result.states() != 1'105'435) bench.SkipWithError("wrong number of states");
  }
  report(bench, result, store);
}
BENCHMARK(german_two_threads)
    ->Name("german/4/threads:2")
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

/// A run to the states of the deepest level: the dearest witness there is.
void german_witness(benchmark::State& bench) {
  models::German<4> model;
  StateStore store(model.state_bytes());
  const SearchResult result = breadth_first(model, store);
  Targets targets;
  targets.steps = result.level_count() - 1;
  for (StateIndex index = result.levels[targets.steps]; index < result.states(); ++index) {
    targets.states.push_back(index);
  }
  for (auto round : bench) {
    const auto run = witness(model, store, result, targets);
    if (!run || !replay(model, *run).faithful) bench.SkipWithError("no faithful witness");
  }
}
BENCHMARK(german_witness)->Name("german/4/witness")->Unit(benchmark::kMillisecond);

/// The second pass, on a system in which every state can end.
void livelock(benchmark::State& bench) {
  models::Philosophers<12> model;  // 39202 states
  StateStore store(model.state_bytes());
  const SearchResult result = breadth_first(model, store);
  for (auto round : bench) {
    if (find_livelock(model, store, result).found()) bench.SkipWithError("there is none");
  }
  bench.counters["states"] = static_cast<double>(result.states());
}
BENCHMARK(livelock)->Unit(benchmark::kMillisecond);

/// Many tiny searches in one store, as a litmus suite makes them: 14 states each.
void tiny_reused(benchmark::State& bench) {
  models::Philosophers<3> model;
  StateStore store(model.state_bytes());
  for (auto round : bench) benchmark::DoNotOptimize(breadth_first(model, store).states());
}
BENCHMARK(tiny_reused)->Unit(benchmark::kMicrosecond);

/// The same with a store of its own for each.
void tiny_fresh(benchmark::State& bench) {
  models::Philosophers<3> model;
  for (auto round : bench) {
    StateStore store(model.state_bytes());
    benchmark::DoNotOptimize(breadth_first(model, store).states());
  }
}
BENCHMARK(tiny_fresh)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace drover::explore

BENCHMARK_MAIN();
