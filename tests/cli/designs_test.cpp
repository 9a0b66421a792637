// `drover designs` as a user runs it, and where the data folders are found.
#include <nlohmann/json.hpp>

#include "drover_process.hpp"

namespace drover::cli {
namespace {

using DesignsCommand = DroverProcess;

TEST_F(DesignsCommand, ListShowAndDiff) {
  const Output list = run("designs");
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_TRUE(list.out.starts_with("linux-4.18 ")) << list.out;
  const Output one = run("designs linux-5.10");
  EXPECT_EQ(one.status, 0);
  EXPECT_TRUE(contains(one.out, "\nfork_pinned_page = copy\n")) << one.out;
  EXPECT_TRUE(contains(one.out, "commit 70e806e4e645")) << "mm: Do early cow for pinned pages";
  const Output diff = run("designs linux-5.8 --diff linux-5.10.0");
  EXPECT_TRUE(contains(diff.out, "\nfork_pinned_page\n")) << diff.out;
  EXPECT_TRUE(contains(run("designs linux-5.8 --diff linux-5.8").out, "differ in 0 of "));
}

TEST_F(DesignsCommand, Json) {
  for (const char* arguments : {"designs --json", "designs linux-5.8 --json",
                                "designs linux-5.8 --diff linux-7.2 --json"}) {
    const auto json = nlohmann::json::parse(run(arguments).out);
    EXPECT_TRUE(json["schema"].get<std::string>().starts_with("drover.design")) << arguments;
  }
}

TEST_F(DesignsCommand, Markdown) {
  const Output result = run("designs --markdown");
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(contains(result.out, "fork_pinned_page"));
}

TEST_F(DesignsCommand, UsageErrors) {
  for (const char* arguments : {"designs nonsense", "designs --diff linux-5.8",
                                "designs linux-5.8 --markdown", "designs --json --markdown"}) {
    EXPECT_EQ(run(arguments).status, 2) << arguments;
  }
}

TEST_F(DesignsCommand, DataFolders) {
  data_ = "/nonexistent";
  const Output set = run("designs");
  EXPECT_EQ(set.status, 2);
  EXPECT_TRUE(contains(set.err, "no folder `designs` in $DROVER_DATA")) << set.err;
  data_ = ".";
  write("designs/linux-1.0.toml", "title = \"Linux 1.0\"\nrelease = 0\n");
  const Output own = run("designs");
  EXPECT_EQ(own.status, 0) << own.err;
  EXPECT_EQ(own.out, "linux-1.0  Linux 1.0\n");
}

TEST_F(DesignsCommand, InstalledBesideTheExecutable) {
  std::filesystem::create_directories(folder_ / "usr/bin");
  std::filesystem::copy_file(DROVER_EXECUTABLE, folder_ / "usr/bin/drover");
  write("usr/share/drover/designs/linux-1.0.toml", "title = \"Linux 1.0\"\nrelease = 0\n");
  const std::string command = "cd / && env -u DROVER_DATA '" +
                              (folder_ / "usr/bin/drover").string() + "' designs >'" +
                              (folder_ / ".out").string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read(".out"), "linux-1.0  Linux 1.0\n");
}

TEST_F(DesignsCommand, ABrokenDesignIsLocated) {
  data_ = ".";
  write("designs/linux-1.0.toml", "title = \"Linux 1.0\"\nrelease = 0\n[nonsense]\n");
  const Output result = run("designs");
  EXPECT_EQ(result.status, 2);
  EXPECT_TRUE(contains(result.err, "linux-1.0.toml:3:")) << result.err;
}

}  // namespace
}  // namespace drover::cli
