// Helpers of the design tests: design files written to a folder of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "design/design.hpp"

namespace drover::design {

/// The designs that ship with drover, resolved.
inline const Registry& shipped() {
  static const Registry registry = [] {
    Registry r;
    r.add_folder(std::filesystem::path(DROVER_SOURCE_DIR) / "designs");
    r.resolve();
    return r;
  }();
  return registry;
}

/// A temporary folder, removed with everything in it.
class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "drover-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

/// Text of the value of a switch, or "" if there is no such design or switch.
inline std::string value(const Registry& registry, std::string_view design, std::string_view name) {
  const Design* d = registry.find(design);
  for (unsigned i = 0; d != nullptr && i < switch_list().size(); ++i) {
    const SwitchInfo& info = switch_list()[i];
    if (info.name == name) return std::string(info.values[value_of(d->switches, i)]);
  }
  return {};
}

}  // namespace drover::design
