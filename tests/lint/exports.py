#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What libmishap.so exports is what hooks.def says, and mishap_*; nothing else leaks: exports.py SO"""
import os
import re
import sys

import tree


def main():
    table = re.sub(r"/\*.*?\*/", "", tree.text("lib/table/hooks.def"), flags=re.S)
    rows = re.findall(r"^HOOK\(\s*\w+\s*,\s*[^,]+,\s*(\w+)\s*,", table, re.M)
    lines = tree.output("nm", "-D", "--defined-only", os.path.abspath(sys.argv[1])).splitlines()
    have = {line.split()[-1].split("@")[0] for line in lines}
    findings = [f"{name}: a row of hooks.def, but not exported" for name in sorted(set(rows) - have)]
    findings += [f"{name}: exported, but no row of hooks.def" for name in sorted(have - set(rows))
                 if not name.startswith("mishap_")]
    findings += [f"{name}: two rows of hooks.def" for name in sorted({r for r in rows if rows.count(r) > 1})]
    tree.finish(findings, len(rows) and len(have))


main()
