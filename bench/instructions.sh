#!/usr/bin/env bash
# instructions.sh DROVER [--update]: instructions per transition (callgrind), which no load of the machine
# changes. Fails if a figure is more than 10% above that in instructions.tsv; says so if it is as much below.
# Instructions depend on the compiler: the table is for Release builds of GCC 12. Exit status 77: no valgrind.
set -u
drover=$(realpath "$1")
update=${2:-}
folder=$(realpath "$(dirname "$0")")
table=$folder/instructions.tsv
command -v valgrind >/dev/null || exit 77
export DROVER_DATA=$folder/..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# instructions COMMAND...: what the whole process executes.
instructions() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >"$work/out" |
    awk '/Collected/ { print $NF }'
}

failed=0
[ "$update" = --update ] && new=$(mktemp)
# gate NAME INSTRUCTIONS PER
gate() {
  local figure=$(($2 / $3)) known
  known=$(awk -F'\t' -v name="$1" '$1 == name { print $2 }' "$table")
  if [ "$update" = --update ]; then
    printf '%s\t%s\n' "$1" "$figure" >>"$new"
    return
  fi
  printf '%-28s %9d, known %9d\n' "$1" "$figure" "$known"
  if [ "$figure" -gt $((known * 110 / 100)) ]; then
    echo "FAIL: $1 takes more instructions than it did"
    failed=1
  elif [ "$figure" -lt $((known * 90 / 100)) ]; then
    echo "$1 takes fewer: $0 DROVER --update"
  fi
}
scenario=$folder/scenarios/three-processes.litmus
# By its file: to find a test by its name takes longer with every test of the suite.
start=$(instructions "$drover" check "$DROVER_DATA/litmus/seeds/rdma-fork-parent-writes.litmus" --design linux-7.2)
gate start-and-small-check "$start" 1
for how in --no-reduction --reduction; do
  options=(--design linux-7.2 --threads 1 --json)
  [ $how = --no-reduction ] && options+=(--no-reduction)
  all=$(instructions "$drover" check "$scenario" "${options[@]}")
  transitions=$(awk -F'[:,]' '/"transitions"/ { print $2 + 0; exit }' "$work/out")
  gate "per-transition$how" $((all - start)) "$transitions"
done
[ "$update" = --update ] && cp "$new" "$table" && rm "$new"
exit $failed
