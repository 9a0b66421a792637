// What huge memory can have and what it cannot: attributes of `hugetlb` and of `huge`, and the
// operations and daemons that do not go with them. Small pages are in compile_declarations.cpp.
#include <fmt/format.h>

#include <algorithm>

#include "litmus/compiler.hpp"

namespace drover::litmus {

// `huge`: an aligned 2 MiB of anonymous memory. One page more than the test names stands for the
// rest of it.
void Compiler::huge_mapping(const ast::Object& o, Object& out) {
  const ast::Attribute* mapping = nullptr;
  for (const ast::Attribute& a : o.attributes) {
    if (a.name.text == "huge") {
      if (o.file) return;  // no attribute of files
      if (o.hugetlb) {
        error(a.name.at,
              fmt::format("`huge` is a large folio of anonymous memory, `{}` is not", out.name),
              fmt::format("`anon {} {{ ... }} : huge`", out.name));
        return;
      }
      if (out.huge == HugeMapping::none) out.huge = HugeMapping::pmd;
    }
    if (a.name.text != "pte_mapped" && a.name.text != "split") continue;
    if (mapping != nullptr && mapping->name.text != a.name.text) {
      error(a.name.at, fmt::format("`{}` contradicts `{}`", a.name.text, mapping->name.text),
            "one of pte_mapped, split");
    }
    mapping = &a;
  }
  const bool huge = out.huge != HugeMapping::none;
  if (mapping != nullptr && !huge) {
    error(mapping->name.at, fmt::format("`{}` is about `huge` memory", mapping->name.text), "",
          fmt::format("`huge, {}`, or leave it out", mapping->name.text));
    return;
  }
  if (!huge) return;
  if (mapping != nullptr) {
    out.huge = mapping->name.text == "split" ? HugeMapping::split : HugeMapping::ptes;
  }
  if (out.pages > kMaxHugePages) {
    error(o.pages->at, fmt::format("huge memory of which {} pages are named", out.pages),
          fmt::format("1 to {}", kMaxHugePages), "the rest of the 2 MiB is there without a name");
    out.pages = kMaxHugePages;
  }
  out.pages++;
  for (const ast::Attribute& a : o.attributes) {
    if (a.name.text == "fresh" && out.huge != HugeMapping::split) {
      error(a.name.at, "a large folio is never in an LRU batch", "", "leave out `fresh`");
    }
    const bool empty = a.name.text == "untouched" || a.name.text == "unmapped";
    if (empty && mapping != nullptr) {
      error(mapping->name.at,
            fmt::format("`{}` has no page yet that could be {}", out.name, mapping->name.text), "",
            "leave out one of the two");
    }
  }
}

bool Compiler::has_huge_memory() const {
  return std::any_of(program_.objects.begin(), program_.objects.end(),
                     [](const Object& o) { return o.huge != HugeMapping::none; });
}

void Compiler::huge_attributes(const ast::Object& o, Object& out) {
  out.hugetlb = o.hugetlb;
  bool pool = false;
  for (const ast::Attribute& a : o.attributes) {
    const bool again = a.name.text == "pool" && pool;  // given twice: object_attributes says so
    pool = pool || a.name.text == "pool";
    if (again) continue;
    if (a.name.text == "pool" && !out.hugetlb) {
      error(a.name.at, "`pool` is the machine's huge pages of hugetlb", "",
            fmt::format("declare `hugetlb {} {{ ... }}`, or leave out `pool`", out.name));
    } else if (a.name.text == "pool") {
      hugetlb_pool(a);
    }
    if (!out.hugetlb) continue;
    if (a.name.text == "fresh") {
      error(a.name.at, "a hugetlb page is never in an LRU batch", "", "leave out `fresh`");
    }
    if (a.name.text == "wipeonfork") {
      error(a.name.at, "hugetlb memory cannot be MADV_WIPEONFORK: the call fails with EINVAL", "",
            "leave out `wipeonfork`");
    }
  }
}

void Compiler::hugetlb_pool(const ast::Attribute& a) {
  if (program_.hugetlb_pool != kNone) {
    error(a.name.at, "a second `pool`: there is one pool of huge pages for all processes",
          "`pool N` at one memory only");
    return;
  }
  const std::int64_t n = a.number->value;
  if (n < 1 || n > kMaxHugetlbPool || !a.number->errno_name.empty()) {
    error(a.number->at, fmt::format("a pool of {} huge pages", to_string(*a.number)),
          fmt::format("1 to {}", kMaxHugetlbPool));
    return;
  }
  program_.hugetlb_pool = static_cast<std::uint8_t>(n);
  hugetlb_pool_at_ = a.number->at;
}

// mmap reserves a huge page for each page of a private mapping, so the pool must hold them all.
void Compiler::check_hugetlb_pool() {
  unsigned needed = 0;
  for (const Object& o : program_.objects) {
    if (o.hugetlb && o.state != InitialPage::unmapped) needed += o.pages;
  }
  if (program_.hugetlb_pool == kNone || program_.hugetlb_pool >= needed) return;
  error(hugetlb_pool_at_,
        fmt::format("a pool of {} huge pages is too small for what is mapped at the start",
                    program_.hugetlb_pool),
        fmt::format("at least {}: mmap reserves every page of a mapping", needed));
}

void Compiler::check_large_folio_statement(Location at, const Instr& i, const Object& object) {
  const bool huge = object.huge != HugeMapping::none;
  if (i.op == Op::madvise && i.advice == Advice::collapse && (!huge || i.pages != object.pages)) {
    error(at, fmt::format("`{}` makes one large folio of a 2 MiB range", i.text),
          "all of a `huge` memory",
          huge ? "" : fmt::format("declare `anon {} {{ ... }} : huge, split`", object.name));
  }
  const bool unmerge = i.op == Op::madvise && i.advice == Advice::unmergeable;
  if (huge &&
      (unmerge || i.op == Op::move_pages || i.op == Op::uffd_move || i.op == Op::ksm_scan)) {
    error(at, fmt::format("not modelled for huge memory: `{}`", i.text), "memory of small pages");
  }
}

void Compiler::check_huge_statement(Location at, const Instr& i) {
  if (i.page == kNone || i.page >= program_.pages) return;
  const Object& object = program_.objects[program_.object_of[i.page]];
  check_large_folio_statement(at, i, object);
  if (i.op == Op::mremap && i.to_page < program_.pages) {
    const Object& target = program_.objects[program_.object_of[i.to_page]];
    if (target.hugetlb != object.hugetlb) {
      error(at,
            fmt::format("`{}` and `{}` are different kinds of memory", object.name, target.name),
            "two ranges of the same kind");
    }
  }
  const bool advice =
      i.op == Op::madvise && (i.advice == Advice::free || i.advice == Advice::unmergeable);
  if (object.hugetlb && (advice || i.op == Op::move_pages || i.op == Op::uffd_wp ||
                         i.op == Op::uffd_unwp || i.op == Op::uffd_move || i.op == Op::ksm_scan)) {
    error(at, fmt::format("not modelled for hugetlb: `{}`", i.text), "memory of small pages");
  }
}

void Compiler::check_huge_daemon(Location at, const Actor& daemon) {
  if (daemon.pages == 0) return;
  const Object& object = program_.objects[program_.object_of[daemon.page]];
  const bool huge = object.huge != HugeMapping::none;
  if (daemon.kind == ActorKind::khugepaged && (!huge || daemon.pages != object.pages)) {
    error(at, "khugepaged makes one large folio of a 2 MiB range", "all of a `huge` memory",
          huge ? "" : fmt::format("declare `anon {} {{ ... }} : huge, split`", object.name));
    return;
  }
  const bool by_page = daemon.kind == ActorKind::ksm || daemon.kind == ActorKind::migrate ||
                       daemon.kind == ActorKind::numa_scan;
  if (huge && by_page) {
    error(at,
          fmt::format("a daemon that is not modelled for huge memory, which `{}` is", object.name),
          "memory of small pages");
  }
  if (!object.hugetlb || daemon.kind == ActorKind::speculate) return;
  if (daemon.kind == ActorKind::writeback) return;  // see check_daemon_memory
  error(at, fmt::format("a daemon that is not modelled for hugetlb, which `{}` is", object.name),
        "memory of small pages");
}

}  // namespace drover::litmus
