# SPDX-License-Identifier: Apache-2.0
"""`--history`: the last 20 runs' grades in one file, their trend in every report, and what happens to a file
that cannot be used."""
import concurrent.futures
import copy
import json
import os
import subprocess

import pytest
from jsonschema import Draft7Validator

from reports import BUILD, SAMPLE, SCHEMA

MISHAP = os.path.join(BUILD, "tools", "mishap")
BARE = {key: value for key, value in SAMPLE.items() if key != "trend"}


def mishap(*words, **how):
    return subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL, **how)


def graded(folder, day, points, full=False, **score):
    """A stored report of a run that was made on that day of November."""
    document = copy.deepcopy(BARE)
    document["run"] |= {"id": f"run{day}", "started": f"2026-11-{day:02d}T00:00:00Z"}
    document["score"] |= {"points": points, **score}
    document["passed"] = [{"rule": "MH-0901", "title": "x", "site": "", "reason": "r", "id": "0" * 12}] if full else []
    path = folder / f"{day}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def report(path, history, *words):
    done = mishap("report", path, "--history", history, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def days(history):
    return [int(run["id"][3:]) for run in json.loads(history.read_text())["runs"]]


def test_the_last_twenty_stay_in_their_order(tmp_path):
    history = tmp_path / "history.json"
    for day in (3, 1, 2, *range(4, 25)):
        document = json.loads(report(graded(tmp_path, day, 40 + day, full=day == 9), history, "--format", "json"))
        Draft7Validator(SCHEMA).validate(document)
        assert document["trend"]["runs"] == json.loads(history.read_text())["runs"]
    assert days(history) == list(range(5, 25))
    runs = json.loads(history.read_text())["runs"]
    assert [run["points"] for run in runs] == list(range(45, 65))
    assert [run["id"] for run in runs if run["full"]] == ["run9"]
    assert runs[0]["findings"] == {"Critical": 0, "High": 3, "Medium": 4, "Low": 1}
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name[0].isdigit()) == ["history.json"]


def test_the_same_run_again_takes_its_own_place(tmp_path):
    history = tmp_path / "history.json"
    for day, points in ((1, 40), (2, 50), (1, 45)):
        report(graded(tmp_path, day, points), history)
    assert [(run["id"], run["points"]) for run in json.loads(history.read_text())["runs"]] == [("run1", 45), ("run2", 50)]


@pytest.mark.parametrize("points, says", [
    ([60], "60 points, nothing to compare with yet"), ([60, 71], "71 points, 11 more than before; best of 2 runs: 71"),
    ([60, 71, 65], "65 points, 6 fewer than before; best of 3 runs: 71"), ([60, 60], "60 points, as before; best"),
    ([60, None], "the last run has no grade; best of 2 runs: 60"), ([None], "the last run has no grade"),
    ([60, -100, 62], "62 points, 2 more than before")])
def test_what_the_text_says(tmp_path, points, says):
    history = tmp_path / "history.json"
    for day, one in enumerate(points, 1):
        path = graded(tmp_path, day, one and abs(one), grade="C" if one and one > 0 else "NG")
        text = report(path, history)
        assert max(map(len, text.splitlines())) <= 80
    line = next(line for line in text.splitlines() if line.startswith(" Trend: "))
    assert says in line
    assert says in report(path, history, "--format", "markdown")


def test_twenty_runs_fit_into_a_line_also_in_ascii(tmp_path):
    history = tmp_path / "history.json"
    for day in range(1, 21):
        path = graded(tmp_path, day, 100 if day == 20 else 5 * day - 1)
    for day in range(1, 21):
        wide = report(tmp_path / f"{day}.json", history)
    narrow = mishap("report", path, "--history", history, env={**os.environ, "LC_ALL": "C"}).stdout
    assert "▁▁▂▂▂▃▃▄▄▄▅▅▆▆▆▇▇█" in wide.replace(" ", "")
    assert "00112233445566778899" in narrow and narrow.isascii()
    assert max(map(len, (wide + narrow).splitlines())) <= 80


