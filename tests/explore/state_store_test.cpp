// The state store against std::unordered_map, its limits, and its reuse.
#include "explore/state_store.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "explore/state_access.hpp"

namespace drover::explore {
namespace {

using Room = StateStore::Room;

/// State number `value` of `width` bytes: different values give different bytes if they fit.
std::vector<std::byte> numbered(std::uint64_t value, std::size_t width) {
  std::vector<std::byte> bytes(width);
  std::memcpy(bytes.data() + (width > 8 ? width - 8 : 0), &value, std::min<std::size_t>(8, width));
  return bytes;
}

bool is_stored(StateAccess& access, const std::byte* state) {
  const Handle handle = access.find(state);
  return handle != kNoHandle && access.store().find_slot(handle) != HandleSet::kNowhere;
}

bool same_bytes(const std::byte* a, const std::byte* b, std::size_t bytes) {
  return std::memcmp(a, b, bytes) == 0;
}

class StateStoreWidth : public testing::TestWithParam<std::size_t> {};

TEST_P(StateStoreWidth, AgreesWithUnorderedMap) {
  const std::size_t width = GetParam();
  StateStore store(width);
  std::mt19937_64 random(width);
  for (int round = 0; round < 2; ++round) {  // the second round uses a cleared store
    std::unordered_map<std::string, StateIndex> known;
    std::vector<std::string> order;
    StateAccess access(store);
    // Few distinct bytes at random places, so that many states differ in one byte only.
    for (int step = 0; step < 20000; ++step) {
      std::string state(width, '\0');
      for (int change = 0; change < 3; ++change) {
        state[random() % width] = static_cast<char>(random() % 4);
      }
      const auto* bytes = reinterpret_cast<const std::byte*>(state.data());
      const auto expected = known.find(state);
      ASSERT_EQ(is_stored(access, bytes), expected != known.end());
      const auto [handle, is_new, room] = access.insert(bytes);
      ASSERT_EQ(room, Room::available);
      ASSERT_EQ(is_new, expected == known.end());
      if (is_new) {
        known.emplace(state, order.size());
        order.push_back(state);
      } else {
        ASSERT_EQ(handle, store.handle(expected->second));
      }
      // Other states, near and far, are compared with in the next round.
      if (step % 3 == 0) access.read(store.handle(random() % store.size()));
    }
    ASSERT_EQ(store.size(), known.size());
    for (StateIndex index = 0; index < store.size(); ++index) {
      ASSERT_TRUE(same_bytes(access.read(store.handle(index)),
                             reinterpret_cast<const std::byte*>(order[index].data()), width));
    }
    access.settle();
    store.clear();
    ASSERT_EQ(store.size(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, StateStoreWidth,
                         testing::Values(1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 33, 40, 57,
                                         64, 65, 200, 481, 1000));

TEST(StateStore, KeepsAMillionStatesInOrderThroughAllGrowth) {
  constexpr std::uint64_t kStates = 1'000'000;
  StateStore store(16);
  StateAccess access(store);
  const auto state_of = [](std::uint64_t value) {
    std::vector<std::byte> state(16);
    const std::uint64_t halves[] = {value % 1000, value / 1000};
    std::memcpy(state.data(), halves, 16);
    return state;
  };
  for (std::uint64_t value = 0; value < kStates; ++value) {
    ASSERT_TRUE(access.insert(state_of(value).data()).is_new);
  }
  ASSERT_EQ(store.size(), kStates);
  for (std::uint64_t value = 0; value < kStates; ++value) {
    const auto state = state_of(value);
    ASSERT_FALSE(access.insert(state.data()).is_new);
    ASSERT_TRUE(same_bytes(access.read(store.handle(value)), state.data(), 16));
  }
  EXPECT_FALSE(is_stored(access, state_of(kStates).data()));
  // 8 in the list, 8 / 0.56 in the table just after it has grown; two thousand nodes are nothing.
  EXPECT_LE(store.bytes_used(), kStates * 24);
}

TEST(StateStore, FullByteRange) {
  StateStore store(1);
  StateAccess access(store);
  for (unsigned value = 0; value < 256; ++value) {
    EXPECT_TRUE(access.insert(numbered(value, 1).data()).is_new);
  }
  EXPECT_EQ(store.size(), 256U);
}

/// Threads insert overlapping ranges at once, growing the store between phases; every state must
/// be there once, whoever came first.
TEST(StateStore, ThreadsInsertTheSameStatesOnce) {
  constexpr std::uint64_t kStates = 60'000;
  for (const unsigned threads : {2U, 3U, 8U}) {
    StateStore store(100);
    Crew crew(threads);
    std::vector<std::unique_ptr<StateAccess>> accesses;
    std::vector<std::uint64_t> next(threads, 0), news(threads, 0);
    for (unsigned t = 0; t < threads; ++t) accesses.push_back(std::make_unique<StateAccess>(store));
    for (bool done = false; !done;) {
      ASSERT_EQ(store.make_room(crew), Room::available);
      crew.run([&](unsigned t) {
        StateAccess& access = *accesses[t];
        while (next[t] < kStates && access.can_insert()) {
          const std::uint64_t value = (next[t] + t * kStates / 2 / threads) % kStates;
          const Handle handle = access.intern(numbered(value * 77'777, 100).data());
          if (handle == kNoHandle) break;
          if (access.insert(handle, HandleSet::hash(handle))) ++news[t];
          ++next[t];
        }
      });
      done = true;
      for (unsigned t = 0; t < threads; ++t) {
        accesses[t]->settle();
        done = done && next[t] == kStates;
      }
    }
    EXPECT_EQ(store.size(), kStates);
    EXPECT_EQ(std::accumulate(news.begin(), news.end(), std::uint64_t{0}), kStates);
    std::set<std::string> seen;
    for (StateIndex index = 0; index < store.size(); ++index) {
      const StateBytes bytes = accesses[0]->bytes(store.handle(index));
      seen.emplace(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    EXPECT_EQ(seen.size(), kStates);
    for (std::uint64_t value = 0; value < kStates; ++value) {
      ASSERT_TRUE(is_stored(*accesses[0], numbered(value * 77'777, 100).data()));
    }
  }
}

TEST(StateStore, MemoryLimitRefusesAndKeepsWhatItHas) {
  for (const std::size_t width : {std::size_t{4}, std::size_t{16}, std::size_t{100}}) {
    for (const std::uint64_t limit : {20'000U, 100'000U, 1'000'000U, 5'000'000U}) {
      StateStore store(width, limit);
      StateAccess access(store);
      std::uint64_t value = 0;
      for (;; ++value) {
        const auto inserted = access.insert(numbered(value, width).data());
        ASSERT_LE(store.bytes_used(), limit);
        if (inserted.is_new) continue;
        ASSERT_EQ(inserted.room, Room::out_of_memory);
        break;
      }
      ASSERT_EQ(store.size(), value);
      for (std::uint64_t kept = 0; kept < value; ++kept) {
        const auto again = access.insert(numbered(kept, width).data());
        ASSERT_FALSE(again.is_new);
        ASSERT_EQ(again.room, Room::available);
      }
      ASSERT_EQ(access.insert(numbered(value, width).data()).room, Room::out_of_memory);
      ASSERT_EQ(store.size(), value);
      // The limit is put to use, once it is well above the first tables.
      if (limit >= 1'000'000) {
        EXPECT_GE(store.bytes_used(), limit / 10 * 8) << "width " << width << ", limit " << limit;
      }
    }
  }
}

TEST(StateStore, MemoryLimitBelowTheFirstTableStoresNothing) {
  StateStore store(8, 100);
  StateAccess access(store);
  const auto state = numbered(1, 8);
  EXPECT_EQ(access.insert(state.data()).room, Room::out_of_memory);
  EXPECT_EQ(store.size(), 0U);
  store.clear();
  StateAccess fresh(store);
  EXPECT_TRUE(fresh.insert(state.data()).is_new);
}

TEST(StateStore, StateLimitIsExact) {
  StateStore store(8, kUnlimited, 1000);
  StateAccess access(store);
  for (std::uint64_t value = 0; value < 1000; ++value) {
    ASSERT_TRUE(access.insert(numbered(value, 8).data()).is_new);
  }
  EXPECT_EQ(access.insert(numbered(1000, 8).data()).room, Room::too_many);
  const auto again = access.insert(numbered(999, 8).data());
  EXPECT_EQ(again.room, Room::available);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(store.size(), 1000U);
}

TEST(StateStore, ClearReturnsLargeMemoryAndServesOtherSizes) {
  StateStore store(16);
  const std::uint64_t small = store.bytes_used();
  {
    StateAccess access(store);
    for (std::uint64_t value = 0; value < 200'000; ++value) {
      access.insert(numbered(value, 16).data());
    }
  }
  EXPECT_GT(store.bytes_used(), 200'000U * 16);
  store.reset(40);
  EXPECT_LE(store.bytes_used(), small + (256U << 10));
  StateAccess access(store);
  EXPECT_TRUE(access.insert(numbered(5, 40).data()).is_new);
  EXPECT_TRUE(same_bytes(access.read(store.handle(0)), numbered(5, 40).data(), 40));
  EXPECT_FALSE(is_stored(access, numbered(6, 40).data()));
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
