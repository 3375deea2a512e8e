#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone, and after itself: headers.py COMPILER [ARGUMENT...]"""
import subprocess
import sys
import tempfile

import tree

FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
         "-Wno-unused-function", "-fsyntax-only", "-Ilib", "-Itools"]


def main():
    headers, findings = tree.files(".h", under=("lib", "tools")), []
    for header in headers:
        name = header.split("/", 1)[1]
        if name == "base/banned.h":  # poisons names: it is made to be the last
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".c") as unit:
            unit.write(f'#include "{name}"\n#include "{name}"\n')
            unit.flush()
            made = subprocess.run([*sys.argv[1:], *FLAGS, unit.name], cwd=tree.ROOT, text=True,
                                  stderr=subprocess.PIPE, check=False)
        if made.returncode:
            findings.append(f"{header} does not compile alone:\n{made.stderr}")
    tree.finish(findings, len(headers))


main()
