// What is interchangeable in a program: the permutations of its threads, and with them of their
// processes, address spaces, references, jobs and events, that leave the program what it is. What
// they do to states is in symmetry.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "litmus/program.hpp"

namespace drover::machine {

/// One permutation: what is number i becomes number `...[i]`. Pages, words and registers keep
/// theirs.
struct Automorphism {
  std::array<std::uint8_t, litmus::kMaxActors> actors;
  std::array<std::uint8_t, litmus::kMaxProcesses> processes;
  std::array<std::uint8_t, litmus::kMaxProcesses> mms;
  std::array<std::uint8_t, litmus::kMaxRefs> refs;
  std::array<std::uint8_t, litmus::kMaxJobs> jobs;
  std::array<std::uint8_t, litmus::kMaxEvents> events;
  std::vector<std::uint8_t> atoms;  // of the condition
};

/// The group of the program's automorphisms, or a subgroup of it of at most `most` elements, the
/// identity first. Two threads are interchangeable if they are of the same kind and execute the
/// same statements, each with its own handles, jobs and events; two processes if all their threads
/// are, pairwise, and so are those that fork them. The condition must name the same of each, though
/// it need not hold of both. The first cut of Emerson and Sistla, Symmetry and Model Checking
/// (1996): automorphisms of the program's text, not of its state graph.
[[nodiscard]] std::vector<Automorphism> automorphisms(const litmus::Program& program,
                                                      unsigned most);

}  // namespace drover::machine
