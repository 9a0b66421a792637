#!/usr/bin/env bash
# options_test.sh DROVER SOURCE: every option of every command is in the man page and in the completions,
# and those name no option that the command does not have.
set -euo pipefail
drover=$1 source=$2
status=0
complain() {
  echo "$*" >&2
  status=1
}

commands=$("$drover" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]\+\) .*/\1/p')
[[ -n $commands ]] || complain "no command found in --help"
all_options="--help --version"
for command in $commands; do
  options=$("$drover" "$command" --help | sed -n '/^Options:/,/^$/p' | grep -o -- '--[a-z-]\+' | sort -u)
  [[ -n $options ]] || complain "no option found in $command --help"
  for file in docs/drover.1 completions/drover.bash completions/_drover completions/drover.fish; do
    grep -qw -- "$command" "$source/$file" || complain "$file: no command $command"
  done
  for option in $options; do
    all_options+=" $option"
    name=${option#--}
    # roff writes each dash as \-; fish writes the name alone, behind -l.
    grep -qF -- "\\-\\-${name//-/\\-}" "$source/docs/drover.1" || complain "docs/drover.1: no $option"
    grep -qF -- "$option" "$source/completions/_drover" || complain "completions/_drover: no $option"
    [[ $option == --help ]] && continue
    grep -qF -- "$option" "$source/completions/drover.bash" ||
      complain "completions/drover.bash: no $option"
    grep -qw -- "-l $name" "$source/completions/drover.fish" ||
      complain "completions/drover.fish: no $option"
  done
done
for option in $(sed 's/\\-/-/g' "$source/docs/drover.1" | cat - "$source/completions/"* |
  grep -o -- '\(^\|[^a-z-]\)--[a-z][a-z-]*' | grep -o -- '--.*' | sort -u); do
  [[ " $all_options " == *" $option "* ]] || complain "$option is documented, no command has it"
done
exit "$status"
