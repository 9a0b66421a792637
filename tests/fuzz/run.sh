#!/bin/sh
# Runs one fuzz target over the litmus files as seeds: run.sh TARGET LITMUS_FOLDER SECONDS [WORK_FOLDER].
# Exit status: that of the target (0: nothing found). Findings and the corpus go to WORK_FOLDER.
set -eu
here=$(dirname "$(readlink -f "$0")")
if [ $# -lt 3 ]; then
  echo "usage: $0 TARGET LITMUS_FOLDER SECONDS [WORK_FOLDER]" >&2
  exit 2
fi
target=$(readlink -f "$1")
work=${4:-$(mktemp -d)}
mkdir -p "$work/seeds" "$work/corpus"
find "$2" "$here/../litmus/errors" -name '*.litmus' | while read -r file; do
  cp "$file" "$work/seeds/$(echo "$file" | cksum | cut -d' ' -f1).litmus"
done
echo "corpus and findings: $work"
cd "$work"
exec "$target" -max_total_time="$3" -dict="$here/litmus.dict" -max_len=4096 -timeout=10 \
  -print_final_stats=1 corpus seeds
