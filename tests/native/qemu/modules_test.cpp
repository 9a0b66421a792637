// Modules of made-up folders: dependencies, order, compression.
#include "native/kernels/modules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "native/kernels/kernel.hpp"
#include "native/kernels/process.hpp"

namespace drover::kernels {
namespace fs = std::filesystem;
namespace {

// As .modinfo is in a module: NUL-terminated entries among other bytes.
std::string module(const std::string& depends, const std::string& more = "") {
  std::string text = "\x7f\x45\x4c\x46 code depends=no";
  for (const std::string& entry :
       {std::string(), std::string("license=GPL"), "depends=" + depends, more}) {
    text += entry;
    text += '\0';
  }
  return text;
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::vector<std::string> names(const std::vector<fs::path>& files) {
  std::vector<std::string> all;
  for (const fs::path& file : files) all.push_back(file.filename().string());
  return all;
}

using Names = std::vector<std::string>;

TEST(Modules, DependenciesAreReadFromModinfo) {
  EXPECT_EQ(module_dependencies(module("")), Names{});
  EXPECT_EQ(module_dependencies(module("zsmalloc,lz4_compress")),
            (Names{"zsmalloc", "lz4_compress"}));
  EXPECT_EQ(module_dependencies(module("lzo-rle")), Names{"lzo_rle"});
  EXPECT_EQ(module_dependencies(module("a", "softdep=pre: crc32c b-c post: d")),
            (Names{"a", "crc32c", "b_c"}));
  EXPECT_EQ(module_dependencies("depends=x"), Names{});  // no NUL before it: not an entry
}

TEST(Modules, AreCopiedDependenciesFirst) {
  const TemporaryFolder folder("drover-test-");
  const fs::path from = folder.path() / "from", to = folder.path() / "to";
  fs::create_directories(to);
  write(from / "kernel/drivers/zram.ko", module("zsmalloc,lz4-x"));
  write(from / "kernel/mm/zsmalloc.ko", module("base"));
  write(from / "kernel/lib/lz4-x.ko", module("base,built_in"));
  write(from / "kernel/lib/base.ko", module("zram"));  // a cycle must not be followed for ever
  write(from / "kernel/unused.ko", module(""));
  const auto files = collect_modules(from, to, {"zram", "not_there", "base"});
  EXPECT_EQ(names(files), (Names{"base.ko", "zsmalloc.ko", "lz4_x.ko", "zram.ko"}));
  EXPECT_FALSE(fs::exists(to / "unused.ko"));
}

TEST(Modules, AreUncompressed) {
  const TemporaryFolder folder("drover-test-");
  const fs::path from = folder.path() / "from", to = folder.path() / "to";
  fs::create_directories(to);
  write(from / "loop.ko", module("base"));
  write(from / "base.ko", module(""));
  try {
    ASSERT_TRUE(
        run({.argv = {"xz", (from / "loop.ko").string()}}, nullptr, std::chrono::seconds(10))
            .status.success());
  } catch (const std::system_error&) {
    GTEST_SKIP() << "xz is not installed";
  }
  const auto files = collect_modules(from, to, {"loop"});
  ASSERT_EQ(names(files), (Names{"base.ko", "loop.ko"}));
  std::stringstream contents;
  contents << std::ifstream(files[1], std::ios::binary).rdbuf();
  EXPECT_EQ(contents.str(), module("base"));

  write(from / "bad.ko.xz", "not compressed");
  EXPECT_THROW((void)collect_modules(from, to, {"bad"}), KernelError);
}

}  // namespace
}  // namespace drover::kernels
