// The guest's report, from recorded text; the archive it starts from; QEMU's command line.
#include "native/qemu/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "native/kernels/process.hpp"
#include "native/qemu/cpio.hpp"
#include "native/qemu/initrd.hpp"
#include "native/qemu/machine.hpp"

namespace drover::qemu {
namespace {

using Kind = GuestEvent::Kind;

// What a 6.1 guest wrote on its second port, with another nonce.
constexpr std::string_view kRecorded =
    "\n@77aa kernel 6.1.0-56-cloud-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2\n"
    "\n@77aa feature io_uring yes\n"
    "\n@77aa ready\n"
    "\n@77aa begin 0\n"
    "drover-outcome t 1234 parent:r=7\n\ndrover-pfn a 1\n"
    "\n@77aa end 0 exit 0\n"
    "\n@77aa begin 2\n"
    "no newline"
    "\n@77aa log 2 WARNING: CPU: 0 PID: 77 at mm/gup.c:76\n"
    "\n@77aa end 2 signal 11\n"
    "\n@77aa begin 3\n"
    "@77ab end 3 exit 0\n"
    "\n@77aa end 3 timeout\n"
    "\n@77aa done\n";

std::vector<GuestEvent> parse(std::string_view text, std::size_t piece, bool finish = false) {
  std::vector<GuestEvent> events;
  StreamParser parser("77aa", [&](GuestEvent event) { events.push_back(std::move(event)); });
  for (std::size_t at = 0; at < text.size(); at += piece) parser.feed(text.substr(at, piece));
  if (finish) parser.finish();
  return events;
}

TEST(Stream, IsTakenApart) {
  const std::vector<GuestEvent> expected = {
      {.kind = Kind::kernel,
       .text = "6.1.0-56-cloud-amd64 #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2"},
      {.kind = Kind::feature, .text = "io_uring yes"},
      {.kind = Kind::ready},
      {.kind = Kind::begin, .test = 0},
      {.kind = Kind::line, .test = 0, .text = "drover-outcome t 1234 parent:r=7"},
      {.kind = Kind::line, .test = 0},
      {.kind = Kind::line, .test = 0, .text = "drover-pfn a 1"},
      {.kind = Kind::end, .test = 0},
      {.kind = Kind::begin, .test = 2},
      {.kind = Kind::line, .test = 2, .text = "no newline"},
      {.kind = Kind::log, .test = 2, .text = "WARNING: CPU: 0 PID: 77 at mm/gup.c:76"},
      {.kind = Kind::end, .test = 2, .ended = GuestEvent::Ended::signal, .value = 11},
      {.kind = Kind::begin, .test = 3},
      {.kind = Kind::line, .test = 3, .text = "@77ab end 3 exit 0"},  // a test's imitation
      {.kind = Kind::end, .test = 3, .ended = GuestEvent::Ended::timeout},
      {.kind = Kind::done}};
  EXPECT_EQ(parse(kRecorded, kRecorded.size()), expected);
}

TEST(Stream, MayBeCutAnywhere) {
  const auto whole = parse(kRecorded, kRecorded.size());
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U}) EXPECT_EQ(parse(kRecorded, piece), whole);
}

TEST(Stream, AnUnfinishedLineCountsAtTheEnd) {
  const auto events = parse("@77aa begin 0\nfirst\nlast words", 4, true);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2].text, "last words");
}

TEST(Stream, LinesOfNoTestAndBrokenOwnLinesAreDropped) {
  EXPECT_TRUE(parse("[    0.1] Linux version\n@77aa nonsense 1\n@77aa end x exit 0\n"
                    "@77aa end 1 exit\n@77aa end 1 dream 4\n@77aa begin\n@77aa begin 1x\n",
                    9, true)
                  .empty());
}

