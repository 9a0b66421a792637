// Litmus files by path, folder or name: finding, reading and compiling them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "litmus/program.hpp"

namespace drover::cli {

/// The whole file, or nothing after printing why not. Refuses what is no regular file, and
/// files beyond 1 MiB.
[[nodiscard]] std::optional<std::string> read_text(const std::filesystem::path& file);

/// The files that the arguments mean, without repetition: a file, all *.litmus below a folder
/// (sorted), or the test of that name in the suite. What cannot be found is printed and sets
/// `errors`.
[[nodiscard]] std::vector<std::filesystem::path> find_tests(
    const std::vector<std::string>& arguments, const DataFolders& data, bool& errors);

struct Tests {
  std::vector<litmus::Program> programs;
  bool errors = false;  // something could not be found, read or compiled; it was printed
};
/// find_tests(), read and compiled; all errors of all files are printed on stderr.
[[nodiscard]] Tests load_tests(const std::vector<std::string>& arguments, const Session& session);

}  // namespace drover::cli
