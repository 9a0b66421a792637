// Livelocks: by hand, and on random graphs against a transitive closure.
#include "explore/livelock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "explore/breadth_first.hpp"
#include "models/mutual_exclusion.hpp"
#include "models/philosophers.hpp"
#include "models/small.hpp"
#include "models/stored.hpp"

namespace drover::explore {
namespace {

TEST(Livelock, ReaderSpinsOnAFlagNobodyRaises) {
  models::Spin spin(true);
  StateStore store(spin.state_bytes());
  const SearchResult result = breadth_first(spin, store);
  EXPECT_EQ(result.states(), 7U);  // 2 before the writer ends, 3 with and 2 without the flag
  EXPECT_EQ(result.terminals, 1U);
  const Livelock livelock = find_livelock(spin, store, result);
  ASSERT_EQ(livelock.states.size(), 1U);
  EXPECT_EQ(livelock.level, 1U);
  const auto state =
      models::read<models::Spin::State>(models::stored(store, livelock.states[0]).data());
  EXPECT_EQ(state.writer, 1);
  EXPECT_EQ(state.flag, 0);
  EXPECT_EQ(state.reader, 0);
}

TEST(Livelock, SpinningThatEndsIsNone) {
  models::Spin spin(false);
  StateStore store(spin.state_bytes());
  const SearchResult result = breadth_first(spin, store);
  EXPECT_EQ(result.states(), 5U);
  EXPECT_TRUE(result.backward);
  EXPECT_FALSE(find_livelock(spin, store, result).found());
}

TEST(Livelock, WithoutTerminalStatesTheInitialStateIsOne) {
  models::Peterson peterson;
  StateStore store(peterson.state_bytes());
  const SearchResult result = breadth_first(peterson, store);
  const Livelock livelock = find_livelock(peterson, store, result);
  EXPECT_EQ(livelock.level, 0U);
  EXPECT_EQ(livelock.states, std::vector<StateIndex>{0});
}

TEST(Livelock, ADeadlockIsAnEnd) {
  models::Philosophers<4> table;
  StateStore store(table.state_bytes());
  const SearchResult result = breadth_first(table, store);
  EXPECT_TRUE(result.backward);
  EXPECT_FALSE(find_livelock(table, store, result).found());
}

TEST(Livelock, NotLookedForWithoutBackwardTransitionsOrInAPartOfTheStates) {
  models::Chain chain(10, 8);
  StateStore store(8);
  EXPECT_FALSE(find_livelock(chain, store, breadth_first(chain, store)).found());

  models::Peterson peterson;
  StateStore some(peterson.state_bytes());
  SearchOptions options;
  options.state_limit = 10;
  const SearchResult part = breadth_first(peterson, some, options);
  EXPECT_FALSE(find_livelock(peterson, some, part).found());
}

TEST(Livelock, StopFlag) {
  models::Peterson peterson;
  StateStore store(peterson.state_bytes());
  const SearchResult result = breadth_first(peterson, store);
  const std::atomic<bool> stop = true;
  SearchOptions options;
  options.stop = &stop;
  const Livelock livelock = find_livelock(peterson, store, result, options);
  EXPECT_EQ(livelock.incomplete, Incomplete::interrupted);
  EXPECT_FALSE(livelock.found());
}

TEST(Livelock, AgreesWithTransitiveClosureOnRandomGraphs) {
  unsigned with = 0;
  unsigned without = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    models::RandomGraph graph(seed, 60, 90 + seed % 40, 2, seed);
    StateStore store(graph.state_bytes());
    const SearchResult result = breadth_first(graph, store);
    // reaches[a][b]: b is reachable from a, by Warshall's algorithm.
    std::vector<std::vector<bool>> reaches(graph.nodes(), std::vector<bool>(graph.nodes()));
    for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
      reaches[node][node] = true;
      for (const auto& edge : graph.edges(node)) reaches[node][edge.to] = true;
    }
    for (std::uint32_t via = 0; via < graph.nodes(); ++via) {
      for (std::uint32_t from = 0; from < graph.nodes(); ++from) {
        if (!reaches[from][via]) continue;
        for (std::uint32_t to = 0; to < graph.nodes(); ++to) {
          if (reaches[via][to]) reaches[from][to] = true;
        }
      }
    }
    std::vector<StateIndex> expected;
    std::uint32_t level = 0;
    for (StateIndex index = 0; index < store.size(); ++index) {
      const auto node = models::read<std::uint32_t>(models::stored(store, index).data());
      bool can_end = false;
      for (std::uint32_t end = 0; end < graph.nodes(); ++end) {
        can_end = can_end || (reaches[node][end] && graph.edges(end).empty());
      }
      if (can_end) continue;
      if (expected.empty()) level = result.level_of(index);
      if (result.level_of(index) == level) expected.push_back(index);
    }
    const Livelock livelock = find_livelock(graph, store, result);
    ASSERT_EQ(livelock.states, expected) << "seed " << seed;
    if (livelock.found()) {
      ASSERT_EQ(livelock.level, level);
    }
    ++(livelock.found() ? with : without);
  }
  EXPECT_GT(with, 20U);
  EXPECT_GT(without, 20U);
}

}  // namespace
}  // namespace drover::explore
