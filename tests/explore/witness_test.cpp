// Witness runs: known by hand, and on random graphs against the best of all shortest runs.
#include "explore/witness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "models/mutual_exclusion.hpp"
#include "models/philosophers.hpp"
#include "models/small.hpp"
#include "models/stored.hpp"

namespace drover::explore {
namespace {

using models::RandomGraph;
using models::Schedule;

std::vector<unsigned> actors(const Witness& run) {
  std::vector<unsigned> result;
  for (const Step& step : run) result.push_back(step.action.actor);
  return result;
}

/// The run to the first sightings of mark `bit`, checked by replay.
template <Model M>
Witness run_to(M model, unsigned bit) {
  StateStore store(model.state_bytes());
  const SearchResult result = breadth_first(model, store);
  EXPECT_TRUE(result.marks[bit].seen());
  const std::optional<Witness> run = witness(model, store, result, Targets::of(result.marks[bit]));
  if (!run) {
    ADD_FAILURE() << "no run";
    return {};
  }
  EXPECT_EQ(run->size(), result.marks[bit].steps);
  M fresh = model;
  const Replay replayed = replay(fresh, *run);
  EXPECT_TRUE(replayed.faithful) << "step " << replayed.step;
  EXPECT_EQ(replayed.step, run->size());
  return *run;
}

using Actors = std::vector<unsigned>;

TEST(Witness, IndependentActorsMoveOneAfterTheOther) {
  const Witness run = run_to(Schedule({2, 2, 0}, {}), 0);
  EXPECT_EQ(actors(run), (Actors{0, 0, 1, 1}));
  EXPECT_EQ(context_switches(run), 1U);
  EXPECT_EQ(actors(run_to(Schedule({1, 2, 2}, {}), 0)), (Actors{0, 1, 1, 2, 2}));
}

TEST(Witness, FewestSwitchesBeforeSmallestActions) {
  // The second step of 0 waits for the first of 1. Beginning with 0, the smaller actor, would cost
  // a second switch.
  const Witness run = run_to(Schedule({2, 2, 0}, {{0, 1, 1, 1}}), 0);
  EXPECT_EQ(actors(run), (Actors{1, 1, 0, 0}));
}

TEST(Witness, SwitchesThatCannotBeAvoided) {
  // 0's second step waits for 1's first, 1's second for 0's second: 0101 has three switches, 1001
  // two.
  const Witness run = run_to(Schedule({2, 2, 0}, {{0, 1, 1, 1}, {1, 1, 0, 2}}), 0);
  EXPECT_EQ(actors(run), (Actors{1, 0, 0, 1}));
  EXPECT_EQ(context_switches(run), 2U);
}

TEST(Witness, EndsWithAMarkedTransition) {
  const Witness run = run_to(Schedule({2, 2, 0}, {}), 2);  // actor 1 ends: two steps are enough
  EXPECT_EQ(actors(run), (Actors{1, 1}));
  EXPECT_EQ(run[0].marks, 0U);
  EXPECT_EQ(run[1].marks, 4U);
}

TEST(Witness, Deadlock) {
  // 0 and 1 wait for each other's first step; 2 does its one step.
  const Witness run = run_to(Schedule({1, 1, 1}, {{0, 0, 1, 1}, {1, 0, 0, 1}}), 0);
  EXPECT_EQ(actors(run), (Actors{2}));
  EXPECT_EQ(actors(run_to(models::Philosophers<5>(), 5)), (Actors{0, 1, 2, 3, 4}));
}

TEST(Witness, InitialStateNeedsNoStep) {
  EXPECT_TRUE(run_to(models::Chain(0, 8), 1).empty());
}

TEST(Witness, BrokenLockLetsTwoIn) {
  const Witness run = run_to(models::FilterLock<3, true>(), 0);
  const auto end = models::read<models::FilterLock<3, true>::State>(run.back().after.data());
  EXPECT_EQ(std::count(end.phase.begin(), end.phase.end(), 2), 2);
}

TEST(Witness, OfALivelock) {
  models::Spin spin(true);
  StateStore store(spin.state_bytes());
  const SearchResult result = breadth_first(spin, store);
  const Livelock livelock = find_livelock(spin, store, result);
  const auto run = witness(spin, store, result, {livelock.level, livelock.states, {}});
  ASSERT_TRUE(run.has_value());
  ASSERT_EQ(run->size(), 1U);
  EXPECT_EQ(run->front().action, models::action(0, 1));
}

TEST(Witness, AfterAnIncompleteSearch) {
  // The search ends while it stores the successors of a deeper level; the marks seen before stand.
  Schedule schedule({2, 2, 2}, {});
  StateStore store(schedule.state_bytes());
  SearchOptions options;
  options.state_limit = 12;  // levels of 1, 3 and 6 states, then some of the next
  const SearchResult result = breadth_first(schedule, store, options);
  ASSERT_EQ(result.incomplete, Incomplete::states);
  ASSERT_TRUE(result.marks[1].seen());
  const auto run = witness(schedule, store, result, Targets::of(result.marks[1]));
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(actors(*run), (Actors{0, 0}));
}

TEST(Witness, NothingForNoTargetsUnreachableOnesOrWhenStopped) {
  Schedule schedule({2, 2, 0}, {});
  StateStore store(schedule.state_bytes());
  const SearchResult result = breadth_first(schedule, store);
  EXPECT_FALSE(witness(schedule, store, result, {}).has_value());
  EXPECT_FALSE(witness(schedule, store, result, Targets::of(Sighting())).has_value());
  EXPECT_FALSE(witness(schedule, store, result, {99, {0}, {}}).has_value());
  const StateIndex end = result.states() - 1;
  EXPECT_FALSE(witness(schedule, store, result, {2, {end}, {}}).has_value());  // it is at level 4
  const std::atomic<bool> stop = true;
  EXPECT_FALSE(witness(schedule, store, result, {4, {end}, {}}, &stop).has_value());
  EXPECT_TRUE(witness(schedule, store, result, {4, {end}, {}}).has_value());
}

/// All shortest runs of a graph, to find the best by comparison.
class AllRuns {
 public:
  AllRuns(const RandomGraph& graph, std::uint32_t steps, unsigned mark, bool terminals)
      : graph_(graph), steps_(steps), mark_(mark), terminals_(terminals) {
    walk(0);
  }
  /// Fewest switches, then smallest actions.
  std::optional<std::pair<std::size_t, std::vector<Action>>> best;

