// Building test programs; see real_run.hpp.
#include "native/compare/real_run.hpp"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <thread>

namespace drover::native {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::minutes kCompileLimit{2};

std::string compiler() {
  const char* chosen = std::getenv("CC");
  return chosen != nullptr && *chosen != '\0' ? chosen : "cc";
}

// A program is kept under the hash of its text, so a changed test or emitter never meets an old
// one.
fs::path kept_as(const std::string& text, const litmus::Program& program,
                 const RunOptions& options) {
  const std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  return options.programs /
         fmt::format("{}-{:016x}{}", program.name, hash, options.optimise ? "" : "-O0");
}

std::error_code last_error() {
  return {errno, std::generic_category()};
}

// The compiler's first line that names an error; what comes before tells where it was.
std::string complaint(const std::string& text) {
  if (text.find("No space left on device") != std::string::npos) {
    return "the folder for temporary files is full; set TMPDIR to another";
  }
  std::size_t start = text.find("error");
  start = start == std::string::npos ? 0 : text.rfind('\n', start) + 1;
  return text.substr(start, text.find('\n', start) - start);
}

void compile(BuiltTest& test, const std::string& text, const fs::path& target, bool optimise,
             kernels::StopFlag stop) {
  const kernels::TemporaryFolder work("drover-build");
  const fs::path source = work.path() / "test.c";
  std::ofstream file(source);
  file << text;
  file.close();
  if (!file) throw fs::filesystem_error("cannot write", source, last_error());
  const fs::path made = work.path() / "test";
  const auto done = kernels::run({.argv = {compiler(), optimise ? "-O2" : "-O0", "-static",
                                           "-pthread", "-o", made.string(), source.string()}},
                                 stop, kCompileLimit);
  if (done.stopped || !done.status.success()) {
    test.failed = true;
    test.why = done.stopped ? "stopped" : "its C program does not compile: " + complaint(done.err);
    return;
  }
  const fs::path beside = target.string() + ".new";
  std::error_code error;
  fs::copy_file(made, beside, fs::copy_options::overwrite_existing, error);
  if (!error) fs::rename(beside, target, error);  // whole or not at all
  if (error) {
    std::error_code ignored;
    fs::remove(beside, ignored);
    test.failed = true;
    test.why = fmt::format("no room for its program in {}; --kernel-cache names another folder",
                           target.parent_path().string());
    return;
  }
  test.binary = target;
}

void require_compiler(kernels::StopFlag stop) {
  try {
    const auto done = kernels::run({.argv = {compiler(), "--version"}}, stop, kCompileLimit);
    if (done.status.success() || done.stopped) return;
  } catch (const std::system_error&) {  // it cannot be started: the same message
  }
  throw kernels::KernelError(fmt::format("there is no C compiler `{}`", compiler()),
                             "apt install gcc libc6-dev; or set CC to the one to use");
}

BuiltTest build(const litmus::Program& program, const RunOptions& options, kernels::StopFlag stop,
                const EmitOptions& emit = {}) {
  BuiltTest test;
  test.program = &program;
  test.runnable = runnable(program, emit);
  if (!test.runnable.ok) {
    test.why = test.runnable.why;
    return test;
  }
  const std::string text = emit_c(program, emit);
  const fs::path target = kept_as(text, program, options);
  if (fs::exists(target)) {
    test.binary = target;
    return test;
  }
  try {
    compile(test, text, target, options.optimise, stop);
  } catch (const std::system_error& error) {  // a full disk, say: the other tests go on
    test.failed = true;
    test.why = fmt::format("its C program was not built: {}", error.code().message());
  }
  return test;
}

}  // namespace

std::vector<BuiltTest> build_tests(const std::vector<litmus::Program>& programs,
                                   const RunOptions& options, kernels::StopFlag stop,
                                   const std::function<void(const std::string&)>& report) {
  std::error_code error;
  fs::create_directories(options.programs, error);
  if (error) {
    throw kernels::KernelError(
        fmt::format("cannot write to {}: {}", options.programs.string(), error.message()),
        "choose another folder with --kernel-cache");
  }
  require_compiler(stop);
  report(fmt::format("building the programs of {} tests", programs.size()));
  std::vector<BuiltTest> built(programs.size());
  std::vector<std::exception_ptr> errors(programs.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < programs.size() && !kernels::stopped(stop); i = next++) {
      try {
        built[i] = build(programs[i], options, stop);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned t = 1; t < std::max(1U, std::thread::hardware_concurrency()); ++t) {
    threads.emplace_back(work);
  }
  work();
  threads.clear();  // joins
  for (const auto& thrown : errors) {
    if (thrown) std::rethrow_exception(thrown);
  }
  for (std::size_t i = 0; i < built.size(); ++i) {
    if (built[i].program == nullptr) {
      built[i].program = &programs[i];
      built[i].why = "stopped";
      built[i].failed = true;
    }
  }
  return built;
}

std::vector<BuiltTest> with_gup_test(std::vector<BuiltTest> tests, const RunOptions& options,
                                     kernels::StopFlag stop) {
  constexpr EmitOptions kGupTest{.gup_test = true};
  for (BuiltTest& test : tests) {
    if (test.runnable.ok || kernels::stopped(stop)) continue;
    test = build(*test.program, options, stop, kGupTest);
  }
  return tests;
}

qemu::TestProgram test_program(const BuiltTest& test, const RunOptions& options) {
  qemu::TestProgram program{test.program->name, test.binary};
  const bool ordered = test.runnable.ordered;
  program.arguments = {"-T", fmt::format("{:.0f}", options.time_out)};
  double seconds = options.ordered_runs * options.time_out;
  if (ordered) {
    program.arguments.insert(program.arguments.end(), {"-n", std::to_string(options.ordered_runs)});
  } else {
    if (options.runs > 0) {
      program.arguments.insert(program.arguments.end(), {"-n", std::to_string(options.runs)});
    }
    if (options.seconds > 0) {
      program.arguments.insert(program.arguments.end(), {"-t", fmt::format("{}", options.seconds)});
    }
    seconds = options.seconds + options.time_out;
  }
  program.timeout = std::chrono::milliseconds(static_cast<std::int64_t>((seconds + 5) * 1000));
  return program;
}

}  // namespace drover::native
