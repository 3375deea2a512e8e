#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums up what the suites of tests/run have left: summary.py RESULTS SUITE...

A suite is NAME.json (meson's test log, an object a line) or NAME.xml (pytest's JUnit file). One that left
nothing counts as failed. Prints what was skipped and why, what failed, and the sum as the last line."""
import json
import os
import sys
import xml.etree.ElementTree as ElementTree

NO_RESULTS = {"bench"}  # figures only, never asserted


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
        bad = [c for c in case if c.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if bad:
            yield name, "failed", (bad[0].get("message") or "").split("\n")[0]
        elif skipped is not None:
            yield name, "skipped", skipped.get("message") or ""
        else:
            yield name, "passed", ""


def results(folder, suite):
    found = []
    for suffix, read in ((".json", of_meson), (".xml", of_pytest)):
        path = os.path.join(folder, suite + suffix)
        if os.path.exists(path):
            found += list(read(path)) or [(suite, "failed", "no test was run")]
    return found or ([] if suite in NO_RESULTS else [(suite, "failed", "left no results")])


def main():
    folder, suites = sys.argv[1], sys.argv[2:]
    total = {"passed": 0, "failed": 0, "skipped": 0}
    print("\n== summary")
    for suite in suites:
        found = results(folder, suite)
        count = {kind: sum(k == kind for _, k, _ in found) for kind in total}
        print(f"{suite:<12}" + ", ".join(f"{n} {kind}" for kind, n in count.items()))
        for kind in ("skipped", "failed"):
            for name, _, reason in (f for f in found if f[1] == kind):
                print(f"    {kind} {name}: {reason[:200]}")
        for kind in total:
            total[kind] += count[kind]
    print(", ".join(f"{n} {kind}" for kind, n in total.items()))
    sys.exit(bool(total["failed"]))


main()
