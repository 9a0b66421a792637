// Checkpoints of checks; see resumption.hpp.
#include "verdict/resumption.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

namespace drover::verdict {

void Tally::add(const machine::Machine& model, explore::StateBytes bytes) {
  model.unpack(bytes.data(), state);
  if (!model.finished(state)) return;  // a deadlock is no outcome
  for (const machine::Outcome& outcome : model.outcomes(state)) {
    (model.holds(outcome) ? positive : negative)++;
    outcomes[outcome]++;
  }
}

void add_up(const std::vector<Tally>& tallies, CheckResult& result) {
  for (const Tally& tally : tallies) {
    result.positive += tally.positive;
    result.negative += tally.negative;
    for (const auto& [outcome, states] : tally.outcomes) result.outcomes[outcome] += states;
  }
}

namespace {

/// "positive negative", then a line "states value value ..." per outcome.
std::string text_of(const std::vector<Tally>& tallies) {
  CheckResult sum;
  add_up(tallies, sum);
  std::string text = fmt::format("{} {}\n", sum.positive, sum.negative);
  for (const auto& [outcome, states] : sum.outcomes) {
    text += fmt::format("{} {}\n", states, fmt::join(outcome, " "));
  }
  return text;
}

Tally tally_of(const std::string& text) {
  Tally tally;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> tally.positive >> tally.negative;
  while (std::getline(lines, line)) {
    std::istringstream numbers(line);
    std::uint64_t states = 0;
    machine::Outcome outcome;
    numbers >> states;
    for (std::int16_t value = 0; numbers >> value;) outcome.push_back(value);
    tally.outcomes[outcome] = states;
  }
  return tally;
}

}  // namespace

std::string manifest(const litmus::Program& program, const design::Design& design,
                     const CheckOptions& options) {
  std::string switches;
  for (unsigned i = 0; i < design::switch_list().size(); ++i) {
    switches += fmt::format(" {}", design::value_of(design.switches, i));
  }
  return fmt::format(
      "drover {}\ntest {} {}\ndesign {}\nswitches{}\ngranularity {}\nreduction {}\nsymmetry {}\n",
      options.checkpoint.version, program.name, program.hash, design.name, switches,
      options.granularity == machine::Granularity::fine ? "fine" : "coarse",
      options.reduction ? "yes" : "no", options.symmetry ? "yes" : "no");
}

std::string checkpoint_refusal(const litmus::Program& program, const design::Design& design,
                               const CheckOptions& options) {
  const auto theirs = explore::manifest_of(options.checkpoint.file);
  if (!theirs) return "";
  return explore::difference(*theirs, manifest(program, design, options));
}

void Resumption::prepare(explore::SearchOptions& search, explore::Crew& crew) {
  if (options_.file.empty()) return;
  search.checkpoint.every = options_.every;
  search.checkpoint.save = [this](const explore::SearchPoint& point) { save(point); };
  store_.clear(search.memory_limit, search.state_limit);
  auto restored = explore::load_checkpoint(options_.file, store_, crew);
  if (!restored.damage.empty()) say(fmt::format("not used: {}", restored.damage));
  if (!restored.checkpoint) return;
  const std::string refusal = explore::difference(restored.checkpoint->manifest, manifest_);
  if (!refusal.empty()) {
    throw std::invalid_argument(fmt::format("{} is of another check: {}", restored.file, refusal));
  }
  point_ = std::move(restored.checkpoint->point);
  tallies_.front() = tally_of(restored.checkpoint->extra);
  search.checkpoint.resume = &point_;
  say(fmt::format("goes on from {}: {} states, depth {}", restored.file, store_.size(),
                  point_.so_far.level_count() - 1));
}

void Resumption::save(const explore::SearchPoint& point) {
  const std::string error = explore::save_checkpoint(
      options_.file, explore::Checkpoint{manifest_, text_of(tallies_), point}, store_);
  if (!error.empty()) say(fmt::format("{} was not written: {}", options_.file, error));
}

void Resumption::finish() const {
  if (!options_.file.empty()) explore::remove_checkpoint(options_.file);
}

}  // namespace drover::verdict
