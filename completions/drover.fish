# fish completion for drover

function __drover_designs
    drover designs 2>/dev/null | string match -r '^\S+'
end

set -l commands check matrix explain designs claims fmt run emit kernels
complete -c drover -f
complete -c drover -n "not __fish_seen_subcommand_from $commands" -l version -d 'version'
complete -c drover -s h -l help -d 'help'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a check -d 'run tests and compare with what they expect'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a matrix -d 'one table of tests x designs'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a explain -d 'the shortest run that shows something'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a designs -d 'list the designs, show one, compare two'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a claims -d 'the seed claims and their tests'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a fmt -d 'litmus files in canonical layout'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a run -d 'run tests on real kernels'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a emit -d 'a test as a C program'
complete -c drover -n "not __fish_seen_subcommand_from $commands" -a kernels -d 'the real kernels to run tests on'

set -l tests "__fish_seen_subcommand_from check matrix explain fmt run emit"
complete -c drover -n $tests -k -a '(__fish_complete_suffix .litmus)'
complete -c drover -n "__fish_seen_subcommand_from designs" -a '(__drover_designs)'

set -l designs "__fish_seen_subcommand_from check matrix claims"
complete -c drover -n "$designs; or __fish_seen_subcommand_from explain run" -s d -l design -x -a '(__fish_complete_list , __drover_designs)' -d 'designs'
complete -c drover -n $designs -l all -d 'all designs'
complete -c drover -n "$designs; or __fish_seen_subcommand_from explain designs" -l design-file -r -F -d 'a design of your own'
complete -c drover -n $designs -s j -l jobs -x -d 'checks at once'
complete -c drover -n "$designs; or __fish_seen_subcommand_from explain" -l threads -x -d 'threads of one check'
complete -c drover -n $designs -l first -d 'stop at the first violation'
complete -c drover -n $designs -l time-limit -x -d 'seconds for one check'
complete -c drover -n $designs -l memory-limit -x -d 'bytes of states for one check'
complete -c drover -n $designs -l progress -d 'report progress on stderr'
complete -c drover -n "$designs; or __fish_seen_subcommand_from explain" -l granularity -x -a 'coarse fine' -d 'what a step is'
complete -c drover -n "$designs; or __fish_seen_subcommand_from explain designs run" -l json -d 'print JSON'
complete -c drover -n "__fish_seen_subcommand_from check run" -s v -l verbose -d 'every run in full'
complete -c drover -n "__fish_seen_subcommand_from matrix" -l color -x -a 'auto always never' -d 'colours'
complete -c drover -n "__fish_seen_subcommand_from explain" -l goal -x -a 'true false coherence isolation lifetime progress balance sanity durability' -d 'what to show'
complete -c drover -n "__fish_seen_subcommand_from explain" -l ascii -d 'no line-drawing characters'
complete -c drover -n "__fish_seen_subcommand_from designs" -l diff -x -a '(__drover_designs)' -d 'compare with'
complete -c drover -n "__fish_seen_subcommand_from designs" -l markdown -d 'all designs as Markdown'
complete -c drover -n "__fish_seen_subcommand_from fmt" -l check -d 'name the files that would change'
complete -c drover -n "__fish_seen_subcommand_from fmt" -l write -d 'rewrite the files'
complete -c drover -n "__fish_seen_subcommand_from kernels" -a 'list get build show'
complete -c drover -n "__fish_seen_subcommand_from run" -s k -l kernel -r -F -a host -d 'host, debian:6.1, or an image'
complete -c drover -n "__fish_seen_subcommand_from run" -l iterations -x -d 'runs of a racy test'
complete -c drover -n "__fish_seen_subcommand_from run" -l time -x -d 'seconds for a racy test'
complete -c drover -n "__fish_seen_subcommand_from run" -l racy -d 'only tests with more than one order'
complete -c drover -n "__fish_seen_subcommand_from run" -l random -x -d 'random ordered programs'
complete -c drover -n "__fish_seen_subcommand_from run" -l seed -x -d 'of the first random program'
complete -c drover -n "__fish_seen_subcommand_from run" -l ktap -d 'print KTAP'
complete -c drover -n "__fish_seen_subcommand_from run" -l markdown -d 'print docs/real-kernels-table.md'
complete -c drover -n "__fish_seen_subcommand_from run" -s j -l jobs -x -d 'kernels side by side'
complete -c drover -n "__fish_seen_subcommand_from run kernels" -l kernel-cache -r -a '(__fish_complete_directories)' -d 'where fetched kernels are kept'
complete -c drover -n "__fish_seen_subcommand_from kernels" -l refresh -d 'look for a newer version'
complete -c drover -n "__fish_seen_subcommand_from emit" -s o -l output -r -F -d 'where to write it'
complete -c drover -n "__fish_seen_subcommand_from emit" -l gup-test -d 'for a kernel with CONFIG_GUP_TEST'
