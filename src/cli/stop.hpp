// Ctrl-C and SIGTERM: one flag that searches look at. A second signal ends the process at once.
#pragma once

#include <atomic>

namespace drover::cli {

/// Installs the handlers; the flag becomes true at the first signal.
const std::atomic<bool>& stop_on_signals();

}  // namespace drover::cli
