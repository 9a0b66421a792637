// Parsing and compiling in one call.
#include "litmus/litmus.hpp"

#include "litmus/compiler.hpp"
#include "litmus/parser.hpp"

namespace drover::litmus {

ParseResult parse(std::string_view text, std::string file, const KnownDesigns& designs) {
  DiagnosticSink sink(text, file);
  ParseResult out;
  Parsed parsed = parse_text(text, sink);
  // A text that is not text at all has no names to check.
  if (!parsed.file.name.text.empty() || !parsed.file.actors.empty()) {
    Program program = Compiler(parsed, sink, designs).run(std::move(file));
    if (sink.empty() && parsed.complete) out.program = std::move(program);
  }
  if (parsed.complete) out.ast = std::move(parsed.file);
  out.diagnostics = sink.take();
  return out;
}

}  // namespace drover::litmus
