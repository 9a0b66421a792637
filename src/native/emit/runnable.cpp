// runnable(): the first thing in a test that no real kernel can be made to do.
#include <fmt/format.h>

#include "native/emit/families.hpp"

namespace drover::native {
namespace {

using litmus::AtomKind;
using litmus::FramePlace;

// In a race the pagemap may be read too late; only a device that writes proves its frame at the
// end.
std::string frame_obstacle(const Context& context, const FramePlace& place) {
  if (!place.is_ref || context.ordered) return "";
  const Family& family = family_of(context, taker_of(context.program, place.ref));
  if (&family == &kGupUsers || &family == &kXdpUmem || &family == &kPagemap) return "";
  return fmt::format("same_frame: nothing shows which frame `{}` got while others run",
                     context.program.handle_of(place.ref).name);
}

std::string condition_obstacle(const Context& context, Runnable& result) {
  for (const litmus::Atom& atom : context.program.condition.atoms) {
    if (atom.kind != AtomKind::same_frame) continue;
    result.needs_root = true;
    result.needs_root_why = "page frame numbers from /proc/self/pagemap";
    for (const FramePlace& place : {atom.left, atom.right}) {
      if (std::string why = frame_obstacle(context, place); !why.empty()) return why;
    }
  }
  return "";
}

}  // namespace

Runnable runnable(const litmus::Program& program, const EmitOptions& options) {
  Runnable result;
  result.ordered = is_ordered(program);
  if (!result.ordered || (has_fresh_page(program) && program.processes.size() > 1)) result.cpus = 2;
  const Context context{program, options, result.ordered};
  for (unsigned a = 0; a < program.actors.size(); ++a) {
    for (const litmus::Instr& i : program.actors[a].code) {
      const Family& family = family_of(context, i);
      if (family.needs_root != nullptr) {
        result.needs_root = true;
        result.needs_root_why = family.needs_root;
      }
      const std::string why = family.obstacle(context, Site{i, a});
      if (!why.empty() && result.why.empty()) {
        result.why = fmt::format("line {}: `{}`: {}", i.line, i.text, why);
      }
    }
  }
  for (const litmus::Handle& handle : program.handles) {
    const litmus::Object& object = program.object(handle.first_page);
    if (handle.pages == 1 || !result.why.empty()) continue;
    if (object.hugetlb) {
      result.why = fmt::format("`{}`: a handle over several huge pages", handle.name);
    } else if (object.huge != litmus::HugeMapping::none) {
      result.why = fmt::format("`{}`: a handle over all of the 2 MiB", handle.name);
    }
  }
  if (program.hugetlb_pool != litmus::kNone) {
    result.needs_root = true;
    result.needs_root_why = "the size of the pool of huge pages";
  }
  std::string why = memory_obstacle(context);
  if (why.empty()) why = condition_obstacle(context, result);
  if (result.why.empty()) result.why = why;
  result.ok = result.why.empty();
  return result;
}

}  // namespace drover::native
