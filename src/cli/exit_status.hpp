// The exit status of commands that run tests.
#pragma once

#include "cli/commands.hpp"
#include "report/run.hpp"

namespace drover::cli {

/// Input errors over differences over incomplete runs.
[[nodiscard]] inline int exit_status(const report::Tally& tally, bool input_errors) {
  if (input_errors) return kExitInput;
  if (tally.of(report::Standing::differs) > 0) return kExitDiffers;
  return tally.of(report::Standing::incomplete) > 0 ? kExitIncomplete : kExitAsExpected;
}

}  // namespace drover::cli
