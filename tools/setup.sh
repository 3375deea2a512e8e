# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo and tests/run: installs what is missing and builds. Says what it does and why;
# a machine that has everything is not touched.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 3; }

BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config libinih-dev libjansson-dev
                libsmartcols-dev)

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2> /dev/null | grep -qx installed; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
can_install() { command -v apt-get > /dev/null && { [ "$(id -u)" = 0 ] || command -v sudo > /dev/null; }; }

# The archive of Debian that this machine's own apt is set to; fails where there is none.
debian_archive() {
    local found
    found=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 2> /dev/null | sort -u)
    if [ -z "$found" ]; then
        as_root apt-get -qq update > /dev/null 2>&1 || return 1
        found=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 2> /dev/null | sort -u)
    fi
    [ -n "$found" ] && printf '%s\n' "${found%%$'\n'*}"
}

# Installing redis-server must not start a redis for good: nothing of ours is left running.
POLICY=/usr/sbin/policy-rc.d
policy_made=''
without_services() {
    local status=0
    if [ ! -e $POLICY ]; then
        policy_made=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee $POLICY > /dev/null
        as_root chmod +x $POLICY
    fi
    as_root env DEBIAN_FRONTEND=noninteractive "$@" || status=$?
    services_again
    return $status
}

# Also to be called when the script ends, for an installation that was interrupted.
services_again() {
    [ -z "$policy_made" ] || as_root rm -f $POLICY
    policy_made=''
}

# install_missing WHY PACKAGE...: those that are missing and can be had. Returns 1 when one is still missing
# afterwards; MISSING then names them.
install_missing() {
    local why=$1 package wanted=() have=()
    shift
    MISSING=()
    for package; do installed "$package" || wanted+=("$package"); done
    [ ${#wanted[@]} -gt 0 ] || return 0
    MISSING=("${wanted[@]}")
    can_install || return 1
    say "Installing with apt, $why: ${wanted[*]}"
    apt-cache show "${wanted[0]}" > /dev/null 2>&1 || as_root apt-get -qq update || true
    mapfile -t have < <(apt-cache show --no-all-versions "${wanted[@]}" 2> /dev/null |
                        sed -n 's/^Package: //p')
    if [ ${#have[@]} -gt 0 ]; then
        without_services apt-get -qq install -y --no-install-recommends "${have[@]}" > /dev/null ||
            { as_root apt-get -qq update &&
              without_services apt-get -qq install -y --no-install-recommends "${have[@]}" > /dev/null; } ||
            true
    fi
    MISSING=()
    for package in "${wanted[@]}"; do installed "$package" || MISSING+=("$package"); done
    [ ${#MISSING[@]} = 0 ]
}

# What a user is to do about MISSING, in one line.
how_to_install() {
    if can_install; then
        say "$1: apt could not install ${MISSING[*]}"
    else
        say "$1: neither root nor sudo here; as root: apt-get install --no-install-recommends ${MISSING[*]}"
    fi
}

# build_place TREE: where to build. The loader takes no blank and no ':' in a preloaded library's path, and a
# checkout may be somebody else's: then it is a directory of the user's own.
build_place() {
    if [ -n "${MISHAP_BUILD-}" ]; then
        printf '%s\n' "$MISHAP_BUILD"
    elif [ -w "$1" ] && [[ $1 != *[[:space:]:]* ]]; then
        printf '%s\n' "$1/build"
    else
        printf '%s/mishap/build-%s\n' "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}" \
            "$(cksum <<< "$1" | cut -d ' ' -f 1)"
    fi
}

# build_mishap TREE BUILD [MESON OPTION...]: everything, or BUILD_TARGETS.
BUILD_TARGETS=()
build_mishap() {
    local tree=$1 build=$2 log=$2.log
    shift 2
    mkdir -p "$(dirname "$build")" || { say "MISHAP_BUILD=DIR names another place to build in"; return 1; }
    # A directory that another meson or a broken attempt has left is made anew.
    if [ -f "$build/build.ninja" ]; then
        meson setup --reconfigure "$build" "$tree" "$@" > "$log" 2>&1 ||
            meson setup --wipe "$build" "$tree" "$@" > "$log" 2>&1 || { cat "$log" >&2; return 1; }
    else
        meson setup "$build" "$tree" "$@" > "$log" 2>&1 || { cat "$log" >&2; return 1; }
    fi
    ninja -C "$build" ${BUILD_TARGETS[@]+"${BUILD_TARGETS[@]}"} > "$log" 2>&1 || { tail -n 60 "$log" >&2; return 1; }
    rm -f "$log"
}
