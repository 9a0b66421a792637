// Inside the emitter: a family of operations, what C a statement becomes and what stands against
// it. Each family is in a file of its own, its C functions in runtime/ under the same name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "litmus/program.hpp"
#include "native/emit/emit.hpp"

namespace drover::native {

struct Context {
  const litmus::Program& program;
  const EmitOptions& options;
  bool ordered;
};

/// A statement and who executes it.
struct Site {
  const litmus::Instr& instr;
  unsigned actor;
};

/// C statements that a handle needs around the test's own.
struct HandleHooks {
  std::string program;  // once, by main
  std::string run;      // before the processes of a run exist
  std::string process;  // in the process whose memory the handle is about
  std::string mark;     // when all is over, before memory is looked at
  std::string end;      // by main, before the processes are killed
  std::string clean;    // undoes `program`
};

struct Family {
  std::string_view runtime;  // C functions it calls
  /// The C statement, without its line break.
  std::string (*statement)(const Context&, Site);
  /// Why a real kernel cannot do this, or "".
  std::string (*obstacle)(const Context&, Site);
  /// Of the statement that takes a handle; may be null.
  HandleHooks (*hooks)(const litmus::Instr& taker, unsigned handle) = nullptr;
  const char* needs_root = nullptr;  // what for, null: nothing
};

extern const Family kFiles, kMemory, kProcess, kOrder, kMapping, kPagemap, kGupUsers, kJobs,
    kGupTest, kVmsplice, kZerocopy, kDirectIo, kProcessVm, kPtrace, kReclaim, kSwapoff, kClearRefs,
    kUserfaultfd, kKsm, kXdpUmem;

/// Who implements a statement, given what kind of handle it uses.
[[nodiscard]] const Family& family_of(const Context& context, const litmus::Instr& instr);

/// The statement that takes the handle of `ref`.
[[nodiscard]] const litmus::Instr& taker_of(const litmus::Program& program, unsigned ref);
[[nodiscard]] bool takes_handle(litmus::Op op);
[[nodiscard]] bool has_fresh_page(const litmus::Program& program);

// --- Pieces of C --------------------------------------------------------------------------------
/// "(int8_t)(R(a) + 1)" in the terms of the actor's function.
[[nodiscard]] std::string expression(const Context& context, unsigned actor, const litmus::Expr& e);
/// "R(r) = " or "" without a register.
[[nodiscard]] std::string assign_to(const Context& context, unsigned actor, std::uint8_t dst);
[[nodiscard]] std::string register_name(const Context& context, unsigned actor, unsigned index);
/// "MEM_buf, 1, 0": arguments for one word.
[[nodiscard]] std::string word_arguments(const Context& context, unsigned page, unsigned word);
/// "MEM_buf + 1 * PAGE"
[[nodiscard]] std::string page_address(const Context& context, unsigned page);
/// "MEM_buf, 2": address and number of small pages of the statement's range.
[[nodiscard]] std::string range_arguments(const Context& context, const litmus::Instr& instr);
/// "H_mr"
[[nodiscard]] std::string handle_name(const Context& context, unsigned ref);
[[nodiscard]] std::string process_name(const Context& context, unsigned process);

/// ANONYMOUS, MEMFD, ANY_FILE or DISK_FILE of runtime/core.c: what the object is mapped from.
[[nodiscard]] std::string file_kind(const litmus::Program& program, const litmus::Object& object);
/// Why no real machine can have the test's memory or show what its condition asks of it, or "".
[[nodiscard]] std::string memory_obstacle(const Context& context);

/// For families that every kernel can do.
[[nodiscard]] std::string no_obstacle(const Context& context, Site site);

}  // namespace drover::native
