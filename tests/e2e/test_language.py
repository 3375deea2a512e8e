# SPDX-License-Identifier: Apache-2.0
"""`mishap check` and `mishap list` as a user meets them, and the key table of config/README.md.

Run as a program it renews that table: python3 tests/e2e/test_language.py MISHAP"""

import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
README = os.path.join(ROOT, "config", "README.md")
BUILD = os.environ.get("MISHAP_BUILD", os.path.join(ROOT, "build"))
MISHAP = os.path.join(BUILD, "tools", "mishap")
SCENARIOS = sorted(glob.glob(os.path.join(ROOT, "config", "*.ini")))


def mishap(*words, program=MISHAP):
    return subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=60)


def listed(what, program=MISHAP):
    run = mishap("list", what, "--format=json", program=program)
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)


def key_table(program=MISHAP):
    yield "| section | key | value | default | meaning |"
    yield "| --- | --- | --- | --- | --- |"
    for row in listed("keys", program):
        cells = (row["section"], "`%s`" % row["key"], row["value"], row["default"], row["means"])
        yield "| " + " | ".join(cells).replace("*", r"\*") + " |"


def readme_parts():
    with open(README, encoding="utf-8") as f:
        head, table = f.read().split("## Keys\n", 1)
    mark, table = table.split("-->\n", 1)
    return head + "## Keys\n" + mark + "-->\n", table


def test_key_table_is_fresh():
    assert readme_parts()[1] == "\n".join(key_table()) + "\n"


def test_shipped_scenarios_are_fine():
    run = mishap("check", *SCENARIOS)
    assert (run.returncode, run.stderr) == (0, "")
    for path in SCENARIOS:
        assert path + ": " in run.stdout


def test_check_says_that_routes_are_not_seen_behind_tls(tmp_path):
    path = tmp_path / "routes.ini"
    path.write_text("".join("[fault %s]\ncall = recv\noperation = %s\nerror = ECONNRESET\n" % row for row in (
        ("route", "GET /a/*"), ("task", "shop.tasks.*"))))
    said = " ".join(mishap("check", str(path)).stdout.split())
    route, task = said.split("route: ")[1].split("task: ")
    assert "during GET /a/*" in route and "does not fire for requests behind TLS" in route
    assert "during shop.tasks.*" in task and "TLS" not in task


def test_check_says_sentences_and_phases():
    run = mishap("check", "gameday")
    assert run.returncode == 0
    assert "slow-redis: recv as a client on :6379 is delayed by 200 ms ± 60 ms (normal)." in run.stdout
    assert " 20 s  15 s redis-slow" in run.stdout
    assert run.stdout.endswith("Next: mishap run -c gameday -- COMMAND\n")


def test_check_tells_all_mistakes_with_their_place(tmp_path):
    bad = tmp_path / "bad.ini"
    bad.write_text("[run]\nsed = 7\n[fault x]\ncall = resv\ndelay = 200\n")
    run = mishap("check", str(bad))
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == (
        f"{bad}:2: unknown key 'sed' in [run]; did you mean 'seed'?\n"
        f"{bad}:4: call = 'resv': unknown call (did you mean 'recv'?); allowed: operations, groups or libc "
        "calls, as `mishap list calls` shows them\n"
        f"{bad}:5: delay = '200': '200' has no unit; allowed: TIME, TIME jitter TIME, uniform TIME TIME, "
        "normal TIME TIME, pareto TIME SHAPE or lognormal TIME SHAPE; each time from 0 s to 1 h (ns, us, ms, s, m, h)\n")


def test_check_goes_on_after_a_bad_file(tmp_path):
    run = mishap("check", str(tmp_path / "none.ini"), str(tmp_path), SCENARIOS[0])
    assert run.returncode == 2
    assert run.stderr == (f"{tmp_path}/none.ini: cannot read it: No such file or directory\n"
                          f"{tmp_path}: cannot read it: it is a directory\n")
    assert run.stdout.startswith(SCENARIOS[0] + ": ")


def test_check_two_files_as_one(tmp_path):
    (tmp_path / "p.ini").write_text("[phase calm]\nfor = 1s\n[phase bad]\nfaults = x\n")
    (tmp_path / "f.ini").write_text("[fault x]\ncall = recv\nhang = yes\n")
    assert mishap("check", f"{tmp_path}/p.ini:{tmp_path}/f.ini").returncode == 0
    assert mishap("check", f"{tmp_path}/p.ini").returncode == 2


def test_list_calls_has_every_operation():
    rows = {row["operation"]: row for row in listed("calls")}
    assert "open64" in rows["open"]["calls"]
    assert "ECONNREFUSED" in rows["connect"]["errors"]
    assert rows["recv"]["faults"] == ["delay", "error", "short", "eof", "reset", "hang", "kill", "blackhole", "rate",
                                      "corrupt"]


def test_list_scenarios_and_faults():
    assert [row["scenario"] + ".ini" for row in listed("scenarios")] == [os.path.basename(p) for p in SCENARIOS]
    assert all(row["is"].endswith(".") for row in listed("scenarios"))
    assert {"delay", "hang", "kill"} < {row["fault"] for row in listed("faults")}


def test_lists_fit_a_terminal():
    for what in ("calls", "faults", "keys", "scenarios", "rules", "formats"):
        run = mishap("list", what)
        assert (run.returncode, run.stderr) == (0, "")
        assert max(map(len, run.stdout.splitlines())) <= 80


def test_wrong_words():
    run = mishap("list", "scenario")
    assert run.returncode == 2 and "did you mean 'scenarios'?" in run.stderr
    assert mishap("list").returncode == 2
    assert mishap("check").returncode == 2


if __name__ == "__main__":
    kept = readme_parts()[0]
    with open(README, "w", encoding="utf-8") as out:
        out.write(kept + "\n".join(key_table(sys.argv[1])) + "\n")
