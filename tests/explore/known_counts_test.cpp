// State counts that are known without this program: by hand, by formula, or published.
#include <gtest/gtest.h>

#include "explore/breadth_first.hpp"
#include "models/german.hpp"
#include "models/leader.hpp"
#include "models/mutual_exclusion.hpp"
#include "models/naive.hpp"
#include "models/peterson.hpp"
#include "models/philosophers.hpp"

namespace drover::explore {
namespace {

template <Model M>
SearchResult search(M model) {
  StateStore store(model.state_bytes());
  return breadth_first(model, store);
}

TEST(KnownCounts, Peterson) {
  const SearchResult result = search(models::Peterson());
  EXPECT_EQ(result.states(), 20U);  // counted by hand, see the model
  EXPECT_EQ(result.terminals, 0U);
  EXPECT_FALSE(result.marks[0].seen());
}

TEST(KnownCounts, FilterLock) {
  EXPECT_EQ(search(models::FilterLock<2>()).states(), 20U);  // for two it is Peterson's lock
  EXPECT_FALSE(search(models::FilterLock<3>()).marks[0].seen());
  EXPECT_FALSE(search(models::FilterLock<4>()).marks[0].seen());
  EXPECT_TRUE((search(models::FilterLock<3, true>()).marks[0].seen()));
}

template <unsigned kProcesses>
void expect_peterson(std::uint64_t states, std::uint64_t transitions) {
  const SearchResult result = search(models::PetersonLock<kProcesses>());
  EXPECT_EQ(result.states(), states);
  EXPECT_EQ(result.transitions, transitions);
  EXPECT_EQ(result.terminals, 0U);
  EXPECT_FALSE(result.marks[0].seen()) << "mutual exclusion";
}

TEST(KnownCounts, PetersonLock) {
  // What SPIN counts for bench/models/peterson.pml and Rumur for peterson.m (SPIN counts the start
  // as a transition more). Two: Peterson's own, counted by hand above.
  expect_peterson<2>(20, 34);
  expect_peterson<3>(717, 1'623);
  expect_peterson<4>(37'364, 108'820);
}

template <unsigned kProcesses>
void expect_leader(std::uint64_t states, std::uint64_t transitions) {
  using Leader = models::Leader<kProcesses>;
  const SearchResult result = search(Leader());
  EXPECT_EQ(result.states(), states);
  EXPECT_EQ(result.transitions, transitions);
  EXPECT_EQ(result.terminals, 1U);  // the steps of a process do not depend on the others' timing
  EXPECT_FALSE(result.marks[0].seen()) << "two leaders";
  EXPECT_TRUE(result.marks[1].seen()) << "nobody is elected";
  EXPECT_FALSE(result.marks[2].seen()) << "ends without a leader everybody knows";
  EXPECT_FALSE(result.marks[3].seen()) << "a channel is too small";
}

TEST(KnownCounts, Leader) {
  // What SPIN counts for bench/models/leader.pml and Rumur for leader.m (SPIN counts the start as a
  // transition more).
  expect_leader<3>(97, 183);
  expect_leader<4>(468, 1'142);
  expect_leader<8>(163'317, 812'124);
}

template <unsigned kPhilosophers>
void expect_philosophers(std::uint64_t states) {
  const SearchResult result = search(models::Philosophers<kPhilosophers>());
  EXPECT_EQ(result.states(), states);
  EXPECT_EQ(result.terminals, 1U);
  EXPECT_EQ(result.marks[5].steps, kPhilosophers);  // each takes his left fork
}

TEST(KnownCounts, Philosophers) {
  // The companion Pell numbers Q(N) = 2 Q(N-1) + Q(N-2), Q(1) = 2, Q(2) = 6.
  expect_philosophers<3>(14);
  expect_philosophers<4>(34);
  expect_philosophers<5>(82);
  expect_philosophers<6>(198);
}

/// Without the state before Init, see the model.
template <unsigned kCaches>
std::uint64_t german_states() {
  const SearchResult result = search(models::German<kCaches>());
  EXPECT_TRUE(result.complete());
  EXPECT_EQ(result.terminals, 0U);
  EXPECT_FALSE(result.marks[0].seen()) << "CntrlProp";
  EXPECT_FALSE(result.marks[1].seen()) << "DataProp";
  return result.states() - 1;
}

TEST(KnownCounts, GermanSmall) {
  EXPECT_EQ(german_states<2>() + 1, models::naive_search(models::German<2>()).steps.size());
  // What SPIN counts for bench/models/german.pml with -DN=3, a state before the choice of the start
  // included.
  EXPECT_EQ(german_states<3>() + 1, 58105U);
}

TEST(KnownCounts, GermanFourCaches) {
  EXPECT_EQ(german_states<4>(), 1'105'434U);  // Rumur, TLC
}

}  // namespace
}  // namespace drover::explore
