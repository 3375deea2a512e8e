#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of config/COMPARISON.md names a test that exists."""
import os
import re

import tree

PAGE = "config/COMPARISON.md"
COLUMNS = 7
WORDS = {"yes", "no", "part"}


def exists(where):
    path, _, name = where.partition("::")
    path = f"tests/{'unit' if path.endswith('.c') else 'e2e'}/{path}"
    if not os.path.exists(os.path.join(tree.ROOT, path)):
        return False
    kind = "static void" if path.endswith(".c") else "def"
    return re.search(rf"^{kind} {re.escape(name)}\(", tree.text(path), re.M) is not None


def main():
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in tree.text(PAGE).split("\n")
            if line.startswith("| ")][2:]
    findings = []
    for row in rows:
        if len(row) != COLUMNS or not set(row[1:-1]) <= WORDS:
            findings.append(f"{PAGE}: {row[0]}: not {COLUMNS} columns of {', '.join(sorted(WORDS))}")
        elif not exists(row[-1]):
            findings.append(f"{PAGE}: {row[0]}: there is no test {row[-1]}")
    tree.finish(findings, len(rows))


main()
