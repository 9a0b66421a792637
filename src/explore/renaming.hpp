// Renaming: what Model::rename() does to a state, from the numbers of its parts. Of one thread's
// TransitionCache.
#pragma once

#include <array>
#include <bit>
#include <utility>

#include "explore/part_views.hpp"

namespace drover::explore::detail {

/// How names change: the old names in their new order, and the end of those in use.
struct Renaming {
  std::uint64_t order = 0;
  unsigned count = 0;
  unsigned end = 0;         // of names in use
  std::uint64_t moved = 0;  // old names that become others or are dropped
  Marks marks = 0;
  bool possible = true;  // to be said so

  bool identity() const { return moved == 0; }
  /// Equal for equal renamings; not 0.
  std::uint64_t key() const {
    return order | std::uint64_t{end} << (NamesIn::kMost * NamesIn::kBits) | std::uint64_t{1} << 63;
  }
  unsigned old_name(unsigned at) const {
    return static_cast<unsigned>(order >> (NamesIn::kBits * at)) & 63U;
  }
  /// The next name in order of first use.
  void add(unsigned name, unsigned first) {
    if (count == NamesIn::kMost) {
      possible = false;
      return;
    }
    if (name != first + count) moved |= std::uint64_t{1} << name;
    order |= std::uint64_t{name} << (NamesIn::kBits * count++);
  }
};

/// The names in the parts of one state, kept up to date part by part: first those of the state
/// being expanded, then of its successor while that is looked at.
template <FactoredModel M>
class NamedParts {
 public:
  NamedParts(PartViews<M>& views, Names names) : views_(views), names_(std::move(names)) {
    for (const std::uint8_t part : names_.order) naming_ |= Parts{1} << part;
    for (const std::uint8_t part : names_.shared) shared_ |= Parts{1} << part;
    named_ = shared_;
    for (unsigned name = names_.first; name < names_.part_of.size(); ++name) {
      const std::uint8_t part = names_.part_of[name];
      if (part == Names::kNoPart) {
        elsewhere_ |= std::uint64_t{1} << name;
      } else {
        named_ |= Parts{1} << part;
        name_of_[part] = std::uint64_t{1} << name;
      }
    }
  }

  /// Of the state being expanded.
  void set(M& model, std::size_t part, NodeId number) {
    const Parts bit = Parts{1} << part;
    if ((naming_ & bit) != 0) in_[part] = views_.names_in(model, part, number);
    if ((named_ & bit) != 0) note_use(part, views_.use_of(model, part, number));
    before_ = now_;
  }
  /// Of its successor, until restore().
  void change(M& model, std::size_t part, NodeId number) {
    const Parts bit = Parts{1} << part;
    if ((naming_ & bit) != 0) {
      const NamesIn& names = views_.names_in(model, part, number);
      if (names != in_[part]) {
        if ((saved_ & bit) == 0) saved_in_[part] = in_[part];
        saved_ |= bit;
        in_[part] = names;
      }
    }
    if ((named_ & bit) != 0) note_use(part, views_.use_of(model, part, number));
  }
  /// Whether the successor's parts may name anything else than before, or be in use otherwise.
  bool changed() const { return saved_ != 0 || now_ != before_; }
  void restore() {
    for (; saved_ != 0; saved_ &= saved_ - 1) {
      const auto part = static_cast<std::size_t>(std::countr_zero(saved_));
      in_[part] = saved_in_[part];
    }
    now_ = before_;
  }

  Renaming renaming() const {
    Renaming r;
    std::uint64_t seen = 0;
    for (const std::uint8_t part : names_.order) {
      const NamesIn& in_part = in_[part];
      if ((in_part.mask & ~seen) == 0) continue;
      r.possible = r.possible && !in_part.too_many;
      for (std::uint64_t list = in_part.list; list != 0; list >>= NamesIn::kBits) {
        const auto name = static_cast<unsigned>(list & 63U);
        if ((seen >> name & 1U) != 0) continue;
        seen |= std::uint64_t{1} << name;
        r.add(name, names_.first);
      }
      if (!r.possible) return r;
    }
    r.possible = now_.shared == 0 && (seen & elsewhere_) == 0;
    r.end = static_cast<unsigned>(std::bit_width(now_.used));
    r.moved |= now_.used & ~seen;
    if ((now_.lost & ~seen) != 0) r.marks |= names_.lost;
    return r;
  }

  /// Calls act(part, part that its value comes from) for each part that changes; the same part if
  /// only names in it change or if it is cleared.
  template <class Act>
  void for_each_renamed(const Renaming& r, Act&& act) const {
    for (unsigned at = 0; at < r.count; ++at) {
      const unsigned name = names_.first + at;
      if (r.old_name(at) != name) act(names_.part_of[name], names_.part_of[r.old_name(at)]);
    }
    for (unsigned name = names_.first + r.count; name < r.end; ++name) {
      act(names_.part_of[name], names_.part_of[name]);
    }
    for (const std::uint8_t part : names_.order) {
      if ((in_[part].mask & r.moved) != 0) act(part, part);
    }
  }

 private:
  using Parts = std::uint64_t;

  /// Names by bit: whose part is in use, whose would be lost. `shared`: parts in use.
  struct Use {
    std::uint64_t used = 0, lost = 0;
    Parts shared = 0;
    bool operator==(const Use&) const = default;
  };
  void note_use(std::size_t part, std::uint8_t use) {
    const auto assign = [](std::uint64_t& bits, std::uint64_t bit, bool value) {
      bits = value ? bits | bit : bits & ~bit;
    };
    assign(now_.used, name_of_[part], use != kNameUnused);
    assign(now_.lost, name_of_[part], use == kNameLost);
    assign(now_.shared, shared_ & Parts{1} << part, use != kNameUnused);
  }

  PartViews<M>& views_;
  const Names names_;
  Parts naming_ = 0;             // that have names in them
  Parts named_ = 0;              // that names stand for
  Parts shared_ = 0;             // of these, that several stand for
  std::uint64_t elsewhere_ = 0;  // names without a part of their own
  std::array<std::uint64_t, StateShape::kMostParts> name_of_{};  // by bit; 0: none, or several

  std::array<NamesIn, StateShape::kMostParts> in_{}, saved_in_{};
  Parts saved_ = 0;
  Use now_, before_;
};

}  // namespace drover::explore::detail
