// What `drover run` shares between tests from files and random ones: running programs on several
// kernels, each compared with the model of its version.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "native/compare/print.hpp"
#include "native/compare/real_run.hpp"
#include "native/kernels/cache.hpp"

namespace drover::cli {

struct RealRuns {
  std::vector<std::string> tests, kernels;
  std::string design, cache;
  native::RunOptions run;
  unsigned jobs = 1;
  unsigned random = 0;     // programs; 0: those of `tests`
  std::uint64_t seed = 1;  // of the first random program; each further one has the next
  bool racy = false, json = false, ktap = false, markdown = false, verbose = false;
};

/// One report per kernel of `options`, in their order. A kernel that cannot be had has the reason
/// in its report, which is also printed. Throws UsageError for an unknown design.
[[nodiscard]] std::vector<native::KernelReport> run_on_all(
    const std::vector<native::BuiltTest>& tests, const kernels::KernelCache& cache,
    const RealRuns& options, const Session& session);

/// 0 nothing forbidden was seen, 1 something was, 2 a kernel is not there, 3 a test failed.
[[nodiscard]] int exit_status_of(const std::vector<native::KernelReport>& reports,
                                 bool input_errors);

/// `options.random` random ordered programs; one that a kernel disagrees with is made smaller and
/// printed. Returns the exit status.
[[nodiscard]] int run_random(const RealRuns& options, const kernels::KernelCache& cache,
                             const Session& session);

}  // namespace drover::cli
