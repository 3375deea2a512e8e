# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo and tests/run: installs what is missing and builds. Says what it does and why;
# a machine that has everything is not touched.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 3; }

BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config libinih-dev libunwind-dev libjansson-dev
                libsmartcols-dev)

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2> /dev/null | grep -qx installed; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo > /dev/null; then sudo "$@"; else
        say "neither root nor sudo: cannot run: $*"
        return 1
    fi
}

# Installing redis-server must not start a redis for good: nothing of ours is left running.
without_services() {
    local policy=/usr/sbin/policy-rc.d made='' status=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy > /dev/null && made=yes
        as_root chmod +x $policy
    fi
    as_root env DEBIAN_FRONTEND=noninteractive "$@" || status=$?
    [ -z "$made" ] || as_root rm -f $policy
    return $status
}

# install_missing WHY PACKAGE...: those that are missing and can be had. Returns 1 when one is still missing
# afterwards; MISSING then names them.
install_missing() {
    local why=$1 package wanted=() have=()
    shift
    MISSING=()
    for package; do installed "$package" || wanted+=("$package"); done
    [ ${#wanted[@]} -gt 0 ] || return 0
    if ! command -v apt-get > /dev/null; then
        MISSING=("${wanted[@]}")
        return 1
    fi
    say "Installing with apt, $why: ${wanted[*]}"
    apt-cache show "${wanted[0]}" > /dev/null 2>&1 || as_root apt-get -qq update || true
    for package in "${wanted[@]}"; do
        if apt-cache show "$package" > /dev/null 2>&1; then have+=("$package"); fi
    done
    if [ ${#have[@]} -gt 0 ]; then
        without_services apt-get -qq install -y --no-install-recommends "${have[@]}" > /dev/null ||
            { as_root apt-get -qq update &&
              without_services apt-get -qq install -y --no-install-recommends "${have[@]}" > /dev/null; } ||
            true
    fi
    for package in "${wanted[@]}"; do installed "$package" || MISSING+=("$package"); done
    [ ${#MISSING[@]} = 0 ]
}

# build_mishap TREE BUILD [MESON OPTION...]
build_mishap() {
    local tree=$1 build=$2 log=$2.log
    shift 2
    # A directory that another meson or a broken attempt has left is made anew.
    if [ -f "$build/build.ninja" ]; then
        meson setup --reconfigure "$build" "$tree" "$@" > "$log" 2>&1 ||
            meson setup --wipe "$build" "$tree" "$@" > "$log" 2>&1 || { cat "$log" >&2; return 1; }
    else
        meson setup "$build" "$tree" "$@" > "$log" 2>&1 || { cat "$log" >&2; return 1; }
    fi
    ninja -C "$build" > "$log" 2>&1 || { tail -n 60 "$log" >&2; return 1; }
    rm -f "$log"
}
