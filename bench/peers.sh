#!/bin/bash
# Runs SPIN, Rumur and our search on the same models (bench/models) and prints one Markdown table.
# Usage: peers.sh [--large] [--model NAME] [--write FILE] PATH-TO-bench_explore [ROUNDS]
#   --large       also german/5: 22 million states, minutes a round, 3 GiB
#   --model NAME  only this one of german/4, peterson/5, leader/10, german/5
#   --write FILE  the table replaces what is between `<!-- peers begin -->` and `<!-- peers end -->`
#   ROUNDS        default 5
# In each round everything runs once, in turn, because machines drift; medians count. All programs
# are measured from outside, start to end (measure.c); making them (spin, rumur, gcc) is left out.
# All must find the same states (and transitions, where nothing is reduced), or the exit status is
# 1: SPIN as many as our search, Rumur one less where it has two start states for our one. SPIN runs
# without reductions and in the fastest of its exact modes, which a first run of each finds out.
# Elapsed times mean little on a busy machine. Without rumur its rows say so.
set -euo pipefail

here=$(realpath "$(dirname "$0")")
usage() { sed -n '3,7s/^# //p' "$here/peers.sh" >&2; exit 2; }

models=(german/4 peterson/5 leader/10) document=''
while [ $# -gt 0 ]; do
  case $1 in
    --large) models+=(german/5); shift ;;
    --model) [ $# -ge 2 ] || usage; models=("$2"); shift 2 ;;
    --write) [ $# -ge 2 ] || usage; document=$(realpath "$2"); shift 2 ;;
    -*) usage ;;
    *) break ;;
  esac
