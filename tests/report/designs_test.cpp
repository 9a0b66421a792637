// Designs as text and JSON.
#include "report/designs.hpp"

#include <gtest/gtest.h>

#include "samples.hpp"

namespace drover::report {
namespace {

unsigned index_of(std::string_view name) {
  const auto& list = design::switch_list();
  for (unsigned i = 0; i < list.size(); ++i) {
    if (list[i].name == name) return i;
  }
  ADD_FAILURE() << name;
  return 0;
}

class Designs : public ::testing::Test {
 protected:
  Designs() {
    new_.switches.has_pinned = design::policy::has_pinned::sticky;
    new_.provenance[index_of("has_pinned")] = {"linux-5.10.0", "008cfe4418b3", "new in 5.9"};
  }
  design::Design old_ = sample_kernel("5.8", 4), new_ = sample_kernel("5.10.0", 5);
};

TEST_F(Designs, OneDesignNamesEverySwitch) {
  const std::string text = design_text(new_);
  for (const design::SwitchInfo& info : design::switch_list()) {
    EXPECT_NE(text.find('\n' + std::string(info.name) + " = "), std::string::npos) << info.name;
  }
  EXPECT_NE(text.find("\nhas_pinned = sticky\n"
                      "    set by linux-5.10.0, commit 008cfe4418b3\n"
                      "    new in 5.9\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("    values: absent, sticky\n"), std::string::npos);
}

TEST_F(Designs, DiffShowsOnlyWhatDiffers) {
  const std::string expected =
      "linux-5.8 and linux-5.10.0 differ in 1 of " + std::to_string(design::switch_list().size()) +
      " switches\n"
      "\n"
      "has_pinned\n"
      "    linux-5.8: absent (default)\n"
      "    linux-5.10.0: sticky (set by linux-5.10.0, commit 008cfe4418b3)\n"
      "        new in 5.9\n";
  EXPECT_EQ(design_diff_text(old_, new_), expected);
  EXPECT_EQ(design_diff_json(old_, new_)["switches"].size(), 1U);
  EXPECT_EQ(design_diff_json(old_, old_)["switches"].size(), 0U);
}

TEST_F(Designs, Json) {
  const auto json = design_json(new_);
  EXPECT_EQ(json["schema"], "drover.design/1");
  EXPECT_EQ(json["name"], "linux-5.10.0");
  EXPECT_EQ(json["kernel"], true);
  EXPECT_EQ(json["switches"].size(), design::switch_list().size());
  EXPECT_EQ(json["switches"]["has_pinned"]["value"], "sticky");
  EXPECT_EQ(json["switches"]["has_pinned"]["commit"], "008cfe4418b3");
  EXPECT_TRUE(json["switches"]["wp_reuse"]["commit"].is_null());
}

}  // namespace
}  // namespace drover::report
