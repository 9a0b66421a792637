// The threads of one search: they work in phases, and between two phases only the caller runs.
// Knows nothing of states.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace drover::explore {

/// A phase is one call of run(): the caller is worker 0 and takes part. Between phases everything a
/// worker wrote is visible to all. The threads start with the first phase and end with the crew.
/// Whoever waits for the others does so awake for some 50 us before he sleeps, if there is a
/// processor for each: levels of a search are often that short.
class Crew {
 public:
  explicit Crew(unsigned workers);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  unsigned workers() const { return workers_; }

  /// Calls work(0) .. work(workers() - 1), each in a thread of its own, and returns when all have
  /// returned. Rethrows the exception of the lowest worker that threw.
  void run(const std::function<void(unsigned)>& work);

  /// Calls work(begin, end) for blocks that make up 0 .. count, each in whatever thread is free.
  template <class Work>
  void in_blocks(std::uint64_t count, std::uint64_t block, Work&& work) {
    if (count <= block) return work(std::uint64_t{0}, count);
    std::atomic<std::uint64_t> next = 0;
    run([&](unsigned) {
      for (std::uint64_t begin = next.fetch_add(block); begin < count;
           begin = next.fetch_add(block)) {
        work(begin, std::min(begin + block, count));
      }
    });
  }

 private:
  void serve(unsigned worker);
  void call(unsigned worker);
  template <class Condition>
  bool comes_soon(Condition&& condition) const;

  unsigned workers_;
  unsigned spins_;  // how often to look before going to sleep
  std::mutex mutex_;
  std::condition_variable begin_, end_;
  const std::function<void(unsigned)>* work_ = nullptr;
  std::atomic<std::uint64_t> phase_{0};
  std::atomic<unsigned> busy_{0};
  std::atomic<bool> over_{false};
  std::vector<std::exception_ptr> thrown_;
  std::vector<std::jthread> threads_;
};

}  // namespace drover::explore
