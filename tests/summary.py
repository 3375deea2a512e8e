#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up what the suites of tests/run have left: summary.py RESULTS SUITE...

A suite is NAME.json (meson's test log, an object a line) or NAME.xml (pytest's JUnit file). One that left
nothing counts as failed. NAME.seconds says how long it took, NAME.status how pytest ended if not well,
NAME.again.xml how the few that failed did when they were run alone.
Prints what was skipped and why, what failed, and the sum as the last line."""
import json
import os
import re
import sys
import textwrap
import xml.etree.ElementTree as ElementTree

NO_RESULTS = {"bench"}  # figures only, never asserted
AGAIN_MAX = 5  # more failures than these are no accident: a second try does not count


def of_meson(path):
    """(name, "passed" | "failed" | "skipped", reason) of each test."""
    with open(path, encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            result = test["result"]
            said = (test.get("stdout") or "").strip().splitlines()
            reason = next((s.split(":", 1)[1].strip() for s in said if s.startswith("skipped:")), "")
            kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result, "failed")
            yield test["name"], kind, reason or result.lower()


def of_pytest(path):
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}".removeprefix("tests.")
        name = re.sub(r"@[\w-]+$", "", name)  # a group of tests for one worker
        bad = [c for c in case if c.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if bad:
            yield name, "failed", (bad[0].get("message") or "").split("\n")[0]
        elif skipped is not None:
            reason = skipped.get("message") or ""
            if reason == "collection skipped":  # a whole file: what was said is a tuple's last part
                reason = (skipped.text or reason).rpartition("Skipped: ")[2].rstrip("')")
            yield name.strip("."), "skipped", reason
        else:
            yield name, "passed", ""


def number(path):
    try:
        with open(path, encoding="ascii") as f:
            return int(f.read())
    except (OSError, ValueError):
        return None


def results(folder, suite):
    found = []
    for suffix, read in ((".json", of_meson), (".xml", of_pytest)):
        path = os.path.join(folder, suite + suffix)
        if os.path.exists(path):
            try:
                found += list(read(path)) or [(suite, "failed", "no test was run")]
            except (ValueError, KeyError, ElementTree.ParseError) as e:
                found.append((suite, "failed", f"its results cannot be read: {e}"))
    status = number(os.path.join(folder, suite + ".status"))
    if status and status > 1:  # 1 is a failed test, which is among the results
        found.append((suite, "failed", f"pytest ended with {status} before its end"))
    return found or ([] if suite in NO_RESULTS else [(suite, "failed", "left no results")])


def print_skipped(found):
    """How many and why; the same tests with several reasons (a Python each) are named once."""
    reasons = {}
    for name, kind, reason in found:
        if kind == "skipped":
            reasons.setdefault(reason[:200], []).append(name.split("[")[0].removeprefix("e2e."))
    groups = {}
    for reason, names in reasons.items():
        groups.setdefault(tuple(dict.fromkeys(names)), []).append(f"skipped {len(names)}: {reason}")
    for names, lines in groups.items():
        for line in lines:
            print("    " + line)
        print(textwrap.fill(", ".join(names), 100, break_long_words=False,
                            initial_indent=" " * 8, subsequent_indent=" " * 8))


def settle(folder, suite, found):
    """Failures that were gone when run alone become passes; returns all results and those."""
    path = os.path.join(folder, suite + ".again.xml")
    failed = [f for f in found if f[1] == "failed"]
    if not os.path.exists(path) or len(failed) > AGAIN_MAX:
        return found, []
    try:
        passed = {name for name, kind, _ in of_pytest(path) if kind == "passed"}
    except ElementTree.ParseError:
        return found, []
    gone = [f for f in failed if f[0] in passed]
    return [(f[0], "passed", "") if f in gone else f for f in found], gone


def main():
    folder, suites = sys.argv[1], sys.argv[2:]
    total = {"passed": 0, "failed": 0, "skipped": 0}
    print("\n== summary")
    for suite in suites:
        found, gone = settle(folder, suite, results(folder, suite))
        count = {kind: sum(k == kind for _, k, _ in found) for kind in total}
        took = number(os.path.join(folder, suite + ".seconds"))
        print(f"{suite:<13}" + ", ".join(f"{n} {kind}" for kind, n in count.items()) + f", {took} s")
        print_skipped(found)
        for name, _, reason in gone:
            print(f"    passed only when run again, alone: {name}: {reason[:200]}")
        for name, _, reason in (f for f in found if f[1] == "failed"):
            print(f"    failed {name}: {reason[:200]}")
        for kind in total:
            total[kind] += count[kind]
    print(", ".join(f"{n} {kind}" for kind, n in total.items()))
    sys.exit(bool(total["failed"]))


main()
