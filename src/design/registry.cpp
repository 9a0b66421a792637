// The set of known designs: finds the files, resolves `extends`, keeps the release order.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "design/raw_design.hpp"

namespace drover::design {
namespace {

bool before(const Design& a, const Design& b) {
  if (a.release.has_value() != b.release.has_value()) return a.release.has_value();
  if (a.release != b.release) return *a.release < *b.release;
  return a.name < b.name;
}

// Follows `extends`, base first, and checks the release numbers.
class Resolver {
 public:
  Resolver(std::span<RawDesign* const> raw, std::vector<DesignError>& errors)
      : raw_(raw), errors_(errors) {
    for (RawDesign* r : raw) {
      by_name_[r->design.name] = r;
      names_.push_back(r->design.name);
    }
  }

  void run() {
    for (RawDesign* r : raw_) resolve(*r);
    check_releases();
  }

 private:
  void resolve(RawDesign& raw) {
    if (!done_.insert(&raw).second || raw.failed) return;
    path_.push_back(&raw);
    const RawDesign* base = raw.design.extends.empty() ? nullptr : find_base(raw);
    path_.pop_back();
    if (!raw.failed) apply(raw, base);
  }

  // The resolved design that `raw` extends, or nullptr and an error.
  const RawDesign* find_base(RawDesign& raw) {
    const std::string& name = raw.design.extends;
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      fail(raw, raw.extends_at, fmt::format("`extends` names an unknown design `{}`", name),
           did_you_mean(name, names_));
      return nullptr;
    }
    RawDesign& base = *found->second;
    const auto loop = std::find(path_.begin(), path_.end(), &base);
    if (loop != path_.end()) {
      std::string steps;
      for (auto r = loop; r != path_.end(); ++r) steps += (*r)->design.name + " -> ";
      fail(raw, raw.extends_at, fmt::format("`extends` leads back to itself: {}{}", steps, name));
      return nullptr;
    }
    resolve(base);
    if (base.failed && !raw.failed) {
      fail(raw, raw.extends_at, fmt::format("`extends` names `{}`, which has errors", name));
    }
    return &base;
  }

  static void apply(RawDesign& raw, const RawDesign* base) {
    Design& d = raw.design;
    d.switches = base != nullptr ? base->design.switches : Switches{};
    d.provenance =
        base != nullptr ? base->design.provenance : std::vector<Provenance>(switch_list().size());
    for (const Setting& s : raw.settings) {
      set_value(d.switches, s.index, s.value);
      d.provenance[s.index] = {d.name, s.commit, s.note};
    }
  }

  void check_releases() {
    std::map<unsigned, const RawDesign*> seen;
    for (RawDesign* r : raw_) {
      if (r->failed || !r->design.release) continue;
      const auto [first, fresh] = seen.emplace(*r->design.release, r);
      if (fresh) continue;
      fail(*r, r->release_at,
           fmt::format("release {} is already that of `{}`", *r->design.release,
                       first->second->design.name));
    }
  }

  void fail(RawDesign& raw, Position at, std::string message, std::string hint = {}) {
    errors_.push_back({raw.design.file, at.line, at.column, std::move(message), std::move(hint)});
    raw.failed = true;
  }

  std::span<RawDesign* const> raw_;
  std::vector<DesignError>& errors_;
  std::map<std::string_view, RawDesign*> by_name_;
  std::vector<std::string> names_;
  std::set<const RawDesign*> done_;
  std::vector<const RawDesign*> path_;  // the chain being followed, for cycles
};

}  // namespace

struct Registry::Raw : RawDesign {};

void Registry::add_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  std::filesystem::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    if (entry->path().extension() == ".toml") files.push_back(entry->path());
  }
  if (error) {
    errors_.push_back(
        {folder, 1, 1, fmt::format("cannot read this folder: {}", error.message()), ""});
    return;
  }
  std::sort(files.begin(), files.end());  // the order of errors must not depend on the file system
  std::map<std::string, std::filesystem::path> seen;
  for (const auto& file : files) {
    const auto [first, fresh] = seen.emplace(file.stem().string(), file);
    if (fresh) {
      add_file(file);
    } else {
      errors_.push_back({file, 1, 1,
                         fmt::format("the design `{}` is also defined in {}", first->first,
                                     first->second.string()),
                         ""});
    }
  }
}

std::string Registry::add_file(const std::filesystem::path& file) {
  auto raw = std::make_shared<Raw>();
  raw->design.file = file;
  read_design(*raw, errors_);
  const auto same = std::find_if(raw_.begin(), raw_.end(), [&](const auto& other) {
    return other->design.name == raw->design.name;
  });
  if (same == raw_.end()) {
    raw_.push_back(raw);
  } else {
    *same = raw;
  }
  return raw->failed ? std::string() : raw->design.name;
}

void Registry::resolve() {
  std::vector<RawDesign*> raw;
  for (const auto& r : raw_) raw.push_back(r.get());
  Resolver(raw, errors_).run();

  designs_.clear();
  for (const RawDesign* r : raw) {
    if (!r->failed) designs_.push_back(r->design);
  }
  std::sort(designs_.begin(), designs_.end(), before);
}

const Design* Registry::find(std::string_view name) const {
  const auto found = std::find_if(designs_.begin(), designs_.end(),
                                  [&](const Design& d) { return d.name == name; });
  return found == designs_.end() ? nullptr : &*found;
}

std::vector<std::string> Registry::range(std::string_view first, std::string_view last) const {
  const Design* begin = find(first);
  const Design* end = find(last);
  if (begin == nullptr || end == nullptr) return {};
  if (begin == end) return {begin->name};
  if (!begin->release || !end->release || *end->release < *begin->release) return {};
  std::vector<std::string> names;
  for (const Design* d = begin; d <= end; ++d) names.push_back(d->name);  // in release order
  return names;
}

}  // namespace drover::design
