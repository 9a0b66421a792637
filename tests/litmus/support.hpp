// Helpers of the language's tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/litmus.hpp"

namespace drover::litmus {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// All files with that extension below `folder`, sorted.
inline std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                                      std::string_view extension) {
  std::vector<std::filesystem::path> out;
  if (!std::filesystem::exists(folder)) return out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == extension) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

inline std::filesystem::path source_folder() {
  return DROVER_SOURCE_DIR;
}

inline KnownDesigns some_designs() {
  return {{"linux-4.18", "linux-5.4", "linux-5.8", "linux-5.10.0", "linux-5.10", "linux-6.1",
           "linux-7.2"},
          {"block-fork"}};
}

/// The program of a text that must be right.
inline Program compiled(const std::string& text) {
  ParseResult r = parse(text, "test.litmus", some_designs());
  for (const Diagnostic& d : r.diagnostics) ADD_FAILURE() << to_string(d, text);
  return r.program.value_or(Program{});
}

/// A test with one page `buf` and one process `p` of these statements.
inline Program body(const std::string& statements, const std::string& condition = "true") {
  return compiled("litmus t\nanon buf { x, y }\nprocess p {\n" + statements + "\n}\nexists (" +
                  condition + ")\n");
}

}  // namespace drover::litmus
