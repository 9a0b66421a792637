// Ordered litmus tests as lists of steps: rendering one as text, generating random ones, and making
// one smaller. Nothing here checks or runs a test: what a smaller one must still do is the
// caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "litmus/program.hpp"

namespace drover::native {

/// What one process does at one point of the test's only order.
struct Step {
  std::string process;
  std::string text;                // the statement, without registers and handles it lacks
  std::vector<std::string> names;  // memory, handles, processes that must be there for it
  std::string defines;             // a handle, a forked process, or "exit PROCESS"; or empty
  std::string result;              // the register or handle whose value the condition looks at
};

struct Memory {
  std::string name;
  unsigned pages = 1, words = 1;
  std::string attribute;      // "", "untouched", ...
  std::string kind = "anon";  // as declared: "hugetlb", "file"
};

/// A test in which every two statements are ordered: where two steps that follow each other belong
/// to different processes, the text has `signal` and `await` between them.
struct Scenario {
  std::string name;
  std::vector<Memory> memory;
  std::vector<Step> steps;
};

/// Litmus text. The condition names each result, each word as each process sees it, whether
/// processes share a page, and whether a handle that lasts has the page that its process maps,
/// as far as a condition has room.
[[nodiscard]] std::string text_of(const Scenario& scenario);

/// Whether the text parses, is ordered, and can be run on real kernels; `program`, unless null, is
/// set then.
[[nodiscard]] bool is_usable(const Scenario& scenario, litmus::Program* program = nullptr);

/// A random scenario for which is_usable() holds; the same one for the same seed.
[[nodiscard]] Scenario random_scenario(std::uint64_t seed);

/// Whether each of these still shows what is looked for. It is given many at once, as asking a
/// virtual machine has a price of its own.
using StillShows = std::function<std::vector<bool>(const std::vector<Scenario>&)>;

/// The smallest scenario that is reached by dropping steps (with what depends on them), memory,
/// pages and words, one after the other, while `still_shows` holds. It is minimal in the sense that
/// none of these can be dropped from it. `scenario` itself is not asked about.
[[nodiscard]] Scenario shrink(Scenario scenario, const StillShows& still_shows);

}  // namespace drover::native
