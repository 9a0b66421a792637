// Canonical layout, its round trip, and the hash.
#include "support.hpp"

namespace drover::litmus {
namespace {

Ast tree(const std::string& text) {
  ParseResult r = parse(text, "t");
  for (const Diagnostic& d : r.diagnostics) ADD_FAILURE() << to_string(d, text);
  return r.ast.value_or(Ast{});
}

TEST(Format, Layout) {
  const Ast ast = tree(
      "litmus a+b \"text\" claim 1 , 2 source \"s\" anon buf [ 2 ] {x=1,y}:fresh;anon c{z}"
      "hugetlb "
      "d{w}:pool 3\n"
      "process p{r=buf[1].x;if(r==1){exit;}else{buf.y=-EFAULT;}h=pin(buf,FOLL_WRITE|FOLL_FORCE)\n;"
      "repeat 2{signal e;}fork(q);}process q{ } daemon speculate(buf,2):page_lock;\n"
      "~exists(p:r=1&&(p:SIGSEGV||!q:c.z!=-1)) expect Never on linux-5.4.y..linux-5.8,x \"why\"");
  EXPECT_EQ(format(ast), R"(litmus a+b
"text"
claim 1, 2
source "s"

anon buf[2] { x = 1, y } : fresh
anon c { z }
hugetlb d { w } : pool 3

process p {
    r = buf[1].x;
    if (r == 1) {
        exit;
    } else {
        buf.y = -EFAULT;
    }
    h = pin(buf, FOLL_WRITE | FOLL_FORCE);
    repeat 2 {
        signal e;
    }
    fork(q);
}

process q { }

daemon speculate(buf, 2) : page_lock;

~exists (p:r = 1 /\ (p:SIGSEGV \/ ~q:c.z != -1))
expect Never on linux-5.4.y .. linux-5.8, x
    "why"
)");
}

TEST(Format, CommentsStay) {
  const std::string text = R"(// first
litmus t  // of the title
// of the claim
claim 1  (* after *)

// of the memory
anon buf { x }

// of the process
process p {
    // of the store
    buf.x = 1;  // behind it
    if (1) {
        // last in the block
    }
    (* two
       lines *)
    exit;
}

// of the condition
exists (true)  // behind
// of the expectation
expect Never on a

// last
)";
  EXPECT_EQ(format(tree(text)), text);
}

TEST(Format, CommentsInsideAStatementMoveBeforeIt) {
  const std::string text =
      "litmus t anon buf { x }\nprocess p {\nbuf.x /* */ = 1;\n}\nexists (true)\n";
  EXPECT_FALSE(parse(text, "t").ast);  // not a comment of this language
  const Ast ast =
      tree("litmus t anon buf { x }\nprocess p {\nbuf.x (* a *) = // b\n 1;\n}\nexists (true)\n");
  EXPECT_NE(format(ast).find("    (* a *)\n    // b\n    buf.x = 1;\n"), std::string::npos);
}

TEST(Format, LongTextsBreakBetweenWords) {
  std::string words;
  for (int i = 0; i < 40; ++i) words += (i == 0 ? "word" : " word") + std::to_string(i);
  const Ast ast = tree("litmus t\n\"" + words +
                       "\"\nprocess p { }\nexists (true)\nexpect Never on a \"" + words + "\"\n");
  EXPECT_EQ(ast.description, words);
  const std::string text = format(ast);
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_TRUE(tree(text) == ast);
}

TEST(Format, WhiteSpaceInStrings) {
  const Ast ast = tree("litmus t\n\"a  b \n   c\td\"\nprocess p { }\nexists (true)\n");
  EXPECT_EQ(ast.description, "a  b c d");
  EXPECT_TRUE(tree(format(ast)) == ast);
}

TEST(Format, SuiteRoundTrips) {
  for (const auto& path : files_below(source_folder() / "litmus", ".litmus")) {
    const std::string text = read_file(path);
    const ParseResult r = parse(text, path.string());
    std::string all;
    for (const Diagnostic& d : r.diagnostics) all += to_string(d, text);
    EXPECT_TRUE(r.program) << all;
    if (!r.ast) continue;
    const std::string printed = format(*r.ast);
    const ParseResult again = parse(printed, path.string());
    ASSERT_TRUE(again.program || !r.program) << path << "\n" << printed;
    ASSERT_TRUE(again.ast) << path << "\n" << printed;
    EXPECT_TRUE(*again.ast == *r.ast) << path << "\n" << printed;
    EXPECT_EQ(format(*again.ast), printed) << path;
    EXPECT_EQ(hash_of(*again.ast), hash_of(*r.ast)) << path;
  }
}

TEST(Hash, DependsOnTheRunOnly) {
  const std::string a =
      "litmus a \"x\" claim 1 source \"s\" anon buf { x = 0, y } process p { h = pin(buf, "
      "FOLL_WRITE "
      "| FOLL_FORCE, slow); buf[0].x = -EFAULT; } exists (p:buf.x = 1) expect Never on k \"r\"";
  const std::string b =
      "// c\nlitmus b anon buf[1] { x, y } process p { h = pin(buf, FOLL_FORCE | FOLL_WRITE); "
      "buf.x = -14; // c\n } exists (p:buf.x == 1)";
  EXPECT_EQ(canonical_text(tree(a)), canonical_text(tree(b)));
  const std::string hash = hash_of(tree(a));
  EXPECT_EQ(hash, hash_of(tree(b)));
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  std::string other = b;
  other.replace(other.find("-14"), 3, "-13");
  EXPECT_NE(hash_of(tree(other)), hash);
  other = b;
  other.replace(other.find("exists"), 6, "forall");
  EXPECT_NE(hash_of(tree(other)), hash);
}

}  // namespace
}  // namespace drover::litmus
