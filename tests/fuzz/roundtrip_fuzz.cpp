// Printing a tree and parsing the text gives an equal tree; printing is a fixed point; a test that
// compiles still does, with the same hash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "litmus/litmus.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::litmus;
  const ParseResult first = parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!first.ast) return 0;
  const std::string text = format(*first.ast);
  const ParseResult second = parse(text, "fuzz");
  if (!second.ast || !(*second.ast == *first.ast)) std::abort();
  if (format(*second.ast) != text) std::abort();
  if (first.program.has_value() != second.program.has_value()) std::abort();
  if (first.program && first.program->hash != second.program->hash) std::abort();
  return 0;
}
