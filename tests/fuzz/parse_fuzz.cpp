// No input crashes the parser, the compiler or the printer of diagnostics.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "litmus/litmus.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::litmus;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const KnownDesigns designs = {
      {"linux-4.18", "linux-5.4", "linux-5.8", "linux-5.10", "linux-6.1", "linux-7.2"},
      {"block-fork"}};
  const ParseResult result = parse(text, "fuzz", designs);
  if (result.program.has_value() == !result.diagnostics.empty()) std::abort();
  for (const Diagnostic& d : result.diagnostics) {
    if (to_string(d, text).empty()) std::abort();
  }
  return 0;
}
