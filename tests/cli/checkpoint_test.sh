#!/usr/bin/env bash
# checkpoint_test.sh DROVER SCENARIO: a check that is killed again and again, by SIGKILL and at random
# moments, ends with the same states, transitions and outcomes as one that is left alone. Damaged, foreign
# and unwritable checkpoints are told and cost nothing else.
set -u
drover=$1 scenario=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
RANDOM=${DROVER_RANDOM_SEED:-7}
failed=0
fail() {
  echo "FAIL: $*"
  failed=1
}
# What must be equal; seconds and bytes may differ.
essence() { grep -E '"(states|transitions|depth|verdict|positive|negative)":|=' "$1"; }
options=("$scenario" --design linux-4.18 --no-reduction --json)
check() { "$drover" check "${options[@]}" "$@"; }

begin=$(date +%s%N)
check >whole.json || fail "the whole check fails"
milliseconds=$((($(date +%s%N) - begin) / 1000000))
[ "$(essence whole.json | wc -l)" -gt 5 ] || fail "too little to compare"

# Twenty kills. Both times follow from how long a check takes here: a checkpoint every 20th of it, and kills
# within its first third, so that a few checkpoints lie before most of them. A check that was through before
# its kill is compared as well, and the next one begins anew.
every=$(printf '%d.%03d' $((milliseconds / 20000)) $((milliseconds / 20 % 1000)))
kills=0 through=0
while [ $kills -lt 20 ] && [ $through -lt 20 ]; do
  "$drover" check "${options[@]}" --checkpoint c --every "$every" >killed.json 2>>log &
  pid=$!
  sleep "$(printf '0.%03d' $((20 + RANDOM % (milliseconds / 3 + 50) % 900)))"
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  if [ $? -eq 137 ]; then
    kills=$((kills + 1))
  else
    through=$((through + 1))
    diff <(essence whole.json) <(essence killed.json) || fail "other results after $kills kills"
  fi
done
[ $kills -eq 20 ] || fail "only $kills of the checks were killed"
check --checkpoint c --threads 1 >resumed.json 2>>log || fail "the resumed check fails"
grep -q 'goes on from c' log || fail "it never went on from a checkpoint"
diff <(essence whole.json) <(essence resumed.json) || fail "other results after $kills kills"
[ -e c ] || [ -e c.old ] && fail "the checkpoint stays after the check is complete"
echo "$kills kills, $(grep -c 'goes on from' log) resumptions, $through through, ${milliseconds} ms without"

# SIGTERM: incomplete, exit status 3, and the checkpoint has all that was done.
"$drover" check "${options[@]}" --checkpoint c >stopped.json 2>stopped.err &
pid=$!
sleep "$(printf '0.%03d' $((milliseconds / 3 % 1000)))"
kill -TERM $pid 2>/dev/null
wait $pid
status=$?
[ $status -eq 3 ] || [ $status -eq 0 ] || fail "exit status $status after SIGTERM"
if [ $status -eq 3 ]; then
  [ -s c ] || fail "no checkpoint after SIGTERM"
  # A checkpoint of another check is refused, with the reason.
  "$drover" check "$scenario" --design linux-5.4 --no-reduction --checkpoint c >/dev/null 2>refused.err
  [ $? -eq 2 ] || fail "a foreign checkpoint is not refused"
  grep -q 'design linux-4.18' refused.err || fail "no reason: $(cat refused.err)"
  # A truncated one is told; the check begins anew or goes on from the one before.
  size=$(stat -c %s c)
  truncate -s $((size - size / 3)) c
  check --checkpoint c >resumed.json 2>truncated.err || fail "a truncated checkpoint ends the check"
  grep -q 'truncated' truncated.err || fail "not told that it is truncated: $(cat truncated.err)"
  diff <(essence whole.json) <(essence resumed.json) || fail "other results after a truncated checkpoint"
fi
# A wrong byte in the middle.
check --checkpoint c --time-limit 0.5 >/dev/null 2>&1
if [ -s c ]; then
  printf '\377' | dd of=c bs=1 seek=$(($(stat -c %s c) / 2)) conv=notrunc status=none
  check --checkpoint c >resumed.json 2>damaged.err || fail "a damaged checkpoint ends the check"
  grep -q 'not used: c: ' damaged.err || fail "not told that it is damaged: $(cat damaged.err)"
  diff <(essence whole.json) <(essence resumed.json) || fail "other results after a damaged checkpoint"
fi

# A disk that is full: 64 KiB a file, and no checkpoint is that small. The check goes on.
(
  trap '' XFSZ
  ulimit -f 64
  check --checkpoint full --every 0.05 >full.json 2>full.err
) || fail "a full disk ends the check"
grep -q 'full was not written: ' full.err || fail "not told that the disk is full: $(cat full.err)"
[ -e full ] || [ -e full.new ] && fail "half a checkpoint is left"
diff <(essence whole.json) <(essence full.json) || fail "other results with a full disk"

# More than one check: no checkpoint.
"$drover" check "$scenario" --all --checkpoint c >/dev/null 2>&1
[ $? -eq 2 ] || fail "a checkpoint of many checks is not refused"
exit $failed
