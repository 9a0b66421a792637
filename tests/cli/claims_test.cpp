// `drover claims` as a user runs it, on claims and a suite of its own.
#include <nlohmann/json.hpp>

#include "drover_process.hpp"

namespace drover::cli {
namespace {

class ClaimsCommand : public DroverProcess {
 protected:
  ClaimsCommand() {
    std::filesystem::create_directory_symlink(data_ + "/designs", folder_ / "designs");
    data_ = ".";
    std::string text = fork_test("t", kTrueExpectations);
    text.insert(text.find('\n') + 1, "claim 1, 2\n");
    write("litmus/t.litmus", text);
  }
  void claims(const std::string& rows) { write("claims.json", "[" + rows + "]"); }
  static std::string row(int number, const std::string& not_covered) {
    return "{\"number\": " + std::to_string(number) +
           ", \"section\": \"1.1\", \"thread\": \"t\", \"quote\": \"quoted\", \"type\": \"C\", "
           "\"claim\": \"c\", \"verdict\": \"v\", \"not_covered\": " +
           not_covered + "}";
  }
};

TEST_F(ClaimsCommand, CoveredAndExplained) {
  claims(row(1, "null") + "," + row(7, "\"a performance claim\""));
  const Output result = run("claims");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out,
            "  1 C \"quoted\"\n"
            "      t                                   A 4.18-5.8 N 5.10.0-7.2\n"
            "  7 C \"quoted\"\n"
            "      not covered: a performance claim\n"
            "2 claims: 1 covered, 1 not covered and explained, 0 open\n");
}

TEST_F(ClaimsCommand, AnOpenRowIsStatusOne) {
  claims(row(1, "null") + "," + row(9, "null"));
  const Output result = run("claims");
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(contains(result.out, "neither covered by a test nor explained")) << result.out;
  EXPECT_EQ(run("claims 1").status, 0) << "only the row asked for";
}

TEST_F(ClaimsCommand, Json) {
  claims(row(2, "null"));
  const auto json = nlohmann::json::parse(run("claims --json --design linux-7.2").out);
  EXPECT_EQ(json["schema"], "drover.claims/1");
  EXPECT_EQ(json["claims"][0]["tests"][0]["observations"]["linux-7.2"], "Never");
}

TEST_F(ClaimsCommand, Errors) {
  EXPECT_EQ(run("claims").status, 2) << "no claims.json";
  claims(row(1, "null"));
  const Output unknown = run("claims 99");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_TRUE(contains(unknown.err, "there is no claim 99"));
  write("claims.json", "[{]");
  EXPECT_EQ(run("claims").status, 2);
}

}  // namespace
}  // namespace drover::cli
