# Which Debian packages drover needs, and how the missing ones get installed. Sourced by ./quickstart
# and ./test; nothing here touches the network or needs root unless a package is missing.

# What ./quickstart needs to configure and build.
build_packages=(build-essential g++ cmake ninja-build libcli11-dev libfmt-dev libtomlplusplus-dev
  nlohmann-json3-dev libxxhash-dev libgtest-dev libgmock-dev libbenchmark-dev)
# What ./test needs besides: the second compiler with its sanitizers and fuzzer, formatter, linter; the
# emulator for real kernels and what unpacks them.
test_packages=(clang clang-format clang-tidy libclang-rt-14-dev qemu-system-x86 xz-utils cpio valgrind)

# Prints those of the named packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    case "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" in
      ?i*) ;;
      *) echo "$package" ;;
    esac
  done
}

# Installs those of the named packages that are missing; says why if it cannot.
install_packages() {
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then return 0; fi
  if ! command -v apt-get >/dev/null; then
    echo "missing packages, and no apt-get to install them with: ${missing[*]}" >&2
    return 1
  fi
  if (($(id -u) != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "missing packages; as root, run: apt-get install ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install --yes --no-install-recommends "${missing[@]}"
}
