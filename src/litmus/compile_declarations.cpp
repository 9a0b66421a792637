// First pass of the compiler over memory, processes, threads and daemons.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "litmus/compiler.hpp"

namespace drover::litmus {
namespace {

constexpr std::int64_t kMaxDaemonBound = 16;

struct DaemonName {
  std::string_view name;
  ActorKind kind;
};
constexpr std::array<DaemonName, 7> kDaemons = {{{"speculate", ActorKind::speculate},
                                                 {"reclaim", ActorKind::reclaim},
                                                 {"migrate", ActorKind::migrate},
                                                 {"numa_scan", ActorKind::numa_scan},
                                                 {"ksm", ActorKind::ksm},
                                                 {"writeback", ActorKind::writeback},
                                                 {"khugepaged", ActorKind::khugepaged}}};

template <class T, class File, class F>
void for_each_actor(const File& file, F f) {
  for (const ast::Actor& a : file.actors) {
    if (const auto* x = std::get_if<T>(&a.what)) f(*x);
  }
}

}  // namespace

bool Compiler::fits(std::size_t count, unsigned limit, Location at, std::string_view what) {
  if (count < limit) return true;
  if (full_.insert(std::string(what)).second) {  // once: the rest is the same error
    error(at, fmt::format("too many {}", what), fmt::format("at most {}", limit));
  }
  return false;
}

bool Compiler::free_name(const ast::Name& name, std::string_view what) {
  std::string_view other;
  if (object_index_.contains(name.text)) other = "memory";
  if (process_index_.contains(name.text)) other = "a process";
  if (other.empty()) return true;
  error(name.at, fmt::format("{} has the name of {}: `{}`", what, other, name.text), "a new name",
        other == "memory" ? fmt::format("a store names a word: `{}.x = ...`", name.text) : "");
  return false;
}

void Compiler::declare_processes() {
  std::size_t count = 0;
  for_each_actor<ast::Process>(file_, [&](const ast::Process& p) {
    if (process_index_.contains(p.name.text)) {
      error(p.name.at, fmt::format("a second process `{}`", p.name.text), "a new name");
      return;
    }
    if (p.name.text == kDisk) {
      error(p.name.at, "a process cannot be called `disk`", "another name",
            "`disk:f.x` in a condition is a word on the disk");
    }
    if (!fits(count++, kMaxProcesses, p.name.at, "processes")) {
      lost_.insert(p.name.text);
      return;
    }
    const auto index = static_cast<std::uint8_t>(program_.processes.size());
    process_index_[p.name.text] = index;
    process_at_.push_back(p.name.at);
    Process out;
    out.name = p.name.text;
    out.actor = index;
    program_.processes.push_back(out);
    actor_index_[p.name.text] = index;
    Actor actor;
    actor.name = p.name.text;
    actor.process = index;
    program_.actors.push_back(std::move(actor));
    sources_.push_back({&p.body, index, {}, {}});
  });
  fork_sites_.resize(program_.processes.size());
  if (count == 0 && !lost("process")) {
    error({static_cast<std::uint32_t>(sink_.text().size()), 1}, "the test has no process",
          "`process NAME { ... }`");
  }
}

void Compiler::declare_threads() {
  std::size_t count = program_.actors.size();
  for_each_actor<ast::Thread>(file_, [&](const ast::Thread& t) {
    const std::optional<std::uint8_t> owner = process(t.process);
    const std::string name = t.process.text + '.' + t.name.text;
    if (actor_index_.contains(name)) {
      error(t.name.at, fmt::format("a second thread `{}`", name), "a new name");
      return;
    }
    if (!fits(count++, kMaxActors, t.name.at, "actors (processes, threads and daemons)")) return;
    actor_index_[name] = static_cast<std::uint8_t>(program_.actors.size());
    Actor actor;
    actor.name = name;
    actor.process = owner.value_or(0);
    program_.actors.push_back(std::move(actor));
    sources_.push_back({&t.body, owner.value_or(0), {}, {}});
  });
}

void Compiler::declare_daemons() {
  std::size_t count = program_.actors.size();
  std::map<std::string_view, unsigned> numbers;
  for_each_actor<ast::Daemon>(file_, [&](const ast::Daemon& d) {
    const auto kind = std::find_if(kDaemons.begin(), kDaemons.end(),
                                   [&](const DaemonName& n) { return n.name == d.kind.text; });
    if (kind == kDaemons.end()) {
      Names known;
      for (const DaemonName& n : kDaemons) known.emplace_back(n.name);
      error(d.kind.at, fmt::format("unknown daemon `{}`", d.kind.text),
            fmt::format("{}", fmt::join(known, ", ")), did_you_mean(d.kind.text, known));
      return;
    }
    Actor actor;
    actor.kind = kind->kind;
    const unsigned number = ++numbers[kind->name];
    actor.name = number == 1 ? d.kind.text : fmt::format("{}{}", d.kind.text, number);
    if (d.pages.process) {
      error(d.pages.at, "a daemon acts on the memory of all processes", "`MEMORY`",
            fmt::format("leave out `{}:`", d.pages.process->text));
    } else if (const std::optional<Range> r = range(d.pages, d.pages.at)) {
      actor.page = r->first;
      actor.pages = r->pages;
      check_daemon_memory(d, kind->kind, *r->object);
    }
    if (d.bound.value < 1 || d.bound.value > kMaxDaemonBound || !d.bound.errno_name.empty()) {
      error(d.bound.at, fmt::format("a daemon cannot act {} times", to_string(d.bound)),
            fmt::format("1 to {}", kMaxDaemonBound),
            d.bound.value == 0 ? "leave the daemon out" : "");
    } else {
      actor.bound = static_cast<std::uint8_t>(d.bound.value);
    }
    if (d.option && d.option->text != "page_lock") {
      error(d.option->at, fmt::format("unknown attribute `{}` of a daemon", d.option->text),
            "`page_lock`", did_you_mean(d.option->text, {"page_lock"}));
    }
    if (d.option && actor.kind != ActorKind::speculate) {
      error(d.option->at, fmt::format("`{}` takes the page lock anyway", d.kind.text), "",
            "leave out the attribute");
    }
    actor.page_lock = d.option.has_value();
    check_huge_daemon(d.pages.at, actor);
    if (!fits(count++, kMaxActors, d.kind.at, "actors (processes, threads and daemons)")) return;
    program_.actors.push_back(std::move(actor));
    sources_.emplace_back();
  });
}

void Compiler::declare_swap_device() {
  static const Names kKinds = {"zram", "disk"};
  for (const ast::SwapDevice& d : file_.swap) {
    const bool disk = d.kind.text == "disk";
    if (&d != &file_.swap.front()) {
      error(d.kind.at, "a second swap device", "one `swap` in a file");
    }
    if (!disk && d.kind.text != "zram") {
      error(d.kind.at, fmt::format("unknown swap device `{}`", d.kind.text),
            fmt::format("{}", fmt::join(kKinds, " or ")), did_you_mean(d.kind.text, kKinds));
      continue;
    }
    if (d.option && d.option->text != "stable_writes") {
      error(d.option->at, fmt::format("unknown attribute `{}` of a swap device", d.option->text),
            "`stable_writes`", did_you_mean(d.option->text, {"stable_writes"}));
    } else if (d.option && !disk) {
      error(d.option->at, "`zram` writes before anybody can see the page under writeback",
            "`swap disk : stable_writes;`", "leave out the attribute");
    }
    if (disk) program_.swap_device = d.option ? SwapDevice::stable_disk : SwapDevice::disk;
  }
}

// The device is an actor of its own, where anything is ever swapped out.
void Compiler::add_swap_io() {
  if (program_.swap_device == SwapDevice::zram || (program_.features & kFeatureSwap) == 0) return;
  const Location at = file_.swap.front().kind.at;
  if (!fits(program_.actors.size(), kMaxActors, at, "actors (the swap device is one)")) return;
  Actor device;
  device.kind = ActorKind::swap_io;
  device.name = "swap_io";
  device.page = 0;
  device.pages = program_.pages;
  device.bound = 1;
  program_.actors.push_back(std::move(device));
  sources_.emplace_back();
}

void Compiler::declare_objects() {
  program_.objects.reserve(kMaxObjects);  // Definitions and Ranges point into it
  for (const ast::Object& o : file_.objects) {
    if (object_index_.contains(o.name.text)) {
      error(o.name.at, fmt::format("a second memory `{}`", o.name.text), "a new name");
    } else if (process_index_.contains(o.name.text)) {
      error(o.name.at, fmt::format("memory has the name of a process: `{}`", o.name.text),
            "a new name");
    } else {
      declare_object(o);
    }
  }
}

void Compiler::declare_object(const ast::Object& o) {
  if (!fits(program_.objects.size(), kMaxObjects, o.name.at, "memory objects")) {
    lost_.insert(o.name.text);
    return;
  }
  Object out;
  out.name = o.name.text;
  out.first_page = program_.pages;
  if (o.pages) {
    const std::int64_t n = o.pages->value;
    if (n < 1 || n > kMaxPages || !o.pages->errno_name.empty()) {
      error(o.pages->at, fmt::format("memory of {} pages", to_string(*o.pages)),
            fmt::format("1 to {} pages", kMaxPages));
    } else {
      out.pages = static_cast<std::uint8_t>(n);
    }
  }
  huge_mapping(o, out);
  if (out.pages > kMaxPages - program_.pages) {
    error(o.pages ? o.pages->at : o.name.at, "too many pages in all",
          fmt::format("at most {} over all memory", kMaxPages),
          fmt::format("{} are taken by the memory before", program_.pages));
    lost_.insert(o.name.text);
    return;
  }
  object_words(o, out);
  object_attributes(o, out);
  huge_attributes(o, out);
  const std::size_t index = program_.objects.size();
  for (unsigned i = 0; i < out.pages; ++i) {
    program_.object_of[program_.pages++] = static_cast<std::uint8_t>(index);
  }
  object_index_[out.name] = index;
  program_.objects.push_back(std::move(out));
}

void Compiler::object_words(const ast::Object& o, Object& out) {
  for (const ast::Word& w : o.words) {
    if (std::find(out.words.begin(), out.words.end(), w.name.text) != out.words.end()) {
      error(w.name.at, fmt::format("a second word `{}` in `{}`", w.name.text, out.name),
            "a new name");
      continue;
    }
    if (!fits(out.words.size(), kMaxWords, w.name.at,
              fmt::format("words in a page of `{}`", out.name))) {
      break;
    }
    if (w.initial) {
      if (const auto v = literal(*w.initial)) out.initial[out.words.size()] = *v;
    }
    out.words.push_back(w.name.text);
  }
}

void Compiler::object_attributes(const ast::Object& o, Object& out) {
  std::set<std::string> seen;
  const ast::Attribute* state = nullptr;
  const ast::Attribute* protection = nullptr;
  for (const ast::Attribute& a : o.attributes) {
    if (!seen.insert(a.name.text).second) {
      error(a.name.at, fmt::format("attribute `{}` is given twice", a.name.text));
      continue;
    }
    if (!file_attribute(o, a, out)) object_attribute(a, out);
    const bool is_state = a.name.text == "fresh" || a.name.text == "untouched" ||
                          a.name.text == "unmapped" || a.name.text == "read";
    if (is_state && state != nullptr) {
      error(a.name.at, fmt::format("`{}` contradicts `{}`", a.name.text, state->name.text),
            o.file ? "one of read, untouched, unmapped" : "one of fresh, untouched, unmapped");
    }
    if (is_state) state = &a;
    const bool is_protection =
        a.name.text == "readonly" || a.name.text == "dontfork" || a.name.text == "wipeonfork";
    if (is_protection) protection = &a;
  }
  if (out.state == InitialPage::unmapped && protection != nullptr) {
    error(protection->name.at,
          fmt::format("`{}` needs a mapping, `{}` has none", protection->name.text, out.name), "",
          "leave out `unmapped` or this attribute");
  }
  if (o.file) return check_file(o, out);
  check_zone(o, out);
  const bool empty = out.state == InitialPage::unmapped || out.state == InitialPage::untouched;
  for (const ast::Word& w : o.words) {
    if (empty && w.initial && w.initial->value != 0) {
      error(w.initial->at, fmt::format("`{}` has no page yet that could hold a value", out.name),
            "0", "leave out the value or the attribute");
    }
  }
}

// `cma` and `movable` are about small anonymous pages that exist.
void Compiler::check_zone(const ast::Object& o, const Object& out) {
  const ast::Attribute* zone = nullptr;
  for (const ast::Attribute& a : o.attributes) {
    if (a.name.text != "cma" && a.name.text != "movable") continue;
    if (zone != nullptr && zone->name.text != a.name.text) {
      error(a.name.at, fmt::format("`{}` contradicts `{}`", a.name.text, zone->name.text),
            "one of cma, movable");
    }
    zone = &a;
  }
  if (zone == nullptr) return;
  if (o.hugetlb || out.huge != HugeMapping::none) {
    error(zone->name.at, fmt::format("`{}` is about small pages", zone->name.text),
          fmt::format("`anon {} {{ ... }} : {}`", out.name, zone->name.text));
  } else if (out.state == InitialPage::untouched || out.state == InitialPage::unmapped) {
    error(zone->name.at,
          fmt::format("`{}` has no page yet that could be {}", out.name, zone->name.text), "",
          "leave out one of the two");
  }
}

void Compiler::object_attribute(const ast::Attribute& a, Object& out) {
  const std::string& name = a.name.text;
  if (name == "fresh") {
    out.state = InitialPage::fresh;
  } else if (name == "untouched") {
    out.state = InitialPage::untouched;
  } else if (name == "unmapped") {
    out.state = InitialPage::unmapped;
  } else if (name == "readonly") {
    out.readonly = true;
  } else if (name == "dontfork") {
    out.dontfork = true;
  } else if (name == "wipeonfork") {
    out.wipeonfork = true;
  } else if (name == "cma" || name == "movable") {
    out.zone = name == "cma" ? Zone::cma : Zone::movable;
  } else if (name == "in") {
    if (const auto p = process(*a.process)) out.process = *p;
  } else if (name == "pool" || name == "huge" || name == "pte_mapped" || name == "split") {
    // in compile_huge.cpp
  } else {
    error(
        a.name.at, fmt::format("unknown attribute `{}`", name),
        "fresh, untouched, unmapped, readonly, dontfork, wipeonfork, cma, movable, huge, "
        "pte_mapped, split, `in PROCESS` or `pool N`",
        did_you_mean(name, {"fresh", "untouched", "unmapped", "readonly", "dontfork", "wipeonfork",
                            "cma", "movable", "huge", "pte_mapped", "split", "in", "pool"}));
  }
}

}  // namespace drover::litmus
