# SPDX-License-Identifier: Apache-2.0
"""`mishap replay`: one finding's fault alone, by a real run again, before and after it is mended."""
import json
import os
import subprocess

import pytest

from guest import BUILD

MISHAP = os.path.join(BUILD, "tools", "mishap")
PYTHON = "/usr/bin/python3"
APP = """import os, socket, sys
def fetch():
    return socket.create_connection(("127.0.0.1", 40001), 2)
for attempt in range(1 if os.path.exists("mended") else 6):
    try:
        fetch()
    except OSError as exc:
        print("the peer is down:", repr(exc), file=sys.stderr)
open("x.txt", "w").close()
"""
SCENARIO = """[fault refuse]
call = connect
peer = 127.0.0.1
error = ECONNREFUSED
[fault slow-disk]
call = file.open
path = **/x.txt
delay = 10ms
"""


def mishap(*words, cwd):
    return subprocess.run([MISHAP, *map(str, words)], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def run(tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "both.ini").write_text(SCENARIO, encoding="utf-8")
    mishap("run", "-c", "both.ini", "-o", "out", "--seed", 11, "--quiet", "--", PYTHON, "app.py", cwd=tmp_path)
    (tmp_path / "both.ini").unlink()  # it is kept with the run
    return tmp_path


def finding(folder):
    document = json.loads((folder / "report.json").read_text())
    return next(f for f in document["findings"] if f["rule"] == "MH-0502")


def test_still_there_then_fixed(run):
    one = finding(run / "out")
    assert one["fault"] == "refuse" and one["replay"].split()[:2] == ["mishap", "replay"]
    done = mishap("replay", "out", one["id"], cwd=run)
    assert done.returncode == 10, done.stdout + done.stderr
    assert "only the fault refuse" in done.stdout and one["id"] + " is still there: " in done.stdout
    place, = [p for p in (run / "out").iterdir() if p.name.startswith("replay-")]
    document = json.loads((place / "report.json").read_text())
    assert document["run"]["seed"] == 11
    assert {c["fault"] for c in document["cases"] if c["fired"]} == {"refuse"}
    (run / "mended").touch()
    done = mishap("replay", run / "out", one["id"][:6], cwd="/")  # it goes where the run was started
    assert done.returncode == 0 and one["id"] + " is fixed: " in done.stdout, done.stdout + done.stderr


def test_not_to_be_judged_again(run):
    (run / "app.py").write_text("pass\n", encoding="utf-8")
    done = mishap("replay", "out", finding(run / "out")["id"], cwd=run)
    assert done.returncode == 11 and "could not be judged again" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("words, message", [
    ([], "which finding of which run?"), (["out"], "which finding of which run?"), (["a", "b", "c"], "one finding at a time"),
    (["/no/such", "abcd"], "has no run.json"), (["out", "ffff"], "there is no finding 'ffff' in 'out'")])
def test_misuse(run, words, message):
    done = mishap("replay", *words, cwd=run)
    assert done.returncode == 2 and message in done.stderr


def test_only_one_fault(run, tmp_path):
    (run / "both.ini").write_text(SCENARIO, encoding="utf-8")
    mishap("run", "-c", "both.ini", "-o", "one", "--only", "slow-disk", "--quiet", "--", PYTHON, "app.py", cwd=run)
    done = mishap("events", "--json", "one", cwd=run)
    hit = {json.loads(line).get("fault_name") for line in done.stdout.splitlines() if '"event":"op"' in line}
    assert "slow-disk" in hit and "refuse" not in hit
    done = mishap("run", "-c", "both.ini", "--only", "slow-dik", "--", "true", cwd=run)
    assert done.returncode == 2 and "no fault 'slow-dik'" in done.stderr and "refuse slow-disk" in done.stderr
