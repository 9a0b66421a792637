// The search for the data folders; see data_folders.hpp.
#include "cli/data_folders.hpp"

#include <cstdlib>
#include <fstream>
#include <string>

#include "cli/usage_error.hpp"

namespace drover::cli {
namespace {

namespace fs = std::filesystem;

bool has_designs(const fs::path& root) {
  std::error_code error;
  return fs::is_directory(root / "designs", error);
}

fs::path folder_of_executable() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

// The build writes the path of its sources beside the executable. The executable itself names no
// path of the machine it was built on.
fs::path source_tree(const fs::path& executable_folder) {
  std::ifstream in(executable_folder / "drover-data-path");
  std::string line;
  return std::getline(in, line) ? fs::path(line) : fs::path();
}

}  // namespace

DataFolders find_data_folders() {
  if (const char* set = std::getenv("DROVER_DATA"); set != nullptr && *set != '\0') {
    if (!has_designs(set)) {
      throw UsageError(std::string("no folder `designs` in $DROVER_DATA, ") + set);
    }
    return {set};
  }
  const fs::path beside = folder_of_executable();
  for (const fs::path& root : {beside.parent_path() / "share" / "drover", source_tree(beside)}) {
    if (!root.empty() && has_designs(root)) return {root};
  }
  if (has_designs(".")) return {"."};
  throw UsageError("the designs are not found",
                   "set DROVER_DATA to the folder that has `designs` and `litmus` in it");
}

}  // namespace drover::cli
