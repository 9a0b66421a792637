#!/usr/bin/env bash
# The mutation test: makes one change to the model, compiles that one file, links it in front of the
# libraries of an existing build and runs the suite with it. A change that the suite does not notice
# is a hole in the suite, unless the list says why nobody can notice it (survivors.md).
#
# The build is reused because all libraries are static archives: an object on the link line that
# defines what the archive's member of that file defines keeps the member out.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
list=$root/tests/mutation/mutants.pl

usage() {
  cat <<USAGE
usage: tests/mutation/run.sh [OPTION...]
  --only ID,ID...   these mutants
  --source PATH     those of one source: mm/fork or src/mm/fork.cpp
  --set K/N         every N-th mutant, from the K-th (0 .. N-1) on
  --build FOLDER    a build of drover without LTO (default: build/release)
  --jobs N          mutants at once (default: one per core)
  --no-unit         do not ask the unit tests about what the suite does not notice
  --keep            leave mutated sources and programs in the work folder
Results: a line per mutant, and build/mutation/results.tsv. Exit status: 0 all were noticed that the
list does not excuse, 1 not so, 2 the list or the build is unusable.
USAGE
}

build=build/release only='' source='' set='' jobs=$(nproc) unit=yes keep=no
while (($# > 0)); do
  case $1 in
    --only) only=${2:?} && shift ;;
    --source) source=${2:?} && shift ;;
    --set) set=${2:?} && shift ;;
    --build) build=${2:?} && shift ;;
    --jobs) jobs=${2:?} && shift ;;
    --no-unit) unit=no ;;
    --keep) keep=yes ;;
    --worker) worker=${2:?} && shift ;; # one mutant; see below
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift
done

work=$root/build/mutation
build=$(cd "$root" && cd "$build" 2>/dev/null && pwd) || { echo "there is no build $build" >&2; exit 2; }
export DROVER_DATA=$root
# The whole suite takes half a second; a mutant that loops or fills memory is stopped here. The limit of
# one check is below that of the run, so that the test is named.
check_seconds=10 suite_seconds=60 unit_seconds=120
memory_limit=1G
random_programs=500

# --- Compiling and linking --------------------------------------------------------------------------

