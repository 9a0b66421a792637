// The registry: the shipped set, extends chains, ranges, replaced designs, and nearest().
#include "files.hpp"

namespace drover::design {
namespace {

using Names = std::vector<std::string>;

TEST(Shipped, AllLoadWithoutErrors) {
  for (const DesignError& e : shipped().errors()) {
    ADD_FAILURE() << e.file << ':' << e.line << ':' << e.column << ": " << e.message;
  }
  Names names;
  for (const Design& d : shipped().designs()) names.push_back(d.name);
  EXPECT_EQ(names, (Names{"linux-4.18",         "linux-5.4",
                          "linux-5.4.y",        "linux-5.7",
                          "linux-5.8",          "linux-5.10.0",
                          "linux-5.10",         "linux-5.15",
                          "linux-5.18",         "linux-5.19",
                          "linux-6.1",          "linux-6.2",
                          "linux-6.5",          "linux-6.12",
                          "linux-6.18",         "linux-7.2",
                          "block-fork",         "copy-at-fork-for-any-reference",
                          "dontfork",           "enforce",
                          "file-lease",         "fork-tearing-fix",
                          "longterm-only-pins", "mapcount-unshare",
                          "no-copy-to-child",   "refcount-versus-mapcount",
                          "wait-for-unpin"}));
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(shipped().designs()[i].release, i);
  for (const Design& d : shipped().designs()) {
    EXPECT_NE(d.title, d.name) << "no title";
    EXPECT_FALSE(d.description.empty()) << d.name;
    EXPECT_EQ(d.provenance.size(), switch_list().size());
  }
}

TEST(Shipped, ProvenanceNamesTheFileThatSetTheValue) {
  const auto provenance = [](std::string_view design, std::string_view name) {
    for (unsigned i = 0; i < switch_list().size(); ++i) {
      if (switch_list()[i].name == name) return shipped().find(design)->provenance[i];
    }
    return Provenance{};
  };
  EXPECT_EQ(provenance("linux-5.15", "wp_reuse").design, "linux-5.10.0");
  EXPECT_EQ(provenance("linux-5.15", "wp_reuse").commit, "09854ba94c6a");
  EXPECT_EQ(provenance("linux-7.2", "vmsplice_ref").design, "linux-4.18");
  EXPECT_EQ(provenance("longterm-only-pins", "odirect_ref").design, "longterm-only-pins");
  EXPECT_EQ(provenance("longterm-only-pins", "odirect_ref").commit, "");
}

TEST(Shipped, Range) {
  EXPECT_EQ(shipped().range("linux-5.8", "linux-5.15"),
            (Names{"linux-5.8", "linux-5.10.0", "linux-5.10", "linux-5.15"}));
  EXPECT_EQ(shipped().range("linux-4.18", "linux-7.2").size(), 16U);
  EXPECT_EQ(shipped().range("linux-6.1", "linux-6.1"), Names{"linux-6.1"});
  EXPECT_EQ(shipped().range("dontfork", "dontfork"), Names{"dontfork"});
  EXPECT_EQ(shipped().range("linux-5.15", "linux-5.8"), Names{});
  EXPECT_EQ(shipped().range("linux-5.8", "dontfork"), Names{});
  EXPECT_EQ(shipped().range("dontfork", "linux-7.2"), Names{});
  EXPECT_EQ(shipped().range("linux-5.8", "linux-5.9"), Names{});
  EXPECT_EQ(shipped().range("linux-5.9", "linux-5.9"), Names{});
  EXPECT_EQ(shipped().find("linux-5.9"), nullptr);
}

class RegistryFiles : public Files {};

TEST_F(RegistryFiles, ExtendsChain) {
  write("a.toml", "[switches]\nwp_reuse = 'refcount_strict'\nvmsplice_ref = 'pin'\n");
  write("sub/b.toml",
        "title = 'B'\nextends = 'a'\n[switches.wp_reuse]\nvalue = 'refcount_swapaware'\n"
        "commit = '53a05ad9f21d'\nnote = 'why'\n");
  write("c.toml", "extends = 'b'\nsources = ['x', 'y']\n[switches]\nanon_exclusive = 'yes'\n");
  write("ignored.txt", "not TOML");
  Registry registry;
  registry.add_folder(folder_);
  registry.resolve();
  ASSERT_TRUE(registry.errors().empty());
  ASSERT_EQ(registry.designs().size(), 3U);
  EXPECT_EQ(value(registry, "c", "wp_reuse"), "refcount_swapaware");
  EXPECT_EQ(value(registry, "c", "vmsplice_ref"), "pin");
  EXPECT_EQ(value(registry, "c", "anon_exclusive"), "yes");
  EXPECT_EQ(value(registry, "b", "anon_exclusive"), "no");
  EXPECT_EQ(value(registry, "a", "wp_reuse"), "refcount_strict");
  const Design& c = *registry.find("c");
  EXPECT_EQ(c.title, "c");  // a title is optional
  EXPECT_EQ(c.extends, "b");
  EXPECT_EQ(c.sources, (Names{"x", "y"}));
  EXPECT_FALSE(c.release.has_value());
  EXPECT_EQ(registry.find("b")->title, "B");
  unsigned wp_reuse = 0;
  while (switch_list()[wp_reuse].name != "wp_reuse") ++wp_reuse;
  EXPECT_EQ(c.provenance[wp_reuse].design, "b");
  EXPECT_EQ(c.provenance[wp_reuse].commit, "53a05ad9f21d");
  EXPECT_EQ(c.provenance[wp_reuse].note, "why");
  EXPECT_EQ(c.provenance[0].design, "");  // never set: the default
}

TEST_F(RegistryFiles, AFileReplacesTheDesignOfItsName) {
  write("one/a.toml", "[switches]\nvmsplice_ref = 'pin'\n");
  write("one/b.toml", "extends = 'a'\n");
  const auto own = write("two/a.toml", "[switches]\nzerocopy_ref = 'pin'\n");
  Registry registry;
  registry.add_folder(folder_ / "one");
  EXPECT_EQ(registry.add_file(own), "a");
  registry.resolve();
  ASSERT_TRUE(registry.errors().empty());
  EXPECT_EQ(registry.designs().size(), 2U);
  EXPECT_EQ(value(registry, "b", "vmsplice_ref"), "get");
  EXPECT_EQ(value(registry, "b", "zerocopy_ref"), "pin");
}

// A user's own design works on top of the shipped ones.
TEST_F(RegistryFiles, OwnDesignExtendsAShippedOne) {
  const auto own = write("mine.toml", "extends = 'linux-6.12'\n[switches]\nvmsplice_ref = 'pin'\n");
  Registry registry;
  registry.add_folder(std::filesystem::path(DROVER_SOURCE_DIR) / "designs");
  EXPECT_EQ(registry.add_file(own), "mine");
  registry.resolve();
  ASSERT_TRUE(registry.errors().empty());
  Switches expected = registry.find("linux-6.12")->switches;
  expected.vmsplice_ref = policy::vmsplice_ref::pin;
  EXPECT_EQ(registry.find("mine")->switches, expected);
}

TEST(SwitchList, NamesAndValues) {
  ASSERT_FALSE(switch_list().empty());
  for (const SwitchInfo& info : switch_list()) {
    EXPECT_GE(info.values.size(), 2U) << info.name;
    EXPECT_FALSE(info.documentation.empty()) << info.name;
    for (const std::string_view v : info.values) {
      EXPECT_FALSE(v.empty()) << info.name;
      EXPECT_EQ(v.find_first_of(" ,()\n"), std::string_view::npos) << info.name;
    }
  }
  EXPECT_EQ(switch_list()[0].name, "pin_accounting");
  EXPECT_EQ(switch_list()[0].values, (std::vector<std::string_view>{"get_only", "bias"}));
}

// Each switch number reads and writes one switch, and no other.
TEST(SwitchList, SetAndGet) {
  for (unsigned i = 0; i < switch_list().size(); ++i) {
    for (unsigned v = 0; v < switch_list()[i].values.size(); ++v) {
      Switches s;
      set_value(s, i, v);
      for (unsigned j = 0; j < switch_list().size(); ++j) {
        EXPECT_EQ(value_of(s, j), j == i ? v : value_of(Switches{}, j));
      }
    }
  }
  Switches s;
  s.wp_reuse = policy::wp_reuse::refcount_swapaware;
  unsigned index = 0;
  while (switch_list()[index].name != "wp_reuse") ++index;
  EXPECT_EQ(switch_list()[index].values[value_of(s, index)], "refcount_swapaware");
}

TEST(Nearest, WithinAThirdOfTheWord) {
  const Names names{"linux-5.10", "linux-6.1", "dontfork", "vmsplice_ref", "no"};
  EXPECT_EQ(nearest("linux-5.1O", names), "linux-5.10");
  EXPECT_EQ(nearest("dont-fork", names), "dontfork");
  EXPECT_EQ(nearest("vmspliceref", names), "vmsplice_ref");
  EXPECT_EQ(nearest("dontfork", names), "dontfork");
  EXPECT_EQ(nearest("on", Names{"no"}), "");  // two edits of two letters
  EXPECT_EQ(nearest("nop", Names{"no"}), "no");
  EXPECT_EQ(nearest("splice", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("x", Names{}), "");
  EXPECT_EQ(nearest("abd", Names{"abc", "abe"}), "abc");  // the first of equals
}

}  // namespace
}  // namespace drover::design
