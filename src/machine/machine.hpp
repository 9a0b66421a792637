// Machine: a Program under a Design as a model the search can explore: packed states in, successors
// out. Which kernel path does what is in mm/ and device/; here is who may move, when a step ends,
// how a state is made canonical and packed, and what must hold in every state.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "design/design.hpp"
#include "explore/model.hpp"
#include "explore/state_layout.hpp"
#include "litmus/program.hpp"
#include "machine/ample.hpp"
#include "machine/dead_values.hpp"
#include "machine/symmetry.hpp"
#include "mm/kernel.hpp"
#include "mm/state.hpp"

namespace drover::machine {

/// How much one step does. coarse: up to the next access that a path not holding the same lock can
/// observe. fine: up to the next access to anything shared. Verdicts must not differ.
enum class Granularity : std::uint8_t { coarse, fine };

/// Marks of the search: bits 0 .. kProperties-1 are violated properties, then the condition.
inline constexpr explore::Marks kMarkConditionTrue = 1U << litmus::kProperties,
                                kMarkConditionFalse = 2U << litmus::kProperties;

/// A frame that nobody names any more has references that nobody can drop.
inline constexpr explore::Marks kLost = 1U << static_cast<unsigned>(litmus::Property::balance);

/// The value of one atom at the end; kUnmapped for memory that is not mapped there.
using Outcome = std::vector<std::int16_t>;
inline constexpr std::int16_t kUnmapped = 0x7fff;

/// Frame numbers before canonicalisation -> after; 0: not named any more.
using Renumbering = std::array<std::uint8_t, mm::kMaxFrames>;

/// What a step did, for pictures.
struct StepText {
  unsigned actor = 0;     // index into Program::actors; actors.size() + j: device, job j
  std::string statement;  // the statement being executed
  std::uint32_t line = 0;
  std::vector<std::string> notes;  // what the kernel path says it did
  /// What frame `f` of the state before is called in the state after; 0 if nobody names it any
  /// more. Frames of the state after that are not in here are new.
  Renumbering frames{};
};

/// Models one program under one design. One object per thread: expand uses scratch memory.
/// Throws std::runtime_error when the model's page frames are used up.
class Machine {
 public:
  Machine(const litmus::Program& program, const design::Switches& switches,
          Granularity granularity);

  /// Partial-order reduction: expand leaves out steps whose order does not matter. Same final
  /// states, same properties violated; fewer states on the way.
  void reduce() {
    ample_.emplace(program_, switches_);
    dead_values_.emplace(program_);
  }
  /// Symmetry: expand emits one state for all that differ only in which of several interchangeable
  /// threads is which. Same outcomes by outcomes(), same properties violated. No effect where
  /// nothing is interchangeable.
  void use_symmetry() {
    symmetry_.emplace(program_);
    if (symmetry_->trivial()) symmetry_.reset();
  }
  /// The canonical image of a packed state under Symmetry::group()[which].
  void image(const std::byte* state, std::uint16_t which, std::byte* out);
  /// How many states one may stand for at most by symmetry.
  [[nodiscard]] std::size_t interchanges() const { return symmetry_ ? symmetry_->order() : 1; }

  // --- explore::Model ---------------------------------------------------------------------------
  [[nodiscard]] std::size_t state_bytes() const { return packed_bytes_; }
  /// Words of 8 bytes of the parts of a packed state, whose values repeat (explore::shape_of).
  [[nodiscard]] const std::vector<std::uint32_t>& part_words() const { return part_words_; }
  void initial(std::byte* out) const;
  template <class Emit>
  void expand(const std::byte* state, Emit&& emit) {
    unpack(state, base_);
    const Ample::Movers all = (Ample::Movers{1} << (program_.actors.size() + program_.jobs)) - 1U;
    const Ample::Movers enough = ample_ ? ample_->choose(base_) : all;
    emitted_ = 0;
    cycle_possible_ = false;
    if (!expand_some(enough, emit) || enough == all) return;
    // Nobody of them can move now; or a cycle may close here, and on it nobody may be left out.
    if (emitted_ == 0 || cycle_possible_) expand_some(all & ~enough, emit);
  }
  [[nodiscard]] explore::Marks terminal(const std::byte* state);

