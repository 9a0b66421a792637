// Each construct of docs/language.md and what it compiles to.
#include "support.hpp"

namespace drover::litmus {
namespace {

const char* const kExample = R"(litmus rdma-fork-parent-writes
"RDMA registers a buffer, forks; the parent writes before the NIC does."
claim 6, 15
source "000_ffe6caf33f56424d"

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
expect Never  on linux-5.10.0 .. linux-7.2
    "fork copies the pinned page"
expect violates coherence on linux-4.18 .. linux-5.8
expect holds coherence on linux-5.10 .. linux-7.2
)";

TEST(Compile, Example) {
  const Program p = compiled(kExample);
  EXPECT_EQ(p.name, "rdma-fork-parent-writes");
  EXPECT_EQ(p.claims, (std::vector{6, 15}));
  EXPECT_EQ(p.sources, std::vector<std::string>{"000_ffe6caf33f56424d"});
  ASSERT_EQ(p.processes.size(), 2u);
  EXPECT_EQ(p.processes[0].parent, kNone);
  EXPECT_EQ(p.processes[1].parent, 0);
  EXPECT_EQ(p.mms, 2);
  ASSERT_EQ(p.actors.size(), 2u);
  const Actor& a = p.actors[0];
  EXPECT_EQ(a.registers, std::vector<std::string>{"r"});
  ASSERT_EQ(a.code.size(), 5u);
  EXPECT_EQ(a.code[0].op, Op::pin);
  EXPECT_EQ(a.code[0].foll, kFollWrite | kFollLongterm);
  EXPECT_EQ(a.code[0].dst, kNone);  // nobody reads its result
  EXPECT_EQ(a.code[0].text, "mr = pin(buf, FOLL_WRITE | FOLL_LONGTERM)");
  EXPECT_EQ(a.code[0].line, 9u);
  EXPECT_EQ(a.code[1].op, Op::fork);
  EXPECT_EQ(a.code[1].process, 1);
  EXPECT_EQ(a.code[2].op, Op::store);
  EXPECT_EQ(a.code[2].word, 0);
  EXPECT_EQ(a.code[2].value.a, (Operand{false, 2}));
  EXPECT_EQ(a.code[3].op, Op::dma_write);
  EXPECT_EQ(a.code[3].ref, 0);
  EXPECT_EQ(a.code[3].word, 1);
  EXPECT_EQ(a.code[4].op, Op::load);
  EXPECT_EQ(a.code[4].dst, 0);
  EXPECT_EQ(p.condition.quantifier, Quantifier::not_exists);
  EXPECT_EQ(p.condition.text, "(parent:r = 0)");
  ASSERT_EQ(p.condition.atoms.size(), 1u);
  EXPECT_EQ(p.condition.atoms[0].name, "parent:r");
  ASSERT_EQ(p.expectations.size(), 3u);
  EXPECT_EQ(p.expectations[0].verdict, Verdict::never);
  EXPECT_EQ(p.expectations[0].designs[0].last, "linux-7.2");
  EXPECT_EQ(p.expectations[0].reason, "fork copies the pinned page");
  EXPECT_EQ(p.expectations[1].kind, Expectation::Kind::violates);
  EXPECT_EQ(p.expectations[2].properties, std::vector{Property::coherence});
  EXPECT_EQ(p.hash.size(), 32u);
}

TEST(Compile, Memory) {
  const Program p = compiled(
      "litmus t anon a[2] { x = 3, y = -4 } : fresh anon b { z } : untouched, in q;\n"
      "anon c { w } : unmapped anon d { v } : readonly, dontfork, wipeonfork\n"
      "process p { a[1].y = 1; } process q : independent { } exists (p:a[1].y = 1)");
  ASSERT_EQ(p.objects.size(), 4u);
  EXPECT_EQ(p.pages, 5);
  EXPECT_EQ(p.objects[0].pages, 2);
  EXPECT_EQ(p.objects[0].initial[0], 3);
  EXPECT_EQ(p.objects[0].initial[1], -4);
  EXPECT_EQ(p.objects[0].state, InitialPage::fresh);
  EXPECT_EQ(p.objects[1].state, InitialPage::untouched);
  EXPECT_EQ(p.objects[1].process, 1);
  EXPECT_EQ(p.objects[1].first_page, 2);
  EXPECT_EQ(p.objects[2].state, InitialPage::unmapped);
  EXPECT_TRUE(p.objects[3].readonly && p.objects[3].dontfork && p.objects[3].wipeonfork);
  EXPECT_EQ(p.object_of[1], 0);
  EXPECT_EQ(p.object_of[4], 3);
  EXPECT_EQ(p.word_name(1, 1), "a[1].y");
  EXPECT_EQ(p.word_name(0, 0), "a.x");
  EXPECT_EQ(p.page_name(1), "a[1]");
  EXPECT_EQ(p.page_name(2), "b");
  EXPECT_EQ(p.actors[0].code[0].page, 1);
  EXPECT_EQ(p.condition.atoms[0].kind, AtomKind::memory);
  EXPECT_EQ(p.condition.atoms[0].page, 1);
  EXPECT_EQ(p.condition.atoms[0].word, 1);
}

TEST(Compile, ActorsAndAddressSpaces) {
  const Program p = compiled(
      "litmus t anon buf[2] { x } process p { r = fork(a); vfork(v); } process a { }\n"
      "thread p.t { s = vfork(w); } process v { } daemon speculate(buf[1], 2) : page_lock;\n"
      "process w { wait(v); exit; } process i : independent { } daemon speculate(buf, 1);\n"
      "exists (p.t:s = 0 /\\ p:r = -ENOMEM)");
  ASSERT_EQ(p.processes.size(), 5u);  // p a v w i
  EXPECT_EQ(p.processes[2].mm, p.processes[0].mm);
  EXPECT_TRUE(p.processes[2].vforked);
  EXPECT_EQ(p.processes[3].parent, 0);  // forked by a thread of p
  EXPECT_EQ(p.processes[3].mm, p.processes[0].mm);
  EXPECT_NE(p.processes[1].mm, p.processes[0].mm);
  EXPECT_EQ(p.processes[4].parent, kNone);
  EXPECT_EQ(p.mms, 3);
  ASSERT_EQ(p.actors.size(), 8u);
  EXPECT_EQ(p.actors[5].name, "p.t");
  EXPECT_EQ(p.actors[5].process, 0);
  EXPECT_EQ(p.actors[6].kind, ActorKind::speculate);
  EXPECT_EQ(p.actors[6].name, "speculate");
  EXPECT_EQ(p.actors[6].page, 1);
  EXPECT_EQ(p.actors[6].pages, 1);
  EXPECT_EQ(p.actors[6].bound, 2);
  EXPECT_TRUE(p.actors[6].page_lock);
  EXPECT_EQ(p.actors[7].process, kNone);
  EXPECT_EQ(p.actors[7].pages, 2);
  EXPECT_FALSE(p.actors[7].page_lock);
  EXPECT_EQ(p.actors[0].code[0].dst, 0);
  EXPECT_EQ(p.actors[0].code[1].dst, kNone);
  EXPECT_EQ(p.actors[3].code[0].op, Op::wait);
  EXPECT_EQ(p.actors[3].code[0].process, 2);
  EXPECT_EQ(p.actors[3].code[1].op, Op::exit);
  EXPECT_EQ(p.condition.atoms[0].name, "p.t:s");
  EXPECT_EQ(p.condition.atoms[0].actor, 5);
}

TEST(Compile, Expressions) {
  const Program p = body(
      "a = 1; b = a + 2; b = a - -1; b = a == 1; b = a != b; b = 1 < a; b = a <= 1; b = a > 1;"
      "b = a >= -128; buf.x = -EFAULT;");
  const auto& code = p.actors[0].code;
  const Fn fns[] = {Fn::none, Fn::add, Fn::sub, Fn::eq, Fn::ne, Fn::lt, Fn::le, Fn::gt, Fn::ge};
  for (std::size_t i = 0; i < std::size(fns); ++i) EXPECT_EQ(code[i].value.fn, fns[i]) << i;
  EXPECT_EQ(code[1].value.a, (Operand{true, 0}));
  EXPECT_EQ(code[2].value.b, (Operand{false, -1}));
  EXPECT_EQ(code[4].value.b, (Operand{true, 1}));
  EXPECT_EQ(code[8].value.b, (Operand{false, -128}));
  EXPECT_EQ(code[9].value.a, (Operand{false, -14}));
}

TEST(Compile, IfElse) {
  const Program p = body("a = 1; if (a == 1) { buf.x = 1; } else { buf.x = 2; buf.y = 3; } exit;");
  const auto& code = p.actors[0].code;
  ASSERT_EQ(code.size(), 7u);
  EXPECT_EQ(code[1].op, Op::branch_zero);
  EXPECT_EQ(code[1].target, 4);
  EXPECT_EQ(code[3].op, Op::jump);
  EXPECT_EQ(code[3].target, 6);
  EXPECT_EQ(code[6].op, Op::exit);
}

TEST(Compile, RepeatIsUnrolled) {
  const Program p = body("r = 0; repeat 3 { if (r < 2) { r = r + 1; } } buf.x = r;");
  const auto& code = p.actors[0].code;
  ASSERT_EQ(code.size(), 8u);
  for (std::uint8_t i = 1; i < 7; i = static_cast<std::uint8_t>(i + 2)) {
    EXPECT_EQ(code[i].op, Op::branch_zero);
    EXPECT_EQ(code[i].target, i + 2);
  }
  EXPECT_EQ(code[7].op, Op::store);
  EXPECT_EQ(body("repeat 2 { repeat 3 { buf.x = 1; } }").actors[0].code.size(), 6u);
  // A handle may be taken in each round if it is released in it.
  EXPECT_EQ(body("repeat 2 { h = pin(buf, 0); unpin(h); }").refs, 1);
  EXPECT_EQ(body("repeat 2 { f = pagemap(buf); }").refs, 1);
  EXPECT_EQ(body("repeat 1 { h = pin(buf, 0); }").refs, 1);
  EXPECT_EQ(body("repeat 16 { repeat 12 { buf.x = 1; } } repeat 8 { exit; }").actors[0].code.size(),
            std::size_t{kMaxCode});
}

TEST(Compile, Events) {
  const Program p = compiled(
      "litmus t process p { signal a; await b; } process q : independent { await a; signal b; }"
      "exists (true)");
  EXPECT_EQ(p.events, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(p.actors[0].code[0].op, Op::signal);
  EXPECT_EQ(p.actors[0].code[1].op, Op::await);
  EXPECT_EQ(p.actors[0].code[1].event, 1);
  EXPECT_EQ(p.actors[1].code[0].event, 0);
}

TEST(Compile, Mappings) {
  const Program p = compiled(
      "litmus t anon a[2] { x } anon b[2] { y } : unmapped process p {\n"
      "mmap(a); r = munmap(a[1]); mremap(a, b); mprotect(a, PROT_READ | PROT_WRITE);\n"
      "mprotect(a, PROT_READ); mprotect(a, PROT_NONE); madvise(a, MADV_DONTNEED);\n"
      "madvise(a, MADV_DONTFORK); madvise(a, MADV_DOFORK); madvise(a, MADV_WIPEONFORK);\n"
      "madvise(a, MADV_KEEPONFORK); } exists (p:r = 0)");
  const auto& code = p.actors[0].code;
  EXPECT_EQ(code[0].op, Op::mmap);
  EXPECT_EQ(code[0].pages, 2);
  EXPECT_EQ(code[1].page, 1);
  EXPECT_EQ(code[1].pages, 1);
  EXPECT_EQ(code[1].dst, 0);
  EXPECT_EQ(code[2].page, 0);
  EXPECT_EQ(code[2].to_page, 2);
  EXPECT_EQ(code[3].prot, kProtRead | kProtWrite);
  EXPECT_EQ(code[4].prot, kProtRead);
  EXPECT_EQ(code[5].prot, 0);
  const Advice advice[] = {Advice::dontneed, Advice::dontfork, Advice::dofork, Advice::wipeonfork,
                           Advice::keeponfork};
  for (std::size_t i = 0; i < std::size(advice); ++i) EXPECT_EQ(code[6 + i].advice, advice[i]);
}

TEST(Compile, References) {
  const Program p = compiled(
      "litmus t anon buf[2] { x, y } process p { fork(c);\n"
      "a = get(buf, 0); b = pin(buf[1], FOLL_FORCE, fast); c1 = pin(c:buf, FOLL_WRITE);\n"
      "d = get(buf[0], 0, raw); if (b) { unpin(b); } put(a); r = dma_read(c1[1].y);\n"
      "unpin(c1); put(d); } process c { } exists (p:d = -EFAULT)");
  const auto& code = p.actors[0].code;
  EXPECT_EQ(code[1].op, Op::get);
  EXPECT_EQ(code[1].ref, 0);
  EXPECT_EQ(code[1].pages, 2);
  EXPECT_EQ(code[1].process, 0);
  EXPECT_EQ(code[1].gup, Gup::slow);
  EXPECT_EQ(code[2].op, Op::pin);
  EXPECT_EQ(code[2].ref, 2);
  EXPECT_EQ(code[2].page, 1);
  EXPECT_EQ(code[2].gup, Gup::fast);
  EXPECT_EQ(code[2].foll, kFollForce);
  EXPECT_EQ(code[3].process, 1);
  EXPECT_EQ(code[4].gup, Gup::raw);
  EXPECT_EQ(code[8].op, Op::dma_read);
  EXPECT_EQ(code[8].ref, 4);  // second page of c1, which has slots 3 and 4
  EXPECT_EQ(code[8].word, 1);
  EXPECT_EQ(p.refs, 6);
  // Registers: r, then the handles somebody reads.
  EXPECT_EQ(p.actors[0].registers, (std::vector<std::string>{"r", "b", "d"}));
  EXPECT_EQ(code[1].dst, kNone);
  EXPECT_EQ(code[2].dst, 1);
  EXPECT_EQ(code[4].dst, 2);
  EXPECT_EQ(p.handles.size(), 4u);
  EXPECT_EQ(p.handle_of(4).name, "c1");
  EXPECT_EQ(p.handle_of(4).process, 1);
  EXPECT_EQ(p.handle_of(5).name, "d");
}

TEST(Compile, UserInterfaces) {
  const Program p = compiled(
      "litmus t anon buf { x, y } process p {\n"
      "h1 = register_buffer(buf); h2 = reg_mr(buf, IBV_ACCESS_LOCAL_WRITE); h3 = reg_mr(buf, 0);\n"
      "h4 = direct_read(buf.y, 7); h5 = direct_write(buf.y); complete(h4); r = complete(h5);\n"
      "h6 = vmsplice(buf); s = pipe_read(h6.y); close(h6);\n"
      "h7 = zerocopy_send(buf); u = socket_recv(h7.x); close(h7); unpin(h1); unpin(h2);\n"
      "h8 = xdp_umem(buf); dma_write(h8.x, 1); unpin(h8); } exists "
      "(true)");
  const auto& code = p.actors[0].code;
  EXPECT_EQ(code[0].op, Op::register_buffer);
  EXPECT_TRUE(code[1].writable_mr);
  EXPECT_FALSE(code[2].writable_mr);
  EXPECT_EQ(code[3].op, Op::direct_read);
  EXPECT_EQ(code[3].word, 1);
  EXPECT_EQ(code[3].value.a, (Operand{false, 7}));
  EXPECT_EQ(code[5].op, Op::complete_io);
  EXPECT_EQ(code[5].ref, 3);
  EXPECT_EQ(code[5].dst, kNone);
  EXPECT_EQ(code[6].dst, 0);
  EXPECT_EQ(code[8].op, Op::pipe_read);
  EXPECT_EQ(code[9].op, Op::pipe_close);
  EXPECT_EQ(code[11].op, Op::socket_recv);
  EXPECT_EQ(code[12].op, Op::pipe_close);
  EXPECT_EQ(code[12].ref, 6);
  EXPECT_EQ(code[15].op, Op::xdp_umem);
  EXPECT_EQ(code[16].op, Op::dma_write);
  EXPECT_EQ(code[17].op, Op::unpin);
  EXPECT_EQ(code[17].ref, 7);
}

TEST(Compile, PostedOperations) {
  const Program p = body(
      "h = pin(buf, 0); j = post dma_write(h.x, 3); k = post dma_read(h.y); complete(j);"
      "r = complete(k);");
  const auto& code = p.actors[0].code;
  EXPECT_EQ(p.jobs, 2);
  EXPECT_EQ(p.refs, 1);
  EXPECT_EQ(code[1].op, Op::post_write);
  EXPECT_EQ(code[1].job, 0);
  EXPECT_EQ(code[1].ref, 0);
  EXPECT_EQ(code[2].op, Op::post_read);
  EXPECT_EQ(code[2].job, 1);
  EXPECT_EQ(code[3].op, Op::complete);
  EXPECT_EQ(code[3].job, 0);
  EXPECT_EQ(code[4].dst, 0);
}

TEST(Compile, OtherProcessesMemory) {
  const Program p = compiled(
      "litmus t anon buf { x } process p { fork(c); process_vm_writev(c, buf.x, 1);\n"
      "a = process_vm_readv(c, buf.x); b = ptrace_poke(c, buf.x, a); d = ptrace_peek(c, buf.x); }\n"
      "process c { } exists (true)");
  const auto& code = p.actors[0].code;
  const Op ops[] = {Op::process_vm_writev, Op::process_vm_readv, Op::ptrace_poke, Op::ptrace_peek};
  for (std::size_t i = 0; i < std::size(ops); ++i) {
    EXPECT_EQ(code[i + 1].op, ops[i]);
    EXPECT_EQ(code[i + 1].process, 1);
    EXPECT_EQ(code[i + 1].page, 0);
  }
  EXPECT_EQ(code[1].dst, kNone);
  EXPECT_EQ(code[3].value.a, (Operand{true, 0}));
}

TEST(Compile, HandlesAreSharedAndRegistersAreNot) {
  const Program p = compiled(
      "litmus t anon buf { x } process p { h = pin(buf, 0); signal e; r = 1; }\n"
      "thread p.t { await e; unpin(h); r = 2; } exists (p:r = 1 /\\ p.t:r = 2)");
  EXPECT_EQ(p.actors[1].code[1].op, Op::unpin);
  EXPECT_EQ(p.actors[1].registers, std::vector<std::string>{"r"});
  EXPECT_EQ(p.condition.atoms[0].name, "p.t:r");  // '.' sorts before ':'
  EXPECT_EQ(p.condition.atoms[1].name, "p:r");
}

TEST(Compile, AReferenceMayBeReleasedTheWrongWay) {
  const auto code = body("h = pin(buf, 0); put(h); g = get(buf, 0); unpin(g);").actors[0].code;
  EXPECT_EQ(code[1].op, Op::put);
  EXPECT_EQ(code[3].op, Op::unpin);
}

TEST(Compile, Condition) {
  const Program p = compiled(
      "litmus t anon buf[2] { x } process p { m = pin(buf, 0); f = pagemap(buf[0]); r = 0; }\n"
      "forall ((p:r = 1 || p:SIGSEGV) && !(p:buf.x != -1 \\/ same_frame(m[1], p:buf[1])) /\\ p:r = "
      "2 /\\ same_frame(f, m[0]) /\\ true)");
  const Condition& c = p.condition;
  EXPECT_EQ(c.quantifier, Quantifier::forall);
  EXPECT_EQ(
      c.text,
      "((p:r = 1 \\/ p:SIGSEGV) /\\ ~(p:buf.x != -1 \\/ same_frame(m[1], p:buf[1])) /\\ p:r = "
      "2 /\\ same_frame(f, m[0]) /\\ true)");
  std::vector<std::string> names;
  for (const Atom& a : c.atoms) names.push_back(a.name);
  EXPECT_EQ(names, (std::vector<std::string>{"p:SIGSEGV", "p:buf.x", "p:r", "same_frame(f, m[0])",
                                             "same_frame(m[1], p:buf[1])"}));
  const Atom& frames = c.atoms[4];
  EXPECT_TRUE(frames.left.is_ref);
  EXPECT_EQ(frames.left.ref, 1);
  EXPECT_FALSE(frames.right.is_ref);
  EXPECT_EQ(frames.right.page, 1);
  EXPECT_EQ(c.atoms[3].left.ref, 2);
  // Evaluate the tree with all atoms 0 except r = 2 and buf.x = -1: the first factor is false.
  const auto value = [&](auto&& self, std::uint16_t n, const std::vector<int>& atoms) -> bool {
    const CondNode& node = c.nodes.at(n);
    switch (node.op) {
      case CondOp::constant:
        return node.value != 0;
      case CondOp::equal:
        return atoms.at(node.atom) == node.value;
      case CondOp::not_equal:
        return atoms.at(node.atom) != node.value;
      case CondOp::land:
        return self(self, node.left, atoms) && self(self, node.right, atoms);
      case CondOp::lor:
        return self(self, node.left, atoms) || self(self, node.right, atoms);
      case CondOp::lnot:
        return !self(self, node.left, atoms);
    }
    return false;
  };
  EXPECT_FALSE(value(value, c.root, {0, -1, 2, 1, 0}));
  EXPECT_TRUE(value(value, c.root, {1, -1, 2, 1, 0}));
  EXPECT_FALSE(value(value, c.root, {1, -1, 2, 1, 1}));
  EXPECT_FALSE(value(value, c.root, {1, 0, 2, 1, 0}));
}

TEST(Compile, PrecedenceOfConnectives) {
  const Program p = body("r = 0;", "p:r = 1 \\/ p:r = 2 /\\ ~p:r = 3");
  EXPECT_EQ(p.condition.nodes[p.condition.root].op, CondOp::lor);
  EXPECT_EQ(p.condition.text, "(p:r = 1 \\/ p:r = 2 /\\ ~p:r = 3)");
}

TEST(Compile, Expectations) {
  const std::string text =
      "litmus t process p { } exists (true) expect Always on linux-4.18\n"
      "expect Sometimes on linux-5.4 .. linux-5.8, block-fork expect Unsupported on linux-7.2\n"
      "expect violates isolation, lifetime, progress, balance, sanity on linux-7.2\n";
  const Program p = compiled(text);
  ASSERT_EQ(p.expectations.size(), 4u);
  EXPECT_EQ(p.expectations[0].verdict, Verdict::always);
  EXPECT_EQ(p.expectations[1].designs.size(), 2u);
  EXPECT_EQ(p.expectations[1].designs[1].first, "block-fork");
  EXPECT_EQ(p.expectations[1].designs[1].last, "block-fork");
  EXPECT_EQ(p.expectations[2].verdict, Verdict::unsupported);
  EXPECT_EQ(p.expectations[3].properties.size(), 5u);
  // Without known designs no name is checked.
  EXPECT_TRUE(parse("litmus t process p { } exists (true) expect Never on a-b .. c", "t").program);
}

TEST(Compile, CommentsNest) {
  EXPECT_EQ(body("(* a (* b *) c *) exit; // (* not one").actors[0].code.size(), 1u);
}

TEST(Names, OfVerdictsAndProperties) {
  EXPECT_STREQ(to_string(Verdict::sometimes), "Sometimes");
  EXPECT_STREQ(to_string(Verdict::unsupported), "Unsupported");
  EXPECT_STREQ(to_string(Property::coherence), "coherence");
  EXPECT_STREQ(to_string(Property::sanity), "sanity");
}

}  // namespace
}  // namespace drover::litmus
