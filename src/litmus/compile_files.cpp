// What the compiler checks about files: the attributes of `file`, which operations and daemons work
// on which kind of memory, and conditions on the disk.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "litmus/compiler.hpp"

namespace drover::litmus {
namespace {

struct BackingName {
  std::string_view name;
  Backing backing;
};
constexpr std::array<BackingName, 5> kBackings = {{{"ext4", Backing::ext4},
                                                   {"xfs", Backing::xfs},
                                                   {"shmem", Backing::shmem},
                                                   {"dax", Backing::dax},
                                                   {"p2pdma", Backing::p2pdma}}};

bool file_only(std::string_view attribute) {
  const auto named = [&](const BackingName& b) { return b.name == attribute; };
  return attribute == "shared" || attribute == "private" || attribute == "read" ||
         attribute == "stable_writes" || std::any_of(kBackings.begin(), kBackings.end(), named);
}

const char* kind_of(const Object& o) {
  switch (o.backing) {
    case Backing::anonymous:
      return "anonymous memory";
    case Backing::shmem:
      return "a shmem file";
    case Backing::dax:
      return "a DAX file";
    case Backing::p2pdma:
      return "PCI peer-to-peer memory";
    case Backing::ext4:
    case Backing::xfs:
      break;
  }
  return "a file on a disk";
}

bool on_disk(const Object& o) {
  return o.backing == Backing::ext4 || o.backing == Backing::xfs;
}

std::string_view refusal_of_advice(Advice advice, const Object& file) {
  switch (advice) {
    case Advice::dontneed:
      return file.backing == Backing::p2pdma ? "is not modelled for what no fault maps again" : "";
    case Advice::dontfork:
    case Advice::dofork:
      return "";
    case Advice::pageout:
      return on_disk(file) ? "" : "of MADV_PAGEOUT is modelled for files on a disk only";
    default:
      return "with this advice is for private anonymous memory";
  }
}

/// Why the model (or any kernel) cannot do `op` with `o`, or "".
std::string_view refusal(const Instr& i, const Object& o) {
  const bool file = o.backing != Backing::anonymous;
  const bool p2pdma = o.backing == Backing::p2pdma;
  switch (i.op) {
    case Op::mmap:
    case Op::process_vm_readv:
    case Op::process_vm_writev:
    case Op::ptrace_peek:
    case Op::ptrace_poke:
      return p2pdma ? "is not modelled" : "";
    case Op::truncate:
    case Op::punch_hole:
    case Op::fsync:
      return file && !p2pdma ? "" : "is for files";
    case Op::mremap:
      return file ? "of a file mapping is not modelled" : "";
    case Op::move_pages:
    case Op::uffd_wp:
    case Op::uffd_unwp:
    case Op::uffd_move:
    case Op::ksm_scan:
      return file ? "of file pages is not modelled" : "";
    case Op::madvise:
      return file ? refusal_of_advice(i.advice, o) : "";
    default:
      return "";
  }
}

}  // namespace

/// True when the attribute is one that files have and anonymous memory has not, or the reverse;
/// what it means is then in `out`, or an error is reported.
bool Compiler::file_attribute(const ast::Object& o, const ast::Attribute& a, Object& out) {
  const std::string& name = a.name.text;
  if (!o.file) {
    if (!file_only(name)) return false;
    error(a.name.at, fmt::format("`{}` is an attribute of files", name), "",
          fmt::format("declare `file {} {{ ... }} : {}`", o.name.text, name));
    return true;
  }
  if (name == "fresh" || name == "wipeonfork" || name == "cma" || name == "movable") {
    error(a.name.at, fmt::format("`{}` is an attribute of anonymous memory", name), "",
          fmt::format("declare `anon {} {{ ... }} : {}`", o.name.text, name));
    return true;
  }
  if (name == "read") {
    out.state = InitialPage::read;
    return true;
  }
  if (name == "stable_writes") out.stable_writes = true;
  if (name == "private") return true;  // see check_file
  if (name == "pool") return true;     // see huge_attributes
  for (const BackingName& b : kBackings) {
    if (b.name == name) out.backing = b.backing;
  }
  if (file_only(name)) return true;
  static const Names kCommon = {"untouched", "unmapped", "readonly", "dontfork", "in"};
  if (std::find(kCommon.begin(), kCommon.end(), name) != kCommon.end()) return false;
  Names all = {"shared", "private", "ext4",          "xfs", "shmem",
               "dax",    "p2pdma",  "stable_writes", "read"};
  all.insert(all.end(), kCommon.begin(), kCommon.end());
  error(a.name.at, fmt::format("unknown attribute `{}` of a file", name),
        fmt::format("{}", fmt::join(all, ", ")), did_you_mean(name, all));
  return true;
}

void Compiler::check_file(const ast::Object& o, Object& out) {
  const ast::Attribute* sharing = nullptr;
  const ast::Attribute* backing = nullptr;
  for (const ast::Attribute& a : o.attributes) {
    const bool is_sharing = a.name.text == "shared" || a.name.text == "private";
    const bool is_backing = file_only(a.name.text) && !is_sharing && a.name.text != "read" &&
                            a.name.text != "stable_writes";
    const ast::Attribute*& other = is_sharing ? sharing : backing;
    if (!is_sharing && !is_backing) continue;
    if (other != nullptr && other->name.text != a.name.text) {
      error(a.name.at, fmt::format("`{}` contradicts `{}`", a.name.text, other->name.text),
            is_sharing ? "one of shared, private" : "one of ext4, xfs, shmem, dax, p2pdma");
    }
    other = &a;
  }
  if (out.backing == Backing::anonymous) out.backing = Backing::ext4;
  out.shared = sharing == nullptr || sharing->name.text == "shared";
  if (out.backing == Backing::dax && !out.shared) {
    error(sharing->name.at, "a private mapping of a DAX file is not modelled", "`shared`");
  }
  if (out.stable_writes && !on_disk(out)) {
    error(backing->name.at, fmt::format("`{}` has no disk that could need stable pages", out.name),
          "ext4 or xfs", "leave out `stable_writes`");
  }
  if (out.backing != Backing::p2pdma) return;
  if (!out.shared) {
    error(sharing->name.at, "no kernel maps PCI peer-to-peer memory privately", "`shared`");
  }
  for (const ast::Attribute& a : o.attributes) {
    const std::string& name = a.name.text;
    if (name != "untouched" && name != "unmapped" && name != "read") continue;
    error(a.name.at, fmt::format("`{}` contradicts `p2pdma`: mmap maps all of it at once", name),
          "leave out the attribute");
  }
}

void Compiler::check_daemon_memory(const ast::Daemon& d, ActorKind kind, const Object& o) {
  const bool file = o.backing != Backing::anonymous;
  std::string_view expected;
  if (kind == ActorKind::writeback && !on_disk(o)) expected = "a file on a disk (ext4 or xfs)";
  const bool anonymous_only =
      kind == ActorKind::migrate || kind == ActorKind::ksm || kind == ActorKind::numa_scan;
  if (anonymous_only && file) expected = "anonymous memory";
  if (kind == ActorKind::reclaim && file && !on_disk(o)) {
    expected = "anonymous memory or a file on a disk";
  }
  if (expected.empty()) return;
  error(d.pages.at, fmt::format("`{}` does not act on {}", d.kind.text, kind_of(o)),
        std::string(expected));
}

/// Operations on memory that cannot have it.
void Compiler::check_memory_kind(const ast::CallStatement& call, const Instr& out) {
  if (out.page == kNone || out.page >= program_.pages) return;
  const ast::Call& c = call.call;
  for (const std::uint8_t page : {out.page, out.to_page}) {
    if (page == kNone || page >= program_.pages) continue;
    const Object& o = program_.object(page);
    const std::string_view why = refusal(out, o);
    if (why.empty()) continue;
    const bool remote = out.op == Op::process_vm_readv || out.op == Op::process_vm_writev ||
                        out.op == Op::ptrace_peek || out.op == Op::ptrace_poke;
    error(c.arguments[page == out.page && !remote ? 0 : 1].at,
          fmt::format("`{}` {}, `{}` is {}", c.function.text, why, o.name, kind_of(o)));
    return;
  }
  const Object& o = program_.object(out.page);
  const bool constant = out.value.fn == Fn::none && !out.value.a.is_register;
  if (out.op == Op::truncate && constant &&
      (out.value.a.value < 0 || out.value.a.value > o.pages)) {
    error(c.arguments[1].at, fmt::format("`{}` cannot have {} pages", o.name, out.value.a.value),
          fmt::format("0 to {}", o.pages));
  }
  const bool whole = out.op == Op::truncate || out.op == Op::fsync;
  if (whole && out.pages != o.pages) {
    error(c.arguments[0].at, fmt::format("`{}` is about the whole file", c.function.text),
          fmt::format("`{}({})`", c.function.text, o.name));
  }
}

std::optional<Atom> Compiler::disk_atom(const ast::Cond& c) {
  if (c.thread) {
    error(c.at, "the disk has no threads", fmt::format("`disk:{}`", to_string(c.place)));
    return {};
  }
  const auto w = word(c.place);
  if (!w) return {};
  Atom out;
  out.kind = AtomKind::disk;
  std::tie(out.page, out.word) = *w;
  const Object& o = program_.object(out.page);
  if (!on_disk(o) && o.backing != Backing::dax) {
    error(c.place.at, fmt::format("`{}` is {}: nothing of it is on a disk", o.name, kind_of(o)),
          "a word of a file on a disk");
    return {};
  }
  out.name = fmt::format("disk:{}", program_.word_name(out.page, out.word));
  return out;
}

}  // namespace drover::litmus
