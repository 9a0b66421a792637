#!/usr/bin/env bash
# wild.sh LITMUS: fails unless litmus/wild/README.md has a row for each of H1 to H92, names every test of that
# folder, and names no test that does not exist.
set -euo pipefail
litmus=$1 table=$1/wild/README.md status=0
complain() {
  echo "$*" >&2
  status=1
}
for ((n = 1; n <= 92; n++)); do
  grep -qE "^\| H$n \|" "$table" || complain "$table has no row for H$n"
done
for file in "$litmus"/wild/*.litmus; do
  test=$(basename "$file" .litmus)
  grep -qE "(^|[^a-z0-9-])$test([^a-z0-9-]|$)" "$table" || complain "$table does not name $test"
done
while read -r name; do
  [[ -n $(find "$litmus" -name "$name.litmus") ]] || complain "$table names $name, which is no test"
done < <(grep -oE '\bh([0-9]{2}|2g)-[a-z0-9-]+' "$table" | sort -u)
exit "$status"
