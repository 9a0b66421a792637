// PartViews: small numbers for what a look at a part of a state shows (View), by the number of the
// part's value, and numbers for values that no stored state has. One thread's, for its
// TransitionCache; the values of states are StateStore's.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "explore/model.hpp"
#include "explore/state_access.hpp"

namespace drover::explore::detail {

/// Names in a part, the first kMost of them in order.
struct NamesIn {
  static constexpr unsigned kMost = 9, kBits = 6;
  std::uint64_t mask = 0;
  std::uint64_t list = 0;  // the first lowest
  bool known = false, too_many = false;
  bool operator==(const NamesIn&) const = default;
};

template <FactoredModel M>
class PartViews {
 public:
  /// Of a View: of look kWholePart the number of the value.
  using Id = std::uint32_t;
  /// Numbers have so many bits here. That of a value that no stored state has has the first of
  /// them set.
  static constexpr unsigned kNumberBits = 20;
  static constexpr NodeId kLocal = NodeId{1} << (kNumberBits - 1);

  explicit PartViews(StateAccess& access) : access_(access), shape_(access.store().shape()) {
    for (auto& by_part : ids_) by_part.resize(shape_.parts());
    names_in_.resize(shape_.parts());
  }

  /// Whether there will be numbers for all values that some thousand expansions can find.
  bool has_room() const {
    for (std::size_t part = 0; part < shape_.parts(); ++part) {
      const auto node = static_cast<StateLayout::Node>(part);
      if (access_.store().table(node).size() >= kLocal / 2) return false;
    }
    return true;
  }
  /// Whether that is so of values that no state has; if not, forget().
  bool has_local_room() const { return local_.size() < kLocal / 2; }

  /// Equal for two values of a part if and only if they look the same; not 0.
  Id id_of(M& model, std::uint8_t look, std::size_t part, NodeId number) {
    if (look == kWholePart) return number;
    if ((number & kLocal) != 0) [[unlikely]] {
      const Id known = local_[number & ~kLocal].ids[look];
      if (known != 0) return known;
      return local_[number & ~kLocal].ids[look] = new_id(model, look, part, number);
    }
    auto& ids = ids_[look][part];
    if (number < ids.size() && ids[number] != 0) [[likely]]
      return ids[number];
    if (number >= ids.size()) ids.resize(std::max<std::size_t>(number + 1, 2 * ids.size()));
    return ids[number] = new_id(model, look, part, number);
  }
  /// Largest id of a view until now.
  std::uint64_t most(View view) const {
    if (view.look == kWholePart) return access_.store().table(view.part).size();
    const auto known = views_.find(index_of(view));
    return known == views_.end() ? 0 : known->second.size();
  }
  /// kNameUnused, kNameDropped or kNameLost, of the part that a name stands for.
  std::uint8_t use_of(M& model, std::size_t part, NodeId number) {
    return static_cast<std::uint8_t>(id_of(model, kUseLook, part, number) - 1);
  }

  const NamesIn& names_in(M& model, std::size_t part, NodeId number) {
    auto& all = (number & kLocal) != 0 ? local_names_ : names_in_[part];
    const std::size_t at = (number & kLocal) != 0 ? number & ~kLocal : number;
    if (at >= all.size()) all.resize(std::max<std::size_t>(at + 1, 2 * all.size()));
    if (!all[at].known) [[unlikely]]
      all[at] = new_names(model, part, number);
    return all[at];
  }

  const std::uint64_t* value_of(std::size_t part, NodeId number) const {
    if ((number & kLocal) == 0) return access_.value(part, number);
    return &local_words_[local_[number & ~kLocal].first_word];
  }

  /// The number of a value of a part, which need not be that of a state.
  NodeId number_of(std::size_t part, const std::byte* bytes) {
    std::vector<std::uint64_t> words(shape_.words(part));
    std::memcpy(words.data(), bytes, words.size() * sizeof(std::uint64_t));
    if (const NodeId shared = access_.find_part(part, words.data()); shared != 0) return shared;
    const std::string key(reinterpret_cast<const char*>(words.data()),
                          words.size() * sizeof(std::uint64_t));
    const auto [known, is_new] =
        local_numbers_[part].try_emplace(key, static_cast<NodeId>(local_.size()) | kLocal);
    if (is_new) {
      local_.push_back({static_cast<std::uint32_t>(local_words_.size()), 0, {}});
      local_words_.insert(local_words_.end(), words.begin(), words.end());
    }
    return known->second;
  }
  /// The same as the number of a state's part; 0: no room in the store.
  NodeId shared_number(std::size_t part, NodeId number) {
    if ((number & kLocal) == 0) [[likely]]
      return number;
    Local& local = local_[number & ~kLocal];
    if (local.shared == 0) {
      local.shared = access_.intern_part(part, &local_words_[local.first_word]);
    }
    return local.shared;
  }

  /// Forgets the values that no state has.
  void forget() {
    local_ = {};
    local_words_ = {};
    local_numbers_.clear();
    local_names_ = {};
  }
  std::uint64_t bytes() const {
    return local_words_.size() * sizeof(std::uint64_t) + local_.size() * sizeof(Local);
  }

 private:
  struct Local {
    std::uint32_t first_word = 0;  // of local_words_
    NodeId shared = 0;             // its number if a state has it by now
    std::array<Id, kMostLooks> ids{};
  };

  static std::size_t index_of(View view) { return view.look * StateShape::kMostParts + view.part; }

  Id new_id(M& model, std::uint8_t look, std::size_t part, NodeId number) {
    const View view{static_cast<std::uint8_t>(part), look};
    seen_.clear();
    model.view(view, value_of(part, number), seen_);
    if (look == kUseLook) return *std::max_element(seen_.begin(), seen_.end()) + 1U;
    auto& known = views_[index_of(view)];
    const std::string key(seen_.begin(), seen_.end());
    return known.try_emplace(key, static_cast<Id>(known.size() + 1)).first->second;
  }

  NamesIn new_names(M& model, std::size_t part, NodeId number) {
    seen_.clear();
    model.view({static_cast<std::uint8_t>(part), kNamesLook}, value_of(part, number), seen_);
    NamesIn names;
    names.known = true;
    unsigned count = 0;
    for (const std::uint8_t name : seen_) {
      if ((names.mask >> name & 1U) != 0) continue;
      names.mask |= std::uint64_t{1} << name;
      if (count == NamesIn::kMost) {
        names.too_many = true;
        break;
      }
      names.list |= std::uint64_t{name} << (NamesIn::kBits * count++);
    }
    return names;
  }

  StateAccess& access_;
  const StateShape shape_;
  std::array<std::vector<std::vector<Id>>, kMostLooks> ids_;  // by look, part and number
  std::unordered_map<std::size_t, std::unordered_map<std::string, Id>> views_;
  std::vector<std::uint8_t> seen_;
  std::vector<std::vector<NamesIn>> names_in_;  // by part and number
  std::vector<Local> local_;
  std::vector<std::uint64_t> local_words_;
  std::unordered_map<std::size_t, std::unordered_map<std::string, NodeId>> local_numbers_;
  std::vector<NamesIn> local_names_;
};

}  // namespace drover::explore::detail
