# SPDX-License-Identifier: Apache-2.0
# Sourced by the package builders: a build of its own, and what `meson install` makes of it.
# shellcheck shell=bash

# shellcheck source=tools/setup.sh
. "$TREE/tools/setup.sh"

# stage BUILD ROOT MESON-OPTION...: builds what is installed, no tests, and installs it stripped below ROOT.
stage() {
    local build=$1 root=$2
    shift 2
    # shellcheck disable=SC2034
    BUILD_TARGETS=(lib/libmishap.so tools/mishap)
    # shellcheck disable=SC2034
    [ "${machine:-$(uname -m)}" != "$(uname -m)" ] ||
        BUILD_TARGETS+=(tools/man/mishap.1 tools/man/mishap.ini.5 tools/man/mishap-events.5)
    build_mishap "$TREE" "$build" --prefix=/usr -Dlibdir=lib "$@" || die "the build failed"
    rm -rf "$root"
    meson install -C "$build" --no-rebuild --quiet --strip --destdir "$root" || die "meson install failed"
}

version() { meson introspect "$TREE/meson.build" --projectinfo | sed -n 's/.*"version": "\([^"]*\)".*/\1/p'; }
