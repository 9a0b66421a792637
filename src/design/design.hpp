// A Design: the policy switches of one kernel or proposal, and where each value comes from.
// The list of switches is switches.def; reading TOML is reader.cpp; no policy is decided here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drover::design {

/// One enumeration per switch, named after it: policy::wp_reuse::refcount_strict.
namespace policy {
#define DROVER_VALUES(...) __VA_ARGS__
#define SWITCH(name, initial, values, doc) enum class name : std::uint8_t { DROVER_VALUES values };
#include "design/switches.def"
#undef SWITCH
}  // namespace policy

/// The switches themselves, what the model reads: `switches.wp_reuse`.
struct Switches {
#define SWITCH(name, initial, values, doc) policy::name name = policy::name::initial;
#include "design/switches.def"
#undef SWITCH
  bool operator==(const Switches&) const = default;
};

/// A switch as text, for readers and printers.
struct SwitchInfo {
  std::string_view name;
  std::vector<std::string_view> values;
  std::string_view documentation;
};
[[nodiscard]] const std::vector<SwitchInfo>& switch_list();
/// Index into SwitchInfo::values of the value that `s` has for switch number `index`.
[[nodiscard]] unsigned value_of(const Switches& s, unsigned index);
void set_value(Switches& s, unsigned index, unsigned value);

/// Why a switch has its value: the design file that set it, the commit and a note.
struct Provenance {
  std::string design;  // the file of the `extends` chain that set it; empty: the default
  std::string commit;  // "09854ba94c6a", may be empty
  std::string note;
};

struct Design {
  std::string name;   // "linux-5.10", the file's name without .toml
  std::string title;  // one line
  std::string description;
  std::string extends;              // empty: none
  std::optional<unsigned> release;  // position in release order; only kernels have one
  std::vector<std::string> sources;
  std::filesystem::path file;
  Switches switches;
  std::vector<Provenance> provenance;  // one per switch, in switch_list() order
};

/// A located error of a design file: "designs/x.toml:3:1: unknown switch ...".
struct DesignError {
  std::filesystem::path file;
  unsigned line = 0, column = 0;
  std::string message, hint;
};

/// All designs of some folders: kernels first in release order, then the others by name.
class Registry {
 public:
  /// Reads every *.toml below `folder`; errors are collected, not thrown.
  void add_folder(const std::filesystem::path& folder);
  /// Reads one file (a user's own design), replacing a design of that name. Its name, or "".
  std::string add_file(const std::filesystem::path& file);
  /// Resolves `extends` chains. Call once after adding; errors join errors().
  void resolve();

  [[nodiscard]] const std::vector<Design>& designs() const { return designs_; }
  [[nodiscard]] const Design* find(std::string_view name) const;
  [[nodiscard]] const std::vector<DesignError>& errors() const { return errors_; }
  /// The designs of `first .. last` (kernels in release order) or the one design if equal.
  /// Empty if a name is unknown, not a kernel in a range, or the range is backwards.
  [[nodiscard]] std::vector<std::string> range(std::string_view first, std::string_view last) const;

 private:
  struct Raw;
  std::vector<Design> designs_;
  std::vector<DesignError> errors_;
  std::vector<std::shared_ptr<Raw>> raw_;
};

/// Levenshtein-nearest candidate within a third of the word's length, or "": for hints.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace drover::design
