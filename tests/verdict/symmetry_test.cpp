// Symmetry: which threads and processes are interchangeable; that in every state steps and
// permutations can be taken in either order; that no result changes, and how many states are left.
#include "machine/symmetry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "random_program.hpp"
#include "support/programs.hpp"
#include "verdict/check.hpp"

namespace drover::tests {
namespace {

using Bytes = std::string;  // of a packed state

/// All that two sides of a permutation must agree on: successors, marks, whether cycles may close.
using Steps = std::set<std::tuple<Bytes, explore::Marks, bool>>;

/// In every state of a program, for every permutation: first the step and then the permutation is
/// the same as the other way round.
class Equivariance {
 public:
  Equivariance(const litmus::Program& program, const design::Switches& switches,
               machine::Granularity granularity)
      : symmetry_(program),
        model_(program, switches, granularity),
        images_(program, switches, granularity) {
    images_.use_symmetry();
  }

  /// False if there are more than `limit` states; those were compared nevertheless.
  bool run(std::size_t limit, const std::string& text) {
    Bytes initial(model_.state_bytes(), '\0');
    model_.initial(data(initial));
    for (std::uint16_t g = 0; g < symmetry_.order(); ++g) {
      EXPECT_EQ(image(initial, g), initial) << text;
    }
    std::set<Bytes> seen{initial};
    std::vector<Bytes> open{initial};
    while (!open.empty()) {
      const Bytes state = open.back();
      open.pop_back();
      const Steps steps = steps_of(state);
      for (std::uint16_t g = 1; g < symmetry_.order(); ++g) compare(state, steps, g, text);
      if (testing::Test::HasFailure()) return true;
      for (const auto& [next, marks, backward] : steps) {
        if (seen.insert(next).second) open.push_back(next);
      }
      if (seen.size() > limit) return false;
    }
    return true;
  }

 private:
  static std::byte* data(Bytes& bytes) { return reinterpret_cast<std::byte*>(bytes.data()); }
  static const std::byte* data(const Bytes& bytes) {
    return reinterpret_cast<const std::byte*>(bytes.data());
  }

  Bytes image(const Bytes& state, std::uint16_t g) {
    Bytes out(state.size(), '\0');
    images_.image(data(state), g, data(out));
    return out;
  }

  Steps steps_of(const Bytes& state) {
    Steps steps;
    model_.expand(data(state), [&](const explore::Transition& t) {
      const auto* bytes = reinterpret_cast<const char*>(t.successor.data());
      steps.emplace(Bytes(bytes, t.successor.size()), t.marks, t.backward);
    });
    return steps;
  }

  void compare(const Bytes& state, const Steps& steps, std::uint16_t g, const std::string& text) {
    const Bytes there = image(state, g);
    Steps expected;
    for (const auto& [next, marks, backward] : steps) {
      expected.emplace(image(next, g), marks, backward);
    }
    EXPECT_EQ(steps_of(there), expected) << "permutation " << g << " of\n" << text;
    if (!steps.empty()) return;
    constexpr explore::Marks kProperties = (1U << litmus::kProperties) - 1U;
    EXPECT_EQ(model_.terminal(data(there)) & kProperties,
              model_.terminal(data(state)) & kProperties)
        << text;
    mm::State s{};
    model_.unpack(data(state), s);
    const machine::Outcome outcome = model_.outcome(s);
    machine::Outcome permuted(outcome.size());
    for (std::size_t i = 0; i < outcome.size(); ++i) {
      permuted[symmetry_.group()[g].atoms[i]] = outcome[i];
    }
    model_.unpack(data(there), s);
    EXPECT_EQ(model_.outcome(s), permuted) << text;
  }

  machine::Symmetry symmetry_;
  machine::Machine model_, images_;
};

std::size_t order(const litmus::Program& program) {
  return machine::Symmetry(program).order();
}

verdict::CheckResult run(const litmus::Program& program, const design::Design& design,
                         bool reduction, bool symmetry, std::uint64_t limit = 200'000) {
  verdict::CheckOptions options;
  options.reduction = reduction;
  options.symmetry = symmetry;
  options.state_limit = limit;
  return verdict::check(program, design, options);
}

/// Compares with and without symmetry; false if the program is too big without.
bool compare(const litmus::Program& program, const design::Design& design, const std::string& text,
             std::uint64_t limit = 50'000) {
  const auto whole = run(program, design, false, false, limit);
  if (!whole.complete()) return false;
  for (const bool reduction : {false, true}) {
    const auto one = run(program, design, reduction, true, limit);
    EXPECT_TRUE(one.complete()) << one.incomplete_reason << "\n" << text;
    EXPECT_TRUE(verdict::same_outcomes(one, whole)) << design.name << "\n" << text;
    EXPECT_EQ(one.violated, whole.violated) << design.name << "\n" << text;
    EXPECT_EQ(one.verdict, whole.verdict) << design.name << "\n" << text;
    EXPECT_LE(one.states, whole.states) << design.name << "\n" << text;
  }
  return true;
}

const char* const kThreads = R"(litmus three-threads
anon buf { x }
process p { fork(c); buf.x = 1; }
process c { r = buf.x; }
thread p.t { m = pin(buf, FOLL_WRITE, fast); dma_write(m.x, 2); unpin(m); }
thread p.u { n = pin(buf, FOLL_WRITE, fast); dma_write(n.x, 2); unpin(n); }
exists (c:r = 2)
)";

// Address spaces change places as well.
const std::vector<std::string> kProcesses = {
    R"(litmus mapped-by-both
file f { x } : shared, shmem, unmapped
process p { r = mmap(f); f.x = 1; s = f.x; }
process q : independent { r = mmap(f); f.x = 1; s = f.x; }
exists (p:s = 1 /\ q:s = 1)
)",
    R"(litmus pinned-by-both
file f { x } : shared, shmem, unmapped
process p { mmap(f); m = pin(f, FOLL_WRITE); dma_write(m.x, 1); munmap(f); }
process q : independent { mmap(f); n = pin(f, FOLL_WRITE); dma_write(n.x, 1); munmap(f); }
exists (true)
)",
    R"(litmus forked-by-either-thread
