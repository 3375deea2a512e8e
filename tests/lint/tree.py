# SPDX-License-Identifier: Apache-2.0
"""What the lint tests share: which files there are, and how a finding is printed."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = 77


def files(*suffixes, under=("lib", "tools", "tests", "config", "docker")):
    """Paths of the tree, relative to its root; build directories and caches are not of the tree."""
    found = []
    for top in under:
        for folder, folders, names in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(f for f in folders if not f.startswith((".", "__", "build")))
            found += [os.path.relpath(os.path.join(folder, n), ROOT) for n in sorted(names)
                      if not suffixes or n.endswith(suffixes)]
    return found


def text(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def hooks(*libcs):
    """Names of the rows of hooks.def: of all libcs, or of those that all have and of the ones named."""
    table = re.sub(r"/\*.*?\*/", "", text("lib/table/hooks.def"), flags=re.S)
    rows = re.findall(r"^HOOK(?:_(\w+))?\(\s*\w+\s*,\s*[^,]+,\s*(\w+)\s*,", table, re.M)
    return [name for libc, name in rows if not libcs or not libc or libc in libcs]


def libc_of(library):
    """GLIBC or MUSL, by what the library needs."""
    return "GLIBC" if "libc.so.6" in output("objdump", "-p", library) else "MUSL"


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout


def skip(reason):
    print("skipped:", reason)
    sys.exit(SKIP)


def finish(findings, looked_at):
    """Prints the findings and ends the test. A lint that looked at nothing has not passed."""
    for finding in findings:
        print(finding)
    print(f"{looked_at} looked at, {len(findings)} findings")
    sys.exit(bool(findings) or not looked_at)
