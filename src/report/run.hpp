// Run: one test under one design, its result beside what was expected. What every report is about.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "design/design.hpp"
#include "litmus/program.hpp"
#include "verdict/check.hpp"
#include "verdict/expectation.hpp"

namespace drover::report {

/// A result and what the test said about it. The pointers are the caller's and stay valid.
struct Run {
  const litmus::Program* program = nullptr;
  const design::Design* design = nullptr;
  verdict::Expected expected;
  verdict::CheckResult result;
  std::vector<std::string> differences;  // in words; empty when as expected or incomplete
};

/// Compares `result` with what `program` expects of `design`.
[[nodiscard]] Run make_run(const litmus::Program& program, const design::Design& design,
                           const design::Registry& registry, verdict::CheckResult result);

/// Where a run stands. unstated: the test says nothing about this design, and nothing that must
/// always hold was violated.
enum class Standing : std::uint8_t { as_expected, unstated, differs, incomplete };
inline constexpr std::size_t kStandings = 4;
[[nodiscard]] Standing standing(const Run& run);
/// "as expected", "no expectation", "differs", "incomplete".
[[nodiscard]] const char* to_string(Standing standing);

/// How many runs stand where.
struct Tally {
  std::array<std::size_t, kStandings> counts{};
  void add(const Run& run) { counts[static_cast<std::size_t>(standing(run))]++; }
  [[nodiscard]] std::size_t of(Standing s) const { return counts[static_cast<std::size_t>(s)]; }
  [[nodiscard]] std::size_t total() const;
};
/// "590 as expected, 1 differs, 1 incomplete", and those without an expectation if there are any.
/// `verb` is said of those that differ: "differ".
[[nodiscard]] std::string to_string(const Tally& tally);

/// Whether the quantified condition is validated: exists with a witness, ~exists without one,
/// forall without a counterexample. open: an incomplete search cannot tell, or nothing was run.
enum class Validation : std::uint8_t { ok, no, open };
[[nodiscard]] Validation validation(const Run& run);
/// herd's "Ok" and "No", else "Unknown".
[[nodiscard]] const char* to_string(Validation validation);

/// 'A', 'S', 'N', '-' (unsupported), '?' (incomplete).
[[nodiscard]] char letter(const verdict::CheckResult& result);
/// The verdict as a word; "Incomplete" for an incomplete result.
[[nodiscard]] const char* observation(const verdict::CheckResult& result);

/// "5.10" for "linux-5.10"; other names as they are.
[[nodiscard]] std::string short_name(std::string_view design);

/// "~exists (parent:r=0)".
[[nodiscard]] std::string quantified(const litmus::Condition& condition);

/// The names of the properties of a bit set, in their order.
[[nodiscard]] std::vector<std::string> property_names(std::uint32_t bits);

}  // namespace drover::report
