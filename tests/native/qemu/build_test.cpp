// Building kernels, with everything that would need the network or minutes replaced: apt, dpkg-deb
// and the compiler are scripts, the sources a Makefile that copies an image. make, tar and xz are
// real.
#include "native/kernels/build.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace drover::kernels {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

TEST(BuildKernel, OnlySeriesWhoseGupTestKeepsPins) {
  EXPECT_EQ(buildable_series(), (std::vector<std::string>{"6.12", "7.2"}));
  for (const char* series : {"6.2", "6.12", "7.0"}) EXPECT_EQ(build_refusal(series), "") << series;
  for (const char* series : {"5.10", "6.1", "4.19"}) {
    EXPECT_NE(build_refusal(series).find("keeps no pins"), std::string::npos) << series;
  }
  for (const char* series : {"", "6", "6.12.1", "../6.12", "trixie"}) {
    EXPECT_NE(build_refusal(series).find("not a kernel series"), std::string::npos) << series;
  }
}

TEST(BuildKernel, NamesThePackagesThatAreMissing) {
  const auto all = [](const std::string&) { return true; };
  EXPECT_TRUE(missing_build_packages(all, all).empty());
  const auto few = [](const std::string& name) {
    return name != "flex" && name != "bison" && name != "xz" && name != "gelf.h";
  };
  EXPECT_EQ(missing_build_packages(few, few),
            (std::vector<std::string>{"flex", "bison", "xz-utils", "libelf-dev"}));
}

TEST(BuildKernel, ComparesOptionsLineByLine) {
  const char* wanted = "# a comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"x\"\n";
  EXPECT_TRUE(missing_options(wanted, "CONFIG_C=\"x\"\nCONFIG_A=y\n").empty()) << "B's menu is off";
  EXPECT_EQ(missing_options(wanted, "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=\"xy\"\n"),
            (std::vector<std::string>{"# CONFIG_B is not set", "CONFIG_C=\"x\""}));
  EXPECT_EQ(missing_options(wanted, "").size(), 3U);
  EXPECT_EQ(missing_options("CONFIG_A=y\n", "CONFIG_AA=y\n").size(), 1U);
  EXPECT_TRUE(missing_options("CONFIG_GUP_TEST=y\n", build_configuration()).empty());
}

class FakeMachine : public testing::Test {
 protected:
  void SetUp() override {
    const char* path = std::getenv("PATH");
    old_path_ = path != nullptr ? path : "";
    for (const char* tool : {"gcc", "ld", "flex", "bison", "bc", "perl"}) script(tool, "exit 0");
    script("apt-get", R"(case "$*" in
  *update*--print-uris*) echo "'http://mirror.invalid/debian/dists/sid/InRelease' x 0" ;;
  *--print-uris*) echo "'http://mirror.invalid/s.deb' source.deb 1 SHA256:0" ;;
esac)");
    script("apt-cache", "echo 'linux-source-6.12 | 6.12.9-1 | x'");
    // dpkg-deb -x PACKAGE TO
    script("dpkg-deb", "echo x >> " + at("unpacked") + "; mkdir -p $3/usr; cp -r " +
                           at("package/usr/src") + " $3/usr/");
    setenv("PATH", (at("bin") + ":" + old_path_).c_str(), 1);
    write(cache_.folder() / ".apt/built-6.12/packages/source.deb", "");  // downloaded before
    make_sources("define PIN_LONGTERM_TEST_START");
  }
  void TearDown() override { setenv("PATH", old_path_.c_str(), 1); }

  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  void script(const std::string& name, const std::string& text) {
    write(at("bin/" + name), "#!/bin/sh\n" + text + "\n");
    fs::permissions(at("bin/" + name), fs::perms::owner_all);
  }

  void make_sources(const std::string& header, const std::string& olddefconfig = "true") {
    const fs::path tree = at("linux-source-6.12");
    std::string image(0xa00, '\0');  // a setup header, Documentation/arch/x86/boot.rst
    image.replace(0x202, 4, "HdrS");
    image[0x20f] = '\1';
    const std::string banner = "6.12.9-gup-test (drover@drover) #1 SMP";
    image.replace(0x300, banner.size(), banner);
    write(tree / "image", image);
    write(tree / "mm/gup_test.h", header);
    write(tree / "drivers/gpu/drm/large.c", "x");
    write(tree / "drivers/gpu/drm/Kconfig", "x");
    write(tree / "Makefile", "tinyconfig:\n\techo '# tiny' > $(O)/.config\nolddefconfig:\n\t" +
                                 olddefconfig + "\nbzImage:\n\techo '  CC mm/gup.o'\n\ttest ! -e " +
                                 at("broken") +
                                 " || { echo 'mm/gup.c:7: error: broken'; exit 1; }\n"
                                 "\tmkdir -p $(O)/arch/x86/boot\n"
                                 "\tcp image $(O)/arch/x86/boot/bzImage\n");
    fs::create_directories(at("package/usr/src"));
    const auto packed = run({.argv = {"tar", "-cJf", at("package/usr/src/linux-source-6.12.tar.xz"),
                                      "-C", folder_.path().string(), "linux-source-6.12"}},
                            nullptr, std::chrono::seconds(30));
    ASSERT_TRUE(packed.status.success()) << packed.err;
  }

  // What the failed build says, with its hint.
  std::string failure() {
    try {
      (void)build_kernel(cache_, "6.12");
    } catch (const KernelError& error) {
      return std::string(error.what()) + "\n" + error.hint();
    }
    return "no failure";
  }

  TemporaryFolder folder_{"drover-test-"};
  KernelCache cache_{folder_.path() / "cache"};
  std::string old_path_;
};

