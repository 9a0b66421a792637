#!/usr/bin/env bash
# sources.sh SRC: fails on a source file that does not start with a // line, has a line of more than
# 100 columns, has more than 600 lines, a header without #pragma once, or a tab.
set -u
LC_ALL=C.UTF-8 awk '
  function complain(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
  function end_of_file() {
    if (file ~ /\.hpp$/ && !once) { printf "%s:1: no #pragma once\n", file; bad = 1 }
  }
  FNR == 1 {
    end_of_file()
    file = FILENAME
    once = 0
    if ($0 !~ /^\/\/ ./) complain("does not start with a // line that says what lives here")
  }
  /^#pragma once/ { once = 1 }
  length($0) > 100 { complain("longer than 100 columns") }
  /\t/ { complain("a tab") }
  FNR == 601 { complain("more than 600 lines") }
  END { end_of_file(); exit bad }
' $(find "$1" -name '*.[ch]pp' -o -name '*.def' | sort)
