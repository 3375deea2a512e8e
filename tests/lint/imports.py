#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""libmishap.so runs beside every libc from glibc 2.31 on and needs nothing but libc: imports.py SO"""
import re
import sys

import tree

NEWEST = (2, 31)
NEEDED = re.compile(r"libc\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux-.*\.so\.\d")
# Calls that a guest must not make, in any part of it: they allocate, print, lock, exit or read a locale.
REFUSED = re.compile(r"(f|v|vf|d|vd|as|vas)?printf|fopen(64)?|fwrite|fputs|fputc|puts|perror|exit|abort|setlocale|"
                     r"strerror|localtime(_r)?|system|popen|sleep|usleep|nanosleep|setenv|putenv|signal|sigaction|"
                     r"pthread_create|atexit")


def main():
    library, findings = sys.argv[1], []
    dynamic = tree.output("objdump", "-p", library)
    needed = re.findall(r"^\s*NEEDED\s+(\S+)", dynamic, re.M)
    findings += [f"needs {n}" for n in needed if not NEEDED.fullmatch(n)]
    table = re.sub(r"/\*.*?\*/", "", tree.text("lib/table/hooks.def"), flags=re.S)
    hooks = set(re.findall(r"^HOOK\(\s*\w+\s*,\s*[^,]+,\s*(\w+)\s*,", table, re.M))
    symbols = tree.output("objdump", "-T", library)
    undefined = re.findall(r"\*UND\*\s+\S+\s+(?:\(?([\w.]+)\)?\s+)?(\w+)$", symbols, re.M)
    for version, name in undefined:
        number = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", version or "")
        if number and (int(number[1]), int(number[2])) > NEWEST:
            findings.append(f"{name} is wanted as of {version}, newer than {NEWEST[0]}.{NEWEST[1]}")
        if REFUSED.fullmatch(name) and name not in hooks:
            findings.append(f"{name} is called; a guest must not")
    tree.finish(findings, len(undefined))


main()