done
if [ $# -lt 1 ] || [ $# -gt 2 ]; then usage; fi
ours=$(realpath "$1")
rounds=${2:-5}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || usage
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

die() { echo "$0: $*" >&2; exit 1; }
if [ -n "$document" ] && ! awk '/^<!-- peers begin -->$/ { begun = NR }
    /^<!-- peers end -->$/ { ended = NR } END { exit !(begun && ended > begun) }' "$document"; then
  die "$document has no place for the table"
fi

# The states and transitions of our search, how many of each Rumur counts less, SPIN's search depth.
declare -A facts=(
  [german/4]='1105435 5922290 1 2 100000'
  [german/5]='22031029 147274202 1 2 1000000'
  [peterson/5]='2624910 9611966 0 0 1000000'
  [leader/10]='3245400 20189376 0 0 10000'
)
for model in "${models[@]}"; do [ -n "${facts[$model]:-}" ] || usage; done
declare -A titles=([german]="German's protocol, %s caches" [peterson]='Peterson, %s processes'
  [leader]='Leader election, ring of %s')
plain='-O2 -DSAFETY -DNOREDUCE'
exact_modes=("$plain" '-O2 -DSAFETY' '-O3 -march=native -DSAFETY -DNOREDUCE'
  '-O2 -DSAFETY -DCOLLAPSE -DNOREDUCE' '-O2 -DSAFETY -DBFS' '-O2 -DSAFETY -DBFS -DNOREDUCE')
declare -A fastest  # of exact_modes, by model
declare -A tried_on=([german/5]=german/4)  # which is fastest: not on what takes minutes
have_rumur=1
command -v rumur >/dev/null || have_rumur=0

name_of() { echo "${1%/*}${1#*/}"; }
load() { cut -d' ' -f1 /proc/loadavg; }
expect() { # model tool what counted expected
  [ "$4" = "$5" ] || die "$1, $2: $4 $3 instead of $5"
}
# A line of results: model, tool, elapsed, CPU, KiB, states, transitions, bytes per state.
record() { # model tool states transitions bytes
  local elapsed cpu kib
  read -r elapsed cpu kib <measured
  printf '%s|%s|%s|%s|%s|%s|%s|%s\n' "$1" "$2" "$elapsed" "$cpu" "$kib" "$3" "$4" "$5" >>results
}

make_spin() { # model flags program
  local scratch=()
  [[ $2 != *BFS* ]] || scratch=(-DSCRATCH=)
  spin -a -DN="${1#*/}" "${scratch[@]}" "$here/models/${1%/*}.pml" >/dev/null
  # shellcheck disable=SC2086 # flags are several words
  gcc $2 -DMEMLIM=16384 -w -o "$3" pan.c
}

run_spin() { # model tool flags program
  local states transitions depth table=1 slots=0
  read -r states transitions _ _ depth <<<"${facts[$1]}"
  # -w: a table of about four slots a state.
  while ((table < states * 283 / 100)); do table=$((table * 2)) slots=$((slots + 1)); done
  ./measure measured "./$4" "-m$depth" "-w$slots" >spin.out || die "$1: SPIN failed"
  grep -q 'errors: 0' spin.out || die "$1: SPIN finds errors"
  ! grep -q 'max search depth too small' spin.out || die "$1: not deep enough for SPIN"
  local found taken
  found=$(awk '/states, stored/ { print $1; exit }' spin.out)
  taken=$(awk '/transitions \(/ { print $1; exit }' spin.out)
  if [[ $3 == *NOREDUCE* ]]; then
    # SPIN prints eight digits, and counts the start as a transition.
    expect "$1" "SPIN $3" states "$found" "$(printf %.8g "$states")"
    expect "$1" "SPIN $3" transitions "$taken" "$(printf %.8g $((transitions + 1)))"
  elif ((found > states)); then
    die "$1, SPIN $3: $found states, more than $states"
  fi
  record "$1" "$2" "$found" "$taken" ''
}

# Makes SPIN's programs for a model: without reductions, and in its fastest exact mode.
make_both_spins() { # model
  local flags best='' cpu name trial=${tried_on[$1]:-$1}
  name=$(name_of "$1")
  for flags in "${exact_modes[@]}"; do
    make_spin "$trial" "$flags" trial
    run_spin "$trial" trial "$flags" trial
    cpu=$(awk '{ print $2 }' measured)
    if [ -z "$best" ] || awk -v a="$cpu" -v b="$best" 'BEGIN { exit !(a < b) }'; then
      best=$cpu fastest[$1]=$flags
    fi
  done
  make_spin "$1" "$plain" "$name-spin"
  make_spin "$1" "${fastest[$1]}" "$name-fastest"
}

make_rumur() { # model threads
  local program
  program=$(name_of "$1")-rumur$2
  sed -E "s/^  N: [0-9]+;/  N: ${1#*/};/" "$here/models/${1%/*}.m" >model.m
  grep -q "^  N: ${1#*/};" model.m || die "no N in ${1%/*}.m"
  rumur --quiet --symmetry-reduction off --deadlock-detection off --threads "$2" \
    --output rumur.c model.m
  gcc -std=c11 -O3 -march=native -o "$program" rumur.c -lpthread
}

run_rumur() { # model threads
  local states transitions fewer_states fewer_transitions found taken
  read -r states transitions fewer_states fewer_transitions _ <<<"${facts[$1]}"
  ./measure measured "./$(name_of "$1")-rumur$2" >rumur.out || die "$1: Rumur failed"
  grep -q 'No error found' rumur.out || die "$1: Rumur finds errors"
  read -r found taken < <(sed -nE 's/.*[^0-9]([0-9]+) states, ([0-9]+) rules.*/\1 \2/p' rumur.out) || true
  expect "$1" Rumur states "$found" $((states - fewer_states))
  expect "$1" Rumur transitions "$taken" $((transitions - fewer_transitions))
  record "$1" "rumur$2" "$found" "$taken" ''
}

run_ours() { # model threads
  local filter="^$1/(process_time|iterations:1)" states transitions _
  [ "$2" = 1 ] || filter="^$1/threads:$2/"
  # One iteration: the shortest time it may take is no time.
  ./measure measured "$ours" --benchmark_filter="$filter" --benchmark_min_time=0.001 \
    --benchmark_format=json >ours.json 2>/dev/null || die "$1: $ours failed"
  ! grep -q error_message ours.json || die "$1: $(grep error_message ours.json)"
  local found taken
  found=$(field states) taken=$(field transitions)
  read -r states transitions _ <<<"${facts[$1]}"
  expect "$1" drover states "$found" "$states"
  expect "$1" drover transitions "$taken" "$transitions"
  record "$1" "drover$2" "$found" "$taken" "$(field bytes/state)"
}
field() { awk -F'[:,]' -v name="\"$1\"" 'index($0, name) { print $2 + 0; exit }' ours.json; }

run_all() { # model
  local name
  name=$(name_of "$1")
  run_spin "$1" spin "$plain" "$name-spin"
  run_spin "$1" fastest "${fastest[$1]}" "$name-fastest"
  if [ "$have_rumur" = 1 ]; then
    run_rumur "$1" 1
    run_rumur "$1" 2
  fi
  run_ours "$1" 1
  run_ours "$1" 2
}

median() { # model tool column
  awk -F'|' -v m="$1" -v t="$2" -v c="$3" '$1 == m && $2 == t { print $c }' results | sort -g |
    awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }' \
      CONVFMT=%.9g OFMT=%.9g
}
grouped() { sed -E ':again; s/([0-9])([0-9]{3})(,|$)/\1,\2\3/; t again' <<<"$1"; }
calculated() { awk -v a="$2" -v b="$3" "BEGIN { printf \"$1\", a / b }"; }

