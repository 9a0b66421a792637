// `drover fmt` as a user runs it.
#include "drover_process.hpp"

namespace drover::cli {
namespace {

class Fmt : public DroverProcess {
 protected:
  Fmt() { write("ugly.litmus", "litmus u anon buf{x} process p{buf.x=1;} exists(true)"); }
};

TEST_F(Fmt, PrintsTheCanonicalForm) {
  const Output result = run("fmt ugly.litmus");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(contains(result.out, "process p {\n    buf.x = 1;\n}\n")) << result.out;
  EXPECT_TRUE(contains(read("ugly.litmus"), "anon buf{x}")) << "the file is left alone";
}

TEST_F(Fmt, CheckThenWriteThenCheck) {
  const Output before = run("fmt --check ugly.litmus");
  EXPECT_EQ(before.status, 1);
  EXPECT_EQ(before.out, "ugly.litmus: not in canonical form\n");
  const std::string canonical = run("fmt ugly.litmus").out;
  EXPECT_EQ(run("fmt --write ugly.litmus").status, 0);
  EXPECT_EQ(read("ugly.litmus"), canonical);
  EXPECT_EQ(run("fmt --check ugly.litmus").status, 0);
}

TEST_F(Fmt, WriteKeepsPermissionsAndFollowsLinks) {
  namespace fs = std::filesystem;
  fs::permissions(folder_ / "ugly.litmus", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("ugly.litmus", folder_ / "link.litmus");
  EXPECT_EQ(run("fmt --write link.litmus").status, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link.litmus"));
  EXPECT_EQ(fs::status(folder_ / "ugly.litmus").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(run("fmt --check ugly.litmus").status, 0);
}

TEST_F(Fmt, ErrorsLeaveTheFileAlone) {
  write("bad.litmus", "litmus bad anon");
  const Output result = run("fmt --write bad.litmus ugly.litmus");
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(contains(result.err, "bad.litmus:1:")) << result.err;
  EXPECT_EQ(read("bad.litmus"), "litmus bad anon");
  EXPECT_EQ(run("fmt --check ugly.litmus").status, 0) << "the other file was written";
  EXPECT_EQ(run("fmt --check --write ugly.litmus").status, 2);
}

}  // namespace
}  // namespace drover::cli
