// Reading and choosing designs; see session.hpp.
#include "cli/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "cli/usage_error.hpp"
#include "design/document.hpp"

namespace drover::cli {

using design::Design;

Session::Session(const DesignOptions& options) : options_(options), data_(find_data_folders()) {
  registry_.add_folder(data_.designs());
  for (const std::string& file : options.files) {
    const std::string name = registry_.add_file(file);
    if (!name.empty()) own_.push_back(name);
  }
  registry_.resolve();
  if (registry_.errors().empty()) return;
  for (const design::DesignError& error : registry_.errors()) {
    std::string text = design::to_string(error);
    if (!text.ends_with('\n')) text += '\n';
    std::fputs(text.c_str(), stderr);
  }
  throw UsageError("the designs have errors");
}

litmus::KnownDesigns Session::known() const {
  litmus::KnownDesigns known;
  for (const Design& design : registry_.designs()) {
    (design.release ? known.kernels : known.others).push_back(design.name);
  }
  return known;
}

const Design& Session::design(const std::string& name) const {
  if (const Design* found = registry_.find(name)) return *found;
  std::vector<std::string> names;
  for (const Design& design : registry_.designs()) names.push_back(design.name);
  const std::string nearest = design::nearest(name, names);
  throw UsageError(
      fmt::format("unknown design `{}`", name),
      nearest.empty() ? "`drover designs` lists them" : fmt::format("did you mean `{}`?", nearest));
}

std::vector<const Design*> Session::chosen() const {
  if (options_.all && !options_.names.empty()) throw UsageError("--all or --design, not both");
  if (options_.all) return all();
  std::set<std::string> wanted;
  for (const std::string& name : options_.names) {
    const std::size_t dots = name.find("..", 0);
    if (dots == std::string::npos) {
      wanted.insert(design(name).name);
      continue;
    }
    const std::string first = name.substr(0, dots), last = name.substr(dots + 2);
    const auto range = registry_.range(design(first).name, design(last).name);
    if (range.empty()) {
      throw UsageError(fmt::format("`{}` is no range of kernels", name),
                       "FIRST..LAST in release order, as `drover designs` lists them");
    }
    wanted.insert(range.begin(), range.end());
  }
  if (options_.names.empty()) wanted.insert(own_.begin(), own_.end());
  std::vector<const Design*> found;
  for (const Design& design : registry_.designs()) {
    if (wanted.contains(design.name)) found.push_back(&design);
  }
  return found;
}

std::vector<const Design*> Session::all() const {
  std::vector<const Design*> found;
  for (const Design& design : registry_.designs()) found.push_back(&design);
  return found;
}

std::vector<const Design*> Session::kernels() const {
  std::vector<const Design*> found;
  for (const Design& design : registry_.designs()) {
    if (design.release) found.push_back(&design);
  }
  return found;
}

const Design* Session::newest_kernel() const {
  const auto found = kernels();
  if (found.empty()) throw UsageError("the designs have no kernel among them");
  return found.back();
}

}  // namespace drover::cli
