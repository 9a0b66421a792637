// The search with several threads: counts, marks, livelocks and witnesses as with one.
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "explore/witness.hpp"
#include "models/german.hpp"
#include "models/mutual_exclusion.hpp"
#include "models/naive.hpp"
#include "models/philosophers.hpp"
#include "models/small.hpp"
#include "models/stored.hpp"

namespace drover::explore {
namespace {

/// All that must not depend on the number of threads, states by their bytes.
struct Findings {
  std::uint64_t states = 0, transitions = 0, terminals = 0;
  bool backward = false;
  std::vector<StateIndex> levels;
  std::vector<std::uint32_t> steps;  // by mark
  std::vector<std::set<std::string>> sightings;
  std::set<std::string> livelock;
  std::uint32_t livelock_level = 0;
  std::vector<std::optional<Witness>> witnesses;
};

std::string name(StateStore& store, StateIndex index) {
  return models::characters(models::stored(store, index));
}

template <Model M>
Findings search(M model, unsigned threads) {
  Team<M> team(model, threads);
  StateStore store(model.state_bytes());
  std::vector<std::uint64_t> visits(threads, 0);
  const SearchResult result = breadth_first(
      team, store, {}, [&](unsigned worker, StateIndex, StateBytes) { ++visits[worker]; });
  EXPECT_TRUE(result.complete());
  std::uint64_t visited = 0;
  for (const std::uint64_t n : visits) visited += n;
  EXPECT_EQ(visited, result.terminals);
  Findings found;
  found.states = result.states();
  found.transitions = result.transitions;
  found.terminals = result.terminals;
  found.backward = result.backward;
  found.levels = result.levels;
  for (const Sighting& sighting : result.marks) {
    found.steps.push_back(sighting.steps);
    auto& seen = found.sightings.emplace_back();
    for (const TransitionRef& move : sighting.transitions) {
      seen.insert(name(store, move.source) + std::to_string(move.action.actor) + "/" +
                  std::to_string(move.action.choice));
    }
    for (const StateIndex end : sighting.terminals) seen.insert(name(store, end));
    if (sighting.seen()) {
      found.witnesses.push_back(witness(team, store, result, Targets::of(sighting)));
    }
  }
  const Livelock livelock = find_livelock(team, store, result);
  found.livelock_level = livelock.level;
  for (const StateIndex state : livelock.states) found.livelock.insert(name(store, state));
  return found;
}

bool same(const std::optional<Witness>& a, const std::optional<Witness>& b) {
  if (a.has_value() != b.has_value()) return false;
  if (!a) return true;
  return std::equal(a->begin(), a->end(), b->begin(), b->end(), [](const Step& x, const Step& y) {
    return x.action == y.action && x.marks == y.marks && x.before == y.before && x.after == y.after;
  });
}

template <Model M>
void expect_independent_of_threads(const M& model) {
  const Findings one = search(model, 1);
  for (const unsigned threads : {2U, 3U, 8U}) {
    SCOPED_TRACE(threads);
    const Findings many = search(model, threads);
    EXPECT_EQ(many.states, one.states);
    EXPECT_EQ(many.transitions, one.transitions);
    EXPECT_EQ(many.terminals, one.terminals);
    EXPECT_EQ(many.backward, one.backward);
    EXPECT_EQ(many.levels, one.levels);
    EXPECT_EQ(many.steps, one.steps);
    EXPECT_EQ(many.sightings, one.sightings);
    EXPECT_EQ(many.livelock, one.livelock);
    EXPECT_EQ(many.livelock_level, one.livelock_level);
    ASSERT_EQ(many.witnesses.size(), one.witnesses.size());
    for (std::size_t at = 0; at < one.witnesses.size(); ++at) {
      EXPECT_TRUE(same(many.witnesses[at], one.witnesses[at])) << "witness " << at;
    }
  }
}

TEST(Parallel, German) {
  expect_independent_of_threads(models::German<3>());
}

TEST(Parallel, Philosophers) {
  expect_independent_of_threads(models::Philosophers<12>());
}

TEST(Parallel, FilterLock) {
  expect_independent_of_threads(models::FilterLock<4>());
  expect_independent_of_threads(models::FilterLock<4, true>());
}

/// Wide levels, many edges to the same states, marks in several places.
TEST(Parallel, RandomGraphs) {
  for (unsigned seed = 0; seed < 6; ++seed) {
    expect_independent_of_threads(models::RandomGraph(seed, 40'000, 120'000, 3, seed));
  }
}

TEST(Parallel, StateLimitIsExact) {
  models::German<3> model;
  for (const unsigned threads : {1U, 2U, 3U, 8U}) {
    StateStore store(model.state_bytes());
    SearchOptions options;
    options.threads = threads;
    options.state_limit = 30'000;
    const SearchResult result = breadth_first(model, store, options);
    EXPECT_EQ(result.incomplete, Incomplete::states);
    EXPECT_EQ(result.states(), 30'000U);
    options.state_limit = 58'105;
    EXPECT_TRUE(breadth_first(model, store, options).complete());
  }
}

/// A model that gives up: the search must not hang, and the caller gets the exception.
class Throwing : public models::RandomGraph {
 public:
  using models::RandomGraph::RandomGraph;
  template <class Emit>
  void expand(const std::byte* state, Emit&& emit) {
    if (models::read<std::uint32_t>(state) == 12'345) throw std::runtime_error("no more frames");
    models::RandomGraph::expand(state, emit);
  }
};

TEST(Parallel, ExceptionsOfTheModelReachTheCaller) {
  for (const unsigned threads : {1U, 2U, 8U}) {
    Throwing model(1, 40'000, 120'000, 3, 1);
    StateStore store(model.state_bytes());
    SearchOptions options;
    options.threads = threads;
    EXPECT_THROW(breadth_first(model, store, options), std::runtime_error);
    EXPECT_GT(store.size(), 100U);
  }
}

}  // namespace
}  // namespace drover::explore
