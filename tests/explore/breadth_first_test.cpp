// The breadth-first search against the naive search, its marks, visitors and limits.
#include "explore/breadth_first.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "models/mutual_exclusion.hpp"
#include "models/naive.hpp"
#include "models/philosophers.hpp"
#include "models/small.hpp"
#include "models/stored.hpp"

namespace drover::explore {
namespace {

using models::Chain;
using models::RandomGraph;

template <Model M>
void expect_as_naive(M model) {
  const models::NaiveResult expected = models::naive_search(model);
  StateStore store(model.state_bytes());
  const SearchResult result = breadth_first(model, store);
  ASSERT_TRUE(result.complete());
  EXPECT_EQ(result.states(), expected.steps.size());
  EXPECT_EQ(result.transitions, expected.transitions);
  EXPECT_EQ(result.terminals, expected.terminals);
  ASSERT_EQ(result.level_count(), expected.level_sizes.size());
  for (StateIndex index = 0; index < store.size(); ++index) {
    const auto found = expected.steps.find(models::characters(models::stored(store, index)));
    ASSERT_NE(found, expected.steps.end());
    ASSERT_EQ(result.level_of(index), found->second);
  }
}

TEST(BreadthFirst, AgreesWithNaiveSearchOnToys) {
  expect_as_naive(models::Peterson());
  expect_as_naive(models::FilterLock<2>());
  expect_as_naive(models::FilterLock<3>());
  expect_as_naive(models::FilterLock<3, true>());
  expect_as_naive(models::Philosophers<5>());
  expect_as_naive(models::Spin(true));
  expect_as_naive(Chain(1000, 3));
}

TEST(BreadthFirst, AgreesWithNaiveSearchOnRandomGraphs) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    expect_as_naive(RandomGraph(seed, 20 + seed, 40 + 2 * seed, 3, seed));
  }
}

/// Every mark has all its occurrences after the fewest steps, and no others.
TEST(BreadthFirst, MarksHaveAllShallowestOccurrences) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomGraph graph(seed, 40, 70, 3, seed);
    const models::NaiveResult naive = models::naive_search(graph);
    StateStore store(graph.state_bytes());
    const SearchResult result = breadth_first(graph, store);
    for (unsigned bit = 0; bit < 5; ++bit) {
      const Marks mark = 1U << bit;
      std::map<std::uint32_t, std::set<std::tuple<std::uint32_t, unsigned, unsigned>>> moves;
      std::map<std::uint32_t, std::set<std::uint32_t>> ends;
      for (const auto& [bytes, steps] : naive.steps) {
        const auto* state = reinterpret_cast<const std::byte*>(bytes.data());
        const auto node = models::read<std::uint32_t>(state);
        for (const RandomGraph::Edge& edge : graph.edges(node)) {
          if (edge.marks & mark)
            moves[steps + 1].insert({node, edge.action.actor, edge.action.choice});
        }
        if (graph.edges(node).empty() && (graph.terminal(state) & mark)) {
          ends[steps].insert(node);
        }
      }
      const Sighting& sighting = result.marks[bit];
      ASSERT_EQ(sighting.seen(), !moves.empty() || !ends.empty());
      if (!sighting.seen()) continue;
      const std::uint32_t first = std::min(moves.empty() ? Sighting::kNever : moves.begin()->first,
                                           ends.empty() ? Sighting::kNever : ends.begin()->first);
      ASSERT_EQ(sighting.steps, first);
      std::set<std::tuple<std::uint32_t, unsigned, unsigned>> seen_moves;
      for (const TransitionRef& move : sighting.transitions) {
        seen_moves.insert({models::read<std::uint32_t>(models::stored(store, move.source).data()),
                           move.action.actor, move.action.choice});
      }
      std::set<std::uint32_t> seen_ends;
      for (const StateIndex end : sighting.terminals) {
        seen_ends.insert(models::read<std::uint32_t>(models::stored(store, end).data()));
      }
      EXPECT_EQ(seen_moves, moves[first]);
      EXPECT_EQ(seen_ends, ends[first]);
    }
  }
}

