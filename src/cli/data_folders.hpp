// Where designs, the litmus suite and claims.json are.
#pragma once

#include <filesystem>

namespace drover::cli {

struct DataFolders {
  std::filesystem::path root;
  [[nodiscard]] std::filesystem::path designs() const { return root / "designs"; }
  [[nodiscard]] std::filesystem::path suite() const { return root / "litmus"; }
  [[nodiscard]] std::filesystem::path claims() const { return root / "claims.json"; }
};

/// $DROVER_DATA; else ../share/drover beside the executable; else the source tree if the executable
/// is in its build tree; else the working directory. Throws UsageError if there are no designs.
[[nodiscard]] DataFolders find_data_folders();

}  // namespace drover::cli
