// What a command that deals with designs starts from: the data folders and all designs read.
#pragma once

#include <string>
#include <vector>

#include "cli/data_folders.hpp"
#include "cli/options.hpp"
#include "design/design.hpp"
#include "litmus/litmus.hpp"

namespace drover::cli {

class Session {
 public:
  /// Reads the designs and the user's own. Throws UsageError after printing their errors.
  explicit Session(const DesignOptions& options);

  [[nodiscard]] const DataFolders& data() const { return data_; }
  [[nodiscard]] const design::Registry& registry() const { return registry_; }
  /// The names that expectations may mention.
  [[nodiscard]] litmus::KnownDesigns known() const;

  /// The design of that name; throws UsageError, with the nearest name as hint.
  [[nodiscard]] const design::Design& design(const std::string& name) const;
  /// The designs the options ask for, in registry order: --all, --design, else those of
  /// --design-file; empty if the options name none. Throws UsageError for an unknown one.
  [[nodiscard]] std::vector<const design::Design*> chosen() const;
  [[nodiscard]] std::vector<const design::Design*> all() const;
  [[nodiscard]] std::vector<const design::Design*> kernels() const;
  /// Throws UsageError if there is no kernel at all.
  [[nodiscard]] const design::Design* newest_kernel() const;

 private:
  DesignOptions options_;
  DataFolders data_;
  design::Registry registry_;
  std::vector<std::string> own_;  // designs of --design-file
};

}  // namespace drover::cli
