// What tests and benchmarks of whole programs share: the designs, litmus texts and files to
// programs, the suite, figures from the environment.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "design/design.hpp"
#include "litmus/litmus.hpp"

namespace drover::tests {

/// All designs of the repository.
inline const design::Registry& registry() {
  static const design::Registry all = [] {
    design::Registry r;
    r.add_folder(DROVER_SOURCE_DIR "/designs");
    r.resolve();
    return r;
  }();
  return all;
}

/// Throws std::runtime_error with the first diagnostic of a text that is no test.
inline litmus::Program parse(const std::string& text, const std::string& file = "test.litmus") {
  const auto parsed = litmus::parse(text, file);
  if (!parsed.program) {
    throw std::runtime_error(litmus::to_string(parsed.diagnostics.front(), text));
  }
  return *parsed.program;
}

/// The test in a file, by its path in the repository.
inline litmus::Program load(const std::filesystem::path& path) {
  const auto whole = std::filesystem::path(DROVER_SOURCE_DIR) / path;
  std::ifstream file(whole);
  std::stringstream text;
  text << file.rdbuf();
  return parse(text.str(), whole.string());
}

/// All tests in litmus/.
inline std::vector<litmus::Program> suite() {
  std::vector<litmus::Program> programs;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(DROVER_SOURCE_DIR "/litmus")) {
    if (entry.path().extension() == ".litmus") programs.push_back(load(entry.path()));
  }
  return programs;
}

/// The number in an environment variable, or `otherwise`.
inline unsigned long environment(const char* name, unsigned long otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoul(value, nullptr, 10);
}

}  // namespace drover::tests