TEST(Stream, AnEndlessLineIsCut) {
  const std::string endless(1 << 20, 'x');
  const auto events = parse("@77aa begin 0\n" + endless + "\n@77aa end 0 exit 0\n", 4096);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_LT(events[1].text.size(), 100'000U);
  EXPECT_EQ(events[2].kind, Kind::end);
}

TEST(Plan, HasOneLinePerTest) {
  const std::vector<TestProgram> programs = {
      {.name = "a", .binary = "/x/a", .arguments = {}, .timeout = std::chrono::milliseconds(1500)},
      {.name = "b", .binary = "/x/b", .arguments = {"-n", "10"}},
      {.name = "c", .binary = "/x/c"}};
  const std::vector<std::size_t> which = {0, 1};
  EXPECT_EQ(make_plan("77aa", programs, which),
            "77aa\n0\t1500\t/drover/test0\n1\t10000\t/drover/test1\t-n\t10\n");
}

TEST(Cpio, IsReadByCpio) {
  const kernels::TemporaryFolder folder("drover-test-");
  const auto archive = folder.path() / "archive";
  const auto source = folder.path() / "source";
  std::ofstream(source) << "12345";
  CpioWriter cpio(archive);
  cpio.folder("bin");
  cpio.file("bin/a", "abc", 0755);
  cpio.copy("bin/five", source);
  cpio.file("empty", "");
  cpio.finish();
  EXPECT_EQ(std::filesystem::file_size(archive) % 4, 0U);
  kernels::Finished listed;
  try {
    listed = kernels::run(
        {.argv = {"cpio", "-idm", "--quiet", "-F", archive.string()}, .folder = folder.path()},
        nullptr, std::chrono::seconds(10));
  } catch (const std::system_error&) {
    GTEST_SKIP() << "cpio is not installed";
  }
  EXPECT_TRUE(listed.status.success()) << listed.err;
  const auto read = [&](const char* name) {
    std::stringstream text;
    text << std::ifstream(folder.path() / name).rdbuf();
    return text.str();
  };
  EXPECT_EQ(read("bin/a"), "abc");
  EXPECT_EQ(read("bin/five"), "12345");
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "empty"));
  EXPECT_NE(std::filesystem::status(folder.path() / "bin/a").permissions() &
                std::filesystem::perms::owner_exec,
            std::filesystem::perms::none);
}

TEST(Cpio, SaysThatItCannotWrite) {
  CpioWriter full("/dev/full");
  EXPECT_THROW(
      {
        full.file("big", std::string(1 << 20, 'x'));
        full.finish();
      },
      std::system_error);
  EXPECT_THROW(CpioWriter("/nonexistent/archive"), std::system_error);
}

TEST(Console, ThePanicAndTheLastWordsAreFound) {
  const std::string console =
      "[    1.2] sysrq: Trigger a crash\r\n\r\n\x1b[1m"
      "[    1.3] Kernel panic - not syncing: sysrq triggered crash\r\n[    1.4] Rebooting..";
  EXPECT_EQ(panic_reason(console), "Kernel panic - not syncing: sysrq triggered crash");
  EXPECT_EQ(panic_reason("[    1.2] reboot: Power down\r\n"), "");
  EXPECT_EQ(last_lines(console, 1), std::vector<std::string>{"[    1.4] Rebooting.."});
  EXPECT_EQ(last_lines(console, 10).size(), 3U);
}

bool has(const std::vector<std::string>& arguments, const std::string& option,
         const std::string& value) {
  const auto at = std::find(arguments.begin(), arguments.end(), value);
  return at != arguments.end() && at != arguments.begin() && *(at - 1) == option;
}

TEST(QemuArguments, FollowTheOptions) {
  GuestOptions options;
  const auto one = qemu_arguments({.image = "/k", .initrd = 9, .options = &options}, 5, 6);
  EXPECT_TRUE(has(one, "-accel", "tcg,thread=single"));
  EXPECT_TRUE(has(one, "-initrd", "/dev/fd/9"));
  EXPECT_EQ(std::count(one.begin(), one.end(), "-numa"), 0);
  options.cpus = 2;
  options.nodes = 2;
  options.memory_mib = 1025;
  const auto two = qemu_arguments({.image = "/k", .initrd = 9, .options = &options}, 5, 6);
  EXPECT_TRUE(has(two, "-accel", "tcg,thread=multi"));
  EXPECT_TRUE(has(two, "-object", "memory-backend-ram,id=memory0,size=513M"));
  EXPECT_TRUE(has(two, "-object", "memory-backend-ram,id=memory1,size=512M"));
  EXPECT_TRUE(has(two, "-numa", "node,nodeid=0,memdev=memory0,cpus=0-1"));
}

}  // namespace
}  // namespace drover::qemu
