// check(): see check.hpp.
#include "verdict/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <vector>

#include "explore/breadth_first.hpp"
#include "explore/livelock.hpp"
#include "explore/sampling.hpp"
#include "explore/swarm.hpp"
#include "verdict/resumption.hpp"

namespace drover::verdict {

using litmus::Property;
using litmus::Verdict;

std::string unsupported_operation(const litmus::Program& program, const design::Design& design) {
  namespace policy = design::policy;
  const design::Switches& switches = design.switches;
  const bool io_uring = switches.io_uring_ref != policy::io_uring_ref::absent;
  for (const litmus::Object& object : program.objects) {
    const bool p2pdma = object.backing == litmus::Backing::p2pdma;
    if (p2pdma && switches.p2pdma_mapping == policy::p2pdma_mapping::absent) {
      return "PCI peer-to-peer memory in user space (it came with 6.2)";
    }
  }
  const bool pageout = switches.madv_pageout != policy::madv_pageout::absent;
  for (const litmus::Actor& actor : program.actors) {
    for (const litmus::Instr& i : actor.code) {
      if (i.op == litmus::Op::register_buffer && !io_uring) {
        return "register_buffer (io_uring came with 5.1)";
      }
      const bool wp = i.op == litmus::Op::uffd_wp || i.op == litmus::Op::uffd_unwp;
      if (wp && switches.uffd_wp == policy::uffd_wp::absent) {
        return "UFFDIO_WRITEPROTECT (it came with 5.7)";
      }
      if (i.op == litmus::Op::uffd_move && switches.uffd_move == policy::uffd_move::absent) {
        return "UFFDIO_MOVE (it came with 6.8)";
      }
      if (i.op == litmus::Op::madvise && i.advice == litmus::Advice::pageout && !pageout) {
        return "MADV_PAGEOUT (it came with 5.4)";
      }
      const bool collapse = i.op == litmus::Op::madvise && i.advice == litmus::Advice::collapse;
      if (collapse && switches.madv_collapse == policy::madv_collapse::absent) {
        return "MADV_COLLAPSE (it came with 6.1)";
      }
    }
  }
  return "";
}

namespace {

std::string reason(explore::Incomplete why) {
  switch (why) {
    case explore::Incomplete::none:
      return "";
    case explore::Incomplete::time:
      return "time limit";
    case explore::Incomplete::memory:
      return "memory limit";
    case explore::Incomplete::interrupted:
      return "interrupted";
    case explore::Incomplete::states:
      return "too many states";
    case explore::Incomplete::first:
      return "stopped at the first violation";
    case explore::Incomplete::sampled:
      return "a sample";
  }
  return "";
}

Verdict verdict_of(const CheckResult& result) {
  if (result.positive == 0) return Verdict::never;
  return result.negative == 0 ? Verdict::always : Verdict::sometimes;
}

std::uint32_t property_bits(const explore::SearchResult& found) {
  std::uint32_t bits = 0;
  for (unsigned p = 0; p < litmus::kProperties; ++p) {
    if (found.marks[p].seen()) bits |= 1U << p;
  }
  return bits;
}

explore::SearchOptions search_options(const CheckOptions& options) {
  explore::SearchOptions search;
  search.time_limit = options.time_limit;
  search.memory_limit = options.memory_limit;
  search.state_limit = options.state_limit;
  search.threads = options.threads;
  search.remember_after = options.remember_after;
  if (options.first) search.stop_at = (1U << litmus::kProperties) - 1U;
  search.stop = options.stop;
  search.progress = options.progress;
  return search;
}

void search(machine::Machine& model, const CheckOptions& options, const std::string& manifest,
            CheckResult& result) {
  explore::Team<machine::Machine> team(model, options.threads);
  std::optional<explore::StateStore> own;
  if (options.arena != nullptr) options.arena->reset(explore::shape_of(model));
  explore::StateStore& store =
      options.arena != nullptr ? *options.arena : own.emplace(explore::shape_of(model));
  explore::SearchOptions limits = search_options(options);
  std::vector<Tally> tallies(team.workers());
  Resumption resumption(options.checkpoint, manifest, store, tallies);
  resumption.prepare(limits, team.crew());
  const auto found = explore::breadth_first(
      team, store, limits, [&](unsigned worker, explore::StateIndex, explore::StateBytes bytes) {
        tallies[worker].add(model, bytes);
      });
  add_up(tallies, result);
  result.incomplete = found.incomplete;
  result.incomplete_reason = reason(found.incomplete);
  result.violated = property_bits(found);
  result.states = found.states();
  result.transitions = found.transitions;
  result.depth = found.level_count() - 1;
  result.memory = store.bytes_used() + found.remembered;
  if (found.complete() && found.backward) {
    const auto livelock = explore::find_livelock(team, store, found, limits);
    if (livelock.found()) result.violated |= 1U << static_cast<unsigned>(Property::progress);
    result.incomplete_reason = reason(livelock.incomplete);
    result.incomplete = livelock.incomplete;
  }
  if (result.complete()) resumption.finish();
}

/// Why a sample is no proof, in words and figures.
std::string coverage(const explore::Sample& sample, const CheckOptions& options) {
  if (options.mode == Mode::walks) {
    return fmt::format(
        "{} random walks: {} steps, about {} different states; {:.2g}% of further "
        "steps would meet new ones",
        options.runs, sample.transitions, sample.states, 100 * sample.unseen);
  }
  if (options.mode == Mode::swarm) {
    return fmt::format(
        "a swarm of {} searches: about {} different states; {:.2g}% of those of a further search "
        "would be new",
        options.runs, sample.states, 100 * sample.unseen);
  }
  return fmt::format("{}: {:.2g} states are expected to be missing, and what only they lead to",
                     options.mode == Mode::bitstate ? "bitstate" : "64-bit fingerprints",
                     sample.omitted);
}

void sample(machine::Machine& model, const CheckOptions& options, CheckResult& result) {
  const explore::SearchOptions limits = search_options(options);
  const bool together = options.mode == Mode::walks || options.mode == Mode::swarm;
  std::vector<Tally> tallies(together ? options.threads : 1);
  const auto one = [&](explore::StateBytes bytes) { tallies[0].add(model, bytes); };
  const std::uint64_t memory = std::min(options.memory_limit, std::uint64_t{1} << 40);
  explore::Sample seen;
  if (together) {
    explore::Team<machine::Machine> team(model, options.threads);
    const auto any = [&](unsigned worker, explore::StateBytes bytes) {
      tallies[worker].add(model, bytes);
    };
    seen = options.mode == Mode::walks
               ? explore::Walks(team, limits, any).run(options.runs, options.seed)
               : explore::Swarm(team, limits, any).run(options.runs, options.seed);
  } else if (options.mode == Mode::bitstate) {
    seen = explore::compact_search(model, explore::detail::Bitstate(memory), limits, one);
  } else {
    seen = explore::compact_search(model, explore::detail::Fingerprints(memory), limits, one);
  }
  add_up(tallies, result);
  result.violated = seen.seen & ((1U << litmus::kProperties) - 1U);
  result.states = seen.states;
  result.transitions = seen.transitions;
  result.depth = seen.depth;
  result.memory = seen.memory;
  result.incomplete =
      seen.stopped != explore::Incomplete::none ? seen.stopped : explore::Incomplete::sampled;
  result.incomplete_reason = coverage(seen, options);
  if (seen.stopped != explore::Incomplete::none) {
    result.incomplete_reason = reason(seen.stopped) + "; " + result.incomplete_reason;
  }
}

CheckResult check_once(const litmus::Program& program, const design::Design& design,
                       const CheckOptions& options) {
  CheckResult result;
  result.design = design.name;
  result.unsupported = unsupported_operation(program, design);
  if (!result.unsupported.empty()) {
    result.verdict = Verdict::unsupported;
    return result;
  }
  const auto begin = std::chrono::steady_clock::now();
  machine::Machine model(program, design.switches, options.granularity);
  if (options.mode != Mode::walks) {
    if (options.reduction) model.reduce();
    if (options.symmetry) model.use_symmetry();
  }
  result.state_bytes = model.state_bytes();
  result.interchanges = model.interchanges();
  try {
    if (options.mode == Mode::exhaustive) {
      search(model, options, manifest(program, design, options), result);
    } else {
      sample(model, options, result);
    }
  } catch (const std::runtime_error& limit) {  // a limit of the model itself
    result.incomplete_reason = limit.what();
  }
  result.verdict = verdict_of(result);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace

bool same_outcomes(const CheckResult& a, const CheckResult& b) {
  return std::equal(a.outcomes.begin(), a.outcomes.end(), b.outcomes.begin(), b.outcomes.end(),
                    [](const auto& left, const auto& right) { return left.first == right.first; });
}

CheckResult check(const litmus::Program& program, const design::Design& design,
                  const CheckOptions& options) {
  CheckResult result = check_once(program, design, options);
  if (!options.audit || !(options.reduction || options.symmetry) || !result.complete()) {
    return result;
  }
  CheckOptions in_full = options;
  in_full.reduction = in_full.symmetry = false;
  in_full.checkpoint = {};
  const CheckResult whole = check_once(program, design, in_full);
  if (!whole.complete()) {
    result.incomplete = whole.incomplete;
    result.incomplete_reason = "audit without reduction: " + whole.incomplete_reason;
  } else if (!same_outcomes(whole, result) || whole.violated != result.violated) {
    throw std::logic_error(fmt::format(
        "drover: the reduction changed the result ({} of {} outcomes, violations {:x} and {:x})",
        result.outcomes.size(), whole.outcomes.size(), result.violated, whole.violated));
  }
  return result;
}

std::string to_string(const litmus::Condition& condition, const machine::Outcome& outcome) {
  std::string text;
  for (std::size_t i = 0; i < condition.atoms.size(); ++i) {
    const litmus::Atom& atom = condition.atoms[i];
    if (!text.empty()) text += ' ';
    const bool truth = atom.kind == litmus::AtomKind::sigsegv ||
                       atom.kind == litmus::AtomKind::sigbus ||
                       atom.kind == litmus::AtomKind::same_frame;
    if (truth) {
      text += fmt::format("{}{};", outcome[i] != 0 ? "" : "~", atom.name);
    } else if (outcome[i] == machine::kUnmapped) {
      text += fmt::format("{}=unmapped;", atom.name);
    } else {
      text += fmt::format("{}={};", atom.name, outcome[i]);
    }
  }
  return text;
}

}  // namespace drover::verdict