  // --- explore::FactoredModel -------------------------------------------------------------------
  [[nodiscard]] bool factored() const {
    // Pages of large folios keep each other, and which thread is which depends on all of them.
    return !symmetry_ && part_words_.size() <= explore::StateShape::kMostParts &&
           (program_.features & litmus::kFeatureHuge) == 0;
  }
  [[nodiscard]] unsigned movers() const {
    return static_cast<unsigned>(program_.actors.size()) + program_.jobs;
  }
  [[nodiscard]] bool selective() const { return ample_.has_value(); }
  [[nodiscard]] explore::Movers first_movers(const std::byte* state);
  template <class Emit>
  bool steps(const std::byte* state, unsigned mover, std::vector<explore::View>& looked_at,
             Emit&& emit) {
    unpack(state, base_);
    begin_log(mover);
    raw_ = true;
    fits_ = true;
    expand_some(Ample::Movers{1} << mover, emit);
    raw_ = false;
    end_log(looked_at);
    return fits_;
  }
  template <class Emit>
  void expand_mover(const std::byte* state, unsigned mover, Emit&& emit) {
    unpack(state, base_);
    expand_some(Ample::Movers{1} << mover, emit);
  }
  [[nodiscard]] explore::Marks normalise(const std::byte* raw, std::byte* out);
  [[nodiscard]] explore::Names names() const;
  [[nodiscard]] explore::Marks rename(const std::byte* normal, std::byte* out);
  void view(explore::View view, const std::uint64_t* value, std::vector<std::uint8_t>& out);

  // --- Looking into states ----------------------------------------------------------------------
  void unpack(const std::byte* from, mm::State& to) const;
  /// The atoms of the condition in a final state, in Condition::atoms order.
  [[nodiscard]] Outcome outcome(const mm::State& s) const;
  /// Those of all the final states that `s` stands for, each once.
  [[nodiscard]] std::vector<Outcome> outcomes(const mm::State& s) const;
  /// Whether the proposition (not the quantifier) holds of an outcome.
  [[nodiscard]] bool holds(const Outcome& outcome) const;
  /// Whether every actor is through: otherwise a state without successors is a deadlock.
  [[nodiscard]] bool finished(const mm::State& s) const;
  /// What `action` does in `state`.
  [[nodiscard]] StepText describe(const std::byte* state, explore::Action action);
  [[nodiscard]] const litmus::Program& program() const { return program_; }

 private:
  /// Emits the steps of `movers`; false if no more are wanted.
  template <class Emit>
  bool expand_some(Ample::Movers movers, Emit&& emit) {
    for (; movers != 0; movers &= movers - 1) {
      const auto actor = static_cast<unsigned>(std::countr_zero(movers));
      for (std::uint16_t choice = 0; step(actor, choice); ++choice) {
        if (moved_) {
          ++emitted_;
          cycle_possible_ = cycle_possible_ || backward_;
          const explore::Transition transition{{packed_.data(), packed_bytes_},
                                               {static_cast<std::uint16_t>(actor), choice},
                                               marks_,
                                               backward_,
                                               normal_};
          if (!explore::offer(emit, transition)) return false;
        }
        if (last_choice_) break;
      }
    }
    return true;
  }

  using Overrun = std::array<std::byte, 16>;
  struct Segment {
    std::uint32_t offset, bytes;
    std::uint32_t padding = 0;  // zero bytes behind it in a packed state
  };
  void lay_out();
  void add_segment(std::size_t offset, std::size_t bytes);
  void add_record(unsigned record, std::size_t offset, std::size_t bytes);
  void end_part();
  void lay_out_frames(unsigned words);
  void lay_out_mms();
  void lay_out_actors();
  void lay_out_rest(unsigned words);
  void lay_out_pieces();
  void lay_out_regions();
  void pack(const mm::State& from, std::byte* to) const;
  void pack_exactly(const mm::State& from, std::byte* to) const;
  void copy_used(const mm::State& from, mm::State& to) const;
  void initial_state(mm::State& s) const;
  void map_initial_page(mm::State& s, unsigned page, std::uint8_t& next_frame) const;
  void map_initial_file(mm::State& s, unsigned page, std::uint8_t& next_frame) const;
  void map_private_page(mm::State& s, unsigned page, std::uint8_t& next_frame) const;
  void add_to_folio(mm::State& s, unsigned page, std::uint8_t number) const;

  bool step(unsigned actor, unsigned choice);
  bool step_device(unsigned job);
  [[nodiscard]] bool may_move(const mm::State& s, unsigned actor) const;
  bool run(mm::Kernel& k);
  void begin_statement(mm::State& s, unsigned actor) const;
  void end_statement(mm::Kernel& k) const;
  void skip_local(mm::State& s, unsigned actor) const;
  [[nodiscard]] bool only_self_changed(unsigned actor) const;
  void finish_step(mm::Kernel& k);
  explore::Marks normalise_next();
  void make_image(std::uint16_t which);
  void to_representative();
  explore::Marks rename_next();

