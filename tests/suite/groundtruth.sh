#!/usr/bin/env bash
# groundtruth.sh LIST LITMUS [RESULTS]: fails unless each row of the list has tests that exist and name the
# row as their source, or a reason; and each test that names a row is listed there. With RESULTS, the
# recorded results themselves, each of their rows must be in the list.
set -euo pipefail
list=$1 litmus=$2 results=${3:-}
status=0 listed=0
complain() {
  echo "$*" >&2
  status=1
}
declare -A carried
patterns=()
# Not `read` with IFS=tab: it would swallow the empty last column.
while IFS= read -r line; do
  [[ $line == '#'* ]] && continue
  row=${line%%$'\t'*} rest=${line#*$'\t'}
  tests=${rest%%$'\t'*} reason=${rest#*$'\t'}
  listed=$((listed + 1))
  patterns+=("$row")
  if [[ $tests == - ]]; then
    [[ -n $reason ]] || complain "$row: neither a test nor a reason"
    continue
  fi
  for test in $tests; do
    carried["$row|$test"]=yes
    file=$(find "$litmus" -name "$test.litmus")
    if [[ -z $file ]]; then
      complain "$row: there is no test $test"
    elif ! grep -qxF "source \"groundtruth $row\"" "$file"; then
      complain "$file does not say: source \"groundtruth $row\""
    fi
  done
done <"$list"
((listed > 0)) || complain "$list has no rows"

while IFS=: read -r file line; do
  row=${line#source \"groundtruth } test=$(basename "$file" .litmus)
  [[ -n ${carried["${row%\"}|$test"]:-} ]] || complain "$list does not list $test for row ${row%\"}"
done < <(grep -r '^source "groundtruth ' "$litmus")

if [[ -n $results ]]; then
  while IFS= read -r line; do
    row=$(sed -E 's/^([^,]*),("([^"]*)"|([^",]*)),.*/\1 \3\4/' <<<"$line")
    known=no
    for pattern in "${patterns[@]}"; do
      # shellcheck disable=SC2053 # a pattern
      if [[ $row == $pattern ]]; then known=yes; fi
    done
    [[ $known == yes ]] || complain "$results: row $row is not listed"
  done < <(tail -n +2 "$results")
fi
exit "$status"
