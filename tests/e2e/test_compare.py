# SPDX-License-Identifier: Apache-2.0
"""One graded run against an earlier one: states, `mishap diff`, the gate with a baseline, waivers."""
import copy
import datetime
import json
import os
import subprocess

import pytest
from jsonschema import Draft7Validator

from reports import BUILD, SAMPLE, SCHEMA

MISHAP = os.path.join(BUILD, "tools", "mishap")
PYTHON = "/usr/bin/python3"


def mishap(*words, **how):
    return subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL, **how)


def save(path, document):
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def runs(tmp_path):
    """then.json and now.json: one finding the same, one worse, one new, one fixed, one not judged again."""
    then = copy.deepcopy(SAMPLE)
    mold = then["findings"][0]

    def finding(number, **changes):
        return {**copy.deepcopy(mold), "id": f"{number:012x}", "state": None, "severity": "Medium",
                "confidence": "high", "verdict": "fail", "rule": "MH-0601", **changes}

    then["findings"] = [finding(1), finding(2), finding(4), finding(5)]
    now = copy.deepcopy(then)
    now["findings"] = [finding(1), finding(2, severity="High"), finding(3)]
    now["passed"] = [{"rule": "MH-0601", "title": "x", "site": "f", "reason": "r", "id": f"{4:012x}"}]
    now["unclear"] = [{"rule": "MH-0601", "title": "x", "site": "f", "reason": "r", "id": f"{5:012x}"}]
    return save(tmp_path / "then.json", then), save(tmp_path / "now.json", now), tmp_path


def report(now, *words):
    done = mishap("report", now, "--format", "json", *words)
    return done, json.loads(done.stdout)


def test_states(runs):
    then, now, _ = runs
    _, document = report(now, "--baseline", then)
    Draft7Validator(SCHEMA).validate(document)
    assert [f["state"] for f in document["findings"]] == ["unchanged", "worse", "new"]
    comparison = document["comparison"]
    assert (comparison["new"], comparison["worse"], comparison["unchanged"]) == (1, 1, 1)
    assert [f["id"] for f in comparison["fixed"]] == [f"{4:012x}"]
    assert [(f["id"], f["reason"]) for f in comparison["not_retested"]] == [(f"{5:012x}", "unclear this time")]


def test_partly_failed_then_and_wholly_now(runs):
    then, now, _ = runs
    document = json.loads(then.read_text())
    document["findings"][0]["verdict"] = "partial"
    save(then, document)
    assert report(now, "--baseline", then)[1]["findings"][0]["state"] == "worse"


@pytest.mark.parametrize("drop, severity, status", [
    ([], "medium", 10), ([2], "high", 10), ([1, 2], "low", 0), ([1], "high", 0), ([], None, 10)])
def test_gate_stops_only_for_what_is_new_or_worse(runs, drop, severity, status):
    then, now, _ = runs
    document = json.loads(now.read_text())
    document["findings"] = [f for i, f in enumerate(document["findings"]) if i not in drop]
    save(now, document)
    words = ["--fail-on", severity] if severity else []
    done, _ = report(now, "--baseline", then, *words)
    assert done.returncode == status, done.stderr


def test_a_suspicion_does_not_stop(runs):
    then, now, _ = runs
    document = json.loads(now.read_text())
    for finding in document["findings"]:
        finding["confidence"] = "low"
    save(now, document)
    assert report(now, "--baseline", then)[0].returncode == 0


def test_a_fault_that_no_longer_fires_is_never_green(runs):
    then, now, _ = runs
    document = json.loads(now.read_text())
    document["findings"] = []
    fault = next(c["fault"] for c in document["cases"] if c["fired"])
    for case in document["cases"]:
        if case["fault"] == fault:
            case["fired"] = 0
    save(now, document)
    done, seen = report(now, "--baseline", then)
    assert done.returncode == 11 and seen["comparison"]["lost_faults"] == [fault]
    assert fault in mishap("report", now, "--baseline", then).stdout


def test_text_says_how_it_was(runs):
    then, now, _ = runs
    text = mishap("report", now, "--baseline", then).stdout
    assert "1 new, 1 worse, 1 fixed, 1 unchanged, 1 not re-tested" in text
    assert max(map(len, text.splitlines())) <= 80


def test_diff(runs):
    then, now, _ = runs
    done = mishap("diff", then, now)
    assert done.returncode == 0, done.stderr
    for words in ("1 new, 1 worse", "New (1)", "Worse (1)", "Fixed (1)", "Not re-tested (1)", "unclear this time",
                  "grade", "points", "10 observability"):
        assert words in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert json.loads(mishap("diff", "--json", then, now).stdout)["new"] == 1


@pytest.mark.parametrize("words, message", [
    (["diff"], "which two runs?"), (["diff", "a"], "which two runs?"), (["diff", "a", "b", "c"], "a third run"),
    (["diff", "/no/such", "/no/such"], "/no/such"), (["diff", "/no/such.json", "/no/such.json"], "/no/such.json"),
    (["run", "--baseline", "/no/such.json", "--", "true"], "/no/such.json"),
    (["run", "--waivers", "/no/such.ini", "--", "true"], "--waivers: cannot read '/no/such.ini'")])
