// Options that several sub-commands share.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "machine/machine.hpp"

namespace drover::cli {

/// `validator` without the words that CLI11 would add to --help: the option's own text has them.
[[nodiscard]] CLI::Validator unlisted(CLI::Validator validator);

struct DesignOptions {
  std::vector<std::string> names;  // designs and ranges "linux-5.4..linux-5.10"
  std::vector<std::string> files;  // a user's own designs
  bool all = false;
};
/// --design, --design-file, --all.
void add_design_options(CLI::App& command, DesignOptions& options);

struct SearchFlags {
  unsigned jobs = 0;               // 0: one per core, divided by threads
  unsigned threads = 0;            // of one check; 0: one per core for a single check, else one
  double time_limit = 0;           // seconds of one check; 0: none
  std::uint64_t memory_limit = 0;  // bytes of one check; 0: what is available
  std::string granularity = "coarse";
  bool progress = false;
  std::string compact;  // "", "fingerprints", "bitstate"
  std::uint64_t walks = 0, swarm = 0, seed = 1;
  std::string checkpoint;  // file; empty: none
  double every = 60;       // seconds between checkpoints
  bool no_reduction = false, no_symmetry = false, audit = false;
  bool first = false;  // stop a check at the first violation

  [[nodiscard]] machine::Granularity steps() const {
    return granularity == "fine" ? machine::Granularity::fine : machine::Granularity::coarse;
  }
};
/// Turns 90, 90s, 2m or 1.5h into seconds; anything else, and what is not above 0, is an error.
[[nodiscard]] CLI::Validator duration();
/// Accepts whole numbers from 1 on.
[[nodiscard]] CLI::Validator at_least_one();
/// --threads alone.
void add_threads(CLI::App& command, SearchFlags& flags);
/// -j, --threads, --time-limit, --memory-limit, --granularity, --compact, --walks, --swarm, --seed,
/// --no-reduction, --no-symmetry, --audit, --first, --progress.
void add_search_flags(CLI::App& command, SearchFlags& flags);

/// The end of a command's --help: what there is to know beyond the options, then "Examples:".
[[nodiscard]] std::string details(std::string text, std::initializer_list<const char*> examples);

}  // namespace drover::cli
