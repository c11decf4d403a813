#!/bin/sh
# Builds .venv from the pinned, hashed packages, with the command .venv/bin/accountgraph; does nothing where it is
# already as it should be.
#
#     sh scripts/setup.sh base    what the server needs
#     sh scripts/setup.sh dev     what the tests and checks need besides
#
# PYTHON names the interpreter to use; else the first suitable one on PATH is taken.
set -eu
cd "$(dirname "$0")/.."

SUITABLE='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
python=.venv/bin/python

fail() {
    echo "setup: $*" >&2
    exit 3
}

find_python() {
    [ -n "${PYTHON:-}" ] && set -- "$PYTHON" || set -- python3 python3.13 python3.12 python3.11 python3.14
    for name in "$@"; do
        # A name on PATH may be a shim of a version that is not installed, so it is asked rather than looked up.
        if "$name" -c "$SUITABLE" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

make_environment() {
    found=$(find_python)
    [ -n "$found" ] || fail "Python 3.11 to 3.14 is needed, and ${PYTHON:-PATH} has none; PYTHON=/path/to/python names one"
    "$found" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$found lacks its venv module; install it (on Debian and Ubuntu: apt-get install python3-venv)"
    echo "Environment: .venv with $("$found" --version)"
    "$found" -m venv --clear .venv || fail "no environment could be made in .venv"
}

install_packages() {
    echo "Packages: $(grep -c '==' "$1"), pinned, from $1 (this once)"
    if ! "$python" -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
        --require-hashes -r "$1" >.venv/install.log 2>&1; then
        fail "the packages could not be installed: $(grep -m 1 -i error .venv/install.log || echo see) (.venv/install.log)"
    fi
}

# Both lead from where they lie to the folder that .venv is in, so that it can be moved.
make_command() {
    [ -x .venv/bin/accountgraph ] && return
    echo ../../../.. >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/accountgraph.pth"
    printf '#!/bin/sh\nexec "$(dirname "$0")/python" -P -m accountgraph "$@"\n' >.venv/bin/accountgraph
    chmod +x .venv/bin/accountgraph
}

case ${1:-} in
    base) wanted=requirements.txt ;;
    dev) wanted=requirements-dev.txt ;;
    *) fail "say base or dev" ;;
esac
# The copies in .venv say what it holds. The development packages include the others, at the same versions.
if "$python" -c "$SUITABLE" 2>/dev/null; then
    if cmp -s "$wanted" ".venv/installed-$wanted"; then
        make_command
        exit 0
    fi
    "$python" -c 'import pip' 2>/dev/null || make_environment
else
    make_environment
fi
install_packages "$wanted"
cp "$wanted" ".venv/installed-$wanted"
[ "$wanted" = requirements.txt ] || cp requirements.txt .venv/installed-requirements.txt
make_command
