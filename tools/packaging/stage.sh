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
    case " $* " in
    *" -Dcommand=disabled "*) BUILD_TARGETS=(lib/libmishap-musl.so) ;;
    *) BUILD_TARGETS=(lib/libmishap.so tools/mishap) ;;
    esac
    # The program itself fills in the pages, where it can run.
    if [[ " $* " != *" -Dcommand=disabled "* && ${machine:-$(uname -m)} = $(uname -m)* ]]; then
        BUILD_TARGETS+=(tools/man/mishap.1 tools/man/mishap.ini.5 tools/man/mishap-events.5)
    fi
    build_mishap "$TREE" "$build" --prefix=/usr -Dlibdir=lib "$@" || die "the build failed"
    meson install -C "$build" --no-rebuild --quiet --strip --destdir "$root" || die "meson install failed"
}

# stage_for MACHINE BUILD ROOT: the same for a MACHINE other than this one, made with what sysroot unpacks:
#   x86_64, aarch64             systems from Debian 11 on
#   x86_64-musl, aarch64-musl   the library for musl, and the command with its libc in it
# All is below BUILD, and kept. None has the kernel's side.
stage_for() {
    local machine=$1 build=$2 root=$3 processor=${1%-musl} libc=glibc options=(-Dprefer_static=true -Dkernel=disabled)
    mkdir -p "$build"
    if [ "$machine" != "$processor" ]; then
        libc=static options+=(-Dstatic=true)
        "$TREE/tools/packaging/sysroot" musl "$processor" "$build/root-musl"
        stage "$build/$machine" "$root" --cross-file "$build/root-musl/cross.ini" -Dcommand=disabled
    fi
    "$TREE/tools/packaging/sysroot" $libc "$processor" "$build/root-$libc"
    stage "$build/$processor-$libc" "$root" --cross-file "$build/root-$libc/cross.ini" "${options[@]}"
    [ $libc = glibc ] || rm "$root/usr/lib/mishap/libmishap.so"
}

version() { meson introspect "$TREE/meson.build" --projectinfo | sed -n 's/.*"version": "\([^"]*\)".*/\1/p'; }
