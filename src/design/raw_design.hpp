// One design file as read, before its `extends` chain is resolved. Private to reader.cpp, which
// fills it, and registry.cpp, which resolves it.
#pragma once

#include "design/design.hpp"

namespace drover::design {

/// A place in a file; both from 1.
struct Position {
  unsigned line = 1, column = 1;
};

/// One entry of the [switches] table.
struct Setting {
  unsigned index = 0, value = 0;  // as in switch_list() and SwitchInfo::values
  std::string commit, note;
};

struct RawDesign {
  Design design;  // name, title, description, extends, release, sources and file only
  std::vector<Setting> settings;
  Position extends_at, release_at;
  bool failed = false;  // the file has errors: the design must not be used
};

/// Fills `raw` from the file `raw.design.file`. Errors are appended, and `raw.failed` is set then.
void read_design(RawDesign& raw, std::vector<DesignError>& errors);

/// "did you mean `X`?" for the nearest candidate, or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace drover::design
