// The public face of the litmus language: text to Program, and back to canonical text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/ast.hpp"
#include "litmus/diagnostic.hpp"
#include "litmus/format.hpp"
#include "litmus/program.hpp"

namespace drover::litmus {

/// The names that expectations may mention. Without any, their names are not checked.
struct KnownDesigns {
  std::vector<std::string> kernels;  // in release order
  std::vector<std::string> others;
  [[nodiscard]] bool empty() const { return kernels.empty() && others.empty(); }
};

struct ParseResult {
  std::optional<Program> program;       // there when there is no diagnostic
  std::optional<Ast> ast;               // there when the syntax is right
  std::vector<Diagnostic> diagnostics;  // all errors in the order of the text
};

/// Parses and compiles a litmus file; `file` is its name in diagnostics and in Program::file.
/// Never throws on any input.
[[nodiscard]] ParseResult parse(std::string_view text, std::string file,
                                const KnownDesigns& designs = {});

}  // namespace drover::litmus
