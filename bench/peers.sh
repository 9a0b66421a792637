#!/bin/bash
# Runs SPIN and our search on the same model, German's protocol; prints both rates and the ratio.
# Usage: peers.sh PATH-TO-bench_explore [ROUNDS [CACHES]]
# The two alternate, ROUNDS times (default 5), because machines drift; the best of each counts.
# Rates are by elapsed and by processor time: on a busy machine only the latter means anything.
# CACHES (default 4): 5 has 22 million states, and takes minutes and 2 GiB.
set -euo pipefail

if [ $# -lt 1 ]; then
  echo "usage: $0 PATH-TO-bench_explore [ROUNDS [CACHES]]" >&2
  exit 2
fi
ours=$(realpath "$1")
rounds=${2:-5}
caches=${3:-4}
model=$(realpath "$(dirname "$0")/german.pml")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Plain exhaustive search: no reduction, no lossy storage. -w: a table of about four slots a state.
spin -a -DN="$caches" "$model" >/dev/null
gcc -O2 -DSAFETY -DNOREDUCE -DMEMLIM=8192 -o pan pan.c

per_second() { awk -v n="$1" -v s="$2" 'BEGIN { printf "%.0f", n / s }'; }
larger() { echo $(($1 > $2 ? $1 : $2)); }
field() { awk -F'[:,]' -v name="\"$1\"" 'index($0, name) { print $2 + 0; exit }' ours.json; }

spin_elapsed=0 spin_cpu=0 our_elapsed=0 our_cpu=0
TIMEFORMAT='%R %U %S'
for ((round = 0; round < rounds; ++round)); do
  { time ./pan -m100000 -w$((caches == 4 ? 22 : 26)) >pan.out; } 2>times
  read -r elapsed user system <times
  grep -q 'errors: 0' pan.out
  spin_states=$(awk '/states, stored/ { print $1 }' pan.out)
  spin_memory=$(awk '/total actual memory usage/ { print $1 }' pan.out)
  cpu=$(awk -v u="$user" -v s="$system" 'BEGIN { print u + s }')
  spin_elapsed=$(larger "$spin_elapsed" "$(per_second "$spin_states" "$elapsed")")
  spin_cpu=$(larger "$spin_cpu" "$(per_second "$spin_states" "$cpu")")

  "$ours" --benchmark_filter="^german/$caches/(real_time|iterations:1)" --benchmark_format=json >ours.json 2>/dev/null
  our_states=$(field states)
  our_bytes=$(field bytes/state)
  our_memory=$(field peak_MiB)
  seconds() { awk -v ms="$(field "$1")" 'BEGIN { print ms / 1000 }'; }
  our_elapsed=$(larger "$our_elapsed" "$(per_second "$our_states" "$(seconds real_time)")")
  our_cpu=$(larger "$our_cpu" "$(per_second "$our_states" "$(seconds cpu_time)")")
done

row='%-8s %10s %17s %17s %10s\n'
echo "German's protocol, $caches caches; drover stores $our_bytes bytes per state, tables included"
printf "$row" '' states 'states/s elapsed' 'states/s CPU' 'peak MiB'
printf "$row" SPIN "$spin_states" "$spin_elapsed" "$spin_cpu" "$spin_memory"
printf "$row" drover "$our_states" "$our_elapsed" "$our_cpu" "$our_memory"
quotient() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
printf "$row" ratio '' "$(quotient "$our_elapsed" "$spin_elapsed")" \
  "$(quotient "$our_cpu" "$spin_cpu")" ''
