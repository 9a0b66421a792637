// Renaming: what Model::rename() does to a state, from the numbers of its parts. Of one thread's
// TransitionCache.
#pragma once

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

/// Of the state with these numbers of parts.
template <FactoredModel M, class Numbers>
Renaming renaming_of(M& model, PartViews<M>& views, const Names& names, const Numbers& numbers) {
  Renaming r;
  std::uint64_t seen = 0;
  for (const std::uint8_t part : names.order) {
    const NamesIn in_part = views.names_in(model, part, numbers[part]);
    if ((in_part.mask & ~seen) == 0) continue;
    r.possible = r.possible && !in_part.too_many;
    for (std::uint64_t list = in_part.list; list != 0; list >>= NamesIn::kBits) {
      const auto name = static_cast<unsigned>(list & 63U);
      if ((seen >> name & 1U) != 0) continue;
      seen |= std::uint64_t{1} << name;
      r.add(name, names.first);
    }
    if (!r.possible) return r;
  }
  for (const std::uint8_t part : names.shared) {
    if (views.use_of(model, part, numbers[part]) != kNameUnused) r.possible = false;
  }
  for (unsigned name = names.first; name < names.part_of.size(); ++name) {
    const std::uint8_t part = names.part_of[name];
    const bool named = (seen >> name & 1U) != 0;
    if (part == Names::kNoPart) {
      r.possible = r.possible && !named;
      continue;
    }
    const std::uint8_t use = views.use_of(model, part, numbers[part]);
    if (use == kNameUnused) continue;
    r.end = name + 1;
    if (named) continue;
    r.moved |= std::uint64_t{1} << name;
    if (use == kNameLost) r.marks |= names.lost;
  }
  return r;
}

/// Calls act(part, part that its value comes from) for each part that changes; the same part if
/// only names in it change or if it is cleared.
template <FactoredModel M, class Numbers, class Act>
void for_each_renamed(M& model, PartViews<M>& views, const Names& names, const Numbers& numbers,
                      const Renaming& r, Act&& act) {
  for (unsigned at = 0; at < r.count; ++at) {
    const unsigned name = names.first + at;
    if (r.old_name(at) != name) act(names.part_of[name], names.part_of[r.old_name(at)]);
  }
  for (unsigned name = names.first + r.count; name < r.end; ++name) {
    act(names.part_of[name], names.part_of[name]);
  }
  for (const std::uint8_t part : names.order) {
    if ((views.names_in(model, part, numbers[part]).mask & r.moved) != 0) act(part, part);
  }
}

}  // namespace drover::explore::detail