  // views.cpp
  void begin_log(unsigned mover);
  void end_log(std::vector<explore::View>& looked_at);
  [[nodiscard]] bool stays_normal() const;
  [[nodiscard]] bool frame_stays_normal(unsigned number) const;
  [[nodiscard]] bool actor_stays_normal(unsigned number) const;
  [[nodiscard]] std::vector<std::pair<unsigned, std::uint8_t>> first_names(
      const mm::State& s) const;
  void names_in_record(const mm::State& s, unsigned record, std::vector<std::uint8_t>& out) const;
  void view_of_actor(unsigned actor, std::uint8_t look, std::vector<std::uint8_t>& out) const;
  void view_of_mm(unsigned mm, std::uint8_t look, std::vector<std::uint8_t>& out) const;
  void view_of_frame(unsigned frame, std::uint8_t look, std::vector<std::uint8_t>& out) const;
  void view_of_record(unsigned record, std::uint8_t look, std::vector<std::uint8_t>& out) const;

  const litmus::Program& program_;
  design::Switches switches_;
  Granularity granularity_;
  struct Piece {
    std::uint32_t from, to;
  };
  struct Padded {
    std::uint32_t to;
    std::uint64_t kept;  // bits of the word that are no padding
  };
  std::vector<Segment> segments_;  // what is packed
  std::vector<Piece> pieces_;      // the same for pack()
  std::vector<Padded> padded_;
  std::vector<std::uint32_t> part_words_;
  std::vector<Segment> regions_;  // a few stretches of State that contain all segments but frames
  static constexpr std::uint8_t kNoPart = 0xff;
  std::array<std::uint8_t, mm::AccessLog::kMostRecords> part_of_;  // by record
  std::vector<std::vector<std::uint8_t>> records_of_;              // by part
  std::uint8_t rest_part_ = kNoPart;                               // jobs, processes and events
  std::size_t packed_bytes_ = 0;
  unsigned frames_ = 0;  // frame slots in a packed state, the zero page included

  mm::State base_{}, next_{};
  std::vector<std::byte> packed_;  // and sizeof(Overrun) bytes more, see lay_out_pieces()
  explore::Marks marks_ = 0;
  Renumbering names_{};
  std::optional<Ample> ample_;
  std::optional<DeadValues> dead_values_;
  std::optional<Symmetry> symmetry_;
  mm::State image_{};  // of next_ under a permutation
  std::vector<std::byte> least_;
  unsigned emitted_ = 0;  // by the expand() under way
  bool cycle_possible_ = false;
  bool moved_ = false, backward_ = false, last_choice_ = true;
  bool raw_ = false;  // steps end before anything that is not the mover's doing
  bool fits_ = true;  // into a packed state, before it is normalised
  bool normal_ = false;
  mm::AccessLog log_;
  std::vector<std::byte> viewed_;  // a packed state of which one part matters
  std::vector<std::string>* trace_ = nullptr;
};

/// Renumbers frames in order of first use and drops what nobody names. Returns false when a frame
/// with references that nobody can ever drop was lost (balance). `frames`: slots available; throws
/// std::runtime_error when more are in use. `names`: receives old number -> new number.
bool canonicalise(mm::State& s, const litmus::Program& program, unsigned frames,
                  Renumbering& names);

/// Whether a frame that nobody names any more has references that nobody can drop. What only an LRU
/// batch holds is freed when the batch is drained.
[[nodiscard]] inline bool lost_if_unnamed(const mm::Frame& frame) {
  const bool in_batch = (frame.flags & mm::kInLruBatch) != 0 && frame.refcount == 1;
  return (frame.flags & mm::kAllocated) != 0 && !in_batch;
}
/// The mms, by bit, whose write_protect_seq a GUP-fast of this actor has seen.
[[nodiscard]] unsigned watched_mms(const mm::Actor& actor);
/// write_protect_seq only matters relative to a GUP-fast under way; else its parity is enough.
void forget_wp_seq(mm::State& s, const litmus::Program& program);

/// Properties (bits) that a state violates by itself: coherence and sanity.
[[nodiscard]] explore::Marks violated_invariants(const mm::State& s, const litmus::Program& program,
                                                 const design::Switches& switches);
/// Whether all counts add up in a final state (the balance property).
[[nodiscard]] bool balanced(const mm::State& s, const litmus::Program& program,
                            const design::Switches& switches);
/// Whether in a final state all that was written to cached file pages is on the disk or can still
/// get there (the durability property).
[[nodiscard]] bool durable(const mm::State& s, const litmus::Program& program);

}  // namespace drover::machine
