// Uses the drover library to ask one question of two kernels: does a DMA pin still mean the same
// page after fork and a write of the parent?
#include <cstdio>
#include <drover/drover.hpp>

namespace {

constexpr const char* kTest = R"(
litmus pinned-then-fork
anon buf { x, y }
process parent {
    mr = pin(buf, FOLL_WRITE | FOLL_LONGTERM);
    fork(child);
    buf.x = 2;
    dma_write(mr.y, 7);
    r = buf.y;
}
process child { }
~exists (parent:r = 0)
)";

}  // namespace

int main() {
  const drover::litmus::ParseResult parsed = drover::litmus::parse(kTest, "pinned-then-fork");
  if (!parsed.program) {
    for (const drover::litmus::Diagnostic& d : parsed.diagnostics) {
      std::fprintf(stderr, "%s", drover::litmus::to_string(d, kTest).c_str());
    }
    return 2;
  }

  drover::design::Registry registry;
  registry.add_folder(DESIGNS);
  registry.resolve();
  for (const char* name : {"linux-5.8", "linux-5.10"}) {
    const drover::design::Design* design = registry.find(name);
    if (design == nullptr) {
      std::fprintf(stderr, "no design %s in %s\n", name, DESIGNS);
      return 2;
    }
    const drover::verdict::CheckResult result = drover::verdict::check(*parsed.program, *design);
    if (!result.complete()) return 3;
    std::printf("%s: the device's write is lost %s, coherence %s\n", name,
                drover::litmus::to_string(result.verdict),
                result.violates(drover::litmus::Property::coherence) ? "violated" : "holds");
  }
  return 0;
}
