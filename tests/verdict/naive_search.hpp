// The naive second engine: plain recursion over a std::set of states, one shared access per step,
// no batches, no reductions. Slow and obviously right; the oracle for src/explore and for the
// fusing of steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.hpp"

namespace drover::tests {

class NaiveSearch {
 public:
  using State = std::string;  // the bytes of a packed state

  NaiveSearch(const litmus::Program& program, const design::Switches& switches,
              machine::Granularity granularity)
      : model_(program, switches, granularity) {}

  /// Explores everything; false when more than `limit` states were met (the results then say
  /// nothing).
  bool run(std::size_t limit) {
    State initial(model_.state_bytes(), '\0');
    model_.initial(reinterpret_cast<std::byte*>(initial.data()));
    limit_ = limit;
    visit(initial);
    return states_.size() <= limit_;
  }

  [[nodiscard]] const std::set<machine::Outcome>& outcomes() const { return outcomes_; }
  /// Bits of violated properties; livelocks are not looked for.
  [[nodiscard]] std::uint32_t violated() const { return violated_; }
  [[nodiscard]] std::size_t states() const { return states_.size(); }

 private:
  void visit(const State& state) {
    if (states_.size() > limit_ || !states_.insert(state).second) return;
    const auto* bytes = reinterpret_cast<const std::byte*>(state.data());
    std::vector<State> successors;
    model_.expand(bytes, [&](const explore::Transition& t) {
      successors.emplace_back(reinterpret_cast<const char*>(t.successor.data()),
                              t.successor.size());
      violated_ |= t.marks & kPropertyBits;
    });
    if (successors.empty()) {
      violated_ |= model_.terminal(bytes) & kPropertyBits;
      mm::State unpacked{};
      model_.unpack(bytes, unpacked);
      if (model_.finished(unpacked)) outcomes_.insert(model_.outcome(unpacked));
    }
    for (const State& successor : successors) visit(successor);
  }

  static constexpr std::uint32_t kPropertyBits = (1U << litmus::kProperties) - 1U;
  machine::Machine model_;
  std::size_t limit_ = 0;
  std::set<State> states_;
  std::set<machine::Outcome> outcomes_;
  std::uint32_t violated_ = 0;
};

}  // namespace drover::tests
