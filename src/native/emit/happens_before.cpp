// Whether a test's own synchronisation leaves one order of all statements that can affect each
// other. Conservative: an order that only holds in some runs does not count.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "native/emit/emit.hpp"

namespace drover::native {
namespace {

using litmus::Instr;
using litmus::Op;

// Statements that no other actor can notice, beside the order they make.
bool relevant(Op op) {
  switch (op) {
    case Op::assign:
    case Op::jump:
    case Op::branch_zero:
    case Op::signal:
    case Op::await:
    case Op::wait:
    case Op::complete:
      return false;
    default:
      return true;
  }
}

class HappensBefore {
 public:
  explicit HappensBefore(const litmus::Program& program) : program_(program) {
    number_nodes();
    program_order();
    process_order();
    event_order();
    job_order();
  }

  [[nodiscard]] bool total() const {
    for (std::size_t from = 0; from < nodes_.size(); ++from) {
      if (!nodes_[from].relevant) continue;
      const std::vector<bool> after = reachable(from);
      for (std::size_t to = 0; to < nodes_.size(); ++to) {
        if (!nodes_[to].relevant || nodes_[to].actor == nodes_[from].actor || after[to]) continue;
        if (to > from && !reachable(to)[from]) return false;
      }
    }
    return true;
  }

 private:
  struct Node {
    std::size_t actor;
    bool relevant;
    bool conditional;  // in a branch: need not be executed when the statements after it are
    std::vector<std::size_t> next;
  };

  void number_nodes() {
    for (std::size_t a = 0; a < program_.actors.size(); ++a) {
      first_.push_back(nodes_.size());
      for (const Instr& i : program_.actors[a].code) {
        nodes_.push_back({a, relevant(i.op), false, {}});
      }
      mark_branches(a);
    }
    for (std::size_t j = 0; j < program_.jobs; ++j) {  // the device is an actor of its own
      job_node_.push_back(nodes_.size());
      nodes_.push_back({program_.actors.size() + j, true, false, {}});
    }
  }

  void mark_branches(std::size_t a) {
    const auto& code = program_.actors[a].code;
    for (std::size_t i = 0; i < code.size(); ++i) {
      if (code[i].op != Op::branch_zero && code[i].op != Op::jump) continue;
      for (std::size_t k = i + 1; k < code[i].target; ++k) {
        nodes_[first_[a] + k].conditional = true;
      }
    }
  }

  template <class Visit>
  void each(Op op, Visit visit) const {
    for (std::size_t a = 0; a < program_.actors.size(); ++a) {
      const auto& code = program_.actors[a].code;
      for (std::size_t i = 0; i < code.size(); ++i) {
        if (code[i].op == op) visit(a, i, code[i]);
      }
    }
  }

  // `to` is not reached before `from` was executed. A statement in a branch may be skipped, and
  // what comes after it would then seem ordered.
  void edge(std::size_t from, std::size_t to) {
    if (!nodes_[to].conditional) nodes_[from].next.push_back(to);
  }

  void program_order() {
    for (std::size_t n = 1; n < nodes_.size(); ++n) {
      if (nodes_[n].actor == nodes_[n - 1].actor) nodes_[n - 1].next.push_back(n);
    }
  }

  // The only exit statement of a process, or nodes_.size() when there is not exactly one.
  [[nodiscard]] std::size_t exit_of(std::size_t process) const {
    std::vector<std::size_t> found;
    each(Op::exit, [&](std::size_t a, std::size_t i, const Instr&) {
      if (program_.actors[a].process == process) found.push_back(first_[a] + i);
    });
    return found.size() == 1 ? found.front() : nodes_.size();
  }

  void start_child(std::size_t from, const Instr& fork) {
    for (std::size_t a = 0; a < program_.actors.size(); ++a) {
      if (program_.actors[a].process != fork.process || program_.actors[a].code.empty()) continue;
      nodes_[from].next.push_back(first_[a]);  // a child that runs was forked
    }
  }

  void process_order() {
    each(Op::fork, [&](std::size_t a, std::size_t i, const Instr& fork) {
      start_child(first_[a] + i, fork);
    });
    each(Op::vfork, [&](std::size_t a, std::size_t i, const Instr& fork) {
      start_child(first_[a] + i, fork);
      const std::size_t end = exit_of(fork.process);
      const bool last = i + 1 == program_.actors[a].code.size();
      if (end < nodes_.size() && !last && !nodes_[first_[a] + i].conditional) {
        edge(end, first_[a] + i + 1);
      }
    });
    each(Op::wait, [&](std::size_t a, std::size_t i, const Instr& wait) {
      const std::size_t end = exit_of(wait.process);
      if (end < nodes_.size()) edge(end, first_[a] + i);
    });
  }

  void event_order() {
    each(Op::await, [&](std::size_t a, std::size_t i, const Instr& await) {
      std::vector<std::size_t> signals;
      each(Op::signal, [&](std::size_t b, std::size_t k, const Instr& signal) {
        if (signal.event == await.event) signals.push_back(first_[b] + k);
      });
      if (signals.size() == 1) edge(signals.front(), first_[a] + i);
    });
  }

  void job_order() {
    const auto post = [&](std::size_t a, std::size_t i, const Instr& p) {
      nodes_[first_[a] + i].next.push_back(job_node_[p.job]);
    };
    each(Op::post_read, post);
    each(Op::post_write, post);
    each(Op::complete, [&](std::size_t a, std::size_t i, const Instr& c) {
      edge(job_node_[c.job], first_[a] + i);
    });
  }

  [[nodiscard]] std::vector<bool> reachable(std::size_t from) const {
    std::vector<bool> seen(nodes_.size());
    std::vector<std::size_t> pending = {from};
    while (!pending.empty()) {
      const std::size_t n = pending.back();
      pending.pop_back();
      for (const std::size_t next : nodes_[n].next) {
        if (!seen[next]) pending.push_back(next);
        seen[next] = true;
      }
    }
    return seen;
  }

  const litmus::Program& program_;
  std::vector<Node> nodes_;
  std::vector<std::size_t> first_;     // node of each actor's first statement
  std::vector<std::size_t> job_node_;  // what the device does
};

}  // namespace

bool is_ordered(const litmus::Program& program) {
  const bool daemons =
      std::any_of(program.actors.begin(), program.actors.end(),
                  [](const litmus::Actor& a) { return a.kind != litmus::ActorKind::thread; });
  return !daemons && HappensBefore(program).total();
}

}  // namespace drover::native
