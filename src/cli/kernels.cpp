// `drover kernels`: the real kernels that tests can be run on.
#include <fmt/format.h>

#include <CLI/Option.hpp>
#include <memory>

#include "cli/commands.hpp"
#include "cli/real_kernels.hpp"
#include "cli/session.hpp"
#include "cli/stop.hpp"
#include "cli/terminal.hpp"
#include "cli/usage_error.hpp"
#include "native/kernels/build.hpp"
#include "native/kernels/cache.hpp"
#include "native/kernels/kernel.hpp"

namespace drover::cli {
namespace {

struct Options {
  std::vector<std::string> words;  // [get SERIES..., build SERIES..., show K]
  std::string cache;
  bool refresh = false;
};

std::vector<std::string> kernel_designs(const Session& session) {
  std::vector<std::string> names;
  for (const design::Design* design : session.kernels()) names.push_back(design->name);
  return names;
}

std::string describe(const kernels::Kernel& kernel, const Session& session) {
  const auto design = kernels::design_for(kernel.version, kernel_designs(session));
  return fmt::format("{:<14} {:<28} {:<14} model: {}{}\n", kernel.name, kernel.release,
                     kernel.version, design ? design->design : "none",
                     design && !design->exact ? " (nearest lower)" : "");
}

int list(const kernels::KernelCache& cache, const Session& session) {
  std::string text;
  for (const kernels::Kernel& kernel : cache.cached()) text += describe(kernel, session);
  text += describe(kernels::host_kernel(), session);
  for (const std::string& series : kernels::known_series()) {
    if (!cache.find(series)) {
      text += fmt::format("{:<14} not cached: drover kernels get {}\n", "debian:" + series, series);
    }
  }
  for (const std::string& series : kernels::buildable_series()) {
    const std::string name = std::string(kernels::kBuiltPrefix) + series;
    if (!cache.find("built-" + series)) {
      text += fmt::format("{:<14} not built: drover kernels build {}\n", name, series);
    }
  }
  write(text);
  return kExitAsExpected;
}

// A kernel that cannot be had does not stop the others.
int get(kernels::KernelCache& cache, std::vector<std::string> series, const Options& options,
        const Session& session) {
  if (series == std::vector<std::string>{"all"}) series = kernels::known_series();
  int status = kExitAsExpected;
  for (const std::string& one : series) {
    try {
      kernels::GetOptions how;
      how.refresh = options.refresh;
      how.progress = [](const std::string& line) { print_note(line); };
      how.stop = &stop_on_signals();
      write(describe(cache.get(one, how), session));
    } catch (const kernels::KernelError& error) {
      print_error(one + ": " + error.what(), error.hint());
      status = kExitInput;
    }
  }
  return status;
}

int build(const kernels::KernelCache& cache, std::vector<std::string> series,
          const Options& options, const Session& session) {
  if (series == std::vector<std::string>{"all"}) series = kernels::buildable_series();
  int status = kExitAsExpected;
  for (const std::string& one : series) {
    try {
      kernels::BuildOptions how;
      how.again = options.refresh;
      how.progress = [](const std::string& line) { print_note(line); };
      how.stop = &stop_on_signals();
      write(describe(kernels::build_kernel(cache, one, how), session));
    } catch (const kernels::KernelError& error) {
      print_error(one + ": " + error.what(), error.hint());
      status = kExitInput;
    }
  }
  return status;
}

int show(const kernels::KernelCache& cache, const std::string& name, const Session& session) {
  const kernels::Kernel kernel = find_kernel(cache, name);
  std::string text = describe(kernel, session);
  if (!kernel.image.empty()) text += fmt::format("image   {}\n", kernel.image.string());
  if (!kernel.package.empty()) text += fmt::format("package {}\n", kernel.package);
  for (const auto& module : kernel.modules) {
    text += fmt::format("module  {}\n", module.filename().string());
  }
  write(text);
  return kExitAsExpected;
}

int chosen_action(const Options& options) {
  const Session session(DesignOptions{});
  kernels::KernelCache cache = open_cache(options.cache);
  const auto& words = options.words;
  if (words.empty() || words.front() == "list") return list(cache, session);
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (words.front() == "get" && !rest.empty()) return get(cache, rest, options, session);
  if (words.front() == "build" && !rest.empty()) return build(cache, rest, options, session);
  if (words.front() == "show" && rest.size() == 1) return show(cache, rest.front(), session);
  throw UsageError(
      "kernels: expected `list`, `get SERIES...|all`, `build SERIES...|all` or `show KERNEL`",
      "`drover kernels --help` has examples");
}

int kernels_command(const Options& options) {
  try {
    return chosen_action(options);
  } catch (const kernels::KernelError& error) {
    throw UsageError(error.what(), error.hint());
  }
}

}  // namespace

kernels::KernelCache open_cache(const std::string& folder) {
  return folder.empty() ? kernels::KernelCache() : kernels::KernelCache(folder);
}

kernels::Kernel find_kernel(const kernels::KernelCache& cache, const std::string& name) {
  if (name == "host") return kernels::host_kernel();
  const std::string prefix = "debian:";
  const std::string built(kernels::kBuiltPrefix);
  if (name.starts_with(built)) {
    const std::string series = name.substr(built.size());
    if (const auto kernel = cache.find("built-" + series)) return *kernel;
    throw kernels::KernelError(fmt::format("`{}` has not been built", name),
                               fmt::format("`drover kernels build {}` builds it", series));
  }
  const std::string series = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  if (const auto kernel = cache.find(series)) return *kernel;
  if (!name.starts_with(prefix) && std::filesystem::exists(name)) {
    return kernels::kernel_from_image(name);
  }
  if (name.find('/') != std::string::npos) {
    throw kernels::KernelError(fmt::format("there is no file {}", name),
                               "give the path of a bzImage, `host` or one of `drover kernels`");
  }
  throw kernels::KernelError(
      fmt::format("no kernel `{}` at hand", name),
      fmt::format("`drover kernels get {}` fetches it; or give the path of a "
                  "bzImage, or `host`",
                  series));
}

void add_kernels(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("kernels", "the real kernels to run tests on");
  command
      ->add_option("what", options->words,
                   "list (default), get SERIES...|all, build SERIES...|all, show KERNEL")
      ->type_name("WORD");
  command->add_option("--kernel-cache", options->cache, "where fetched kernels are kept")
      ->type_name("DIR");
  command->add_flag("--refresh", options->refresh, "get, build: look for a newer version");
  command->footer(details(
      "Fetched through this machine's own apt configuration. `build` makes a small kernel\n"
      "with CONFIG_GUP_TEST from Debian's sources, in some minutes: it has the pins that\n"
      "user space cannot take by itself.",
      {"drover kernels get all", "drover kernels build 6.12", "drover kernels show debian:6.1"}));
  command->callback(
      [options, &chosen] { chosen = [options] { return kernels_command(*options); }; });
}

}  // namespace drover::cli
