// Reading claims.json and the table of claims.
#include "report/claims.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "samples.hpp"

namespace drover::report {
namespace {

class Claims : public ::testing::Test {
 protected:
  Claims() {
    report::Run old = sample_run(program_, old_, sample_result(1, 0));
    report::Run recent = sample_run(program_, recent_, sample_result(0, 1));
    Claim covered;
    covered.number = 6;
    covered.type = "C";
    covered.quote = "fork re-COW's regions";
    rows_.push_back({covered, {{old, recent}}});
    Claim explained;
    explained.number = 17;
    explained.type = "P";
    explained.quote = "this can slow down \"fork()\"";
    explained.not_covered = "a performance claim";
    rows_.push_back({explained, {}});
    Claim open;
    open.number = 103;
    open.type = "D";
    open.quote = "nobody looked";
    rows_.push_back({open, {}});
  }
  litmus::Program program_ = sample_program();
  design::Design old_ = sample_kernel("4.18", 0), recent_ = sample_kernel("7.2", 1);
  std::vector<ClaimRow> rows_;
};

TEST_F(Claims, Text) {
  EXPECT_EQ(claims_text(rows_),
            "  6 C \"fork re-COW's regions\"\n"
            "      sample                              A 4.18 N 7.2\n"
            " 17 P this can slow down \"fork()\"\n"
            "      not covered: a performance claim\n"
            "103 D \"nobody looked\"\n"
            "      neither covered by a test nor explained\n"
            "3 claims: 1 covered, 1 not covered and explained, 1 open\n");
}

TEST_F(Claims, Json) {
  const auto json = claims_json(rows_);
  EXPECT_EQ(json["schema"], "drover.claims/1");
  EXPECT_EQ(json["claims"][0]["tests"][0]["test"], "sample");
  EXPECT_EQ(json["claims"][0]["tests"][0]["observations"]["linux-4.18"], "Always");
  EXPECT_TRUE(json["claims"][0]["not_covered"].is_null());
  EXPECT_EQ(json["claims"][1]["not_covered"], "a performance claim");
  EXPECT_EQ(json["summary"]["open"], 1);
}

TEST(ReadClaims, TheProjectsOwn) {
  const auto claims = read_claims(std::filesystem::path(DROVER_SOURCE_DIR) / "claims.json");
  ASSERT_FALSE(claims.empty());
  EXPECT_EQ(claims[0].number, 1);
  for (const Claim& claim : claims) EXPECT_FALSE(claim.quote.empty()) << claim.number;
}

TEST(ReadClaims, ErrorsNameTheFile) {
  EXPECT_THROW((void)read_claims("/nonexistent/claims.json"), std::runtime_error);
  const auto file = std::filesystem::path(::testing::TempDir()) / "drover-bad-claims.json";
  for (const char* text : {"{", "[{\"number\": 1}]", "[{\"number\": \"one\"}]"}) {
    std::ofstream(file) << text;
    try {
      (void)read_claims(file);
      FAIL() << text;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("drover-bad-claims.json"), std::string::npos);
    }
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace drover::report
