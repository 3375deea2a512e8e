#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of hooks.def has its snippet in tests/hooks, which makes that call; and no snippet is left over"""
import os
import re

import tree

HELPERS = {"snippet", "streams"}


def main():
    rows = set(tree.hooks())
    files = {f[:-2] for f in os.listdir(os.path.join(tree.ROOT, "tests/hooks")) if f.endswith(".c")} - HELPERS
    findings = [f"tests/hooks/{n}.c is missing: a row of hooks.def without its snippet" for n in sorted(rows - files)]
    findings += [f"tests/hooks/{n}.c is of no row of hooks.def" for n in sorted(files - rows)]
    for name in sorted(rows & files):
        body = tree.text(f"tests/hooks/{name}.c")
        code = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
        helped = name == "connect" and "dial(" in body or re.search(rf"\bby_(bytes|puts)\({name}\)", code)
        if f"int snippet_{name}(void)" not in body or not (helped or re.search(rf"\b{name}\(", code)):
            findings.append(f"tests/hooks/{name}.c does not call {name}()")
    tree.finish(findings, len(rows))


main()