 private:
  void walk(std::uint32_t node) {
    if (path_.size() == steps_) {
      std::uint32_t id = node;
      RandomGraph graph = graph_;
      const bool end =
          graph.edges(node).empty() && (graph.terminal(models::bytes_of(id).data()) & mark_) != 0;
      if ((terminals_ && end) || (!terminals_ && (last_ & mark_) != 0)) offer();
      return;
    }
    for (const RandomGraph::Edge& edge : graph_.edges(node)) {
      path_.push_back(edge.action);
      const Marks before = std::exchange(last_, edge.marks);
      walk(edge.to);
      last_ = before;
      path_.pop_back();
    }
  }
  void offer() {
    std::size_t switches = 0;
    for (std::size_t at = 1; at < path_.size(); ++at) {
      switches += path_[at].actor != path_[at - 1].actor;
    }
    if (!best || std::pair(switches, path_) < *best) best = {switches, path_};
  }

  const RandomGraph& graph_;
  std::uint32_t steps_;
  Marks mark_;
  bool terminals_;
  Marks last_ = 0;
  std::vector<Action> path_;
};

TEST(Witness, IsTheBestOfAllShortestRunsOnRandomGraphs) {
  std::size_t compared = 0;
  std::size_t long_runs = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomGraph graph(seed, 40, 85, 3, seed);
    StateStore store(graph.state_bytes());
    const SearchResult result = breadth_first(graph, store);
    for (unsigned bit = 0; bit < 5; ++bit) {
      const Sighting& sighting = result.marks[bit];
      if (!sighting.seen() || sighting.steps > 8) continue;
      const auto run = witness(graph, store, result, Targets::of(sighting));
      ASSERT_TRUE(run.has_value());
      const AllRuns all(graph, sighting.steps, 1U << bit, bit >= 3);
      ASSERT_TRUE(all.best.has_value());
      std::vector<Action> actions;
      for (const Step& step : *run) actions.push_back(step.action);
      ASSERT_EQ(actions, all.best->second) << "seed " << seed << ", mark " << bit;
      ASSERT_EQ(context_switches(*run), all.best->first);
      ASSERT_TRUE(replay(graph, *run).faithful);
      ++compared;
      long_runs += run->size() >= 5;
    }
  }
  EXPECT_GT(compared, 300U);
  EXPECT_GT(long_runs, 30U);
}

TEST(Witness, DoesNotDependOnTheOrderOfSuccessors) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::vector<std::vector<std::byte>> first;
    for (unsigned emit_seed = 0; emit_seed < 4; ++emit_seed) {
      RandomGraph graph(seed, 200, 500, 3, emit_seed);
      StateStore store(graph.state_bytes());
      const SearchResult result = breadth_first(graph, store);
      if (!result.marks[3].seen()) continue;
      const auto run = witness(graph, store, result, Targets::of(result.marks[3]));
      ASSERT_TRUE(run.has_value());
      std::vector<std::vector<std::byte>> states;
      for (const Step& step : *run) states.push_back(step.after);
      if (emit_seed == 0) first = states;
      EXPECT_EQ(states, first) << "seed " << seed;
    }
  }
}

class ReplayOfARun : public testing::Test {
 protected:
  Schedule schedule_{{2, 2, 0}, {{0, 1, 1, 1}}};
  Witness run_ = run_to(schedule_, 0);  // actors 1 1 0 0
};

TEST_F(ReplayOfARun, AcceptsTheRunAndItsBeginnings) {
  EXPECT_TRUE(replay(schedule_, run_).faithful);
  EXPECT_TRUE(replay(schedule_, std::span(run_).first(2)).faithful);
  EXPECT_TRUE(replay(schedule_, {}).faithful);
}

TEST_F(ReplayOfARun, NamesTheStepThatIsWrong) {
  const auto expect_wrong_at = [&](const Witness& run, std::size_t step) {
    const Replay result = replay(schedule_, run);
    EXPECT_FALSE(result.faithful);
    EXPECT_EQ(result.step, step);
  };
  Witness run = run_;
  run[2].action.choice = 9;  // no such action
  expect_wrong_at(run, 2);
  run = run_;
  run[1].after = run[0].after;  // another successor than the action's
  expect_wrong_at(run, 1);
  run = run_;
  run[3].before = run[0].before;  // does not go on where the step before ended
  expect_wrong_at(run, 3);
  run = run_;
  run[3].marks = 0;  // the last step of actor 0 has a mark
  expect_wrong_at(run, 3);
  run.erase(run.begin());  // does not begin in the initial state
  expect_wrong_at(run, 0);
  run = run_;
  run[0].after.pop_back();
  expect_wrong_at(run, 0);
}

}  // namespace
}  // namespace drover::explore