/// A mark that a transition into a deeper level shows first gives way to a terminal state found
/// later in the same level, which is one step nearer; at the same number of steps both are kept.
class SameMark {
 public:
  // 0 -> 1 -> 3, 0 -> 2; the transition 1 -> 3 has the mark, and the terminal states 2 or 3 have
  // it.
  explicit SameMark(std::uint8_t terminal) : terminal_(terminal) {}
  std::size_t state_bytes() const { return 1; }
  void initial(std::byte* out) const { *out = std::byte{0}; }
  template <class Emit>
  void expand(const std::byte* state, Emit&& emit) {
    const auto to = [&](std::uint8_t next, unsigned actor, Marks marks) {
      emit(Transition{models::bytes_of(next), models::action(actor), marks});
    };
    if (*state == std::byte{0}) {
      to(1, 0, 0);
      to(2, 1, 0);
    }
    if (*state == std::byte{1}) to(3, 0, 1);
  }
  Marks terminal(const std::byte* state) { return *state == std::byte{terminal_} ? 1 : 0; }

 private:
  std::uint8_t terminal_;
};

TEST(BreadthFirst, NearerTerminalReplacesMarkedTransition) {
  SameMark model(2);
  StateStore store(1);
  const SearchResult result = breadth_first(model, store);
  EXPECT_EQ(result.marks[0].steps, 1U);
  EXPECT_TRUE(result.marks[0].transitions.empty());
  EXPECT_EQ(result.marks[0].terminals.size(), 1U);
}

TEST(BreadthFirst, TransitionAndTerminalAfterEquallyManySteps) {
  SameMark model(3);
  StateStore store(1);
  const SearchResult result = breadth_first(model, store);
  EXPECT_EQ(result.marks[0].steps, 2U);
  EXPECT_EQ(result.marks[0].transitions.size(), 1U);
  EXPECT_EQ(result.marks[0].terminals.size(), 1U);
}

TEST(BreadthFirst, VisitsEveryTerminalStateOnce) {
  RandomGraph graph(7, 500, 700, 2, 7);
  StateStore store(graph.state_bytes());
  std::vector<StateIndex> visited;
  const SearchResult result =
      breadth_first(graph, store, {}, [&](unsigned, StateIndex index, StateBytes bytes) {
        EXPECT_EQ(bytes.size(), store.state_bytes());
        EXPECT_TRUE(graph.edges(models::read<std::uint32_t>(bytes.data())).empty());
        visited.push_back(index);
      });
  EXPECT_GT(visited.size(), 10U);
  EXPECT_EQ(visited.size(), result.terminals);
  EXPECT_TRUE(std::is_sorted(visited.begin(), visited.end()));
  EXPECT_EQ(std::set<StateIndex>(visited.begin(), visited.end()).size(), visited.size());
}

TEST(BreadthFirst, InitialStateMayBeTerminal) {
  Chain chain(0, 5);
  StateStore store(5);
  const SearchResult result = breadth_first(chain, store);
  EXPECT_TRUE(result.complete());
  EXPECT_EQ(result.states(), 1U);
  EXPECT_EQ(result.level_count(), 1U);
  EXPECT_EQ(result.terminals, 1U);
  EXPECT_EQ(result.marks[1].steps, 0U);
}

struct Loop {
  std::size_t state_bytes() const { return 1; }
  void initial(std::byte* out) const { *out = std::byte{0}; }
  template <class Emit>
  void expand(const std::byte* state, Emit&& emit) {
    emit(Transition{StateBytes(state, 1), {}, 0, true});
  }
  Marks terminal(const std::byte*) { return 1; }
};

TEST(BreadthFirst, SelfLoopIsASuccessor) {
  Loop loop;
  StateStore store(1);
  const SearchResult result = breadth_first(loop, store);
  EXPECT_EQ(result.states(), 1U);
  EXPECT_EQ(result.transitions, 1U);
  EXPECT_EQ(result.terminals, 0U);
  EXPECT_TRUE(result.backward);
}

