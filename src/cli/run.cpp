// `drover run`: tests on real kernels, compared with the model. `drover emit`: a test as C.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Option.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include "cli/commands.hpp"
#include "cli/real_kernels.hpp"
#include "cli/real_runs.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "cli/tests.hpp"
#include "cli/usage_error.hpp"
#include "native/compare/print.hpp"
#include "native/compare/real_run.hpp"
#include "native/kernels/build.hpp"

namespace drover::cli {
namespace {

native::KernelReport not_run(const std::string& name, const kernels::KernelError& error,
                             const std::vector<native::BuiltTest>& tests) {
  native::KernelReport report;
  report.kernel = name;
  report.problem = error.what();
  report.hint = error.hint();
  for (const native::BuiltTest& test : tests) {
    native::Comparison c;
    c.test = test.program->name;
    c.kernel = name;
    c.program = test.program;
    c.hash = test.program->hash;
    c.ordered = test.runnable.ordered;
    c.agreement = native::Agreement::not_runnable;
    c.why = error.what();
    report.comparisons.push_back(c);
  }
  return report;
}

// Tests that want the same machine share a boot.
struct MachineKind {
  unsigned cpus = 1, nodes = 1;
  bool operator==(const MachineKind&) const = default;
};

MachineKind machine_of(const native::BuiltTest& test, const RealRuns& options) {
  if (options.random > 0) return {.cpus = 2, .nodes = 2};  // one boot for all
  MachineKind kind{.cpus = test.runnable.cpus, .nodes = 1};
  for (const litmus::Actor& actor : test.program->actors) {
    for (const litmus::Instr& i : actor.code) {
      if (i.op == litmus::Op::move_pages) kind.nodes = 2;
    }
  }
  return kind;
}

std::vector<qemu::TestOutput> run_programs(const kernels::Kernel& kernel, bool host,
                                           const std::vector<qemu::TestProgram>& programs,
                                           MachineKind kind, native::KernelReport& report) {
  if (programs.empty()) return {};
  const auto* stop = &stop_on_signals();
  qemu::GuestOptions guest;
  guest.cpus = kind.cpus;
  guest.nodes = kind.nodes;
  // Balancing would migrate, and unmap for its hints, at moments that no test asked for.
  if (kind.nodes > 1) guest.append = "numa_balancing=disable";
  auto run = host ? qemu::run_on_host(programs, {}, stop)
                  : qemu::run_in_guest(kernel, programs, guest, stop);
  if (!run.problem.empty()) {
    report.problem = run.problem;
    report.hint = run.hint;
  }
  if (!run.release.empty()) report.release = run.release;
  return std::move(run.tests);
}

native::Comparison compare_one(const native::BuiltTest& test, const qemu::TestOutput* output,
                               const design::Design& design, const std::string& kernel) {
  native::Observation seen;
  if (output == nullptr) {
    (test.failed ? seen.failed : seen.skipped) = test.why;
  } else {
    seen = native::read_observation(*test.program, *output);
  }
  auto result = native::compare(*test.program, test.runnable.ordered, std::move(seen),
                                verdict::check(*test.program, design));
  result.kernel = kernel;
  return result;
}

const design::Design& model_of(const kernels::Kernel& kernel, const RealRuns& options,
                               const Session& session, native::KernelReport& report) {
  if (!options.design.empty()) return session.design(options.design);
  std::vector<std::string> names;
  for (const design::Design* design : session.kernels()) names.push_back(design->name);
  const auto choice = kernels::design_for(kernel.version, names);
  if (!choice) {
    throw kernels::KernelError(fmt::format("no design for version `{}`", kernel.version),
                               "name one with --design");
  }
  report.exact_design = choice->exact;
  return session.design(choice->design);
}

native::KernelReport run_on(const std::string& name, const std::vector<native::BuiltTest>& built,
                            const kernels::KernelCache& cache, const RealRuns& options,
                            const Session& session) {
  const kernels::Kernel kernel = find_kernel(cache, name);
  const bool host = name == "host";
  const std::vector<native::BuiltTest> tests =
      kernels::has_gup_test(kernel) ? native::with_gup_test(built, options.run, &stop_on_signals())
                                    : built;
  native::KernelReport report;
  report.kernel = name;
  report.release = kernel.release;
  report.version = kernel.version;
  const design::Design& design = model_of(kernel, options, session, report);
  report.design = design.name;
  print_note(fmt::format("{}: {} as {}", name, report.release, design.name));
  std::map<std::string, qemu::TestOutput> outputs;
  for (const MachineKind kind :
       {MachineKind{1, 1}, MachineKind{2, 1}, MachineKind{1, 2}, MachineKind{2, 2}}) {
    std::vector<qemu::TestProgram> programs;
    for (const native::BuiltTest& test : tests) {
      const bool as_root = !host || geteuid() == 0;
      if (test.binary.empty() || machine_of(test, options) != kind) continue;
      if (test.runnable.needs_root && !as_root) continue;
      programs.push_back(native::test_program(test, options.run));
    }
    for (auto& output : run_programs(kernel, host, programs, kind, report)) {
      outputs.emplace(output.name, std::move(output));
    }
  }
  for (const native::BuiltTest& test : tests) {
    const auto found = outputs.find(test.program->name);
    native::BuiltTest told = test;
    if (told.why.empty()) told.why = "needs root on the host: " + test.runnable.needs_root_why;
    report.comparisons.push_back(
        compare_one(told, found == outputs.end() ? nullptr : &found->second, design, name));
  }
  return report;
}

}  // namespace

int exit_status_of(const std::vector<native::KernelReport>& reports, bool input_errors) {
  bool differs = false, failed = false;
  for (const native::KernelReport& report : reports) {
    input_errors = input_errors || (!report.problem.empty() && report.release.empty());
    for (const native::Comparison& c : report.comparisons) {
      differs = differs || c.agreement == native::Agreement::forbidden;
      failed = failed || c.agreement == native::Agreement::failed;
    }
  }
  if (input_errors) return kExitInput;
  if (differs) return kExitDiffers;
  return failed ? kExitIncomplete : kExitAsExpected;
}

// Kernels side by side, as many as --jobs says. One that cannot be had does not stop the others.
std::vector<native::KernelReport> run_on_all(const std::vector<native::BuiltTest>& tests,
                                             const kernels::KernelCache& cache,
                                             const RealRuns& options, const Session& session) {
  std::vector<native::KernelReport> reports(options.kernels.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < reports.size(); i = next++) {
      const std::string& name = options.kernels[i];
      try {
        reports[i] = run_on(name, tests, cache, options, session);
      } catch (const kernels::KernelError& error) {
        reports[i] = not_run(name, error, tests);
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 1; t < options.jobs; ++t) threads.emplace_back(work);
    work();
  }
  for (const native::KernelReport& report : reports) {
    if (!report.problem.empty()) print_error(report.kernel + ": " + report.problem, report.hint);
  }
  return reports;
}

namespace {

void print(const std::vector<native::KernelReport>& reports, const RealRuns& options) {
  if (options.json) return write(native::json(reports).dump(2) + "\n");
  if (options.ktap) return write(native::ktap(reports));
  if (options.markdown) return write(native::markdown(reports));
  for (const native::KernelReport& report : reports) {
    for (const native::Comparison& c : report.comparisons) {
      // A guest that does not boot has its own message; its tests have nothing to show.
      if (c.agreement == native::Agreement::failed && !report.problem.empty()) continue;
      const bool evidence = !c.observed.outcomes.empty() || !c.observed.warnings.empty();
      const bool odd = c.agreement == native::Agreement::forbidden ||
                       (c.agreement == native::Agreement::failed && evidence);
      const bool told = c.agreement != native::Agreement::not_runnable &&
                        (options.verbose || report.comparisons.size() == 1);
      if (odd || told) write(native::histogram(c) + "\n");
    }
  }
  write(native::table(reports));
}

int run_tests(RealRuns options) {
  const Session session(DesignOptions{});
  const kernels::KernelCache cache = open_cache(options.cache);
  if (options.run.programs.empty())
    options.run.programs = cache.folder().parent_path() / "programs";
  if (options.random > 0) return run_random(options, cache, session);
  if (options.tests.empty()) throw UsageError("no test is named", "name some, or --random N");
  Tests tests = load_tests(options.tests, session);
  if (options.racy) std::erase_if(tests.programs, native::is_ordered);
  if (tests.programs.empty()) {
    if (!tests.errors) print_error("no test is racy: each has one order of its statements");
    return kExitInput;
  }
  const auto built = native::build_tests(tests.programs, options.run, &stop_on_signals(),
                                         [](const std::string& line) { print_note(line); });
  const auto reports = run_on_all(built, cache, options, session);
  print(reports, options);
  return exit_status_of(reports, tests.errors);
}

int run(const RealRuns& options) {
  try {
    return run_tests(options);
  } catch (const kernels::KernelError& error) {
    throw UsageError(error.what(), error.hint());
  }
}

struct EmitOptions {
  std::string test, output;
  bool gup_test = false;
};

int emit(const EmitOptions& options) {
  const Session session(DesignOptions{});
  const Tests tests = load_tests({options.test}, session);
  if (tests.errors || tests.programs.empty()) return kExitInput;
  const litmus::Program& program = tests.programs.front();
  const native::EmitOptions how{.gup_test = options.gup_test};
  const native::Runnable runnable = native::runnable(program, how);
  if (!runnable.ok) {
    throw UsageError(
        fmt::format("{} cannot be run on a real kernel: {}", program.name, runnable.why));
  }
  const std::string text = native::emit_c(program, how);
  if (options.output.empty()) {
    write(text);
    return kExitAsExpected;
  }
  std::ofstream file(options.output);
  file << text;
  file.close();
  if (!file) throw UsageError("cannot write " + options.output);
  return kExitAsExpected;
}

}  // namespace

void add_run(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<RealRuns>();
  CLI::App* command =
      app.add_subcommand("run", "run tests on real kernels, compare with the model");
  auto* tests =
      command
          ->add_option("tests", options->tests, "litmus files, folders, names of the suite's tests")
          ->type_name("FILE|DIR|NAME");
  command
      ->add_option("-k,--kernel", options->kernels,
                   "host, debian:6.1 (fetched), built:6.12, an image")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required()
      ->type_name("K,...");
  command->add_option("-d,--design", options->design, "the model to compare with")->type_name("D");
  command->add_flag("--racy", options->racy, "only tests with more than one order");
  command->add_option("--iterations", options->run.runs, "runs of a racy test")->type_name("N");
  command->add_option("--time", options->run.seconds, "for a racy test: 2 (default), 90s, 1m")
      ->transform(duration())
      ->type_name("TIME");
  command->add_option("-j,--jobs", options->jobs, "kernels side by side (default 1)")
      ->check(CLI::Range(1U, 64U))
      ->type_name("N");
  command->add_option("--kernel-cache", options->cache, "where fetched kernels are kept")
      ->type_name("DIR");
  auto* json = command->add_flag("--json", options->json, "print JSON (schema drover.run/1)");
  auto* ktap = command->add_flag("--ktap", options->ktap, "print KTAP version 1");
  auto* markdown =
      command->add_flag("--markdown", options->markdown, "print docs/real-kernels-table.md");
  auto* random =
      command->add_option("--random", options->random, "N random ordered programs, not tests")
          ->check(CLI::Range(1U, 100000U))
          ->type_name("N");
  for (CLI::Option* other : {tests, json, ktap, markdown}) random->excludes(other);
  command->add_option("--seed", options->seed, "of the first random program (default 1)")
      ->needs(random)
      ->type_name("S");
  command->add_flag("-v,--verbose", options->verbose, "the histogram of every test");
  command->footer(
      details("Exit status: 0 nothing forbidden was seen, 1 a kernel showed an outcome that\n"
              "the model forbids, 2 usage or a kernel that is not there, 3 a test failed.",
              {"drover run litmus/kernel --kernel host",
               "drover run --random 100 --seed 7 --kernel debian:6.12",
               "drover run rdma-fork-parent-writes --kernel debian:5.10,debian:6.1"}));
  command->callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}

void add_emit(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<EmitOptions>();
  CLI::App* command = app.add_subcommand("emit", "a test as a C program for a real kernel");
  command->add_option("test", options->test, "a litmus file or the name of a suite's test")
      ->required()
      ->type_name("FILE|NAME");
  command->add_option("-o,--output", options->output, "where to write it (default: stdout)")
      ->type_name("FILE.c");
  command->add_flag("--gup-test", options->gup_test, "for a kernel with CONFIG_GUP_TEST, 6.2 on");
  command->footer(details("The file says how to build and run it.",
                          {"drover emit rdma-fork-parent-writes -o x.c",
                           "drover emit litmus/kernel/s70-reuse-after-child-exit.litmus"}));
  command->callback([options, &chosen] { chosen = [options] { return emit(*options); }; });
}

}  // namespace drover::cli
