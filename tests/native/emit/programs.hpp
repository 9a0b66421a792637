// What the emitter's tests share: litmus texts to programs, and calling the C compiler.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "litmus/litmus.hpp"

namespace drover::native {

/// The test "t" with this memory, these actors and this condition.
inline litmus::Program program(const std::string& text) {
  const std::string file = "litmus t\n" + text;
  const auto parsed = litmus::parse(file, "t.litmus");
  if (!parsed.program) {
    throw std::runtime_error(litmus::to_string(parsed.diagnostics.front(), file));
  }
  return *parsed.program;
}

/// A folder that goes with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "drover-emit-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

struct CommandResult {
  int status = -1;
  std::string output;
};
inline CommandResult run_command(const std::string& command) {
  CommandResult result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) result.output += buffer.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  return result;
}

inline bool have_c_compiler() {
  return run_command("cc --version").status == 0;
}

}  // namespace drover::native
