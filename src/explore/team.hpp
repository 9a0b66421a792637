// The workers of one search: threads, and a model object for each.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "explore/crew.hpp"
#include "explore/model.hpp"

namespace drover::explore {

template <Model M>
class Team {
 public:
  /// `model` is worker 0's own; the others get copies when they first work.
  Team(M& model, unsigned workers) : model_(model), crew_(workers) {}

  unsigned workers() const { return crew_.workers(); }
  Crew& crew() { return crew_; }
  M& model(unsigned worker) { return worker == 0 ? model_ : *copies_[worker - 1]; }

  /// Crew::run(), with a model for every worker.
  template <class Work>
  void run(Work&& work) {
    while (copies_.size() + 1 < workers()) copies_.push_back(std::make_unique<M>(model_));
    crew_.run(std::forward<Work>(work));
  }

 private:
  M& model_;
  Crew crew_;
  std::vector<std::unique_ptr<M>> copies_;
};

}  // namespace drover::explore
