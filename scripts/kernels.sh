# shellcheck shell=bash disable=SC2154
# The stage `kernels` of ./test: the suite on real kernels. Sourced by ./test from the root of the tree.
#
# A kernel that cannot be had, or does not boot, is skipped and says why: the network and the mirror are not
# this project's. What a kernel that runs does is: an outcome that the model forbids fails the stage, and so
# does a test that breaks off twice.

kernels_series=(5.10 6.1 6.12 7.2)
kernels_fetch_seconds=90 # each, when it is not cached yet
kernels_racy_seconds=0.5 # for each racy test
# Random programs, each on every kernel; always the same ones, so that a run of CI can be repeated. Others:
# DROVER_RANDOM_KERNEL_SEED=S ./test kernels
kernels_random=200
kernels_random_seed=${DROVER_RANDOM_KERNEL_SEED:-1}

# Names the kernels that can be run on, and says of the others why they are skipped.
kernels_at_hand() {
  local drover=$1 series log=$logs/kernels.get
  echo host
  if ! command -v qemu-system-x86_64 >/dev/null; then
    for series in "${kernels_series[@]}"; do
      echo "skipped: debian:$series: QEMU is not installed (apt install qemu-system-x86)" >&2
    done
    return
  fi
  for series in "${kernels_series[@]}"; do
    if timeout "$kernels_fetch_seconds" "$drover" kernels get "$series" >"$log" 2>&1; then
      echo "debian:$series"
    else
      echo "skipped: debian:$series: $(sed -nE 's/^drover: error: ([0-9.]+: )?//p' "$log" | head -n 1 | grep . ||
        echo "not fetched within $kernels_fetch_seconds s")" >&2
    fi
  done
}

# tally FILE...: one line per kernel of KTAP as `drover run` prints it:
# KERNEL AGREE FORBIDDEN NOT-RUNNABLE PROBLEM, and `KERNEL broke TEST` for each test that broke off.
tally() {
  awk '
    function flush() {
      if (kernel != "") print kernel, agree, forbidden, idle, problem
      agree = forbidden = idle = 0
      problem = ""
    }
    /^  # Subtest: / { flush(); kernel = $3; next }
    /^  # problem: / { problem = substr($0, 14); next }
    /^  ok .* # SKIP / { idle++; next }
    /^  ok / { agree++; next }
    /^  not ok / { test = $4; next }
    /^  # FORBIDDEN / { forbidden++; next }
    /^  # failed not run: / { next }
    /^  # failed / { print kernel, "broke", test }
    END { flush() }' "$@"
}

# again KERNEL TEST...: those that broke off have a second chance. A guest under emulation may stall.
again() {
  local kernel=$1
  shift
  echo "again on $kernel: $*"
  build/release/bin/drover run "$@" --kernel "$kernel" --time "$kernels_racy_seconds" \
    >"$logs/kernels.again" 2>&1 && return
  cat "$logs/kernels.again"
  return 1
}

stage_kernels() {
  local drover=build/release/bin/drover kernels list status=0
  configure release
  cmake --build --preset release --target drover
  mapfile -t kernels < <(kernels_at_hand "$drover")
  list=$(IFS=,; echo "${kernels[*]}")
  # Two guests at once: an ordered test keeps one CPU busy.
  "$drover" run litmus --kernel "$list" --jobs 2 --time "$kernels_racy_seconds" --ktap \
    >"$logs/kernels.ktap" || status=$?
  # 0: nothing forbidden; 1, 2, 3: counted below; anything else is not drover's own.
  if ((status > 3)) || ! grep -q '^KTAP' "$logs/kernels.ktap"; then
    echo "drover run ended with status $status"
    return 1
  fi
  local counted=0
  count_kernels "$((1 + ${#kernels_series[@]}))" || counted=1
  if ((kernels_random > 0)); then random_programs "$drover" "$list" || counted=1; fi
  return "$counted"
}

# random_programs DROVER KERNELS: programs that nobody wrote. Only a disagreement fails; a guest that does not
# boot was told above. Adds a test to the counts, which are there unless nothing ran at all.
random_programs() {
  local status=0 tests bad skipped
  echo "$kernels_random random programs from seed $kernels_random_seed"
  "$1" run --random "$kernels_random" --seed "$kernels_random_seed" --kernel "$2" --jobs 2 >"$logs/kernels.random" || status=$?
  cat "$logs/kernels.random"
  if ((status != 1 && status != 0 && status != 2 && status != 3)); then
    echo "drover run --random ended with status $status"
    status=1
  fi
  if [[ -f $logs/kernels.counts ]]; then
    read -r tests bad skipped <"$logs/kernels.counts"
    echo "$((tests + 1)) $((bad + (status == 1))) $skipped" >"$logs/kernels.counts"
  fi
  ((status != 1))
}

# count_kernels WANTED: prints what became of each kernel and leaves the counts for run_stage.
count_kernels() {
  local wanted=$1 kernel agree forbidden idle problem ran=0 tried=0 guests=0 tests=0 bad=0
  local -A broke=()
  while read -r kernel agree forbidden idle problem; do
    if [[ $agree == broke ]]; then
      broke[$kernel]+="$forbidden "
      continue
    fi
    if [[ $kernel != host ]]; then tried=$((tried + 1)); fi
    if [[ -n $problem ]]; then
      echo "skipped: $kernel: $problem"
    else
      ran=$((ran + 1))
      if [[ $kernel != host ]]; then guests=$((guests + 1)); fi
    fi
    echo "$kernel: $agree agree, $forbidden forbidden, $idle not runnable there"
    tests=$((tests + agree + forbidden)) bad=$((bad + forbidden))
  done < <(tally "$logs/kernels.ktap")
  for kernel in "${!broke[@]}"; do
    # shellcheck disable=SC2086 # names of tests have no blanks
    if ! again "$kernel" ${broke[$kernel]}; then bad=$((bad + $(wc -w <<<"${broke[$kernel]}"))); fi
    tests=$((tests + $(wc -w <<<"${broke[$kernel]}")))
  done
  if ((bad > 0)); then grep -B 1 '^  # FORBIDDEN' "$logs/kernels.ktap" || true; fi
  # One image may be bad; when none of several boots, it is this project's fault.
  if ((tried > 1 && guests == 0)); then
    echo "none of $tried guests boots"
    bad=$((bad + 1)) tests=$((tests + 1))
  fi
  if ((tests == 0)); then
    echo "no test ran on any kernel"
    return 1
  fi
  echo "$((tests + wanted - ran)) $bad $((wanted - ran))" >"$logs/kernels.counts"
  ((bad == 0))
}
