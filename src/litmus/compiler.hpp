// From syntax tree to Program: resolves names, checks what the grammar cannot, emits code.
// compile_declarations.cpp: memory, actors, handles, the process tree; compile_statement.cpp and
// compile_call.cpp: code; compile_condition.cpp and compile_expectation.cpp: the rest.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "litmus/ast.hpp"
#include "litmus/litmus.hpp"
#include "litmus/operations.hpp"
#include "litmus/parser.hpp"

namespace drover::litmus {

/// The name that stands for the disk in conditions: `disk:f.x = 1`.
inline constexpr std::string_view kDisk = "disk";

class Compiler {
 public:
  /// `parsed` may have lost parts to syntax errors; errors go to `sink`.
  Compiler(const Parsed& parsed, DiagnosticSink& sink, const KnownDesigns& designs);
  /// The program; usable only if `sink` stayed empty.
  [[nodiscard]] Program run(std::string file);

 private:
  /// A name that a handle-defining statement introduces: also jobs and pagemap variables.
  struct Definition {
    const ast::Statement* statement = nullptr;
    const ast::Call* call = nullptr;
    Location at;
    Op op = Op::pin;  // get, pin, ..., pagemap, post_write, post_read
    std::uint8_t actor = 0;
    std::uint8_t first_ref = 0;  // or the job's number
    std::uint8_t pages = 1;
    const Object* object = nullptr;  // null if its argument is wrong
    std::uint8_t first_page = 0;     // in the program
    std::uint8_t process = 0;
    bool read = false;     // its value is used: it needs a register
    bool lowered = false;  // its statement has been passed
    [[nodiscard]] bool is_job() const { return op == Op::post_read || op == Op::post_write; }
    [[nodiscard]] bool is_pagemap() const { return op == Op::pagemap; }
  };
  /// What is known of an actor before its code exists.
  struct Source {
    const ast::Block* body = nullptr;  // null for daemons
    std::uint8_t process = kNone;
    std::vector<ast::Name> registers;  // in the order of their first assignment
    std::vector<std::string> handles;  // names of Definitions, in source order
  };
  struct ForkSite {
    Location at;
    std::uint8_t process = 0;  // who forks
    bool vfork = false;
  };
  struct Range {
    const Object* object = nullptr;
    std::uint8_t first = 0, pages = 0;
    std::optional<std::uint8_t> process;  // of a remote range
  };
  struct HandleWord {
    const Definition* handle = nullptr;
    std::uint8_t ref = 0, word = 0;
  };
  using Names = std::vector<std::string>;

  // Errors. A missing name that a broken part of the file mentions is not an error.
  void error(Location at, std::string message, std::string expected = {}, std::string hint = {});
  void unknown(std::string_view what, const ast::Name& name, const Names& candidates,
               std::string hint = {});
  [[nodiscard]] bool lost(std::string_view name) const { return lost_.contains(name); }
  bool fits(std::size_t count, unsigned limit, Location at, std::string_view what);

  // Declarations.
  void declare_processes();
  void declare_objects();
  void declare_object(const ast::Object& o);
  void object_words(const ast::Object& o, Object& out);
  void object_attributes(const ast::Object& o, Object& out);
  void object_attribute(const ast::Attribute& a, Object& out);
  // compile_files.cpp: what files can have done to them.
  bool file_attribute(const ast::Object& o, const ast::Attribute& a, Object& out);
  void check_zone(const ast::Object& o, const Object& out);
  void check_file(const ast::Object& o, Object& out);
  void check_daemon_memory(const ast::Daemon& d, ActorKind kind, const Object& o);
  void check_memory_kind(const ast::CallStatement& call, const Instr& out);
  std::optional<Atom> disk_atom(const ast::Cond& c);
  void huge_mapping(const ast::Object& o, Object& out);
  [[nodiscard]] bool has_huge_memory() const;
  void check_large_folio_statement(Location at, const Instr& i, const Object& object);
  void huge_attributes(const ast::Object& o, Object& out);
  void hugetlb_pool(const ast::Attribute& a);
  void check_hugetlb_pool();
  void check_huge_statement(Location at, const Instr& i);
  void check_huge_daemon(Location at, const Actor& daemon);
  void declare_threads();
  void declare_daemons();
  void declare_swap_device();
  void add_swap_io();
  void find_features();
  void collect_names();
  void collect(const ast::Block& body, std::uint8_t actor, bool repeated);
  void collect_register(const ast::Name& name, std::uint8_t actor);
  void collect_call(const ast::Statement& s, const ast::CallStatement& call, std::uint8_t actor,
                    bool repeated);
  void collect_fork(const ast::Call& call, std::uint8_t actor, bool repeated);
  void collect_handle(const ast::Statement& s, const ast::CallStatement& call, Op op,
                      std::uint8_t actor);
  void build_process_tree();
  void report_unreachable();
  void number_address_spaces();
  void mark_reads(const ast::Block& body, std::uint8_t actor);
  void mark_read(const ast::Operand& operand, std::uint8_t actor);
  void mark_reads(const ast::Cond& c);
  void allocate_registers();
  bool free_name(const ast::Name& name, std::string_view what);

