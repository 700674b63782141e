# Sourced by the rings of proof: names each step, and at the end prints how long each took.
# shellcheck shell=bash

# Kept between runs: only the components are built inside the clone, where spin.toml looks for them.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/spinfo-ci/target}"

steps_done=()
step_name=

step() {
    step_end
    step_name=$*
    step_began=$SECONDS
    printf '\n== %s\n' "$step_name"
}

step_end() {
    [ -z "$step_name" ] || steps_done+=("$(printf '%5d s  %s' $((SECONDS - step_began)) "$step_name")")
    step_name=
}

# summary STATUS: the table, also when a step failed.
summary() {
    local failed=$step_name
    step_end
    printf '\n== time\n'
    printf '%s\n' "${steps_done[@]}"
    printf '%5d s  in all\n' "$SECONDS"
    [ "$1" = 0 ] || printf '\nfailed: %s\n' "$failed"
}

# debian COMMAND=PACKAGE…: installs the packages whose command is missing.
debian() {
    local pair missing=()
    for pair; do
        command -v "${pair%=*}" >/dev/null || missing+=("${pair#*=}")
    done
    [ "${#missing[@]}" = 0 ] || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    }
}
