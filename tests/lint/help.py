#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every verb is offered, explains itself on stdout within 80 columns, and says what each option does: help.py
MISHAP"""
import re
import subprocess
import sys

import tree


def ask(*words):
    return subprocess.run([sys.argv[1], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)


def complaints(verb, run):
    if run.returncode or run.stderr:
        yield f"{verb} --help: status {run.returncode}, stderr {run.stderr!r}"
    if f"mishap {verb}" not in run.stdout.split("\n", maxsplit=1)[0]:
        yield f"{verb} --help does not begin with its usage"
    for line in run.stdout.splitlines():
        if len(line) > 80:
            yield f"{verb} --help: a line of {len(line)} columns: {line}"
    flat = re.sub(r"\n {20,}", " ", run.stdout)
    for option in re.findall(r"^\s+(?:-\w, )?(--[\w-]+)(?:=\S+)?\s*$", flat, re.M):
        yield f"{verb} --help says nothing about {option}"


def main():
    rows = re.findall(r"^VERB\((\w+)", tree.text("tools/verbs.def"), re.M)
    offered, findings = ask("--help").stdout, []
    for verb in rows:
        if not re.search(rf"^  {verb}\b", offered, re.M):
            findings.append(f"{verb} is a row of verbs.def, but `mishap --help` does not offer it")
        else:
            findings += complaints(verb, ask(verb, "--help"))
    tree.finish(findings, len(rows))


main()
