// A litmus test as a C program for a real kernel: the text, and whether there can be one.
// Nothing here compiles or runs the program; what it prints is described at emit_c().
#pragma once

#include <string>

#include "litmus/program.hpp"

namespace drover::native {

struct EmitOptions {
  /// The kernel has CONFIG_GUP_TEST (6.2 or later): read-only long-term pins can be taken.
  bool gup_test = false;
};

struct Runnable {
  bool ok = false;
  std::string why;       // the first obstacle, "line 7: get: ..."; empty if ok
  bool ordered = false;  // its synchronisation leaves one order of all statements
  bool needs_root = false;
  std::string needs_root_why;
  /// CPUs that show what the test is about: 1 for most ordered tests; 2 for racy ones and, in at
  /// least two runs, for those in which a page sits in a CPU's LRU batch while other processes run.
  unsigned cpus = 1;
};

/// Whether `program` can be run on a real kernel. What only shows at run time (no io_uring, no loop
/// device) is reported by the program itself.
[[nodiscard]] Runnable runnable(const litmus::Program& program, const EmitOptions& options = {});

/// Whether fork, wait, exit, signal and await order every two statements of different actors that
/// can affect each other. False is always safe: the program then tries many interleavings.
[[nodiscard]] bool is_ordered(const litmus::Program& program);

/// A self-contained C file: `gcc -O2 -static -pthread x.c` builds it. Options of the program:
/// -n runs (default: until -t is over; without -t, 1 if ordered and 1000 if racy), -t seconds for
/// all runs, -T time-out of one run in seconds (default 10), -v (print each run). It prints
///   drover-outcome NAME HASH n=COUNT ATOM=VALUE ...   one line per distinct outcome; VALUE may be
///                                                     "unmapped"; atoms as Condition::atoms
///   drover-pfn NAME PLACE=PFN ...                     frames in the first run with that outcome
///   drover-error NAME TEXT                            a run failed; TEXT starts with "timeout" if
///                                                     it did not end
///   drover-skip NAME TEXT                             not runnable here
/// and exits with 0 (ran), 77 (not runnable here) or 1 (error).
/// Throws std::invalid_argument if the program is not runnable.
[[nodiscard]] std::string emit_c(const litmus::Program& program, const EmitOptions& options = {});

}  // namespace drover::native
