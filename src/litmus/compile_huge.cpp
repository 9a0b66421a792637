// What huge memory can have and what it cannot: attributes of `hugetlb`, and the operations and
// daemons that do not go with it. Small pages are in compile_declarations.cpp.
#include <fmt/format.h>

#include "litmus/compiler.hpp"

namespace drover::litmus {

void Compiler::huge_attributes(const ast::Object& o, Object& out) {
  out.hugetlb = o.hugetlb;
  for (const ast::Attribute& a : o.attributes) {
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

void Compiler::check_huge_statement(Location at, const Instr& i) {
  if (i.page == kNone || i.page >= program_.pages) return;
  const Object& object = program_.objects[program_.object_of[i.page]];
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
  if (!object.hugetlb || daemon.kind == ActorKind::speculate) return;
  error(at, fmt::format("a daemon that is not modelled for hugetlb, which `{}` is", object.name),
        "memory of small pages");
}

}  // namespace drover::litmus
