// Smaller scenarios that still show the same; see scenario.hpp.
#include <algorithm>
#include <set>

#include "native/random/scenario.hpp"

namespace drover::native {
namespace {

// Takes out what needs something that is gone: uses of a handle, steps of a process not forked.
void drop_dependents(Scenario& scenario, std::set<std::string> gone) {
  for (bool again = true; again;) {
    again = std::erase_if(scenario.steps, [&](const Step& s) {
              const bool needs = gone.contains(s.process) ||
                                 std::any_of(s.names.begin(), s.names.end(),
                                             [&](const auto& n) { return gone.contains(n); });
              if (needs && !s.defines.empty()) gone.insert(s.defines);
              return needs;
            }) > 0;
  }
}

Scenario without_steps(const Scenario& scenario, std::size_t first, std::size_t count) {
  Scenario smaller = scenario;
  const auto from = smaller.steps.begin() + static_cast<std::ptrdiff_t>(first);
  const auto to = from + static_cast<std::ptrdiff_t>(count);
  std::set<std::string> gone;
  for (auto s = from; s != to; ++s) {
    if (!s->defines.empty()) gone.insert(s->defines);
  }
  smaller.steps.erase(from, to);
  drop_dependents(smaller, gone);
  return smaller;
}

bool mentions(const Scenario& scenario, const std::string& text) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [&](const Step& s) { return s.text.find(text) != std::string::npos; });
}

// Largest cuts first.
std::vector<Scenario> smaller_than(const Scenario& scenario) {
  std::vector<Scenario> found;
  const std::size_t steps = scenario.steps.size();
  for (std::size_t count = steps / 2; count > 0; count /= 2) {
    for (std::size_t first = 0; first + count <= steps; first += count) {
      found.push_back(without_steps(scenario, first, count));
    }
  }
  for (std::size_t m = 0; m < scenario.memory.size(); ++m) {
    const Memory& memory = scenario.memory[m];
    if (scenario.memory.size() > 1) {
      Scenario one_less = scenario;
      one_less.memory.erase(one_less.memory.begin() + static_cast<std::ptrdiff_t>(m));
      drop_dependents(one_less, {memory.name});
      found.push_back(std::move(one_less));
    }
    if (memory.pages > 1 && !mentions(scenario, "[1]")) {
      found.push_back(scenario);
      found.back().memory[m].pages = 1;
    }
    if (memory.words > 1 && !mentions(scenario, ".w1")) {
      found.push_back(scenario);
      found.back().memory[m].words = 1;
    }
    if (memory.attribute == "fresh" || memory.attribute == "untouched") {
      found.push_back(scenario);
      found.back().memory[m].attribute.clear();
    }
  }
  return found;
}

std::size_t size_of(const Scenario& scenario) {
  std::size_t size = 100 * scenario.steps.size();
  for (const Memory& m : scenario.memory) {
    size += 10 * m.pages + m.words + (m.attribute.empty() ? 0 : 1);
  }
  return size;
}

}  // namespace

Scenario shrink(Scenario scenario, const StillShows& still_shows) {
  for (;;) {
    std::vector<Scenario> candidates = smaller_than(scenario);
    std::erase_if(candidates, [](const Scenario& s) { return !is_usable(s); });
    if (candidates.empty()) return scenario;
    const std::vector<bool> shows = still_shows(candidates);
    const Scenario* best = nullptr;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (!shows.at(i)) continue;
      if (best == nullptr || size_of(candidates[i]) < size_of(*best)) best = &candidates[i];
    }
    if (best == nullptr) return scenario;
    scenario = *best;
  }
}

}  // namespace drover::native
