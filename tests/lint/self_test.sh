#!/usr/bin/env bash
# Shows that arrows.sh and sources.sh find what they are there to find, and accept what is right.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

# expect STATUS TEXT COMMAND...: the command exits so, and prints the text (empty: nothing at all).
expect() {
  local status=$1 text=$2 output got
  shift 2
  output=$("$@" 2>&1)
  got=$?
  if ((got != status)) || { [[ -z $text ]] && [[ -n $output ]]; } || [[ $output != *"$text"* ]]; then
    echo "expected exit status $status and \"$text\", got $got and: $output"
    failures=$((failures + 1))
  fi
}

mkdir -p "$tree/src/low" "$tree/src/high"
printf 'low:\nhigh: low fmt::fmt\n' >"$tree/arrows.txt"
printf '// Low.\n#pragma once\n#include <vector>\n' >"$tree/src/low/a.hpp"
printf '// High.\n#include "high/b.hpp"\n#include "low/a.hpp"\n' >"$tree/src/high/b.cpp"
expect 0 "" "$here/arrows.sh" "$tree/src" "$tree/arrows.txt"
expect 0 "" "$here/sources.sh" "$tree/src"

printf '// Low.\n\n#  include "high/b.hpp"\n' >"$tree/src/low/up.cpp"
expect 1 "src/low/up.cpp:3: src/low may not use src/high" "$here/arrows.sh" "$tree/src" "$tree/arrows.txt"
rm "$tree/src/low/up.cpp"
mkdir "$tree/src/new"
printf '// New.\n#include "low/a.hpp"\n' >"$tree/src/new/c.cpp"
expect 1 "src/new has no target" "$here/arrows.sh" "$tree/src" "$tree/arrows.txt"
rm -r "$tree/src/new"

# refuse TEXT: sources.sh complains so about the file x.hpp read from standard input.
refuse() {
  cat >"$tree/src/low/x.hpp"
  expect 1 "$1" "$here/sources.sh" "$tree/src"
}
printf '#pragma once\n' | refuse "x.hpp:1: does not start with a // line"
printf '// X.\nint x;\n' | refuse "x.hpp:1: no #pragma once"
printf '// X.\n#pragma once\n\tint x;\n' | refuse "x.hpp:3: a tab"
{ printf '// X.\n#pragma once\n// %098d\n' 0; } | refuse "x.hpp:3: longer than 100 columns"
{ printf '// X.\n#pragma once\n'; yes '//' | head -n 599; } | refuse "x.hpp:601: more than 600 lines"
{ printf '// X.\n#pragma once\n// %097d\n' 0; yes '//' | head -n 597; } >"$tree/src/low/x.hpp"
expect 0 "" "$here/sources.sh" "$tree/src"

((failures == 0))