def test_misuse(words, message):
    done = mishap(*words)
    assert done.returncode == 2 and message in done.stderr


def waivers(folder, text):
    path = folder / "waivers.ini"
    path.write_text(text, encoding="utf-8")
    return path


def waiver(number, days):
    day = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days)
    return f"[waiver {number:012x}]\nreason = the vendor mends it ; in March\nowner = payments\nexpires = {day}\n"


def test_waived_findings_are_shown_and_do_not_stop(runs):
    _, now, folder = runs
    path = waivers(folder, "# agreed on\n" + waiver(1, 0) + waiver(2, 30) + waiver(3, 30) + waiver(9, 30))
    done, document = report(now, "--fail-on", "low", "--waivers", path)
    assert done.returncode == 0, done.stderr
    Draft7Validator(SCHEMA).validate(document)
    assert document["findings"][0]["waiver"]["owner"] == "payments"
    assert document["findings"][0]["waiver"]["reason"] == "the vendor mends it"
    assert document["unused_waivers"] == [f"{9:012x}"]
    assert document["score"] == SAMPLE["score"]  # nothing is earned by it
    assert "Waived 3, 1 of the file not found here" in mishap("report", now, "--waivers", path).stdout


def test_a_waiver_ends(runs):
    _, now, folder = runs
    done, document = report(now, "--fail-on", "low", "--waivers",
                            waivers(folder, waiver(1, -1) + waiver(2, 30) + waiver(3, 30)))
    assert done.returncode == 10 and document["findings"][0]["waiver"]["expired"]


@pytest.mark.parametrize("text, line, message", [
    ("[waiver 1]\n", 1, "'1' is no id of a finding"),
    ("[fault x]\n", 1, "sections are [waiver ID]"),
    ("reason = x\n", 1, "is before the first"),
    ("[waiver 00000000000a] x\n", 1, "nothing after it"),
    ("[waiver 00000000000a]\nowner\n", 2, "is no 'key = value'"),
    ("[waiver 00000000000a]\nower = me\n", 2, "did you mean 'owner'?"),
    ("[waiver 00000000000a]\ncolour = me\n", 2, "allowed: reason, owner, expires"),
    ("[waiver 00000000000a]\nowner =\n", 2, "owner is empty"),
    ("[waiver 00000000000a]\nowner = a\nowner = b\n", 3, "owner is there twice"),
    ("[waiver 00000000000a]\nexpires = 2026-13-01\n", 2, "a day as YYYY-MM-DD"),
    ("[waiver 00000000000a]\nexpires = soon\n", 2, "a day as YYYY-MM-DD"),
    ("[waiver 00000000000a]\nowner = a\nexpires = 2026-12-01\n", 1, "has no sound 'reason'"),
    ("[waiver 00000000000a]\nreason = " + "x" * 300 + "\n", 2, "longer than"),
    (waiver(10, 1) * 2, 5, "is waived in line 1 already"),
    ("\0\n", 1, "no text file")])
def test_bad_waivers(runs, text, line, message):
    _, now, folder = runs
    path = waivers(folder, text)
    done = mishap("report", now, "--waivers", path)
    assert done.returncode == 2
    assert any(said.startswith(f"mishap: {path}:{line}: ") and message in said
               for said in done.stderr.splitlines()), done.stderr


APP = """{lines}
import socket, sys
def fetch():
    return socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
for attempt in range({tries}):
    try:
        fetch()
    except OSError as exc:
        print("the peer is down:", repr(exc), file=sys.stderr)
"""
SCENARIO = "[fault refuse]\ncall = connect\npeer = 127.0.0.1\nerror = ECONNREFUSED\n"


def test_a_real_finding_keeps_its_id_when_lines_move_and_is_fixed_when_mended(tmp_path):
    app, scenario = tmp_path / "app.py", tmp_path / "refuse.ini"
    scenario.write_text(SCENARIO, encoding="utf-8")
    documents = []
    for port, (lines, tries) in enumerate([("", 6), ("# more\n" * 7, 6), ("", 1)], 40001):
        app.write_text(APP.format(lines=lines, tries=tries), encoding="utf-8")
        out = tmp_path / f"run{port}"
        mishap("run", "-c", scenario, "-o", out, "--quiet", "--", PYTHON, app, port)
        documents.append(out / "report.json")
    first = json.loads(documents[0].read_text())
    assert first["findings"], first["not_exercised"]
    again = mishap("diff", "--json", documents[0], documents[1])
    assert json.loads(again.stdout)["new"] == 0 and json.loads(again.stdout)["unchanged"] == len(first["findings"])
    mended = json.loads(mishap("diff", "--json", documents[0], documents[2]).stdout)
    assert "MH-0502" in [f["rule"] for f in mended["fixed"]], mended


def test_formats_tell_of_it(runs):
    then, now, folder = runs
    assert "**Against the baseline: 1 new, 1 worse**" in mishap("report", now, "--format", "markdown", "--baseline", then).stdout
    sarif = json.loads(mishap("report", now, "--format", "sarif", "--baseline", then).stdout)
    assert {r.get("baselineState") for r in sarif["runs"][0]["results"]} <= {"new", "unchanged", "updated", None}
