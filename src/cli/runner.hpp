// Many checks on many threads, their results in the order of the tasks, progress on stderr.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <span>

#include "cli/options.hpp"
#include "design/design.hpp"
#include "litmus/program.hpp"
#include "verdict/check.hpp"

namespace drover::cli {

struct Task {
  const litmus::Program* program = nullptr;
  const design::Design* design = nullptr;
};

/// The limits and the stop flag of one of `at_once` checks that run at the same time.
[[nodiscard]] verdict::CheckOptions check_options(const SearchFlags& flags, unsigned at_once,
                                                  const std::atomic<bool>& stop);

/// Checks every task, on as many threads as the flags say. `done` is called in the calling thread,
/// once per task and in their order, as soon as the result and all before it are there. Once `stop`
/// is set the remaining results are incomplete ("interrupted").
void run_all(std::span<const Task> tasks, const SearchFlags& flags, const std::atomic<bool>& stop,
             const std::function<void(std::size_t, verdict::CheckResult)>& done);

}  // namespace drover::cli