TEST_F(FakeMachine, BuildsOnceAndKeepsTheKernel) {
  const Kernel kernel = build_kernel(cache_, "6.12");
  EXPECT_EQ(kernel.name, "built:6.12");
  EXPECT_EQ(kernel.release, "6.12.9-gup-test");
  EXPECT_EQ(kernel.version, "6.12.9-1");
  EXPECT_TRUE(fs::exists(kernel.image));
  EXPECT_TRUE(has_gup_test(kernel));
  EXPECT_FALSE(fs::exists(cache_.folder() / ".apt/built-6.12")) << "the sources are not kept";
  ASSERT_TRUE(cache_.find("built-6.12"));
  EXPECT_FALSE(cache_.find("6.12"));
  script("make", "exit 1");
  EXPECT_EQ(build_kernel(cache_, "6.12").image, kernel.image);
}

TEST_F(FakeMachine, GoesOnWhereAFailedBuildStopped) {
  write(at("broken"), "");
  const std::string why = failure();
  EXPECT_NE(why.find("mm/gup.c:7: error: broken"), std::string::npos) << why;
  EXPECT_NE(why.find("build.log"), std::string::npos) << why;
  const fs::path tree = cache_.folder() / ".apt/built-6.12/source-6.12.9-1/linux-source-6.12";
  EXPECT_TRUE(fs::exists(tree / "drivers/gpu/drm/Kconfig"));
  EXPECT_FALSE(fs::exists(tree / "drivers/gpu/drm/large.c")) << "nothing of it is compiled";
  fs::remove(at("broken"));
  EXPECT_EQ(build_kernel(cache_, "6.12").name, "built:6.12");
  EXPECT_EQ(read(at("unpacked")), "x\n") << "unpacked once";
}

TEST_F(FakeMachine, SaysWhatIsMissing) {
  fs::remove(at("bin/flex"));
  setenv("PATH", at("bin").c_str(), 1);
  script("make", "exit 0");
  const std::string why = failure();
  EXPECT_NE(why.find("apt-get install flex"), std::string::npos) << why;
}

TEST_F(FakeMachine, SourcesWithoutKeptPinsAreRefused) {
  make_sources("define GUP_FAST_BENCHMARK");
  EXPECT_NE(failure().find("keeps no pins"), std::string::npos);
}

TEST_F(FakeMachine, OptionsThatTheKernelDoesNotTakeAreNamed) {
  make_sources("PIN_LONGTERM_TEST_START", "sed -i /GUP_TEST=/d $(O)/.config");
  const std::string why = failure();
  EXPECT_NE(why.find("does not take these options: CONFIG_GUP_TEST=y"), std::string::npos) << why;
}

TEST(GupTest, IsKnownFromTheConfigurationAndTheVersion) {
  const TemporaryFolder folder("drover-test-");
  Kernel kernel;
  kernel.image = folder.path() / "vmlinuz";
  kernel.series = "6.12";
  EXPECT_FALSE(has_gup_test(kernel)) << "no configuration";
  kernel.config = folder.path() / "config";
  write(kernel.config, "# CONFIG_GUP_TEST is not set\n");
  EXPECT_FALSE(has_gup_test(kernel));
  write(kernel.config, "CONFIG_X=y\nCONFIG_GUP_TEST=y\n");
  EXPECT_TRUE(has_gup_test(kernel));
  kernel.series = "6.1";
  EXPECT_FALSE(has_gup_test(kernel)) << "keeps no pins";
}

}  // namespace
}  // namespace drover::kernels
