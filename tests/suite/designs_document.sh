#!/usr/bin/env bash
# designs_document.sh DROVER DOCUMENT: fails if the document is not what drover writes now.
set -euo pipefail
written=$(mktemp)
trap 'rm -f "$written"' EXIT
"$1" designs --markdown >"$written"
diff -u "$2" "$written" || { echo "run: drover designs --markdown > docs/designs.md"; exit 1; }
