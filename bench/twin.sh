#!/bin/bash
# Runs drover and SPIN on the same piece of the memory model: fork, GUP-fast and copy-on-write of
# one page, which bench/promela/fork_gup_cow.pml has by hand in drover's steps and variables.
# Usage: twin.sh PATH-TO-drover [ROUNDS [KERNEL]]
# First the programs 1 to 6 under three kernels: states, transitions (SPIN counts the start as one),
# how many final states each outcome has, and which of coherence, isolation and sanity are violated
# somewhere must be equal, or the exit status is 1. Then ROUNDS times (default 3) in turn program 7
# under KERNEL (default linux-4.18), one thread, exhaustive and exact: without reductions on either
# side, then with both sides' reductions. The best of each counts; SPIN's time is pan's, its making
# (spin -a, gcc) is shown beside it. Elapsed times mean little on a busy machine. ROUNDS 0: only the
# comparison.
set -euo pipefail

if [ $# -lt 1 ]; then
  echo "usage: $0 PATH-TO-drover [ROUNDS [KERNEL]]" >&2
  exit 2
fi
drover=$(realpath "$1")
rounds=${2:-3}
kernel=${3:-linux-4.18}
here=$(realpath "$(dirname "$0")")
export DROVER_DATA=${DROVER_DATA:-$(dirname "$here")}
model=$here/promela/fork_gup_cow.pml
stages=("$here"/scenarios/fork-gup-cow/*.litmus)
scenarios=("${stages[@]}" "$here"/scenarios/fork-gup-cow{,-larger,-largest}.litmus)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

number_of() { # kernel
  case $1 in
    linux-4.18) echo 418 ;;
    linux-5.10.0) echo 5100 ;;
    linux-5.10) echo 510 ;;
    *) echo "$0: the twin knows linux-4.18, linux-5.10.0 and linux-5.10" >&2; exit 2 ;;
  esac
}
check() { # program kernel options
  # 1: expectations are not met, for there are none.
  "$drover" check "${scenarios[$1 - 1]}" --design "$2" --threads 1 --json "${@:3}" >ours.json ||
    [ $? -eq 1 ]
}
# The last of that name: outcomes have states as well.
field() {
  awk -F'[:,]' -v name="\"$1\"" 'index($0, name) { v = $2 + 0 } END { print v }' ours.json
}
spin_states() { awk '/states, stored/ { print $1 }' pan.out; }
spin_transitions() { awk '/transitions \(=/ { print $1 }' pan.out; }

# A line for each outcome: its values in alphabetical order, and how many final states have it.
our_outcomes() {
  awk '/"values": \{/ { inside = 1; line = ""; next }
    inside && /^ *\}/ { inside = 0; next }
    inside {
      split($0, part, /": /)
      gsub(/[ "]/, "", part[1]); gsub(/[ ,]/, "", part[2])
      sub(/true/, "1", part[2]); sub(/false/, "0", part[2])
      line = line part[1] "=" part[2] " "
    }
    /"states":/ && line != "" { print line $2 + 0; line = "" }' ours.json | sort
}
spin_outcomes() { # of what our outcomes name
  our_outcomes >ours
  awk 'NR == FNR { for (i = 1; i < NF; i++) { split($i, p, "="); if (!(p[1] in at)) {
        at[p[1]] = ++names; name[names] = p[1] } } next }
    /OUTCOME/ {
      for (i = 2; i <= NF; i++) { split($i, p, "="); value[p[1]] = p[2] }
      line = ""
      for (i = 1; i <= names; i++) line = line name[i] "=" value[name[i]] " "
      count[line]++
    }
    END { for (l in count) print l count[l] }' ours outcomes.out | sort
}

our_violations() {
  awk '/"violated":/ { inside = 1 } inside { print } inside && /\]/ { exit }' ours.json |
    grep -oE 'coherence|isolation|sanity' | sort | paste -sd, || true
}
spin_violations() {
  awk '/VIOLATED/ { print $2 == 1 ? "coherence" : $2 == 2 ? "sanity" : "isolation" }' outcomes.out |
    sort | paste -sd,
}

build() { # program kernel name spin-options -- gcc-options
  local program=$1 number name=$3 options=()
  number=$(number_of "$2")
  shift 3
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  spin -a -DKERNEL="$number" -DPROGRAM="$program" "${options[@]}" "$model" >/dev/null
  gcc -O2 -DSAFETY -DMEMLIM=16384 "$@" -o "$name" pan.c
}

equal=0
row='%-24s %-13s %10s %10s %11s %11s %6s %9s  %s %s\n'
# shellcheck disable=SC2059
printf "$row" scenario kernel drover SPIN transitions SPIN final outcomes '' violated
for program in 1 2 3 4 5 6; do
  for k in linux-4.18 linux-5.10.0 linux-5.10; do
    check "$program" "$k" --no-reduction
    build "$program" "$k" pan -- -DNOREDUCE
    ./pan -m100000 >pan.out
    grep -q 'errors: 0' pan.out
    build "$program" "$k" outcomes -DOUTCOMES -- -DNOREDUCE -DPRINTF
    ./outcomes -m100000 >outcomes.out
    verdict=equal
    if [ "$(field states)" != "$(spin_states)" ] ||
      [ $(($(field transitions) + 1)) != "$(spin_transitions)" ] ||
      [ "$(our_outcomes)" != "$(spin_outcomes)" ] ||
      [ "$(our_violations)" != "$(spin_violations)" ]; then
      verdict=DIFFERENT
      equal=1
    fi
    # shellcheck disable=SC2059
    printf "$row" "$(basename "${scenarios[$program - 1]}" .litmus)" "$k" "$(field states)" \
      "$(spin_states)" "$(field transitions)" "$(spin_transitions)" \
      "$(grep -c OUTCOME outcomes.out)" "$(our_outcomes | wc -l)" "$verdict" "$(spin_violations)"
  done
done

TIMEFORMAT='%R %U %S'
smaller() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b < a ? b : a }'; }
seconds() { # elapsed user system: the sum of the latter two
  awk -v u="$2" -v s="$3" 'BEGIN { print u + s }'
}
compare() { # title our-options -- gcc-options
  local title=$1 ours=() making taken round our_elapsed='' our_cpu=''
  local spin_elapsed='' spin_cpu='' slots
  shift
  while [ "$1" != -- ]; do ours+=("$1"); shift; done
  shift
  { time build 7 "$kernel" pan -- "$@"; } 2>times.txt
  read -r -a making <times.txt
  for ((round = 0; round < rounds; ++round)); do
    { time check 7 "$kernel" "${ours[@]}"; } 2>times.txt
    read -r -a taken <times.txt
    our_elapsed=$(smaller "$our_elapsed" "${taken[0]}")
    our_cpu=$(smaller "$our_cpu" "$(seconds "${taken[@]}")")
    # A table of two to four slots a state.
    slots=$(awk -v n="$(field states)" 'BEGIN { for (w = 20; 2 ^ w < 2 * n; ++w); print w }')
    { time ./pan -m100000 -w"$slots" >pan.out; } 2>times.txt
    read -r -a taken <times.txt
    spin_elapsed=$(smaller "$spin_elapsed" "${taken[0]}")
    spin_cpu=$(smaller "$spin_cpu" "$(seconds "${taken[@]}")")
  done
  if [[ " $* " == *' -DNOREDUCE '* ]] && [ "$(field states)" != "$(spin_states)" ]; then
    equal=1
  fi
  echo
  echo "$title: $(basename "${scenarios[6]}" .litmus), $kernel"
  echo "(spin -a and gcc before: ${making[0]} s elapsed, $(seconds "${making[@]}") s CPU)"
  local row='%-8s %10s %12s %12s %10s\n'
  # shellcheck disable=SC2059
  {
    printf "$row" '' states 'elapsed s' 'CPU s' 'peak MiB'
    printf "$row" SPIN "$(spin_states)" "$spin_elapsed" "$spin_cpu" \
      "$(awk '/total actual memory usage/ { print $1 }' pan.out)"
    printf "$row" drover "$(field states)" "$our_elapsed" "$our_cpu" \
      "$(awk -v b="$(field memory)" 'BEGIN { printf "%.1f", b / 1048576 }')"
    printf "$row" 'SPIN/our' '' "$(awk -v a="$spin_elapsed" -v b="$our_elapsed" \
      'BEGIN { printf "%.2f", a / b }')" \
      "$(awk -v a="$spin_cpu" -v b="$our_cpu" 'BEGIN { printf "%.2f", a / b }')" ''
  }
}
if [ "$rounds" -gt 0 ]; then
  compare 'Without reductions' --no-reduction -- -DNOREDUCE
  compare "With both sides' reductions" --
fi
exit "$equal"
