# SPDX-License-Identifier: Apache-2.0
"""The dashboard of docker/observe by Grafana's own schema, in a module of Go that Grafana Labs makes of it; what its
queries come to is asked in test_observe.py. There is no Grafana.

    ./tests/run systems"""

import fcntl
import glob
import json
import os
import subprocess

import pytest
from guest import BUILD, TREE, need

SOURCE = os.path.join(TREE, "tests", "e2e", "grafana")
DASHBOARDS = os.path.join(TREE, "docker", "observe", "grafana", "dashboards", "*.json")


@pytest.fixture(scope="module")
def check():
    """check(PATH...) -> what is wrong with them, a line each."""
    go, program = need("go"), os.path.join(BUILD, "grafana-check")
    with open(program + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            made = subprocess.run([go, "build", "-mod=readonly", "-o", program, "."], cwd=SOURCE, check=False,
                                  timeout=600, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except subprocess.TimeoutExpired:
            pytest.skip("Grafana's schema cannot be had in ten minutes")
    if made.returncode:
        pytest.skip("Grafana's schema cannot be had: " + made.stdout[-200:])

    def run(*paths):
        done = subprocess.run([program, *map(str, paths)], check=False, timeout=60, stdout=subprocess.PIPE, text=True)
        assert done.returncode == (1 if done.stdout else 0)
        return done.stdout
    return run


def test_the_dashboards_are_of_the_schema(check):
    paths = glob.glob(DASHBOARDS)
    assert paths and check(*paths) == ""


def refused(panel):
    panel["options"]["graphNode"] = "none"


def lacking(panel):
    del panel["options"]["textMode"]


def of_another_type(panel):
    panel["gridPos"]["h"] = "5"


def out_of_range(panel):
    panel["gridPos"]["w"] = 25


@pytest.mark.parametrize("change, said", [
    (refused, "graphNode"), (lacking, "textMode"), (of_another_type, "gridPos"), (out_of_range, "24"),
], ids=["unknown", "missing", "of another type", "out of range"])
def test_what_is_not_is_refused(check, tmp_path, change, said):
    (path,) = glob.glob(DASHBOARDS)
    with open(path, encoding="utf-8") as f:
        board = json.load(f)
    assert board["panels"][0]["type"] == "stat"
    change(board["panels"][0])
    (tmp_path / "changed.json").write_text(json.dumps(board))
    assert said in check(tmp_path / "changed.json")
