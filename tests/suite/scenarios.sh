#!/usr/bin/env bash
# scenarios.sh DROVER LIST LITMUS: fails unless every scenario of kernel-semantics.md (b) has tests or a
# reason in the list, each test and its scenario name each other, and each test's verdicts are the listed ones.
set -euo pipefail
drover=$1 list=$2 litmus=$3
scenarios=89
status=0
complain() {
  echo "$*" >&2
  status=1
}
declare -A listed known wanted
files=()
designs=
while IFS= read -r line; do
  if [[ $line == '# designs: '* ]]; then designs=${line#'# designs: '}; fi
  [[ $line == '#'* ]] && continue
  IFS='|' read -r number test verdicts note <<<"${line//$'\t'/|}"
  known[$number]=yes
  if [[ $test == - ]]; then
    [[ $note == needs:* ]] || complain "$number: neither a test nor what it needs"
    continue
  fi
  listed["$number|$test"]=yes
  wanted[$test]=$verdicts
  file=$(find "$litmus" -name "$test.litmus")
  # A test's file may be called by the scenario only: hugetlb/s13-....litmus.
  [[ -n $file ]] || file=$(grep -rlxF "litmus $test" "$litmus" || true)
  if [[ -z $file ]]; then
    complain "$number: there is no test $test"
    continue
  fi
  grep -qE "^source \"kernel-semantics\.md \(b\) $number([,\"]|$)" "$file" ||
    complain "$file does not say: source \"kernel-semantics.md (b) $number\""
  files+=("$file")
done <"$list"
for ((n = 1; n <= scenarios; ++n)); do
  [[ -n ${known[$n]:-} ]] || complain "scenario $n is not listed"
done

while IFS=: read -r file line; do
  number=$(sed -E 's/.*\(b\) ([0-9]+).*/\1/' <<<"$line")
  test=$(sed -n 's/^litmus //p' "$file")
  [[ -n ${listed["$number|$test"]:-} ]] || complain "$list does not list $test for scenario $number"
done < <(grep -r '^source "kernel-semantics.md (b) ' "$litmus")

# matrix exits with 1 when an expectation of the tests themselves fails, which is another test's business.
matrix=$("$drover" matrix --color never --design "$designs" "${files[@]}") || true
for test in "${!wanted[@]}"; do
  row=$(sed -nE "s/^$test +([ASN?!-]( +|\$))/\1/p" <<<"$matrix" | tr -s ' ' | sed 's/ $//')
  [[ $row == "${wanted[$test]}" ]] ||
    complain "$test: the list says ${wanted[$test]}, drover says ${row:-nothing}"
done
exit "$status"
