// Random litmus tests as text: small enough for the naive engine, and every statement of the
// language that can race is among them. Deterministic in the seed.
#pragma once

#include <cstdint>
#include <string>

namespace drover::tests {

/// A valid litmus test; the same text for the same seed.
[[nodiscard]] std::string random_program(std::uint64_t seed);
/// The same, with two interchangeable threads p.t and p.u.
[[nodiscard]] std::string random_program_with_twins(std::uint64_t seed);

}  // namespace drover::tests
