// The seed claims and their tests; see claims.hpp.
#include "report/claims.hpp"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

#include "report/summary.hpp"
#include "report/text.hpp"

namespace drover::report {

using Json = nlohmann::ordered_json;

namespace {

Claim read_claim(const Json& row) {
  Claim claim;
  claim.number = row.at("number").get<int>();
  claim.section = row.at("section").get<std::string>();
  claim.thread = row.at("thread").get<std::string>();
  claim.quote = row.at("quote").get<std::string>();
  claim.type = row.at("type").get<std::string>();
  claim.claim = row.at("claim").get<std::string>();
  claim.verdict = row.at("verdict").get<std::string>();
  if (const Json& why = row.at("not_covered"); !why.is_null()) {
    claim.not_covered = why.get<std::string>();
  }
  return claim;
}

}  // namespace

std::vector<Claim> read_claims(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(fmt::format("cannot read {}", file.string()));
  std::vector<Claim> claims;
  try {
    for (const Json& row : Json::parse(in)) claims.push_back(read_claim(row));
  } catch (const Json::exception& error) {
    throw std::runtime_error(fmt::format("{}: no list of claims: {}", file.string(), error.what()));
  }
  return claims;
}

ClaimCounts count_claims(const std::vector<ClaimRow>& rows) {
  ClaimCounts counts;
  counts.rows = rows.size();
  for (const ClaimRow& row : rows) {
    if (row.covered()) {
      ++counts.covered;
    } else {
      ++(row.explained() ? counts.explained : counts.open);
    }
  }
  return counts;
}

std::string claims_text(const std::vector<ClaimRow>& rows) {
  constexpr std::size_t kNameWidth = 34;
  std::string out;
  for (const ClaimRow& row : rows) {
    const bool has_quotes = row.claim.quote.find('"') != std::string::npos;
    out += hang(fmt::format("{:>3} {} ", row.claim.number, row.claim.type),
                has_quotes ? row.claim.quote : fmt::format("\"{}\"", row.claim.quote));
    for (const std::vector<Run>& runs : row.runs) {
      const std::string head =
          fmt::format("      {}  ", pad(runs.front().program->name, kNameWidth));
      out += hang(head, verdict_stretches(runs));
    }
    if (row.covered()) continue;
    out += row.explained() ? hang("      not covered: ", row.claim.not_covered)
                           : "      neither covered by a test nor explained\n";
  }
  const ClaimCounts counts = count_claims(rows);
  out += fmt::format("{}: {} covered, {} not covered and explained, {} open\n",
                     count(counts.rows, "claim"), counts.covered, counts.explained, counts.open);
  return out;
}

Json claims_json(const std::vector<ClaimRow>& rows) {
  Json json;
  json["schema"] = "drover.claims/1";
  json["claims"] = Json::array();
  for (const ClaimRow& row : rows) {
    Json one;
    one["number"] = row.claim.number;
    one["section"] = row.claim.section;
    one["thread"] = row.claim.thread;
    one["quote"] = row.claim.quote;
    one["type"] = row.claim.type;
    one["claim"] = row.claim.claim;
    one["verdict"] = row.claim.verdict;
    one["not_covered"] = row.explained() ? Json(row.claim.not_covered) : Json();
    one["tests"] = Json::array();
    for (const std::vector<Run>& runs : row.runs) {
      Json observations = Json::object();
      for (const Run& run : runs) observations[run.design->name] = observation(run.result);
      one["tests"].push_back(
          {{"test", runs.front().program->name}, {"observations", observations}});
    }
    json["claims"].push_back(std::move(one));
  }
  const ClaimCounts counts = count_claims(rows);
  json["summary"] = {{"claims", counts.rows},
                     {"covered", counts.covered},
                     {"explained", counts.explained},
                     {"open", counts.open}};
  return json;
}

}  // namespace drover::report
