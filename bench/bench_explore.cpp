// Speed and memory of the exhaustive search on the toy systems of tests/explore/models. The counts
// are checked, so that a fast wrong search is no result. peers.sh compares with SPIN and Rumur.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "explore/witness.hpp"
#include "models/german.hpp"
#include "models/leader.hpp"
#include "models/peterson.hpp"
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
  bench.counters["transitions"] = static_cast<double>(result.transitions);
  bench.counters["states/s"] =
      benchmark::Counter(states, benchmark::Counter::kIsIterationInvariantRate);
  bench.counters["transitions/s"] = benchmark::Counter(
      static_cast<double>(result.transitions), benchmark::Counter::kIsIterationInvariantRate);
  bench.counters["bytes/state"] = static_cast<double>(store.bytes_used()) / states;
  bench.counters["peak_MiB"] = peak_mebibytes();
}

/// One model, on one or more threads, with its properties checked on every transition: the marks
/// seen must be `kMarks`. The states stay stored level by level, which is all a witness needs. Each
/// round maps and returns its memory anew.
template <class M, std::uint64_t kStates, Marks kMarks = 0>
void exhaustive(benchmark::State& bench, unsigned threads) {
  M model;
  StateStore store(model.state_bytes());
  SearchOptions options;
  options.threads = threads;
  SearchResult result;
  for (auto round : bench) {
    result = breadth_first(model, store, options);
    if (result.states() != kStates) bench.SkipWithError("wrong number of states");
    Marks seen = 0;
    for (std::size_t bit = 0; bit < result.marks.size(); ++bit) {
      if (result.marks[bit].seen()) seen |= Marks{1} << bit;
    }
    if (seen != kMarks) bench.SkipWithError("a property is violated");
  }
  report(bench, result, store);
}

/// As "german/4" on one thread and "german/4/threads:2" on two, whose CPU time is that of both.
/// peers.sh asks for them by these names.
void enroll(const std::string& name, void (*run)(benchmark::State&, unsigned),
            benchmark::IterationCount iterations = 0) {
  const auto timed = [&](unsigned threads) {
    auto* entry = benchmark::RegisterBenchmark(
        (threads == 1 ? name : name + "/threads:" + std::to_string(threads)).c_str(),
        [run, threads](benchmark::State& bench) { run(bench, threads); });
    entry->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
    if (iterations != 0) entry->Iterations(iterations);
  };
  timed(1);
  timed(2);
}

[[maybe_unused]] const bool enrolled = [] {
  enroll("german/4", exhaustive<models::German<4>, 1'105'435>);
  enroll("german/5", exhaustive<models::German<5>, 22'031'029>, 1);
  enroll("peterson/5", exhaustive<models::PetersonLock<5>, 2'624'910>);
  enroll("leader/10", exhaustive<models::Leader<10>, 3'245'400, models::Leader<10>::kElected>);
  return true;
}();

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
