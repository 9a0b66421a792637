// The sub-commands. Each add_X() declares its arguments; when the user chose it, `chosen` is what
// to call, and returns the exit status. What the arguments mean is in the file named after the
// command.
#pragma once

#include <CLI/App.hpp>
#include <functional>

namespace drover::cli {

using Command = std::function<int()>;

// Exit statuses. Of several that apply: input over differs over incomplete.
inline constexpr int kExitAsExpected = 0, kExitDiffers = 1, kExitInput = 2, kExitIncomplete = 3;

void add_check(CLI::App& app, Command& chosen);
void add_matrix(CLI::App& app, Command& chosen);
void add_explain(CLI::App& app, Command& chosen);
void add_designs(CLI::App& app, Command& chosen);
void add_claims(CLI::App& app, Command& chosen);
void add_fmt(CLI::App& app, Command& chosen);
void add_run(CLI::App& app, Command& chosen);
void add_emit(CLI::App& app, Command& chosen);
void add_kernels(CLI::App& app, Command& chosen);

}  // namespace drover::cli
