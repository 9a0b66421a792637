#!/usr/bin/env bash
# arrows.sh SRC ARROWS: fails if a file of SRC/<folder> includes a header of a folder that its target
# does not link to. ARROWS is what cmake/Arrows.cmake wrote, one "folder: allowed allowed" per line.
set -u
src=$1 arrows=$2

awk -v src="$src" '
  FNR == NR {
    sub(/:/, "", $1)
    known[$1] = 1
    for (i = 2; i <= NF; i++) allowed[$1, $i] = 1
    next
  }
  match($0, /^[ \t]*#[ \t]*include[ \t]*"[^"\/]+\//) {
    path = substr(FILENAME, length(src) + 2)
    from = substr(path, 1, index(path, "/") - 1)
    to = substr($0, RSTART, RLENGTH - 1)
    sub(/.*"/, "", to)
    if (from == to) next
    if (!(from in known)) {
      printf "%s:%d: src/%s has no target drover_%s\n", FILENAME, FNR, from, from
      bad = 1
    } else if (!((from, to) in allowed)) {
      printf "%s:%d: src/%s may not use src/%s: drover_%s does not link drover_%s\n",
             FILENAME, FNR, from, to, from, to
      bad = 1
    }
  }
  END { exit bad }
' "$arrows" $(find "$src" -name '*.[ch]pp' -o -name '*.def' | sort)
