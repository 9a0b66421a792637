// The state store against std::unordered_map, its limits, and its reuse.
#include "explore/state_store.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace drover::explore {
namespace {

using Outcome = StateStore::Outcome;

/// State number `value` of `width` bytes: different values give different bytes if they fit.
std::vector<std::byte> numbered(std::uint64_t value, std::size_t width) {
  std::vector<std::byte> bytes(width);
  std::memcpy(bytes.data() + (width > 8 ? width - 8 : 0), &value, std::min<std::size_t>(8, width));
  return bytes;
}

class StateStoreWidth : public testing::TestWithParam<std::size_t> {};

TEST_P(StateStoreWidth, AgreesWithUnorderedMap) {
  const std::size_t width = GetParam();
  StateStore store(width);
  std::mt19937_64 random(width);
  for (int round = 0; round < 2; ++round) {  // the second round uses a cleared store
    std::unordered_map<std::string, StateIndex> known;
    // Few distinct bytes at random places, so that many states differ in one byte only.
    for (int step = 0; step < 20000; ++step) {
      std::string state(width, '\0');
      for (int change = 0; change < 3; ++change) {
        state[random() % width] = static_cast<char>(random() % 4);
      }
      const auto* bytes = reinterpret_cast<const std::byte*>(state.data());
      const auto expected = known.find(state);
      ASSERT_EQ(store.find(bytes), expected == known.end() ? kAbsent : expected->second);
      const auto [index, outcome] = store.insert(bytes);
      if (expected == known.end()) {
        ASSERT_EQ(outcome, Outcome::inserted);
        ASSERT_EQ(index, known.size());
        known.emplace(state, index);
      } else {
        ASSERT_EQ(outcome, Outcome::present);
        ASSERT_EQ(index, expected->second);
      }
    }
    ASSERT_EQ(store.size(), known.size());
    for (const auto& [state, index] : known) {
      ASSERT_EQ(std::memcmp(store.state(index), state.data(), width), 0);
    }
    store.clear();
    ASSERT_EQ(store.size(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, StateStoreWidth,
                         testing::Values(1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 64, 65,
                                         200, 1000));

TEST(StateStore, KeepsAMillionStatesInOrderThroughAllGrowth) {
  constexpr std::uint64_t kStates = 1'000'000;
  StateStore store(13);
  const auto first = numbered(0, 13);
  store.insert(first.data());
  const std::byte* const where = store.state(0);
  for (std::uint64_t value = 1; value < kStates; ++value) {
    const auto state = numbered(value * 7919, 13);
    ASSERT_EQ(store.insert(state.data()).index, value);
  }
  EXPECT_EQ(store.state(0), where) << "states must not move";
  for (std::uint64_t value = 0; value < kStates; ++value) {
    const auto state = numbered(value * 7919, 13);
    ASSERT_EQ(store.find(state.data()), value);
    ASSERT_EQ(std::memcmp(store.state(value), state.data(), 13), 0);
  }
  const auto absent = numbered(1, 13);
  EXPECT_EQ(store.find(absent.data()), kAbsent);
  // At most 8 / 0.35 bytes of table for each state just after the table has doubled.
  EXPECT_LE(store.bytes_used(), kStates * (13 + 23));
}

TEST(StateStore, FullByteRange) {
  StateStore store(1);
  for (unsigned value = 0; value < 256; ++value) {
    EXPECT_EQ(store.insert(numbered(value, 1).data()).outcome, Outcome::inserted);
  }
  EXPECT_EQ(store.size(), 256U);
}

TEST(StateStore, MemoryLimitRefusesAndKeepsWhatItHas) {
  for (const std::size_t width : {std::size_t{4}, std::size_t{16}, std::size_t{100}}) {
    for (const std::uint64_t limit : {10'000U, 100'000U, 1'000'000U, 5'000'000U}) {
      StateStore store(width, limit);
      std::uint64_t value = 0;
      for (;; ++value) {
        const auto state = numbered(value, width);
        const auto inserted = store.insert(state.data());
        ASSERT_LE(store.bytes_used(), limit);
        if (inserted.outcome == Outcome::inserted) continue;
        ASSERT_EQ(inserted.outcome, Outcome::out_of_memory);
        ASSERT_EQ(inserted.index, kAbsent);
        break;
      }
      ASSERT_EQ(store.size(), value);
      for (std::uint64_t kept = 0; kept < value; ++kept) {
        const auto state = numbered(kept, width);
        ASSERT_EQ(store.find(state.data()), kept);
        ASSERT_EQ(store.insert(state.data()).outcome, Outcome::present);
      }
      const auto refused = numbered(value, width);
      ASSERT_EQ(store.find(refused.data()), kAbsent);
      ASSERT_EQ(store.insert(refused.data()).outcome, Outcome::out_of_memory);
      // The limit is put to use: no less than nine tenths of it, once it is well above the first
      // table.
      if (limit >= 100'000) {
        EXPECT_GE(store.bytes_used(), limit / 10 * 9) << "width " << width << ", limit " << limit;
      }
    }
  }
}

TEST(StateStore, MemoryLimitBelowTheFirstTableStoresNothing) {
  StateStore store(8, 100);
  const auto state = numbered(1, 8);
  EXPECT_EQ(store.insert(state.data()).outcome, Outcome::out_of_memory);
  EXPECT_EQ(store.size(), 0U);
  store.clear(kUnlimited, kUnlimited);
  EXPECT_EQ(store.insert(state.data()).outcome, Outcome::inserted);
}

TEST(StateStore, StateLimitIsExact) {
  StateStore store(8, kUnlimited, 1000);
  for (std::uint64_t value = 0; value < 1000; ++value) {
    ASSERT_EQ(store.insert(numbered(value, 8).data()).outcome, Outcome::inserted);
  }
  EXPECT_EQ(store.insert(numbered(1000, 8).data()).outcome, Outcome::too_many);
  EXPECT_EQ(store.insert(numbered(999, 8).data()).outcome, Outcome::present);
  EXPECT_EQ(store.size(), 1000U);
}

TEST(StateStore, ClearReturnsLargeMemory) {
  StateStore store(16);
  const std::uint64_t small = store.bytes_used();
  for (std::uint64_t value = 0; value < 200'000; ++value) store.insert(numbered(value, 16).data());
  EXPECT_GT(store.bytes_used(), 200'000U * 16);
  store.clear();
  EXPECT_EQ(store.bytes_used(), small);
  EXPECT_EQ(store.insert(numbered(5, 16).data()).index, 0U);
  EXPECT_EQ(store.find(numbered(6, 16).data()), kAbsent);
}

TEST(StateStore, MovedStoreKeepsItsStates) {
  StateStore store(16);
  for (std::uint64_t value = 0; value < 5000; ++value) store.insert(numbered(value, 16).data());
  const StateStore moved = std::move(store);
  EXPECT_EQ(moved.size(), 5000U);
  EXPECT_EQ(moved.find(numbered(4321, 16).data()), 4321U);
}

TEST(MemoryBlock, RefusalIsAnEmptyBlock) {
  const MemoryBlock block = MemoryBlock::allocate(std::numeric_limits<std::size_t>::max() / 4);
  EXPECT_FALSE(block);
}

TEST(MemoryBlock, IsZeroAndAligned) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{4096}, std::size_t{1} << 20, (std::size_t{5} << 20) + 3}) {
    const MemoryBlock block = MemoryBlock::allocate(bytes);
    ASSERT_TRUE(block);
    EXPECT_EQ(block.bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % 64, 0U);
    for (std::size_t at = 0; at < bytes; at += 511) {
      ASSERT_EQ(block.data()[at], std::byte{0});
      block.data()[at] = std::byte{1};
    }
    block.data()[bytes - 1] = std::byte{1};
  }
}

}  // namespace
}  // namespace drover::explore
