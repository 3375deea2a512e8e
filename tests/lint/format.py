#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-format agrees. Versions differ in taste, so only the one that .clang-format was written for counts."""
import re
import shutil
import subprocess

import tree

VERSION = 14


def main():
    tool = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
    if not tool:
        tree.skip("there is no clang-format")
    said = tree.output(tool, "--version")
    if int(re.search(r"version (\d+)", said)[1]) != VERSION:
        tree.skip(f"clang-format {VERSION} is wanted, this is: {said.strip()}")
    paths = tree.files(".c", ".h", under=("lib", "tools", "tests"))
    run = subprocess.run([tool, "--dry-run", "--Werror", *paths], cwd=tree.ROOT, text=True,
                         stderr=subprocess.PIPE, check=False)
    bad = sorted({m[1] for m in re.finditer(r"^([\w./-]+):\d+:\d+: error", run.stderr, re.M)})
    tree.finish([f"{p}: run clang-format -i" for p in bad], len(paths))


main()
