#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files of at most 500 lines, functions of at most 60, lines of at most 100 columns, a licence line and an
opening comment of at most 6 lines, and a README in every folder."""
import os
import re

import tree

MOST_LINES, MOST_FUNCTION, MOST_COLUMNS, MOST_OPENING = 500, 60, 100, 6
TABLES = (".def",)


def functions(lines):
    """(name, first line, lines of the body) of each function: its braces stand in column 1."""
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line.startswith("}") and start is not None:
            name = re.search(r"(\w+)\s*\(", " ".join(lines[max(0, start - 4):start])[::1]) or ["", "?"]
            yield name[1], start + 1, i - start - 1
            start = None


def opening(path, lines):
    if not lines or "SPDX-License-Identifier: Apache-2.0" not in lines[0]:
        yield f"{path}: the first line is not the SPDX line"
        return
    if len(lines) < 2 or not lines[1].startswith("/*"):
        yield f"{path}: no opening comment that says what lives here"
        return
    end = next((i for i, line in enumerate(lines) if i and "*/" in line), len(lines))
    if end > MOST_OPENING and not path.endswith((".def", "format.h")):
        yield f"{path}: opening comment of {end} lines, at most {MOST_OPENING}"


def check(path):
    lines = tree.text(path).split("\n")
    if path.endswith((".c", ".h", ".def")):
        yield from opening(path, lines)
    if not path.endswith(TABLES):
        if len(lines) - 1 > MOST_LINES:
            yield f"{path}: {len(lines) - 1} lines, at most {MOST_LINES}"
        for i, line in enumerate(lines):
            if len(line) > MOST_COLUMNS:
                yield f"{path}:{i + 1}: {len(line)} columns, at most {MOST_COLUMNS}"
    if path.endswith((".c", ".h")):
        for name, line, n in functions(lines):
            if n > MOST_FUNCTION:
                yield f"{path}:{line}: {name}() has {n} lines, at most {MOST_FUNCTION}"


def readmes():
    folders = {os.path.dirname(p) for p in tree.files()}
    for folder in sorted(folders):
        # Folders of pure data belong to the README above them.
        data = not any(p.endswith((".c", ".h", ".py", ".ini", ".build"))
                       for p in os.listdir(os.path.join(tree.ROOT, folder)))
        if not data and not os.path.exists(os.path.join(tree.ROOT, folder, "README.md")):
            yield f"{folder}: no README.md"


def main():
    paths = tree.files(".c", ".h", ".def", under=("lib", "tools", "tests"))
    findings = [f for p in paths for f in check(p)] + list(readmes())
    tree.finish(findings, len(paths))


main()
