# bash completion for drover

_drover_designs() {
    drover designs 2>/dev/null | sed -n 's/^\([^ ]\+\) .*/\1/p'
}

_drover() {
    local current previous words cword command=""
    current=${COMP_WORDS[COMP_CWORD]}
    previous=${COMP_WORDS[COMP_CWORD - 1]}
    words=("${COMP_WORDS[@]}")
    cword=$COMP_CWORD
    COMPREPLY=()

    local i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            check | matrix | explain | designs | claims | fmt | run | emit | kernels)
                command=${words[i]}
                break
                ;;
        esac
    done

    case $previous in
        -d | --design | --diff)
            local before=""
            [[ $current == *,* ]] && before=${current%,*},
            mapfile -t COMPREPLY < <(compgen -P "$before" -W "$(_drover_designs)" -- "${current##*,}")
            return
            ;;
        --design-file)
            mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- "$current"; compgen -d -- "$current")
            return
            ;;
        --granularity)
            mapfile -t COMPREPLY < <(compgen -W "coarse fine" -- "$current")
            return
            ;;
        --color)
            mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$current")
            return
            ;;
        --goal)
            mapfile -t COMPREPLY < <(compgen -W \
                "true false coherence isolation lifetime progress balance sanity durability" -- "$current")
            return
            ;;
        -o | --output)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --checkpoint)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --kernel-cache)
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            return
            ;;
        -k | --kernel)
            mapfile -t COMPREPLY < <(compgen -W host -- "$current"; compgen -f -- "$current")
            return
            ;;
        -j | --jobs | --threads | --time-limit | --memory-limit | --iterations | --time | --every | --walks | --swarm)
            return
            ;;
    esac

    local designs="--design --all --design-file"
    local search="--jobs --threads --first --time-limit --memory-limit --granularity --progress"
    search="$search --compact --walks --swarm --seed --no-reduction --no-symmetry --audit"
    local options=""
    case $command in
        "") options="check matrix explain designs claims fmt run emit kernels --version" ;;
        check) options="$designs $search --checkpoint --every --json --verbose" ;;
        matrix) options="$designs $search --color --json" ;;
        explain) options="--design --design-file --goal --granularity --threads --ascii --json" ;;
        designs) options="--diff --design-file --json --markdown" ;;
        claims) options="$designs $search --json" ;;
        fmt) options="--check --write" ;;
        run) options="--kernel --design --racy --random --seed --iterations --time --jobs --kernel-cache --json --ktap --markdown --verbose" ;;
        emit) options="--output --gup-test" ;;
        kernels) options="--kernel-cache --refresh" ;;
    esac

    if [[ -z $command || $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$current")
        return
    fi
    case $command in
        designs)
            mapfile -t COMPREPLY < <(compgen -W "$(_drover_designs)" -- "$current")
            ;;
        claims) ;;
        kernels)
            mapfile -t COMPREPLY < <(compgen -W "list get build show all" -- "$current")
            ;;
        *)
            mapfile -t COMPREPLY < <(compgen -f -X '!*.litmus' -- "$current"; compgen -d -- "$current")
            compopt -o filenames 2>/dev/null
            ;;
    esac
}

complete -F _drover drover
