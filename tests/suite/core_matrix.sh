#!/usr/bin/env bash
# core_matrix.sh DROVER LIST LITMUS: fails unless every row of the verdict matrix has a test in LIST, each cell
# is what drover's verdict means, and each cell where drover differs has a note.
set -euo pipefail
drover=$1 list=$2 litmus=$3
rows=(A1 A1g A1h A1c A2 A3 A3p A4 A5 A6 A7 A8 A9 A10 A11 A11s A12 A13 A14 A15 A16 A17)
status=0
complain() {
  echo "$*" >&2
  status=1
}
designs=$(sed -n 's/^# designs: //p' "$list")
declare -A known
while IFS= read -r line; do
  [[ $line == '#'* ]] && continue
  IFS='|' read -r row test good cells note <<<"${line//$'\t'/|}"
  known[$row]=yes
  file=$(grep -rlxF "litmus $test" "$litmus" || true)
  if [[ -z $file ]]; then
    complain "$row: there is no test $test"
    continue
  fi
  found=$("$drover" check --design "$designs" "$file" --json |
    sed -n 's/^ *"observation": "\(.\).*/\1/p' | tr '\n' ' ')
  read -ra found <<<"$found"
  read -ra cells <<<"$cells"
  if ((${#found[@]} != ${#cells[@]})); then
    complain "$row $test: ${#cells[@]} cells, ${#found[@]} verdicts"
    continue
  fi
  for i in "${!cells[@]}"; do
    verdict=$([[ ${found[i]} == "$good" ]] && echo ok || echo '!')
    case ${cells[i]} in
      ok | '!') [[ ${cells[i]} == "$verdict" ]] ||
        complain "$row $test: cell $((i + 1)) is ${cells[i]}, drover says ${found[i]}" ;;
      x) [[ -n $note ]] || complain "$row $test: x without a note" ;;
      -) ;;
      *) complain "$row $test: no such cell: ${cells[i]}" ;;
    esac
  done
done <"$list"
for row in "${rows[@]}"; do
  [[ -n ${known[$row]:-} ]] || complain "row $row of the matrix has no test"
done
exit "$status"
