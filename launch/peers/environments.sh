# shellcheck shell=bash
# The peers at pinned versions (requirements-*.txt) in two virtual environments outside the checkout, for bench-peers and
# test-peers alike: main and mxnet. Sourced; the script defines `say` and `fail`, which print a sentence.

pins=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
environments=${BATON_PEERS:-${XDG_CACHE_HOME:-~/.cache}/baton-peers}
environments=$(realpath -m "$environments")
# Gigabytes of disk, nearly all of main's for the GPU libraries that PyPI's PyTorch brings.
declare -rA environment_gigabytes=([main]=7 [mxnet]=1)
# NumPy 2.4 needs Python 3.11, safetensors 3.9; MXNet 1.9.1 runs on none newer than 3.11.
declare -rA oldest_python=([main]=11 [mxnet]=9) newest_python=([main]=14 [mxnet]=11)

# inside FOLDER: whether the environments would lie in it.
inside() { [[ $environments/ == "$(realpath "$1")"/* ]]; }

# environment_is_ready NAME: whether it holds what its pins say.
environment_is_ready() { cmp -s "$pins/requirements-$1.txt" "$environments/$1/installed.txt"; }

# python_wanted NAME: what python_for looks for, in words.
python_wanted() {
    echo "Python 3.${oldest_python[$1]} to 3.${newest_python[$1]} with venv (Debian: apt-get install python3-venv)"
}

# python_for NAME: the newest suitable Python that can make virtual environments, or nothing.
python_for() {
    local minor name candidates=()
    for ((minor = newest_python[$1]; minor >= oldest_python[$1]; minor--)); do candidates+=("python3.$minor"); done
    local check="not ${oldest_python[$1]} <= sys.version_info.minor <= ${newest_python[$1]}"
    for name in ${BATON_PEERS_PYTHON:+"$BATON_PEERS_PYTHON"} "${candidates[@]}" python3; do
        if "$name" -c "import ensurepip, sys, venv; sys.exit($check)" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

# check_space NAME: refuses to begin what would fill the disk.
check_space() {
    local free parent=$environments needed=${environment_gigabytes[$1]}
    while [[ ! -d $parent ]]; do parent=$(dirname "$parent"); done
    free=$(df -P -k "$parent" | awk 'NR == 2 { print int($4 / 1000000) }')
    ((free >= needed)) ||
        fail "$parent has $free GB free and the peers' environment $1 needs $needed; name another folder in BATON_PEERS."
}

# make_environment NAME PYTHON: brings the environment to its pins; one that is there keeps what agrees with them.
make_environment() {
    local folder=$environments/$1 list=$pins/requirements-$1.txt
    if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
        check_space "$1"
        "$2" -m venv --clear "$folder" || fail "$2 -m venv failed; on Debian it needs the package python3-venv."
    fi
    say "installing $(grep -v '^#' "$list" | tr '\n' ' ')into $folder"
    rm -f "$folder/installed.txt"
    "$folder/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check -r "$list" ||
        fail "pip could not install $list into $folder; see its message above."
    cp "$list" "$folder/installed.txt" || fail "$folder is not writable."
}

# install_environment NAME: makes it what its pins say; false when there is no Python for it.
install_environment() {
    environment_is_ready "$1" && return
    local python
    python=$(python_for "$1")
    [[ -n $python ]] || return 1
    make_environment "$1" "$python"
}