anon buf { x }
process p { buf.x = 1; }
thread p.t { fork(c); }
thread p.u { fork(d); }
process c { r = buf.x; buf.x = 2; m = pin(buf, FOLL_WRITE, fast); dma_write(m.x, 3); exit; }
process d { r = buf.x; buf.x = 2; n = pin(buf, FOLL_WRITE, fast); dma_write(n.x, 3); exit; }
exists (c:r = 1 /\ d:r = 0)
)",
    R"(litmus children-peek-and-poke
anon buf { x }
process p { s = buf.x; }
thread p.t { fork(c); wait(c); }
thread p.u { fork(d); wait(d); }
process c { r = process_vm_readv(p, buf.x); ptrace_poke(p, buf.x, 1); exit; }
process d { r = process_vm_readv(p, buf.x); ptrace_poke(p, buf.x, 1); exit; }
exists (c:r = 1 /\ d:r = 1)
)",
    R"(litmus vforked-children
anon buf { x } : untouched
process p { buf.x = 5; }
thread p.t { vfork(c); }
thread p.u { vfork(d); }
process c { buf.x = 1; exit; }
process d { buf.x = 1; exit; }
exists (p:buf.x = 1)
)",
    R"(litmus children-and-events
anon buf { x }
process p { await a; madvise(buf, MADV_DONTNEED); await b; }
thread p.t { signal a; fork(c); r = buf.x; }
thread p.u { signal a; fork(d); r = buf.x; }
process c { mprotect(buf, PROT_READ); signal b; r = buf.x; }
process d { mprotect(buf, PROT_READ); signal b; r = buf.x; }
exists (c:r = 0 /\ d:r = 0 /\ ~same_frame(c:buf, d:buf))
)",
    R"(litmus children-under-a-daemon
anon buf { x }
process p { }
thread p.t { fork(c); }
thread p.u { fork(d); }
process c { buf.x = 1; }
process d { buf.x = 1; }
daemon speculate(buf, 1);
exists (c:buf.x = 1 /\ d:buf.x = 0)
)"};

TEST(Automorphisms, OfThreadsWithTheSameStatements) {
  EXPECT_EQ(order(parse(kThreads)), 2U);
  EXPECT_EQ(order(parse(R"(litmus four
anon a { x }
process p { }
thread p.t { a.x = 1; }
thread p.u { a.x = 1; }
thread p.v { a.x = 1; }
thread p.w { a.x = 2; }
exists (true)
)")),
            6U);
}

TEST(Automorphisms, TheConditionTellsThreadsApart) {
  const std::string text = R"(litmus named
anon a { x }
process p { a.x = 1; }
thread p.t { r = a.x; }
thread p.u { r = a.x; }
exists )";
  EXPECT_EQ(order(parse(text + "(true)\n")), 2U);
  EXPECT_EQ(order(parse(text + "(p.t:r = 0)\n")), 1U);
  EXPECT_EQ(order(parse(text + "(p.t:r = 0 /\\ p.u:r = 1)\n")), 2U);
}

