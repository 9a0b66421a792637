// Compact search against the exhaustive one: what a table that is too small loses, and what it
// says.
#include "explore/sampling.hpp"

#include <gtest/gtest.h>

#include "explore/breadth_first.hpp"
#include "models/german.hpp"

namespace drover::explore {
namespace {

using Model = models::German<3>;

std::uint64_t all_states() {
  Model model;
  StateStore store(model.state_bytes());
  return breadth_first(model, store).states();
}

TEST(CompactSearch, AFullBitTableLosesAboutAsManyStatesAsItSays) {
  const auto whole = static_cast<double>(all_states());
  for (const std::uint64_t bytes : {std::uint64_t{1} << 16, std::uint64_t{1} << 17}) {
    Model model;
    const Sample sample = compact_search(model, detail::Bitstate(bytes), {}, [](StateBytes) {});
    const double lost = whole - static_cast<double>(sample.states);
    // Most states have several predecessors, so little is lost with those that are lost.
    EXPECT_GT(lost, sample.omitted / 2) << bytes;
    EXPECT_LT(lost, sample.omitted * 2) << bytes;
    EXPECT_GT(lost, 50) << "a test of nothing";
  }
}

TEST(CompactSearch, FingerprintsLoseNone) {
  Model model;
  const Sample sample =
      compact_search(model, detail::Fingerprints(kUnlimited / 4), {}, [](StateBytes) {});
  EXPECT_EQ(sample.states, all_states());
  EXPECT_LT(sample.omitted, 1e-6);
}

TEST(CompactSearch, AMemoryLimitEndsIt) {
  Model model;
  SearchOptions options;
  options.memory_limit = std::uint64_t{1} << 16;
  const Sample sample =
      compact_search(model, detail::Fingerprints(1 << 16), options, [](StateBytes) {});
  EXPECT_EQ(sample.stopped, Incomplete::memory);
  EXPECT_LT(sample.states, all_states());
}

}  // namespace
}  // namespace drover::explore
