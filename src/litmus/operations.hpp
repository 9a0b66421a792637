// The table of the language's operations: their arguments and results, and what a handle of each
// kind is for. The compiler reads it; nothing else knows the operations' names.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/program.hpp"

namespace drover::litmus {

enum class Parameter : std::uint8_t {
  range,         // pages of memory
  remote_range,  // the same, perhaps of another process
  page,          // one page of memory
  word,          // a word of memory
  value,         // an expression
  copies,        // how many references to each page, an integer
  process,
  handle,       // a handle as a whole
  handle_word,  // a word behind a handle
  foll,         // FOLL_ flags
  entry,        // slow, fast, raw
  prot,
  advice,
  access,  // IBV_ACCESS_ flags
};

enum class Result : std::uint8_t {
  none,
  status,  // 0 or -errno, may be dropped
  value,   // what the operation is for
  handle,  // defines a handle
};

struct Operation {
  std::string_view name;
  Op op;
  std::vector<Parameter> parameters;
  Result result;
  unsigned optional = 0;  // how many parameters at the end may be left out
  std::string_view usage;
};

[[nodiscard]] std::span<const Operation> operations();
/// The operation of that name, or nullptr.
[[nodiscard]] const Operation* find_operation(std::string_view name);
[[nodiscard]] std::vector<std::string> operation_names();

/// The operation that releases what `taker` took: "unpin", ...; "" for pagemap.
[[nodiscard]] std::string_view releaser(Op taker);
/// True when `user` (unpin, dma_write, pipe_read, ...) works on a handle that `taker` defined.
[[nodiscard]] bool accepts(Op user, Op taker);
/// The name of the operation: "pin", "post dma_write", ...
[[nodiscard]] std::string operation_name(Op op);

}  // namespace drover::litmus
