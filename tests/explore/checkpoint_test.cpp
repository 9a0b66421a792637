// A search that goes on from a checkpoint, with any number of threads, ends as one that was never
// stopped; a damaged file is not used.
#include "explore/checkpoint.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "models/german.hpp"

namespace drover::explore {
namespace {

using Model = models::German<3>;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() { std::filesystem::create_directories(folder_); }
  ~CheckpointTest() override { std::filesystem::remove_all(folder_); }

  /// Searches and saves until the `saves`-th checkpoint, then is stopped.
  void search_until(unsigned saves, unsigned threads, const Restored* from = nullptr) {
    Model model;
    Team<Model> team(model, threads);
    StateStore store(model.state_bytes());
    std::atomic<bool> stop{false};
    SearchOptions options;
    options.stop = &stop;
    options.checkpoint.every = 0;
    unsigned saved = 0;
    options.checkpoint.save = [&](const SearchPoint& point) {
      const Checkpoint checkpoint{"model german\n", "counted by the caller", point};
      EXPECT_EQ(save_checkpoint(file_, checkpoint, store), "");
      if (++saved >= saves) stop = true;
    };
    Restored restored;
    if (from != nullptr) {
      restored = load_checkpoint(file_, store, team.crew());
      ASSERT_TRUE(restored.checkpoint);
      options.checkpoint.resume = &restored.checkpoint->point;
    }
    // With several threads it may be through before it is stopped.
    breadth_first(team, store, options, [](unsigned, StateIndex, StateBytes) {});
    EXPECT_GT(saved, 0U);
  }

  SearchResult resume(unsigned threads) {
    Model model;
    Team<Model> team(model, threads);
    StateStore store(model.state_bytes());
    const Restored restored = load_checkpoint(file_, store, team.crew());
    EXPECT_EQ(restored.damage, "");
    EXPECT_TRUE(restored.checkpoint);
    if (!restored.checkpoint) return {};
    EXPECT_EQ(restored.checkpoint->extra, "counted by the caller");
    SearchOptions options;
    options.checkpoint.resume = &restored.checkpoint->point;
    return breadth_first(team, store, options, [](unsigned, StateIndex, StateBytes) {});
  }

  std::string folder_ = testing::TempDir() + "drover-checkpoint-" + std::to_string(::getpid());
  std::string file_ = folder_ + "/c";
};

void expect_equal(const SearchResult& found, const SearchResult& whole) {
  EXPECT_TRUE(found.complete());
  EXPECT_EQ(found.levels, whole.levels);
  EXPECT_EQ(found.transitions, whole.transitions);
  EXPECT_EQ(found.terminals, whole.terminals);
  EXPECT_EQ(found.backward, whole.backward);
  EXPECT_EQ(found.turning.size(), whole.turning.size());
  for (std::size_t bit = 0; bit < whole.marks.size(); ++bit) {
    EXPECT_EQ(found.marks[bit].steps, whole.marks[bit].steps);
    EXPECT_EQ(found.marks[bit].transitions.size(), whole.marks[bit].transitions.size());
    EXPECT_EQ(found.marks[bit].terminals.size(), whole.marks[bit].terminals.size());
  }
}

SearchResult search_whole() {
  Model model;
  StateStore store(model.state_bytes());
  return breadth_first(model, store);
}

TEST_F(CheckpointTest, ASearchGoesOnFromAnyCheckpoint) {
  const SearchResult whole = search_whole();
  ASSERT_GT(whole.states(), 3 * Watch::kExpansionsBetweenLooks) << "too small to be stopped";
  for (const unsigned saves : {1U, 3U, 7U}) {
    for (const unsigned threads : {1U, 2U, 3U}) {
      remove_checkpoint(file_);
      search_until(saves, threads);
      expect_equal(resume(4 - threads), whole);
    }
  }
}

TEST_F(CheckpointTest, AResumedSearchCanBeStoppedAndResumed) {
  search_until(1, 2);
  const Restored any;
  search_until(2, 1, &any);
  search_until(2, 3, &any);
  expect_equal(resume(2), search_whole());
}

TEST_F(CheckpointTest, EveryTruncationAndWrongByteIsFound) {
  search_until(1, 1);
  const auto size = std::filesystem::file_size(file_);
  const std::string copy = folder_ + "/copy";
  Model model;
  Team<Model> team(model, 1);
  StateStore store(model.state_bytes());
  for (int part = 0; part < 40; ++part) {
    const auto at = size * static_cast<unsigned>(part) / 40;
    std::filesystem::copy_file(file_, copy, std::filesystem::copy_options::overwrite_existing);
    {
      std::fstream bytes(copy, std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekg(static_cast<std::streamoff>(at));
      const int byte = bytes.get();
      bytes.seekp(static_cast<std::streamoff>(at));
      bytes.put(static_cast<char>(byte ^ 0x10));
    }
    EXPECT_FALSE(load_checkpoint(copy, store, team.crew()).checkpoint) << "byte " << at;
    std::filesystem::copy_file(file_, copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(copy, at);
    const Restored truncated = load_checkpoint(copy, store, team.crew());
    EXPECT_FALSE(truncated.checkpoint) << "truncated at " << at;
    EXPECT_NE(truncated.damage, "");
  }
  // The one before takes its place.
  std::filesystem::copy_file(file_, copy + ".old");
  const Restored older = load_checkpoint(copy, store, team.crew());
  EXPECT_TRUE(older.checkpoint);
  EXPECT_EQ(older.file, copy + ".old");
}

TEST_F(CheckpointTest, AFileThatCannotBeWrittenIsToldAndLeavesTheOneBefore) {
  Model model;
  StateStore store(model.state_bytes());
  EXPECT_EQ(save_checkpoint("/dev/null/c", {}, store), "Not a directory");
  EXPECT_EQ(save_checkpoint("/dev/full/c", {}, store), "Not a directory");
}

TEST(Manifest, TheDifferenceIsTheFirstLineThatDiffers) {
  EXPECT_EQ(difference("a 1\nb 2\n", "a 1\nb 2\n"), "");
  EXPECT_EQ(difference("a 1\nb 2\n", "a 1\nb 3\n"), "it says `b 2`, this check is `b 3`");
  EXPECT_EQ(difference("a 1\n", "a 1\nb 3\n"), "it says `nothing`, this check is `b 3`");
}

}  // namespace
}  // namespace drover::explore
