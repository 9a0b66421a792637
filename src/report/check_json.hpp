// Runs as JSON, what `drover check --json` prints.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "machine/machine.hpp"
#include "report/run.hpp"

namespace drover::report {

/// One run: the test, the design, all counts, outcomes, violated properties, expectation, standing.
[[nodiscard]] nlohmann::ordered_json run_json(const Run& run);

/// Schema "drover.check/1": every run and how many stand where.
[[nodiscard]] nlohmann::ordered_json check_json(std::span<const Run> runs,
                                                machine::Granularity granularity);

}  // namespace drover::report
