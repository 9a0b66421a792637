// Building test programs and running them on one kernel: litmus tests in, outputs out.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "litmus/program.hpp"
#include "native/emit/emit.hpp"
#include "native/qemu/guest.hpp"

namespace drover::native {

struct RunOptions {
  unsigned runs = 0;               // of racy tests; 0: until `seconds` are over
  double seconds = 2;              // for all runs of one racy test
  double time_out = 10;            // seconds of a single run
  unsigned ordered_runs = 3;       // of an ordered test
  bool optimise = true;            // -O2; without it a program is built in half the time
  std::filesystem::path programs;  // folder that keeps the built programs, by content
};

/// A test as a program: built, or why there is none.
struct BuiltTest {
  const litmus::Program* program = nullptr;
  Runnable runnable;
  std::filesystem::path binary;  // empty if it could not be built
  std::string why;               // then: why not
  bool failed = false;           // it could have been built, but was not
};

/// Emits and compiles (`$CC` or cc, static) what is runnable; programs built before are reused.
/// `report` is called with one line per stage that takes time. Throws kernels::KernelError when
/// there is no compiler or the folder cannot be written.
[[nodiscard]] std::vector<BuiltTest> build_tests(
    const std::vector<litmus::Program>& programs, const RunOptions& options, kernels::StopFlag stop,
    const std::function<void(const std::string&)>& report);

/// The same tests for a kernel with gup_test: those that are not runnable elsewhere are built if it
/// can run them. Throws as build_tests does.
[[nodiscard]] std::vector<BuiltTest> with_gup_test(std::vector<BuiltTest> tests,
                                                   const RunOptions& options,
                                                   kernels::StopFlag stop);

/// The arguments for the runner: ordered tests run a few times, racy ones as the options say.
[[nodiscard]] qemu::TestProgram test_program(const BuiltTest& test, const RunOptions& options);

}  // namespace drover::native