row() { # model title tool label
  local elapsed cpu states bytes
  elapsed=$(median "$1" "$3" 3) cpu=$(median "$1" "$3" 4) states=$(median "$1" "$3" 6)
  bytes=
  [[ $3 != drover* ]] || bytes=$(calculated %.1f "$(median "$1" "$3" 8)" 1)
  printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$2" "$4" \
    "$(grouped "$states")" "$(grouped "$(median "$1" "$3" 7)")" \
    "$(calculated %.2f "$elapsed" 1)" "$(calculated %.2f "$cpu" 1)" \
    "$(grouped "$(calculated %.0f "$states" "$elapsed")")" \
    "$(calculated %.0f "$(median "$1" "$3" 5)" 1024)" "$bytes" \
    "$(calculated %.2f "$(median "$1" spin 3)" "$elapsed")" \
    "$(calculated %.2f "$(median "$1" spin 4)" "$cpu")"
}

rows() { # model
  local title threads
  # shellcheck disable=SC2059 # the title is a format
  title=$(printf "${titles[${1%/*}]}" "${1#*/}")
  row "$1" "$title" spin "SPIN, \`$plain\`"
  row "$1" '' fastest "SPIN, fastest: \`${fastest[$1]}\`"
  for threads in 1 2; do
    if [ "$have_rumur" = 1 ]; then
      row "$1" '' "rumur$threads" "Rumur, threads: $threads"
    else
      echo "| | Rumur, threads: $threads: not installed | | | | | | | | | |"
    fi
  done
  for threads in 1 2; do row "$1" '' "drover$threads" "drover, threads: $threads"; done
}

table() { # load before and after
  local rumur_version='no Rumur'
  [ "$have_rumur" = 0 ] || rumur_version=$(rumur --version)
  echo "Medians of $rounds in turn, start to end; $(spin -V | grep -oE 'Spin Version [0-9.]+')," \
    "$rumur_version, GCC $(gcc -dumpfullversion); $(nproc) processors,"
  echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1); load average $1 before" \
    "the rounds and $2 after them, of which 1 to 2 are what is measured."
  echo
  echo '| model | tool | states | transitions | elapsed s | CPU s | states/s | peak MiB |' \
    "bytes/state | times SPIN's speed | by CPU |"
  echo '| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |'
  local model
  for model in "${models[@]}"; do rows "$model"; done
}

write_table() { # the table is in table.md
  awk -v table=table.md '
    /^<!-- peers end -->$/ { skip = 0 }
    !skip { print }
    /^<!-- peers begin -->$/ { skip = 1; while ((getline line < table) > 0) print line }
  ' "$document" >written.md
  cat written.md >"$document"
}

gcc -O2 -o measure "$here/measure.c"
: >results
for model in "${models[@]}"; do
  make_both_spins "$model"
  if [ "$have_rumur" = 1 ]; then
    make_rumur "$model" 1
    make_rumur "$model" 2
  fi
done
before=$(load)
for ((round = 1; round <= rounds; ++round)); do
  echo "round $round of $rounds, load average $(load)" >&2
  for model in "${models[@]}"; do run_all "$model"; done
done
after=$(load)
table "$before" "$after" >table.md
cat table.md
if [ -n "$document" ]; then write_table; fi