TEST(BreadthFirst, StoreIsReusable) {
  StateStore store(8);
  for (const std::uint64_t length : {5U, 100'000U, 3U}) {
    Chain chain(length, 8);
    EXPECT_EQ(breadth_first(chain, store).states(), length + 1);
  }
}

TEST(Limits, StateLimitIsExact) {
  Chain chain(999, 8);
  StateStore store(8);
  SearchOptions options;
  options.state_limit = 1000;
  EXPECT_TRUE(breadth_first(chain, store, options).complete());
  options.state_limit = 999;
  const SearchResult result = breadth_first(chain, store, options);
  EXPECT_EQ(result.incomplete, Incomplete::states);
  EXPECT_EQ(result.states(), 999U);
  EXPECT_EQ(result.terminals, 0U);
  options.state_limit = 0;
  EXPECT_EQ(breadth_first(chain, store, options).incomplete, Incomplete::states);
}

TEST(Limits, MemoryLimitEndsTruthfullyAndStatesRemain) {
  models::FilterLock<4> lock;
  StateStore store(lock.state_bytes());
  const SearchResult whole = breadth_first(lock, store);
  ASSERT_GT(whole.states(), 1000U);
  SearchOptions options;
  options.memory_limit = 60'000;
  const SearchResult part = breadth_first(lock, store, options);
  EXPECT_EQ(part.incomplete, Incomplete::memory);
  EXPECT_LT(part.states(), whole.states());
  EXPECT_LE(store.bytes_used(), options.memory_limit);
  // The complete levels are those of the whole search.
  for (std::size_t level = 0; level + 1 < part.levels.size(); ++level) {
    EXPECT_EQ(part.levels[level], whole.levels[level]);
  }
  EXPECT_EQ(breadth_first(lock, store).states(), whole.states());
}

TEST(Limits, TimeLimit) {
  Chain chain(std::uint64_t{1} << 60, 8);
  StateStore store(8);
  SearchOptions options;
  options.time_limit = 0.02;
  const SearchResult result = breadth_first(chain, store, options);
  EXPECT_EQ(result.incomplete, Incomplete::time);
  EXPECT_GE(result.seconds, 0.02);
  EXPECT_GT(result.states(), 1U);
  options.time_limit = 0;
  EXPECT_EQ(breadth_first(chain, store, options).states(), 1U);
}

TEST(Limits, StopFlagAndProgress) {
  Chain chain(std::uint64_t{1} << 60, 8);
  StateStore store(8);
  std::atomic<bool> stop = false;
  std::vector<Progress> reports;
  SearchOptions options;
  options.stop = &stop;
  options.progress_interval = 0;
  options.progress = [&](const Progress& progress) {
    reports.push_back(progress);
    stop = reports.size() == 5;
  };
  const SearchResult result = breadth_first(chain, store, options);
  EXPECT_EQ(result.incomplete, Incomplete::interrupted);
  ASSERT_EQ(reports.size(), 5U);
  for (std::size_t at = 1; at < reports.size(); ++at) {
    EXPECT_EQ(reports[at].states, reports[at - 1].states + Watch::kExpansionsBetweenLooks);
    EXPECT_EQ(reports[at].depth + 1, reports[at].states);  // a chain has one state a level
    EXPECT_EQ(reports[at].frontier, 1U);
    EXPECT_GE(reports[at].seconds, reports[at - 1].seconds);
    EXPECT_GT(reports[at].memory, reports[at - 1].memory);
  }
}

TEST(Limits, StopFlagSetBeforehandExpandsNothing) {
  Chain chain(10, 8);
  StateStore store(8);
  const std::atomic<bool> stop = true;
  SearchOptions options;
  options.stop = &stop;
  const SearchResult result = breadth_first(chain, store, options);
  EXPECT_EQ(result.incomplete, Incomplete::interrupted);
  EXPECT_EQ(result.transitions, 0U);
}

}  // namespace
}  // namespace drover::explore
