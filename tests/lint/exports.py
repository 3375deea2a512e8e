#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What libmishap.so exports is what hooks.def says, and mishap_*; nothing else leaks: exports.py SO"""
import os
import sys

import tree


def main():
    library = os.path.abspath(sys.argv[1])
    rows = tree.hooks(tree.libc_of(library))
    lines = tree.output("nm", "-D", "--defined-only", library).splitlines()
    have = {line.split()[-1].split("@")[0] for line in lines}
    have -= {"_init", "_fini"}  # of every library that musl's start files are in
    findings = [f"{name}: a row of hooks.def, but not exported" for name in sorted(set(rows) - have)]
    findings += [f"{name}: exported, but no row of hooks.def" for name in sorted(have - set(rows))
                 if not name.startswith("mishap_")]
    findings += [f"{name}: two rows of hooks.def" for name in sorted({r for r in rows if rows.count(r) > 1})]
    tree.finish(findings, len(rows) and len(have))


main()
