# The stages of ./test and the bookkeeping around them. Sourced by ./test from the root of the tree.

jobs=$(nproc)
logs=$PWD/build/test-logs
fuzz_seconds=45
tidy_seconds=200
# The builds that only run: half the time to compile of the preset's -O2 -g. GCC's thread sanitizer warns
# about std::regex itself, so warnings are left to the two stages that are about them.
sanitizer_options=(-DDROVER_WERROR=OFF -DDROVER_BENCH=OFF
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1")

if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi

# --- Stages: each runs in a subshell under set -e ----------------------------------------------------

# configure PRESET [cmake argument...]
configure() {
  local preset=$1
  shift
  cmake -S . --preset "$preset" "$@" >"$logs/$preset.configure" ||
    { cat "$logs/$preset.configure"; return 1; }
}

# run_tests FOLDER [ctest argument...]: leaves its counts where run_stage finds them.
run_tests() {
  local folder=$1
  shift
  ctest --test-dir "$folder" --parallel "$jobs" --timeout 300 --no-tests=error --output-on-failure \
    --output-junit "$logs/$current_stage.xml" "$@"
}

stage_gcc() {
  configure release
  cmake --build --preset release
  run_tests build/release
}

# One build for three things, as the build is what takes time: Clang's warnings, the address and the
# undefined-behaviour sanitizer.
stage_clang() {
  configure clang -DDROVER_BENCH=OFF -DDROVER_SANITIZE=address,undefined -DCMAKE_CXX_FLAGS_RELEASE="-O1 -g1"
  cmake --build --preset clang
  # A tenth of the random programs: this build is some ten times slower.
  DROVER_RANDOM_PROGRAMS=200 run_tests build/clang
}

stage_threads() {
  configure tsan "${sanitizer_options[@]}"
  cmake --build --preset tsan --target drover
  build/tsan/bin/drover check litmus/seeds --jobs 4
}

stage_fuzz() {
  local fuzzer pids=() status=0
  configure fuzz "${sanitizer_options[@]}"
  cmake --build --preset fuzz --target parse_fuzz roundtrip_fuzz
  for fuzzer in parse_fuzz roundtrip_fuzz; do
    tests/fuzz/run.sh "$(find build/fuzz -type f -name "$fuzzer")" litmus "$fuzz_seconds" \
      "$PWD/build/fuzz/work/$fuzzer" >"$logs/$fuzzer.log" 2>&1 &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
  tail -n 12 "$logs/parse_fuzz.log" "$logs/roundtrip_fuzz.log"
  return "$status"
}

# A part of the mutation test, always the same; tests/mutation/run.sh without --set takes all of it.
mutation_set=3/40
stage_mutation() {
  configure release
  cmake --build --preset release --target drover
  local status=0
  tests/mutation/run.sh --no-unit --set "$mutation_set" || status=$?
  awk -F'\t' '{ n++; bad += $4 == "survived" || $4 == "error" } END { print n + 0, bad + 0, 0 }' \
    build/mutation/results.tsv >"$logs/$current_stage.counts"
  return "$status"
}

sources() {
  find src include tests bench examples -name '*.[ch]pp' | sort
}

stage_format() {
  clang-format --version
  sources | xargs clang-format --dry-run -Werror
}

# The source files, those that changed last first: the stage ends when its time is over.
newest_sources() {
  {
    git log --format= --name-only -n 300 -- 'src/*.cpp' 2>/dev/null || true
    find src -name '*.cpp' | sort
  } | awk '!seen[$0]++' | while read -r file; do if [[ -f $file ]]; then echo "$file"; fi; done
}

# Configured but not built: clang-tidy needs the compile commands, without precompiled headers.
stage_tidy() {
  configure clang -B build/tidy -DDROVER_BENCH=OFF -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON
  # Headers that the build makes.
  cmake --build build/tidy --target drover_native_emit >"$logs/tidy.build"
  local status=0
  newest_sources |
    timeout --foreground "$tidy_seconds" xargs --max-procs="$jobs" --max-args=1 \
      clang-tidy -p build/tidy --quiet --header-filter="^$PWD/src/" \
      >"$logs/tidy.found" 2>/dev/null || status=$?
  cat "$logs/tidy.found"
  if ((status == 124)) && ! grep -q 'error:' "$logs/tidy.found"; then
    echo "skipped: the files that were left when $tidy_seconds s were over"
    status=0
  fi
  return "$status"
}

# --- Bookkeeping -------------------------------------------------------------------------------------

begin_stages() {
  mkdir -p "$logs"
  passed=0 failed=0 skipped=0 failures=() table=()
  trap 'trap - INT TERM; failures+=(interrupted); failed=$((failed + 1)); summarise' INT TERM
}

# junit ATTRIBUTE: of the test suite that the current stage left behind.
junit() {
  sed -n "/^[[:space:]]*$1=\"/{s/[^0-9]//g;p;q}" "$logs/$current_stage.xml"
}

# run_stage NAME COMMAND...
run_stage() {
  current_stage=$1
  shift
  local start=$SECONDS status seconds tests bad idle
  rm -f "$logs/$current_stage.xml" "$logs/$current_stage.counts"
  printf '\n=== %s\n' "$current_stage"
  (set -euo pipefail; "$@") 2>&1 | tee "$logs/$current_stage.log"
  status=${PIPESTATUS[0]}
  seconds=$((SECONDS - start))
  if [[ -s $logs/$current_stage.xml ]]; then
    tests=$(junit tests) bad=$(junit failures) idle=$(($(junit skipped) + $(junit disabled)))
  elif [[ -s $logs/$current_stage.counts ]]; then # of a stage that counts for itself
    read -r tests bad idle <"$logs/$current_stage.counts"
  else
    tests=1 idle=0 bad=$((status != 0))
  fi
  if ((status != 0 && bad == 0)); then bad=1 tests=$((tests + 1)); fi
  passed=$((passed + tests - bad - idle))
  failed=$((failed + bad))
  skipped=$((skipped + idle))
  if ((bad > 0)); then failures+=("$current_stage"); fi
  table+=("$(printf '%-12s %5d s  %5d passed  %3d failed' "$current_stage" "$seconds" \
    $((tests - bad - idle)) "$bad")")
  printf '=== %s: %s, %d s\n' "$current_stage" "$( ((bad == 0)) && echo passed || echo FAILED)" \
    "$seconds"
}

# Prints the table and the closing line, and ends the script.
summarise() {
  printf '\n'
  printf '%s\n' "${table[@]}"
  if ((${#failures[@]} > 0)); then printf 'failed: %s (logs: build/test-logs)\n' "${failures[*]}"; fi
  if ((skipped > 0)); then
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
  else
    printf '%d passed, %d failed\n' "$passed" "$failed"
  fi
  exit $((failed > 0))
}
