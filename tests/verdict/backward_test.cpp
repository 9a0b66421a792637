// The promise the livelock search relies on, that every cycle of the model has a transition that
// says it goes back: over the suite, walking from turning states finds what sweeping all states
// finds.
#include <gtest/gtest.h>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "machine/machine.hpp"
#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace drover::tests {
namespace {

/// Whether there were cycles to look at.
bool compare(const litmus::Program& program, const design::Design& design) {
  if (!verdict::unsupported_operation(program, design).empty()) return false;
  machine::Machine model(program, design.switches, machine::Granularity::fine);
  explore::StateStore store(model.state_bytes());
  explore::SearchOptions options;
  options.state_limit = 50'000;
  const explore::SearchResult result = explore::breadth_first(model, store, options);
  if (!result.complete() || !result.backward) return false;
  const auto walked = explore::find_livelock(model, store, result);
  const auto swept = explore::find_livelock_by_sweeping(model, store, result);
  EXPECT_EQ(walked.states, swept.states) << program.name << " under " << design.name;
  EXPECT_EQ(walked.level, swept.level) << program.name << " under " << design.name;
  return true;
}

TEST(Backward, WalksFindWhatSweepsFind) {
  unsigned compared = 0;
  for (const litmus::Program& program : suite()) {
    for (const char* name : {"linux-4.18", "linux-5.8", "linux-7.2"}) {
      if (compare(program, *registry().find(name))) ++compared;
    }
  }
  EXPECT_GT(compared, 10U);
}

}  // namespace
}  // namespace drover::tests
