// Expectations: properties and designs known, ranges forwards, nothing said twice.
#include <fmt/format.h>

#include <algorithm>

#include "litmus/compiler.hpp"

namespace drover::litmus {
namespace {

std::vector<std::string> property_names() {
  std::vector<std::string> out;
  for (unsigned i = 0; i < kProperties; ++i) out.emplace_back(to_string(static_cast<Property>(i)));
  return out;
}

std::optional<Verdict> verdict_of(std::string_view word) {
  for (const Verdict v :
       {Verdict::always, Verdict::sometimes, Verdict::never, Verdict::unsupported}) {
    if (word == to_string(v)) return v;
  }
  return {};
}

}  // namespace

/// The names of the designs that `d` covers; empty after an error. Without known designs, ranges
/// are not expanded.
std::vector<std::string> Compiler::expand(const ast::Designs& d) {
  if (designs_.empty()) {
    return d.last ? std::vector<std::string>{} : std::vector{d.first.text};
  }
  const auto& kernels = designs_.kernels;
  Names all = kernels;
  all.insert(all.end(), designs_.others.begin(), designs_.others.end());
  const auto kernel = [&](const ast::Name& n) {
    const auto found = std::find(kernels.begin(), kernels.end(), n.text);
    if (found == kernels.end()) {
      const bool known = std::find(all.begin(), all.end(), n.text) != all.end();
      if (known) {
        error(n.at, fmt::format("`{}` is not a kernel release", n.text),
              "kernels at both ends of a range", "list other designs one by one");
      } else {
        error(n.at, fmt::format("unknown design `{}`", n.text), "", did_you_mean(n.text, all));
      }
    }
    return found;
  };
  if (!d.last) {
    if (std::find(all.begin(), all.end(), d.first.text) == all.end()) {
      error(d.first.at, fmt::format("unknown design `{}`", d.first.text), "",
            did_you_mean(d.first.text, all));
      return {};
    }
    return {d.first.text};
  }
  const auto first = kernel(d.first);
  const auto last = kernel(*d.last);
  if (first == kernels.end() || last == kernels.end()) return {};
  if (last < first) {
    error(d.at, "this range runs backwards", fmt::format("{} .. {}", *last, *first));
    return {};
  }
  return {first, last + 1};
}

void Compiler::compile_expectations() {
  std::map<std::string, unsigned> verdicts;  // design -> line
  std::map<std::pair<std::string, Property>, std::pair<bool, unsigned>> properties;
  for (const ast::Expectation& e : file_.expectations) {
    Expectation out;
    out.line = sink_.line_of(e.what.at.offset);
    out.reason = e.reason.value_or("");
    const std::optional<Verdict> verdict = verdict_of(e.what.text);
    const bool violates = e.what.text == "violates";
    out.kind = verdict    ? Expectation::Kind::verdict
               : violates ? Expectation::Kind::violates
                          : Expectation::Kind::holds;
    out.verdict = verdict.value_or(out.verdict);
    const Names known = property_names();
    for (const ast::Name& p : e.properties) {
      const auto found = std::find(known.begin(), known.end(), p.text);
      if (found == known.end()) {
        unknown("property", p, known);
      } else {
        out.properties.push_back(static_cast<Property>(found - known.begin()));
      }
    }
    for (const ast::Designs& d : e.designs) {
      out.designs.push_back({d.first.text, d.last ? d.last->text : d.first.text});
      bool reported = false;  // once for each range
      for (const std::string& design : expand(d)) {
        if (verdict) {
          const auto [at, added] = verdicts.emplace(design, out.line);
          if (!added && !reported) {
            reported = true;
            error(d.at, fmt::format("`{}` has a verdict already", design),
                  "one verdict for each design", fmt::format("line {} gives it", at->second));
          }
        }
        for (const Property p : out.properties) {
          const auto [at, added] =
              properties.emplace(std::pair{design, p}, std::pair{violates, out.line});
          if (!added && at->second.first != violates && !reported) {
            reported = true;
            error(d.at,
                  fmt::format("`{}` is expected both to hold and to be violated on `{}`",
                              to_string(p), design),
                  "", fmt::format("line {} says the opposite", at->second.second));
          }
        }
      }
    }
    program_.expectations.push_back(std::move(out));
  }
}

}  // namespace drover::litmus
