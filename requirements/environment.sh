# Read by ./run and ./test: finds a Python, makes an environment from a pinned, hashed requirements file,
# and leaves it alone for as long as that file stays the same. Expects $here, the folder of the project.

# The first Python of 3.11 or later, in $python.
find_python() {
    for python in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        [ -n "$python" ] || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
    done
    echo "Python 3.11 or later is needed, and none was found. On Debian: apt install python3" >&2
    exit 1
}

have_uv() { command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; }

# as_root COMMAND…: fails where that is not possible without asking somebody who is not there.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then sudo "$@"
    else return 1
    fi
}

new_venv() {
    rm -rf "$1"
    if have_uv; then
        uv venv --quiet --python "$(command -v "$python")" "$1"
        return
    fi
    "$python" -m venv "$1" 2>/dev/null && return
    rm -rf "$1"
    # Debian keeps ensurepip apart.
    if command -v apt-get >/dev/null 2>&1 && as_root apt-get update -qq >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-venv >/dev/null; then
        "$python" -m venv "$1"
        return
    fi
    echo "This Python cannot make environments. On Debian: sudo apt install python3-venv" >&2
    exit 1
}

# environment FOLDER REQUIREMENTS [SYSTEM OPTIONS]: nothing is done when FOLDER was made from just these requirements.
environment() {
    folder=$here/$1 file=$here/requirements/$2 stamp=$here/$1/made-from-$2
    shift 2
    if cmp -s "$file" "$stamp" && [ -x "$folder/bin/python" ]; then return 0; fi
    find_python
    "$python" "$here/requirements/system.py" "$@" || exit 1
    if ! [ -x "$folder/bin/python" ] || ! "$folder/bin/python" -c '' 2>/dev/null; then
        echo "Making the environment ${folder##*/} (once)…" >&2
        new_venv "$folder"
    fi
    echo "Installing $(grep -c == "$file") pinned packages into ${folder##*/}…" >&2
    if have_uv; then
        uv pip install --quiet --compile-bytecode --python "$folder/bin/python" --require-hashes -r "$file" || exit 1
    else
        "$folder/bin/python" -m ensurepip --default-pip >/dev/null 2>&1 || true # an environment that uv made has no pip
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
            --require-hashes -r "$file" || exit 1
    fi
    cp "$file" "$stamp"
}
