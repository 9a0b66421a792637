#!/usr/bin/env bash
# install_test.sh CMAKE SOURCE BUILD COMPILER GENERATOR: see CMakeLists.txt.
set -euo pipefail
cmake=$1 source=$2 build=$3 compiler=$4 generator=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() {
  echo "install test: $*" >&2
  exit 1
}

"$cmake" --install "$build" --prefix "$prefix" >"$work/install.log" ||
  { cat "$work/install.log"; fail "cmake --install failed"; }

for file in bin/drover include/drover/drover.hpp include/drover/litmus/program.hpp \
  include/drover/design/switches.def include/drover/mm/paths.def share/drover/designs \
  share/drover/litmus/seeds lib/cmake/drover/droverConfig.cmake; do
  [[ -e $prefix/$file ]] || fail "$file is not installed"
done
while read -r from to; do
  cmp -s "$source/$from" "$prefix/share/$to" || fail "$to differs from $from"
done <<'FILES'
claims.json drover/claims.json
docs/drover.1 man/man1/drover.1
completions/drover.bash bash-completion/completions/drover
completions/_drover zsh/site-functions/_drover
completions/drover.fish fish/vendor_completions.d/drover.fish
FILES
for folder in designs litmus; do
  (cd "$source/$folder" && find . -name '*.toml' -o -name '*.litmus') | sort >"$work/has"
  (cd "$prefix/share/drover/$folder" && find . -type f) | sort >"$work/installed"
  diff "$work/has" "$work/installed" || fail "share/drover/$folder is not $folder"
done
# Nothing installed may point back into the trees it came from.
if grep -rIl -e "$source" -e "$build" "$prefix"; then fail "the files above name the build tree"; fi

"$cmake" -S "$source/examples/check-a-test" -B "$work/example" -G "$generator" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix"
"$cmake" --build "$work/example"
"$work/example/check-a-test" | tee "$work/said"
# Up to 5.8 the parent's write moves it away from the pinned page; since 5.10 fork copies that page.
diff - "$work/said" <<'EXPECTED' || fail "the example says something else"
linux-5.8: the device's write is lost Always, coherence violated
linux-5.10: the device's write is lost Never, coherence holds
EXPECTED

# The installed program finds its designs and the suite by where it is, not by where it was built.
cp "$source/litmus/seeds/rdma-fork-parent-writes.litmus" "$work/copy.litmus"
cd "$work"
env -i PATH=/usr/bin:/bin "$prefix/bin/drover" check copy.litmus --design linux-5.10 >said
grep -q '^Observation rdma-fork-parent-writes Never' said ||
  { cat said; fail "the installed drover does not know linux-5.10"; }
# Moved elsewhere, it still does.
mv "$prefix" "$work/moved"
env -i PATH=/usr/bin:/bin "$work/moved/bin/drover" check copy.litmus --design linux-5.8 >said
grep -q '^Observation rdma-fork-parent-writes Always' said ||
  { cat said; fail "the moved drover does not know linux-5.8"; }
