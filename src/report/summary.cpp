// One test under several designs, in short; see summary.hpp.
#include "report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "report/text.hpp"

namespace drover::report {
namespace {

constexpr std::string_view kLetters = "ASN-?";

std::vector<std::string> kernels_text(std::span<const Run> runs) {
  std::vector<std::string> stretches;
  for (std::size_t at = 0; at < runs.size();) {
    std::size_t end = at + 1;
    while (end < runs.size() && letter(runs[end].result) == letter(runs[at].result)) ++end;
    std::string stretch =
        fmt::format("{} {}", letter(runs[at].result), short_name(runs[at].design->name));
    if (end > at + 1) stretch += '-' + short_name(runs[end - 1].design->name);
    stretches.push_back(std::move(stretch));
    at = end;
  }
  return stretches;
}

std::string others_text(std::span<const Run> runs) {
  if (runs.size() == 1) {
    return fmt::format("{} {}", letter(runs[0].result), runs[0].design->name);
  }
  std::string text = "others";
  for (const char wanted : kLetters) {
    const auto n = std::count_if(runs.begin(), runs.end(),
                                 [&](const Run& run) { return letter(run.result) == wanted; });
    if (n > 0) text += fmt::format(" {} {}", wanted, n);
  }
  return text;
}

const char* worst(std::span<const Run> runs) {
  Tally tally;
  for (const Run& run : runs) tally.add(run);
  if (tally.of(Standing::differs) > 0) return "Differs";
  if (tally.of(Standing::incomplete) > 0) return "Incomplete";
  return tally.of(Standing::as_expected) > 0 ? "Ok" : "Seen";
}

}  // namespace

std::vector<std::string> verdict_stretches(std::span<const Run> runs) {
  const auto first_other = std::find_if(
      runs.begin(), runs.end(), [](const Run& run) { return !run.design->release.has_value(); });
  const auto kernels = static_cast<std::size_t>(first_other - runs.begin());
  std::vector<std::string> stretches = kernels_text(runs.first(kernels));
  if (kernels == runs.size()) return stretches;
  if (!stretches.empty()) stretches.back() += ';';
  stretches.push_back(others_text(runs.subspan(kernels)));
  return stretches;
}

std::string summary_line(std::span<const Run> runs) {
  constexpr std::size_t kNameWidth = 34;
  const std::string head =
      fmt::format("{} {}  ", worst(runs), pad(runs.front().program->name, kNameWidth));
  return hang(head, verdict_stretches(runs));
}

}  // namespace drover::report
