// DeadValues: which parts of a state nobody will ever look at again, so that states which differ
// only there become one. Used with partial-order reduction (Machine::reduce), never without: the
// state it leaves is another one, with the same future.
//
// This is what compilers call liveness, and Bozga, Fernandez and Ghirvu (State Space Reduction
// based on Live Variables Analysis, 1999) use on protocols: a value is dead if on no way from here
// it is read before it is written. What may still be read is known by statement from the text of
// the program, and by state from who is where:
//   - registers, and words of pages, that no statement to come and no atom of the condition reads;
//   - how often fork has changed write_protect_seq, but for whether that is what a GUP-fast saw;
//   - the copy that wp_page_copy is making when the PTE has changed already: it will be dropped;
//   - that a thread is back from a page fault and about to repeat its access, rather than about to
//     make it for the first time.
// Programs with swap, files and so on (litmus::Program::features) are left as they are, but for
// registers: what their paths read is not known here.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mm/state.hpp"

namespace drover::machine {

class DeadValues {
 public:
  explicit DeadValues(const litmus::Program& program);

  /// Replaces dead values by one of their kind, mostly 0. Frames nobody names any more are left to
  /// canonicalise().
  void clear(mm::State& s) const;

  /// What clear() looks at of an actor, but for its own registers' values; appended to `out`.
  void view_actor(const mm::State& s, unsigned actor, std::vector<std::uint8_t>& out) const;
  /// The same of a frame.
  static void view_frame(const mm::State& s, unsigned frame, std::vector<std::uint8_t>& out);

 private:
  /// What an actor may still do from a statement on.
  struct Future {
    std::uint64_t reads = 0;     // words of pages, see word_bit()
    std::uint8_t changes = 0;    // bit per mm: PTEs lose rights in another way than by a fault
    std::uint8_t registers = 0;  // that it reads before it writes them
    bool forks = false;
    std::uint16_t kind = 0;  // equal for all that differ in registers at most
    void add(const Future& other);
  };

  static std::uint64_t word_bit(unsigned page, unsigned word) {
    return std::uint64_t{1} << (page * litmus::kMaxWords + word);
  }
  [[nodiscard]] Future statement(const litmus::Actor& actor, const litmus::Instr& i) const;
  void read_through_reference(const litmus::Instr& i, Future& f) const;
  void add_actor(const litmus::Actor& actor);
  void classify();
  [[nodiscard]] unsigned live_registers(const mm::State& s, unsigned actor, bool acts) const;
  [[nodiscard]] Future rest(const mm::State& s) const;
  void clear_registers(mm::State& s) const;
  void clear_words(mm::State& s, std::uint64_t read) const;
  void forget_faults(mm::State& s, unsigned mm) const;

  const litmus::Program* program_;
  bool known_;  // the program has nothing whose reads are not known here
  std::uint64_t condition_words_ = 0;
  std::vector<std::vector<Future>> futures_;       // by actor and statement
  std::vector<std::uint8_t> condition_registers_;  // by actor
};

}  // namespace drover::machine
