// Runs the built executable as a user would, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace drover::cli {

struct Output {
  int status = -1;
  std::string out, err;
};

/// A test whose working directory is an empty folder that goes away.
class DroverProcess : public ::testing::Test {
 protected:
  DroverProcess() {
    std::string pattern = ::testing::TempDir() + "/drover-cli-XXXXXX";
    const char* made = mkdtemp(pattern.data());
    if (made == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = made;
  }
  ~DroverProcess() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  /// Runs `before` + drover + " " + `arguments` in a shell. NO_COLOR and DROVER_DATA are set as
  /// given.
  Output run(const std::string& arguments, const std::string& before = "") {
    const std::string command = "cd '" + folder_.string() + "' && DROVER_DATA='" + data_ + "' " +
                                before + " '" DROVER_EXECUTABLE "' " + arguments +
                                " >.out 2>.err </dev/null";
    const int status = std::system(command.c_str());
    Output output;
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    output.out = read(".out");
    output.err = read(".err");
    return output;
  }
  std::string read(const std::string& file) {
    std::ifstream in(folder_ / file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file, std::ios::binary) << text;
  }

  std::filesystem::path folder_;
  std::string data_ = DROVER_SOURCE_DIR;
};

/// Fork and then the parent's write: up to 5.8 the parent leaves the pinned page, since 5.9 fork
/// copies it for the child (Documentation/core-api/pin_user_pages.rst, commit 70e806e4e645).
/// `expectations` follow.
inline std::string fork_test(const std::string& name, const std::string& expectations) {
  return "litmus " + name +
         "\n\nanon buf { x }\n\nprocess parent {\n    mr = pin(buf, FOLL_WRITE | "
         "FOLL_LONGTERM);\n    fork(child);\n    buf.x = 1;\n    dma_write(mr.x, 2);\n    r = "
         "buf.x;\n}\n\nprocess child {\n}\n\n~exists (parent:r = 1)\n" +
         expectations;
}
inline const char* const kTrueExpectations =
    "expect Always on linux-4.18 .. linux-5.8\n"
    "expect Never on linux-5.10.0 .. linux-7.2\n";

/// A test with far more states than any limit in these tests allows.
inline std::string endless_test() {
  std::string text = "litmus endless\n\nanon buf { x, y, z, w }\n\nprocess p {\n";
  const std::string body =
      "    repeat 16 {\n        r = r + 1;\n        buf.W = r;\n"
      "        s = buf.V;\n    }\n";
  const auto loop = [&body](char store, char load) {
    std::string copy = body;
    copy[copy.find('W')] = store;
    copy[copy.find('V')] = load;
    return copy;
  };
  text += loop('x', 'y') + "}\n";
  text += "thread p.a {\n" + loop('y', 'z') + "}\n";
  text += "thread p.b {\n" + loop('z', 'w') + "}\n";
  text += "thread p.c {\n" + loop('w', 'x') + "}\n";
  return text + "exists (p:s = -1)\n";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Without the times, which differ from run to run.
inline std::string without_times(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("Time ") && !contains(line, "\"seconds\":")) kept += line + '\n';
  }
  return kept;
}

}  // namespace drover::cli
