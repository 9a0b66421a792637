// Footprints: what a statement, and all that an actor may still do, can read and write. Partial-
// order reduction (ample.hpp) is built on them. Who moves when is not decided here.
//
// A footprint must name too much rather than too little; it is a set of resources, each a part of
// State that is read or written as a whole. Page frames have no name of their own: a footprint
// covers those that its places (page tables of one object), references and jobs name in a state.
// What is not known in detail (files, swap, hugetlb, migration, every daemon but speculate) touches
// all memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "design/design.hpp"
#include "litmus/program.hpp"
#include "mm/state.hpp"

namespace drover::machine {

/// A set of up to 128 resources.
struct Resources {
  std::array<std::uint64_t, 2> bits{};

  void add(unsigned resource) { bits[resource / 64] |= std::uint64_t{1} << resource % 64; }
  void add(const Resources& other) {
    bits[0] |= other.bits[0];
    bits[1] |= other.bits[1];
  }
  [[nodiscard]] bool has(unsigned resource) const {
    return (bits[resource / 64] >> resource % 64 & 1U) != 0;
  }
  [[nodiscard]] bool meets(const Resources& other) const {
    return ((bits[0] & other.bits[0]) | (bits[1] & other.bits[1])) != 0;
  }
};

/// The numbers of the resources.
namespace resource {

/// PTEs, VMA flags, TLB entries and page table lock of one object in one mm.
constexpr unsigned place(unsigned mm, unsigned object) {
  return mm * litmus::kMaxObjects + object;
}
inline constexpr unsigned kPlaces = litmus::kMaxProcesses * litmus::kMaxObjects;
/// mmap_lock and VMA locks: taking one for reading is a read.
constexpr unsigned lock(unsigned mm) {
  return kPlaces + mm;
}
/// Mm::flags and write_protect_seq.
constexpr unsigned flags(unsigned mm) {
  return lock(litmus::kMaxProcesses) + mm;
}
/// Mm::forking, and with it what consistent_cut.cpp keeps.
constexpr unsigned forking(unsigned mm) {
  return flags(litmus::kMaxProcesses) + mm;
}
/// Which threads of the mm still run user code. leave_stale() asks: a write; the last statement of
/// a thread answers: a read, since answers do not depend on each other.
constexpr unsigned cpus(unsigned mm) {
  return forking(litmus::kMaxProcesses) + mm;
}
/// State::processes.
constexpr unsigned process(unsigned p) {
  return cpus(litmus::kMaxProcesses) + p;
}
constexpr unsigned ref(unsigned r) {
  return process(litmus::kMaxProcesses) + r;
}
constexpr unsigned job(unsigned j) {
  return ref(litmus::kMaxRefs) + j;
}
inline constexpr unsigned kCount = job(litmus::kMaxJobs);

}  // namespace resource
static_assert(resource::kCount <= 128);

/// How the frames that a footprint covers are used.
inline constexpr std::uint8_t kReadsWords = 1, kWritesWords = 2, kReadsCounts = 4,
                              kWritesCounts = 8;  // counts and flags, and who names the frame

struct Footprint {
  Resources reads, writes;
  Resources watches;          // places that count as read, but not the frames they name
  std::uint8_t frames = 0;    // kReadsWords, ...
  std::uint8_t stores = 0;    // bit per mm whose words it stores to as a CPU does
  std::uint8_t starts = 0;    // bit per process it may start
  std::uint8_t exits = 0;     // bit per process it may end
  std::uint16_t signals = 0;  // bit per event
  bool all_memory = false;    // covers all frames

  void add(const Footprint& other);
  void touch_all_memory();
  [[nodiscard]] bool conflicts(const Footprint& other) const {
    return writes.meets(other.writes) || writes.meets(other.reads) || reads.meets(other.writes) ||
           watches.meets(other.writes) || writes.meets(other.watches);
  }
};

/// The footprints of one program under one design, by actor and position.
class Footprints {
 public:
  Footprints(const litmus::Program& program, const design::Switches& switches);

  /// Of the statement at `pc` (of a daemon: of one of its turns). What a signal sets and what an
  /// await or a wait needs is left out: they only order, see ample.cpp.
  [[nodiscard]] const Footprint& statement(unsigned actor, unsigned pc) const {
    return actors_[actor].statements[index(actor, pc)];
  }
  /// Of all that the actor may do from the begin of the statement at `pc` on.
  [[nodiscard]] const Footprint& future(unsigned actor, unsigned pc) const {
    return actors_[actor].futures[index(actor, pc)];
  }
  /// Whether the statement at `pc` may be the actor's last.
  [[nodiscard]] bool may_finish(unsigned actor, unsigned pc) const {
    return actors_[actor].may_finish[index(actor, pc)];
  }

 private:
  struct Actor {
    std::vector<Footprint> statements, futures;
    std::vector<bool> may_finish;
  };

  [[nodiscard]] unsigned index(unsigned actor, unsigned pc) const {
    return program_->actors[actor].kind == litmus::ActorKind::thread ? pc : 0;
  }
  void add_actor(unsigned actor);

  const litmus::Program* program_;
  std::vector<Actor> actors_;
};

}  // namespace drover::machine
