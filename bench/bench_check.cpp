// Whole checks: the suite over all designs, one typical test, and a scenario of a million states.
// Rates are states per second of CPU time; the search engine alone is measured in bench_explore.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace {

using namespace drover;

using tests::load;
using tests::registry;
using tests::suite;

void report(benchmark::State& state, std::uint64_t states) {
  state.counters["states"] = static_cast<double>(states);
  state.counters["states/s"] = benchmark::Counter(static_cast<double>(states),
                                                  benchmark::Counter::kIsIterationInvariantRate);
}

void SuiteOverAllDesigns(benchmark::State& state) {
  const auto programs = suite();
  std::uint64_t states = 0;
  for (auto _ : state) {
    states = 0;
    for (const auto& program : programs) {
      for (const auto& design : registry().designs())
        states += verdict::check(program, design).states;
    }
  }
  report(state, states);
  state.counters["cells"] = static_cast<double>(programs.size() * registry().designs().size());
}
BENCHMARK(SuiteOverAllDesigns)->Unit(benchmark::kMillisecond);

void check_under(benchmark::State& state, const char* file, const char* design) {
  const litmus::Program program = load(file);
  verdict::CheckResult result;
  for (auto _ : state) result = verdict::check(program, *registry().find(design));
  report(state, result.states);
  state.counters["bytes/state"] =
      static_cast<double>(result.memory) / static_cast<double>(result.states);
}

void ForkOfAPinnedPage(benchmark::State& state) {
  check_under(state, "litmus/seeds/rdma-fork-parent-writes.litmus", "linux-7.2");
}
BENCHMARK(ForkOfAPinnedPage)->Unit(benchmark::kMicrosecond);

void ThreeProcessesOfTwoThreads(benchmark::State& state) {
  check_under(state, "bench/scenarios/three-processes.litmus", "linux-4.18");
}
BENCHMARK(ThreeProcessesOfTwoThreads)->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(3);

}  // namespace

BENCHMARK_MAIN();