# compile SOURCE FROM OBJECT: as the build compiles SOURCE, but faster and without warnings.
compile() {
  local command
  command=$(sed -n "s|^ *\"command\": \"\(.* -c $root/$1\)\",\$|\1|p" "$build/compile_commands.json")
  if [[ -z $command ]]; then
    echo "$build/compile_commands.json does not say how to compile $1" >&2
    return 1
  fi
  command=${command% -o *}
  command=${command//\\\"/\"}
  (cd "$build" && eval "$command -O1 -w -o '$3' -c '$2'")
}

# link PROGRAM OBJECT OUTPUT: the link command of the build with OBJECT in front.
link() {
  local command
  command=$(ninja -C "$build" -t commands "$1" | tail -n 1)
  command=${command#: && }
  command=${command% && :}
  (cd "$build" && eval "${command/ -o $1 / -o \'$3\' \'$2\' }")
}

# --- Running ----------------------------------------------------------------------------------------

# suite PROGRAM FOLDER: prints what it says of the mutant: "VERDICT  CELLS  FIRST TEST".
suite() {
  local status
  timeout --kill-after=5 "$suite_seconds" "$1" check "$root/litmus" --jobs 1 --threads 1 --json \
    --time-limit "$check_seconds" --memory-limit "$memory_limit" >"$2/suite.json" 2>"$2/suite.err"
  status=$?
  awk -v status="$status" '
    /^      "test": / { test = $0; sub(/^ *"test": "/, "", test); sub(/",$/, "", test) }
    /^      "standing": / && !/"as expected"/ {
      cells++
      if (first == "") first = test
    }
    END {
      if (status == 0) verdict = "survived"
      else if (status == 1) verdict = "noticed"
      else if (status == 2) verdict = "error"
      else if (status == 3) verdict = "incomplete"
      else if (status == 124 || status == 137) verdict = "timeout"
      else verdict = "crash"
      printf "%s\t%d\t%s\n", verdict, cells, first == "" ? "-" : first
    }' "$2/suite.json"
}

# unit_tests OBJECT FOLDER: the name of the first unit test that fails, or nothing.
unit_tests() {
  local program status
  for program in tests/machine/machine_test tests/verdict/verdict_test; do
    if [[ ! -x $build/$program ]]; then continue; fi
    if ! link "$program" "$1" "$2/unit" >"$2/unit.out" 2>&1; then continue; fi
    DROVER_RANDOM_PROGRAMS=$random_programs timeout --kill-after=5 "$unit_seconds" "$2/unit" \
      >"$2/unit.out" 2>&1
    status=$?
    if ((status == 0)); then continue; fi
    { sed -n 's/^\[  FAILED  \] \([A-Za-z.]*\).*/\1/p' "$2/unit.out"; echo "$program"; } | head -n 1
    return
  done
}

# One mutant. Prints its line of the table: id, kind, source, verdict, cells, by, seconds.
run_mutant() {
  local id=$1 kind=$2 file=$3 folder=$work/$1 start verdict cells by found excuse
  start=$(date +%s%N)
  rm -rf "$folder" && mkdir -p "$folder"
  verdict=error cells=0 by=-
  if ! "$list" apply "$id" >"$folder/${file##*/}"; then
    by="does not apply"
  elif ! compile "$file" "$folder/${file##*/}" "$folder/mutant.o" 2>"$folder/compile.err"; then
    by="does not compile"
  elif ! link bin/drover "$folder/mutant.o" "$folder/drover" 2>"$folder/link.err"; then
    by="does not link"
  else
    IFS=$'\t' read -r verdict cells by < <(suite "$folder/drover" "$folder")
    if [[ $verdict == survived && $unit == yes ]]; then
      found=$(unit_tests "$folder/mutant.o" "$folder")
      if [[ -n $found ]]; then verdict=unit by=$found; fi
    fi
    if [[ $verdict == survived ]]; then
      excuse=$("$list" survives "$id")
      if [[ -n $excuse ]]; then verdict=excused by=$excuse; fi
    fi
  fi
  if [[ $keep == no && $verdict != error ]]; then rm -rf "$folder"; fi
  printf '%s\t%s\t%s\t%s\t%d\t%s\t%d\n' "$id" "$kind" "$file" "$verdict" "$cells" "$by" \
    $((($(date +%s%N) - start) / 1000000))
}

if [[ -n ${worker:-} ]]; then
  IFS=$'\t' read -r id kind file <<<"$worker"
  run_mutant "$id" "$kind" "$file"
  exit 0
fi

# --- Which ------------------------------------------------------------------------------------------

"$list" check || exit 2
if [[ ! -x $build/bin/drover ]]; then
  echo "there is no $build/bin/drover: cmake --build --preset release --target drover" >&2
  exit 2
fi
mkdir -p "$work"
"$list" list >"$work/list.tsv"
source=${source#src/}
awk -F'\t' -v only=",$only," -v source="src/${source%.cpp}.cpp" -v set="$set" '
  BEGIN { split(set, part, "/") }
  only != ",," && index(only, "," $1 ",") == 0 { next }
  source != "src/.cpp" && $3 != source { next }
  set != "" && (n++ % part[2]) != part[1] { next }
  { print }' "$work/list.tsv" >"$work/chosen.tsv"
if [[ ! -s $work/chosen.tsv ]]; then
  echo "no mutant is called that" >&2
  exit 2
fi

# The control: without a change, the machinery must find nothing, or it would find it everywhere.
control=$work/control
rm -rf "$control" && mkdir -p "$control"
if ! compile src/mm/fork.cpp "$root/src/mm/fork.cpp" "$control/mutant.o" ||
  ! link bin/drover "$control/mutant.o" "$control/drover"; then
  echo "the sources themselves do not compile or link this way" >&2
  exit 2
fi
control_says=$(suite "$control/drover" "$control")
rm -rf "$control"
if [[ $control_says != survived* ]]; then
  echo "the suite fails without any mutation: ${control_says//$'\t'/ }" >&2
  exit 2
fi

# --- All of them ------------------------------------------------------------------------------------

arguments=(--build "$build")
if [[ $unit == no ]]; then arguments+=(--no-unit); fi
if [[ $keep == yes ]]; then arguments+=(--keep); fi
printf '%-34s %-10s %6s  %s\n' mutant verdict cells 'by (first test)'
xargs --arg-file="$work/chosen.tsv" --delimiter='\n' --max-procs="$jobs" --max-args=1 \
  "${BASH_SOURCE[0]}" "${arguments[@]}" --worker |
  tee "$work/results.tsv" |
  awk -F'\t' '{ printf "%-34s %-10s %6d  %s\n", $1, $4, $5, $6; fflush() }'
sort -o "$work/results.tsv" "$work/results.tsv"

awk -F'\t' '
  { made++; of[$4]++; ms += $7; kinds[$2]++; if ($4 != "survived" && $4 != "excused" && $4 != "error") good[$2]++ }
  END {
    noticed = of["noticed"] + of["incomplete"] + of["timeout"] + of["crash"] + of["unit"]
    printf "\n"
    for (kind in kinds) printf "%-10s %3d of %3d noticed\n", kind, good[kind], kinds[kind] | "sort"
    close("sort")
    printf "\n%d mutants, %d noticed (%d by a verdict, %d incomplete, %d by a time limit, %d by a crash, %d by unit tests only), %d excused, %d survived, %d errors; %.1f s each\n",
      made, noticed, of["noticed"], of["incomplete"], of["timeout"], of["crash"], of["unit"],
      of["excused"], of["survived"], of["error"], ms / made / 1000
    exit of["error"] > 0 ? 2 : of["survived"] > 0 ? 1 : 0
  }' "$work/results.tsv"