TEST(Automorphisms, WhoIsNamedByOneOnlyIsNotInterchangeable) {
  // The main process waits for c's event first.
  EXPECT_EQ(order(parse(R"(litmus events
anon a { x }
process p { await one; await two; }
thread p.t { signal one; }
thread p.u { signal two; }
exists (true)
)")),
            1U);
  // c is forked before d.
  EXPECT_EQ(order(parse(R"(litmus in-order
anon a { x }
process p { fork(c); fork(d); }
process c { a.x = 1; }
process d { a.x = 1; }
exists (true)
)")),
            1U);
}

TEST(Automorphisms, ManyThreadsAreASubgroup) {
  std::string text = "litmus many\nanon a { x }\nprocess p { }\n";
  for (char t = 'a'; t < 'k'; ++t) text += std::string("thread p.t") + t + " { a.x = 1; }\n";
  EXPECT_EQ(order(parse(text + "exists (true)\n")), 5040U);  // three stay, seven are permuted
}

TEST(Automorphisms, AddressSpacesHaveAnOrderWhereRmapIsWalked) {
  for (const std::string& text : kProcesses) {
    EXPECT_EQ(order(parse(text)), 2U) << text;
  }
  EXPECT_EQ(order(parse(R"(litmus reclaimed
anon buf { x }
process p { }
thread p.t { fork(c); }
thread p.u { fork(d); }
process c { buf.x = 1; }
process d { buf.x = 1; }
daemon reclaim(buf, 1);
exists (true)
)")),
            1U);
}

TEST(Symmetry, StepsAndPermutationsCommute) {
  std::vector<std::string> texts = kProcesses;
  texts.emplace_back(kThreads);
  for (const std::string& text : texts) {
    const auto program = parse(text);
    for (const char* name : {"linux-4.18", "linux-5.10", "linux-6.1", "linux-7.2"}) {
      for (const auto steps : {machine::Granularity::coarse, machine::Granularity::fine}) {
        Equivariance(program, registry().find(name)->switches, steps).run(2'000, text);
      }
      if (HasFailure()) return;
    }
  }
}

/// A random program with two interchangeable threads, and a design for it.
struct Twins {
  const design::Design* design;
  std::string text;
  litmus::Program program;
};
std::optional<Twins> random_twins(std::uint64_t seed) {
  const design::Design& design = registry().designs()[seed % registry().designs().size()];
  std::string text = random_program_with_twins(seed);
  auto parsed = litmus::parse(text, "random.litmus");
  if (!parsed.program) return {};  // two of a thread exceed one of the language's limits
  EXPECT_EQ(order(*parsed.program), 2U) << text;
  if (!verdict::unsupported_operation(*parsed.program, design).empty()) return {};
  return Twins{&design, std::move(text), *std::move(parsed.program)};
}

TEST(Symmetry, StepsAndPermutationsOfRandomProgramsCommute) {
  const unsigned long wanted = environment("DROVER_RANDOM_PROGRAMS", 2000);
  std::uint64_t seed = environment("DROVER_RANDOM_SEED", 1);
  for (unsigned long tried = 0; tried < wanted && !HasFailure(); ++tried) {
    const auto twins = random_twins(seed++);
    if (!twins || HasFailure()) continue;
    Equivariance(twins->program, twins->design->switches, machine::Granularity::coarse)
        .run(500, twins->design->name + "\n" + twins->text);
  }
}

TEST(Symmetry, ChangesNoResultOfRandomPrograms) {
  const unsigned long wanted = environment("DROVER_RANDOM_PROGRAMS", 2000) / 8;
  std::uint64_t seed = environment("DROVER_RANDOM_SEED", 1);
  unsigned long compared = 0;
  for (unsigned long tried = 0; compared < wanted && !HasFailure(); ++tried) {
    const auto twins = random_twins(seed++);
    if (!twins) continue;
    if (compare(twins->program, *twins->design, twins->text, 20'000)) ++compared;
    ASSERT_LT(tried, 20 * wanted) << "nearly all programs are too big";
  }
}

TEST(Symmetry, ChangesNoResultOfThreadsAndProcesses) {
  std::vector<std::string> texts = kProcesses;
  texts.emplace_back(kThreads);
  for (const std::string& text : texts) {
    for (const design::Design& design : registry().designs()) {
      EXPECT_TRUE(compare(parse(text), design, text, 200'000)) << design.name << "\n" << text;
      if (HasFailure()) return;
    }
  }
}

TEST(Symmetry, OneOrderOfInterchangeableThreadsIsEnough) {
  // k of n threads have stored: n + 1 states instead of 2^n.
  std::string text = "litmus stores\nanon a { x }\nprocess p { }\n";
  for (char t = 'a'; t < 'g'; ++t) text += std::string("thread p.t") + t + " { a.x = 1; }\n";
  const auto program = parse(text + "exists (true)\n");
  const design::Design& design = *registry().find("linux-7.2");
  // Before and after the first store the page has 0 and 1.
  EXPECT_EQ(run(program, design, false, false).states, 64U);
  EXPECT_EQ(run(program, design, false, true).states, 7U);
}

TEST(Symmetry, EveryImageOfAnOutcomeIsReported) {
  const auto program = parse(R"(litmus images
anon a { x }
process p { a.x = 1; }
thread p.t { r = a.x; }
thread p.u { r = a.x; }
exists (p.t:r = 0 /\ p.u:r = 1)
)");
  const auto result = run(program, *registry().find("linux-7.2"), false, true);
  EXPECT_EQ(result.outcomes.size(), 4U);
  EXPECT_EQ(result.verdict, litmus::Verdict::sometimes);
  EXPECT_EQ(result.interchanges, 2U);
}

}  // namespace
}  // namespace drover::tests
