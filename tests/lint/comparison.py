#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of config/COMPARISON.md names tests that exist, and no test stands for two rows. What we cannot do
(no) may go without one."""
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
    findings, taken = [], {}
    for row in rows:
        if len(row) != COLUMNS or not set(row[1:-1]) <= WORDS:
            findings.append(f"{PAGE}: {row[0]}: not {COLUMNS} columns of {', '.join(sorted(WORDS))}")
            continue
        if row[1] == "no" and row[-1] == "-":
            continue
        for test in row[-1].split(", "):
            if not exists(test):
                findings.append(f"{PAGE}: {row[0]}: there is no test {test}")
            if taken.setdefault(test, row[0]) != row[0]:
                findings.append(f"{PAGE}: {row[0]}: {test} stands for '{taken[test]}' already")
    tree.finish(findings, len(rows))


main()
