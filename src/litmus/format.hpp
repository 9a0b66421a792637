// The canonical text of a syntax tree: for `drover fmt`, for hashing, for pictures and messages.
#pragma once

#include <string>

#include "litmus/ast.hpp"

namespace drover::litmus {

/// The file in canonical layout: header, memory, actors, condition, expectations; 4-space
/// indentation, 80 columns where the text has a place to break. Parsing it gives an equal tree.
[[nodiscard]] std::string format(const Ast& file);

/// What a run of the test depends on and nothing else: no name, description, claims, sources,
/// comments, expectations; equal spellings made equal (flag order, defaults, errno names).
[[nodiscard]] std::string canonical_text(const Ast& file);

/// XXH3_128 of canonical_text() as 32 hexadecimal digits.
[[nodiscard]] std::string hash_of(const Ast& file);

/// A statement on one line without `;`; of an `if` or `repeat` only its head.
[[nodiscard]] std::string to_string(const ast::Statement& s);
[[nodiscard]] std::string to_string(const ast::Expr& e);
[[nodiscard]] std::string to_string(const ast::Integer& i);
[[nodiscard]] std::string to_string(const ast::Place& p);
[[nodiscard]] std::string to_string(const ast::Argument& a);
/// A proposition without outer parentheses.
[[nodiscard]] std::string to_string(const ast::Cond& c);

}  // namespace drover::litmus