def test_several_at_once_lose_nothing(tmp_path):
    history = tmp_path / "history.json"
    paths = [graded(tmp_path, day, 50) for day in range(1, 19)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda path: report(path, history, "--format", "json"), paths))
    assert days(history) == list(range(1, 19))


BAD = [("{", ":1: "), ("[]", "is no history of mishap"), ('{"mishap_history": 1}', "is no history of mishap"),
       ('{"mishap_history": 2, "runs": [], "more": 1}', "is of a later version of mishap"),
       ('{"mishap_history": "1", "runs": []}', "is no history of mishap"),
       ('{"mishap_history": 1, "runs": [{"id": "a"}]}', "is no history of mishap"),
       ('{"mishap_history": 1, "runs": [7]}', "is no history of mishap"), (json.dumps(BARE), "is no history of mishap"),
       ("\0\0", "history.json:1: ")]


@pytest.mark.parametrize("text, message", BAD)
@pytest.mark.parametrize("verb", ["report", "run"])
def test_what_is_no_history_is_refused_in_one_line_and_kept(tmp_path, verb, text, message):
    history, mark = tmp_path / "history.json", tmp_path / "ran"
    history.write_text(text, encoding="utf-8")
    words = ["report", graded(tmp_path, 1, 50)] if verb == "report" else ["run", "-o", tmp_path / "out"]
    done = mishap(*words, "--history", history, *(["--", "touch", mark] if verb == "run" else []))
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("mishap: --history: ") and history.read_text() == text
    assert not mark.exists()


def test_places_that_cannot_keep_one(tmp_path):
    path = graded(tmp_path, 1, 50)
    for place, message in ((tmp_path, "no regular file"), ("/dev/null", "no regular file"),
                           (tmp_path / "no" / "history.json", "there is no folder for"), ("", "there is no folder")):
        done = mishap("report", path, "--history", place)
        assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_an_empty_file_is_a_history_without_runs_and_a_link_stays_one(tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.touch()
    link.symlink_to(real)
    report(graded(tmp_path, 1, 50), link)
    assert link.is_symlink() and days(real) == [1]


def test_what_somebody_added_to_a_run_stays(tmp_path):
    history = tmp_path / "history.json"
    report(graded(tmp_path, 1, 50), history)
    file = json.loads(history.read_text())
    file["runs"][0]["commit"] = "9d0e771"
    history.write_text(json.dumps(file), encoding="utf-8")
    report(graded(tmp_path, 2, 50), history)
    assert json.loads(history.read_text())["runs"][0]["commit"] == "9d0e771"


def test_a_volume_that_is_read_only(tmp_path):
    """In a mount namespace of its own; the file is there, and stays as it is."""
    folder = tmp_path / "volume"
    folder.mkdir()
    path = graded(tmp_path, 1, 50)
    report(path, folder / "history.json")
    script = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec {MISHAP} report {path} --history {folder}/history.json"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no mount namespace here: " + done.stderr)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "cannot write" in done.stderr and "Read-only file system" in done.stderr


def test_a_run_finds_its_own_place_and_a_full_one_counts_for_0903(tmp_path):
    """What MH-0903 says of a small run goes by the last full one that the history has."""
    history = tmp_path / "history.json"
    report(graded(tmp_path, 1, 50), history)

    def verdict(out):
        out = tmp_path / out
        done = mishap("run", "-o", out, "--quiet", "--history", history, "--", "/usr/bin/python3", "-c", "pass")
        assert done.returncode == 0, done.stderr
        document = json.loads((out / "report.json").read_text())
        runs = json.loads(history.read_text())["runs"]
        assert document["trend"]["runs"] == runs and runs[-1]["started"] == document["run"]["started"]
        return next(one["reason"] for one in document["unclear"] + document["passed"] if one["rule"] == "MH-0903")

    assert "an earlier one that is known" in verdict("first")
    file = json.loads(history.read_text())
    assert len(file["runs"]) == 2
    started = file["runs"][-1]["started"]
    file["runs"][0] |= {"full": True, "started": started}
    history.write_text(json.dumps(file), encoding="utf-8")
    assert "a full run was made 0 days before" in verdict("second")
    assert len(json.loads(history.read_text())["runs"]) == 3
