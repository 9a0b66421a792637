// The functions of the device paths, one per entry of mm/paths.def that names this folder.
#pragma once

#include "mm/kernel.hpp"

namespace drover::device {

using mm::Kernel;
using mm::Step;

#define DROVER_PATH_mm(name)
#define DROVER_PATH_device(name) Step name(Kernel& k);
#define PATH(name, folder, locals) DROVER_PATH_##folder(name)
#include "mm/paths.def"
#undef PATH
#undef DROVER_PATH_device
#undef DROVER_PATH_mm

/// Whether the device can execute posted job `job` now.
[[nodiscard]] bool job_ready(const mm::State& s, unsigned job);
/// Whether the device may write through reference `ref`: of a memory region, what its keys say.
[[nodiscard]] bool device_may_write(const Kernel& k, unsigned ref);
/// The device executes queued job `job`; `k` acts for nobody in particular.
void run_job(Kernel& k, unsigned job);

}  // namespace drover::device
