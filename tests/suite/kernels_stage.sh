#!/usr/bin/env bash
# kernels_stage.sh SOURCE: what the stage `kernels` of ./test makes of a run: an image that cannot be had or
# does not boot is skipped, a disagreement fails, a test that breaks off has a second chance.
set -euo pipefail
# shellcheck source=scripts/kernels.sh
source "$1/scripts/kernels.sh"
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
status=0
again() { [[ $second_chance == good ]]; } # instead of a run

# expect NAME STATUS COUNTS: of the KTAP on standard input; five kernels are wanted.
expect() {
  local name=$1 wanted_status=$2 wanted_counts=$3 got=0 counts
  cat >"$logs/kernels.ktap"
  rm -f "$logs/kernels.counts"
  (set -e; count_kernels 5) >"$logs/out" 2>&1 || got=1
  counts=$(cat "$logs/kernels.counts" 2>/dev/null || echo none)
  if [[ $got != "$wanted_status" || $counts != "$wanted_counts" ]]; then
    echo "$name: status $got, counts $counts; expected $wanted_status, $wanted_counts"
    cat "$logs/out"
    status=1
  fi
}

# kernel NAME [PROBLEM]: a subtest of KTAP in which two tests agree and one is not runnable.
kernel() {
  printf '  KTAP version 1\n  # Subtest: %s\n  1..3\n%s' "$1" "${2:+  # problem: $2
}"
  printf '  ok 1 a\n  ok 2 b\n  ok 3 c # SKIP no loop device\n'
}
all_five() { for k in host debian:5.10 debian:6.1 debian:6.12 debian:7.2; do kernel "$k"; done; }
no_boot() {
  printf '  # Subtest: %s\n  # problem: it does not boot\n  not ok 1 a\n  # failed not run: it does not boot\n' "$1"
}

second_chance=bad
expect "all agree" 0 "10 0 0" < <(all_five)
expect "not fetched" 0 "9 0 1" < <(all_five | sed '/debian:7.2/,$d')
expect "one does not boot" 0 "9 0 1" < <(all_five | sed '/debian:7.2/,$d'; no_boot debian:7.2)
expect "none boots" 1 "7 1 4" < <(kernel host; for k in 1 2 3 4; do no_boot debian:$k; done)
expect "forbidden" 1 "11 1 0" < <(all_five; printf '  not ok 4 d\n  # FORBIDDEN outcome seen \n')
expect "broke off twice" 1 "11 1 0" < <(all_five; printf '  not ok 4 d\n  # failed timed out\n')
second_chance=good
expect "broke off once" 0 "11 0 0" < <(all_five; printf '  not ok 4 d\n  # failed timed out\n')
expect "nothing ran" 1 none </dev/null
exit "$status"
