// The seed claims (claims.json): reading them, and the table of claims, tests and verdicts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/run.hpp"

namespace drover::report {

/// One row of claims.json.
struct Claim {
  int number = 0;
  std::string section, thread;
  std::string quote;        // the claim in the words of the mail
  std::string type;         // C, D, P, Q, W; see docs
  std::string claim;        // what it says, precisely
  std::string verdict;      // what is known about it
  std::string not_covered;  // why no test covers it; may be empty
};

/// Throws std::runtime_error, with the file's name, if it cannot be read or is no list of claims.
[[nodiscard]] std::vector<Claim> read_claims(const std::filesystem::path& file);

/// A claim and the runs of the tests that name it: `runs[i]` are those of the i-th test.
struct ClaimRow {
  Claim claim;
  std::vector<std::vector<Run>> runs;

  [[nodiscard]] bool covered() const { return !runs.empty(); }
  [[nodiscard]] bool explained() const { return !claim.not_covered.empty(); }
};

struct ClaimCounts {
  std::size_t rows = 0, covered = 0, explained = 0, open = 0;  // explained: not covered, and why
};
[[nodiscard]] ClaimCounts count_claims(const std::vector<ClaimRow>& rows);

/// Each claim with its tests and their verdicts, or why it has none; then the count line.
[[nodiscard]] std::string claims_text(const std::vector<ClaimRow>& rows);
/// Schema "drover.claims/1".
[[nodiscard]] nlohmann::ordered_json claims_json(const std::vector<ClaimRow>& rows);

}  // namespace drover::report