  // Resolution of names and numbers. Nothing is returned after an error has been reported.
  std::optional<std::int8_t> literal(const ast::Integer& i);
  std::optional<std::uint8_t> process(const ast::Name& name);
  const Object* object(const ast::Name& name);
  std::optional<std::uint8_t> page_index(const ast::Integer& i, const Object& o);
  std::optional<std::uint8_t> word_index(const ast::Name& name, const Object& o);
  std::optional<Range> range(const ast::Argument& a);
  std::optional<Range> range(const ast::Place& p, Location at);
  /// Page and word of `buf[1].x`; a process in front is an error.
  std::optional<std::pair<std::uint8_t, std::uint8_t>> word(const ast::Place& p);
  std::optional<std::pair<std::uint8_t, std::uint8_t>> word(const ast::Argument& a);
  std::optional<std::uint8_t> single_page(const Range& r, Location at);
  Definition* handle(const ast::Name& name);
  Definition* handle(const ast::Argument& a);
  std::optional<HandleWord> handle_word(const ast::Argument& a);
  std::optional<std::uint8_t> reg(const ast::Name& name);
  std::optional<Operand> operand(const ast::Operand& o);
  std::optional<Expr> expression(const ast::Expr& e);
  [[nodiscard]] static const ast::Name* lone_name(const ast::Argument& a);
  [[nodiscard]] std::optional<std::uint8_t> find_register(std::uint8_t actor,
                                                          std::string_view name) const;
  [[nodiscard]] Names process_names() const;
  [[nodiscard]] Names object_names() const;
  [[nodiscard]] Names value_names(std::uint8_t actor) const;
  [[nodiscard]] Names definition_names() const;

  // Code.
  void lower_actors();
  void lower(const ast::Block& b);
  void lower(const ast::Statement& s);
  void lower_if(const ast::Statement& s, const ast::If& branch);
  void lower_repeat(const ast::Statement& s, const ast::Repeat& loop);
  void lower_event(const ast::Name& event, bool signal, Instr& out);
  void lower_call(const ast::Statement& s, const ast::CallStatement& call);
  bool arguments(const Operation& operation, const ast::CallStatement& call, Instr& out);
  bool argument(const Operation& operation, std::size_t index, const ast::Argument& a, Instr& out);
  bool copies_argument(const ast::Argument& a, Instr& out);
  bool range_argument(std::size_t index, const ast::Argument& a, bool remote, Instr& out);
  bool handle_argument(const Operation& operation, const ast::Argument& a, Instr& out);
  bool handle_word_argument(const Operation& operation, const ast::Argument& a, Instr& out);
  bool flag_argument(Parameter parameter, const ast::Argument& a, Instr& out);
  std::optional<Names> flag_names(const ast::Argument& a, const Names& allowed,
                                  std::string_view what, bool zero_allowed);
  bool usable(const Operation& operation, const ast::Name& name, const Definition& d);
  void check_special(const ast::CallStatement& call, const Instr& out);
  void result(const ast::CallStatement& call, const Operation& operation, Instr& out);
  void define_handle(const ast::CallStatement& call, Instr& out);
  bool released_in(const ast::Block& b, std::string_view handle, Op taker) const;
  Instr& emit(Instr i, const ast::Statement& s);

  // Condition and expectations.
  void compile_condition();
  std::uint16_t lower_cond(const ast::Cond& c);
  std::uint16_t add_node(CondNode node);
  std::optional<Atom> atom(const ast::Cond& c);
  std::optional<Atom> value_atom(const ast::Cond& c);
  std::optional<FramePlace> frame_place(const ast::Place& p, std::string& name);
  std::optional<std::uint8_t> actor_of(const ast::Cond& c);
  std::uint8_t atom_index(Atom a);
  void sort_atoms();
  void compile_expectations();
  std::vector<std::string> expand(const ast::Designs& d);

  const ast::File& file_;
  DiagnosticSink& sink_;
  const KnownDesigns& designs_;
  std::set<std::string, std::less<>> lost_;
  std::set<std::string, std::less<>> full_;  // capacities already reported
  bool quiet_ = false;

  Program program_;
  std::vector<Location> process_at_;
  Location hugetlb_pool_at_;
  std::map<std::string, std::size_t, std::less<>> object_index_;
  std::map<std::string, std::uint8_t, std::less<>> process_index_;
  std::map<std::string, std::uint8_t, std::less<>> actor_index_;
  std::map<std::string, Definition, std::less<>> definitions_;
  std::map<std::string, std::uint8_t, std::less<>> event_index_;
  std::set<std::string, std::less<>> signalled_;
  std::vector<Source> sources_;                    // of program_.actors
  std::vector<std::vector<ForkSite>> fork_sites_;  // of program_.processes

  // While lowering one actor.
  std::uint8_t actor_ = 0;
  bool too_long_ = false;
  std::vector<const ast::Block*> repeats_;  // bodies being unrolled
};

}  // namespace drover::litmus
