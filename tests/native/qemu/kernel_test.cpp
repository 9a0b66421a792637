// Versions, banners, the choice of a design, and what apt prints. No network, no cache of this
// machine.
#include "native/kernels/kernel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "native/kernels/apt.hpp"
#include "native/kernels/cache.hpp"
#include "native/kernels/process.hpp"

namespace drover::kernels {
namespace {

const std::vector<std::string> kDesigns = {
    "linux-4.18", "linux-5.4",  "linux-5.4.y", "linux-5.7", "linux-5.8",     "linux-5.10.0",
    "linux-5.10", "linux-5.15", "linux-6.1",   "linux-6.2", "linux-6.5",     "linux-6.12",
    "linux-6.18", "linux-7.2",  "enforce",     "dontfork",  "longterm-only", "linux-next-idea"};

TEST(DesignFor, TakesTheVersionsOwnDesignOrTheNearestLower) {
  struct Row {
    const char *version, *design;
    bool exact;
  };
  for (const Row& row : std::vector<Row>{{"5.10.223-1", "linux-5.10", true},
                                         {"6.1.192-2", "linux-6.1", true},
                                         {"6.12.117+deb13-cloud-amd64", "linux-6.12", true},
                                         {"6.18.44", "linux-6.18", true},
                                         {"7.2.13-1", "linux-7.2", true},
                                         {"5.10.0", "linux-5.10.0", true},
                                         {"5.10", "linux-5.10", true},
                                         {"5.9.1", "linux-5.8", false},
                                         {"5.4.0", "linux-5.4", true},
                                         {"5.4.250", "linux-5.4.y", true},
                                         {"5.5.1", "linux-5.4.y", false},
                                         {"6.11.3", "linux-6.5", false},
                                         {"7.10.1", "linux-7.2", false},
                                         {"4.9.300", "linux-4.18", false}}) {
    const auto choice = design_for(row.version, kDesigns);
    ASSERT_TRUE(choice) << row.version;
    EXPECT_EQ(choice->design, row.design) << row.version;
    EXPECT_EQ(choice->exact, row.exact) << row.version;
  }
}

TEST(DesignFor, DoesNotDependOnTheOrderOfTheDesigns) {
  const std::vector<std::string> backwards(kDesigns.rbegin(), kDesigns.rend());
  for (const char* version : {"5.10.0", "5.10.223", "5.9.1", "6.11.3", "4.9"}) {
    EXPECT_EQ(design_for(version, kDesigns)->design, design_for(version, backwards)->design);
  }
}

TEST(DesignFor, NeedsAVersionAndAKernelsDesign) {
  EXPECT_FALSE(design_for("mainline", kDesigns));
  EXPECT_FALSE(design_for("6", kDesigns));
  EXPECT_FALSE(design_for("6.1.1", std::vector<std::string>{"enforce"}));
}

TEST(Banner, DebianSaysTheSourcesVersionApart) {
  const Banner debian = parse_banner(
      "6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12) "
      "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)\n");
  EXPECT_EQ(debian.release, "6.1.0-56-cloud-amd64");
  EXPECT_EQ(debian.version, "6.1.192-2");
  const Banner own = parse_banner("6.12.0-rc3+ (me@here) (gcc (Debian 12.2.0-14) 12.2.0) #7 SMP");
  EXPECT_EQ(own.release, "6.12.0-rc3+");
  EXPECT_EQ(parse_banner("6.18.44-own #1 SMP").version, "6.18.44-own");
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

TEST(Banner, IsFoundInImages) {
  const TemporaryFolder folder("drover-test-");
  const auto file = folder.path() / "image";
  // A setup header as Documentation/arch/x86/boot.rst has it: the banner lies at 0x300.
  std::string image(0x400, '\0');
  image.replace(0x202, 4, "HdrS");
  image[0x1f1] = '\1';  // one sector of setup code after the first: 0x400 bytes, and nothing else
  image[0x20e] = '\0';
  image[0x20f] = '\1';
  const std::string banner = "5.10.0-46-cloud-amd64 (x) #1 SMP Debian 5.10.262-1 (2026-07-31)";
  image.replace(0x300, banner.size(), banner);
  write(file, image);
  EXPECT_EQ(banner_of(file).version, "5.10.262-1");
  EXPECT_EQ(kernel_from_image(file).series, "5.10");

  image[0x1f4] = '\1';  // 16 bytes of compressed kernel, which are not there
  write(file, image);
  try {
    (void)banner_of(file);
    FAIL() << "a truncated image was taken";
  } catch (const KernelError& error) {
    EXPECT_NE(std::string(error.what()).find("truncated: 1024 of 1040 bytes"), std::string::npos);
  }

  // A vmlinux whose banner lies across the end of the first MiB.
  std::string elf(3 << 20, '\0');
  elf.replace(0, 4, "\x7f\x45\x4c\x46");
  const std::string line = "Linux version 7.2.13-own (x) #1 SMP\n";
  elf.replace((1 << 20) - 5, line.size(), line);
  write(file, elf);
  EXPECT_EQ(banner_of(file).release, "7.2.13-own");

  write(file, std::string(4096, 'x'));
  EXPECT_THROW((void)banner_of(file), KernelError);
  EXPECT_THROW((void)banner_of(folder.path() / "none"), KernelError);
  EXPECT_THROW((void)banner_of(folder.path()), KernelError);
}

TEST(Versions, HaveDebiansOrder) {
  // Ascending; from deb-version(7) and the archive's kernels. dpkg agrees on every pair, where it
  // is.
  const std::vector<std::string> ascending = {
      "5.10.9-1",        "5.10.218-1", "5.10.223-1",   "6.1~rc3-1",    "6.1-1",
      "6.1.187~deb11u1", "6.1.187-1",  "6.1.187-1+b1", "6.1.187-2",    "6.12.12-1~bpo1",
      "6.12.12-1",       "6.12.107-1", "6.12.107a-1",  "6.12.107+x-1", "1:1.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(compare_versions(ascending[i], ascending[j]), i <=> j)
          << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_EQ(compare_versions("1.0", "1.00-0"), std::strong_ordering::equal);
  if (!std::filesystem::exists("/usr/bin/dpkg")) return;
  for (std::size_t i = 0; i + 1 < ascending.size(); ++i) {
    const Finished done =
        run({.argv = {"dpkg", "--compare-versions", ascending[i], "lt", ascending[i + 1]}}, nullptr,
            std::chrono::seconds(10));
    EXPECT_TRUE(done.status.success()) << ascending[i] << " < " << ascending[i + 1];
  }
}

TEST(Mirror, IsTheFirstFolderWithADebianSuite) {
  const Mirror mirror = mirror_from_uris(
      "'https://other.example/node/dists/nodistro/InRelease' x 0 \n"
      "'http://a.example/debian/dists/bookworm-updates/InRelease' y 0 \n"
      "'http://b.example/debian/dists/bookworm/InRelease' y 0 \n"
      "'http://a.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' z 0 \n"
      "'http://a.example/debian-security/dists/bookworm-security/InRelease' w 0 \n");
  EXPECT_EQ(mirror.main, "http://a.example/debian");
  EXPECT_EQ(mirror.security, "http://a.example/debian-security");
  const Mirror other = mirror_from_uris("'http://c.example/ubuntu/dists/jammy/InRelease' x 0\n");
  EXPECT_EQ(other.main, "");
  EXPECT_EQ(other.security, "");
}

TEST(Madison, IsReadLineByLine) {
  const auto found = parse_madison(
      "linux-image-5.10.0-43-cloud-amd64 | 5.10.251-5 | http://a.example/debian x/main Packages\n"
      "W: something\n"
      "linux-binary-7.2.13+deb14-cloud-amd64 |   7.2.13-1 | http://a.example/debian sid/main\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].version, "5.10.251-5");
  EXPECT_EQ(found[1].name, "linux-binary-7.2.13+deb14-cloud-amd64");
  EXPECT_EQ(found[1].version, "7.2.13-1");
}

TEST(PrintUris, HaveAPlaceANameAndAHash) {
  const ArchiveFile file = parse_print_uris(
      "W: something\n'http://a.example/debian/pool/main/l/linux/x_1%2bb_amd64.deb' x_1+b_amd64.deb "
      "26565380 SHA256:00ff\n");
  EXPECT_EQ(file.uri, "http://a.example/debian/pool/main/l/linux/x_1%2bb_amd64.deb");
  EXPECT_EQ(file.name, "x_1+b_amd64.deb");
  EXPECT_EQ(file.hash, "SHA256:00ff");
  // Without a hash there is nothing to trust; a name with a folder would be written elsewhere.
  EXPECT_EQ(parse_print_uris("'http://a.example/x.deb' x.deb 1 \n").name, "");
  EXPECT_EQ(parse_print_uris("'http://a.example/x.deb' ../x.deb 1 SHA256:00\n").name, "");
  EXPECT_EQ(parse_print_uris("").name, "");
}

TEST(ImagePackages, AreThoseOfTheSeriesAndFlavourThatHoldTheImage) {
  const std::vector<std::string> names = {"linux-image-6.1-cloud-amd64",
                                          "linux-image-6.1.0-53-cloud-amd64",
                                          "linux-image-6.1.0-53-cloud-amd64-unsigned",
                                          "linux-image-6.1.0-53-cloud-amd64-dbg",
                                          "linux-image-6.1.0-53-amd64-unsigned",
                                          "linux-image-6.1.0-53-rt-amd64-unsigned",
                                          "linux-image-6.12.43+deb12-cloud-amd64",
                                          "linux-image-7.2.13+deb14-cloud-amd64",
                                          "linux-binary-7.2.13+deb14-cloud-amd64",
                                          "linux-binary-unsigned-7.2.13+deb14-cloud-amd64"};
  using Names = std::vector<std::string>;
  EXPECT_EQ(
      image_packages(names, "6.1", "cloud-amd64"),
      (Names{"linux-image-6.1.0-53-cloud-amd64", "linux-image-6.1.0-53-cloud-amd64-unsigned"}));
  EXPECT_EQ(image_packages(names, "6.1", "amd64"), (Names{"linux-image-6.1.0-53-amd64-unsigned"}));
  EXPECT_EQ(image_packages(names, "6.12", "cloud-amd64"),
            (Names{"linux-image-6.12.43+deb12-cloud-amd64"}));
  EXPECT_EQ(image_packages(names, "7.2", "cloud-amd64"),
            (Names{"linux-binary-7.2.13+deb14-cloud-amd64",
                   "linux-binary-unsigned-7.2.13+deb14-cloud-amd64"}));
}

TEST(Process, IsAskedToEndBeforeItIsKilled) {
  const std::atomic<bool> stop{true};
  // The trap's line proves that SIGTERM came and was waited for.
  const TemporaryFolder folder("drover-test-");
  const std::string script =
      "trap 'echo asked > asked; exit 0' TERM; echo up; while :; do sleep 0.02; done";
  const Finished done = run({.argv = {"sh", "-c", script}, .folder = folder.path()}, nullptr,
                            std::chrono::milliseconds(500));
  EXPECT_TRUE(done.timed_out);
  EXPECT_EQ(done.out, "up\n");
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "asked"));
  EXPECT_TRUE(run({.argv = {"sleep", "60"}}, &stop, std::chrono::seconds(60)).stopped);
  EXPECT_THROW((void)run({.argv = {"no-such-program"}}, nullptr, std::chrono::seconds(1)),
               std::system_error);
  EXPECT_EQ(
      run({.argv = {"sh", "-c", "kill -9 $$"}}, nullptr, std::chrono::seconds(9)).status.signal, 9);
}

TEST(KernelCache, ListsOnlyCompleteKernels) {
  const TemporaryFolder folder("drover-test-");
  const auto add = [&](const std::string& name, const std::string& record, bool image) {
    std::filesystem::create_directories(folder.path() / name / "modules");
    write(folder.path() / name / "kernel.json", record);
    if (image) write(folder.path() / name / "vmlinuz", "x");
  };
  const auto record = [](const std::string& series, const std::string& version,
                         const std::string& modules) {
    return R"({"name":"debian:)" + series + R"(","series":")" + series + R"(","version":")" +
           version + R"(","modules":[)" + modules + "]}";
  };
  add("6.12", record("6.12", "6.12.9-1", ""), true);
  add("6.1", record("6.1", "6.1.100-1", "\"zram.ko\""), true);
  write(folder.path() / "6.1/modules/zram.ko", "x");
  add("5.10", record("5.10", "5.10.1-1", ""), false);         // no image
  add("7.2", record("7.2", "7.2.1-1", "\"zram.ko\""), true);  // a module is missing
  add("6.5", "not json", true);
  add(".apt", record("6.6", "6.6.1-1", ""), true);
  const KernelCache cache(folder.path());
  const auto kernels = cache.cached();
  ASSERT_EQ(kernels.size(), 2U);
  EXPECT_EQ(kernels[0].series, "6.1");
  EXPECT_EQ(kernels[0].modules.size(), 1U);
  EXPECT_EQ(kernels[1].series, "6.12");
  EXPECT_TRUE(cache.find("6.12"));
  EXPECT_FALSE(cache.find("../6.12"));
  EXPECT_FALSE(cache.find("5.10"));
  EXPECT_TRUE(KernelCache(folder.path() / "none").cached().empty());
}

TEST(KernelCache, RefusesWhatIsNoSeries) {
  const TemporaryFolder folder("drover-test-");
  KernelCache cache(folder.path());
  for (const char* series : {"", "6", "../6.1", "6.1/..", "bookworm"}) {
    EXPECT_THROW((void)cache.get(series), KernelError) << series;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace drover::kernels
