# SPDX-License-Identifier: Apache-2.0
"""docker/ci: the shell of every pipeline file is run for real on a small project, and the YAML is held
against the vendors' own schemas."""
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest

from guest import BUILD, TREE

yaml = pytest.importorskip("yaml")
CI = os.path.join(TREE, "docker", "ci")
PYTHON = "/usr/bin/python3"
CHECKER = "check-jsonschema==0.39.0"

APP = """import sys, urllib.request
for _ in range(4):
    urllib.request.urlopen("http://127.0.0.1:" + sys.argv[1]{limit}).read()
"""
SLOW = "[fault slow]\ncall = recv\npeer = 127.0.0.1:{port}\nside = client\ndelay = 20ms\n"
ELSEWHERE = "[fault slow]\ncall = recv\npeer = 127.0.0.1:1\nside = client\ndelay = 20ms\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"well")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def peer():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


class Project:
    """A checkout of somebody's, with mishap's beside it; building it is left out but in one test."""

    def __init__(self, root, port):
        self.root, self.port = root, port
        source = root / ".mishap" / "src" / "docker" / "ci"
        shutil.copytree(CI, source)
        (source / "install").write_text(f"#!/bin/sh\necho {BUILD}/tools\n", encoding="utf-8")
        (root / "slow.ini").write_text(SLOW.format(port=port), encoding="utf-8")
        self.write_app(limit="")

    def write_app(self, limit):
        (self.root / "app.py").write_text(APP.format(limit=limit), encoding="utf-8")

    @property
    def run(self):
        return f"-c slow.ini -- {PYTHON} app.py {self.port}"

    def shell(self, script, **environment):
        return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=self.root, timeout=120, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, "CI": "true", **environment})

    def stage(self, *words, **environment):
        line = " ".join(["docker/ci/chaos-stage", *words, "--", self.run])
        return self.shell(f"PATH={BUILD}/tools:$PATH .mishap/src/{line}", **environment)

    def runs(self):
        """How many the history has that the pipeline keeps."""
        return len(json.loads((self.root / ".mishap/history.json").read_text())["runs"])

    def report(self, suffix="json"):
        return self.root / "chaos-report" / ("report." + suffix)


@pytest.fixture
def project(tmp_path, peer):
    return Project(tmp_path, peer)


def test_a_finding_stops_the_stage_and_every_report_is_there(project, tmp_path):
    summary = tmp_path / "summary.md"
    done = project.stage("-o", "chaos-report", GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(tmp_path / "out"))
    assert done.returncode == 10, done.stdout + done.stderr
    assert "MH-0601" in [f["rule"] for f in json.loads(project.report().read_text())["findings"]]
    for suffix in ("html", "md", "xml", "sarif", "prom", "txt"):
        assert project.report(suffix).stat().st_size, suffix
    assert "MH-0601" in done.stdout and "MH-0601" in summary.read_text()
    assert (tmp_path / "out").read_text() == "status=10\n"


def test_what_the_baseline_has_does_not_stop_and_what_is_mended_neither(project):
    project.stage("-o", "chaos-report")
    shutil.copy(project.report(), project.root / "baseline.json")
    assert project.stage("-o", "chaos-report", "-b", "baseline.json").returncode == 0
    project.write_app(limit=", timeout=2")
    done = project.stage("-o", "chaos-report")
    assert done.returncode == 0, done.stderr


def test_a_stage_in_which_nothing_fired_is_not_green(project):
    project.write_app(limit=", timeout=2")
    (project.root / "slow.ini").write_text(ELSEWHERE, encoding="utf-8")
    assert project.stage("-o", "chaos-report").returncode == 11


def test_an_old_report_does_not_pass_for_a_new_one(project):
    project.stage("-o", "chaos-report")
    (project.root / "slow.ini").write_text("[fault slow]\ncal = recv\n", encoding="utf-8")
    done = project.stage("-o", "chaos-report")
    assert done.returncode == 2 and not project.report().exists()
    assert "did you mean 'call'" in done.stderr


@pytest.mark.parametrize("words", ["", "-o", "-x y --"])
def test_misuse(project, words):
    done = project.shell(f"PATH={BUILD}/tools:$PATH .mishap/src/docker/ci/chaos-stage {words}")
    assert done.returncode == 2 and "chaos-stage" in done.stderr


def load(name):
    with open(os.path.join(CI, name), encoding="utf-8") as source:
        return yaml.safe_load(source)


def test_github(project):
    """The composite action's steps in their order; what other actions do is left to GitHub."""
    action, path = load("action.yml"), project.root / "github_path"
    path.touch()
    inputs = {name: spec.get("default") for name, spec in action["inputs"].items()}
    inputs |= {"run": project.run}
    statuses = {}
    for step in action["runs"]["steps"]:
        if "run" not in step:
            assert re.fullmatch(r"(actions|github)/[a-z/-]+@v\d+", step["uses"])
            continue
        environment = {"GITHUB_PATH": str(path), "GITHUB_STEP_SUMMARY": str(project.root / "summary"),
                       "GITHUB_OUTPUT": str(project.root / "output")}
        for name, value in step["env"].items():
            value = re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: inputs[m[1]], value)
            environment[name] = value.replace("${{ github.action_path }}", str(project.root / ".mishap/src/docker/ci"))
            assert "${{" not in environment[name]
        environment["PATH"] = ":".join([*path.read_text().split(), os.environ["PATH"]])
        statuses[step["name"]] = project.shell(step["run"], **environment).returncode
    assert statuses == {"Build mishap": 0, "Chaos stage": 10, "This run is the next one's baseline": 0}
    assert (project.root / ".mishap/baseline.json").exists() and project.runs() == 1
    text = (project.root / "summary").read_text()
    assert len(text.encode()) < 60000 and "MH-0601" in text


def test_gitlab(project):
    job = load("gitlab-ci.yml")["chaos"]
    script = "\n".join(job["script"])
    environment = {"MISHAP_SOURCE": ".mishap/src", "CHAOS_RUN": project.run, "CHAOS_FAIL_ON": "high",
                   "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    assert project.shell(script, **environment).returncode == 10
    assert project.root.joinpath(job["artifacts"]["reports"]["junit"]).exists()
    project.write_app(limit=", timeout=2")
    assert project.shell(script, **environment).returncode == 0
    assert (project.root / ".mishap/baseline.json").exists() and project.runs() == 2


def test_jenkins(project):
    with open(os.path.join(CI, "Jenkinsfile"), encoding="utf-8") as source:
        blocks = re.findall(r"sh '''(.*?)'''", source.read(), re.S)
    assert len(blocks) == 2
    environment = {"MISHAP_SOURCE": ".mishap/src", "CHAOS_RUN": project.run, "CHAOS_FAIL_ON": "high"}
    statuses = [project.shell(block.replace("\\\\", "\\"), **environment).returncode for block in blocks]
    assert statuses == [10, 0] and (project.root / ".mishap/baseline.json").exists() and project.runs() == 1


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make(project):
    words = ["make", "-f", ".mishap/src/docker/ci/chaos.mk", f"CHAOS_RUN={project.run}"]
    line = " ".join("'" + word + "'" for word in words)
    assert "Error 10" in project.shell(line + " chaos").stderr
    assert project.shell(line + " chaos-baseline").returncode == 0
    assert project.shell(line + " chaos").returncode == 0
    assert project.runs() == 2 and " Trend: " in project.report("txt").read_text(encoding="utf-8")


def test_install_builds_from_a_bare_checkout(tmp_path):
    done = subprocess.run([os.path.join(CI, "install")], text=True, timeout=400, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={**os.environ, "MISHAP_BUILD": str(tmp_path / "build")})
    assert done.returncode == 0, done.stderr
    mishap = os.path.join(done.stdout.strip(), "mishap")
    assert subprocess.run([mishap, "--version"], stdout=subprocess.PIPE, check=True).stdout.startswith(b"mishap ")


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """check-jsonschema, which carries the vendors' schemas, in an environment of its own."""
    place = tmp_path_factory.mktemp("checker")
    made = subprocess.run([sys.executable, "-m", "venv", place], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip("cannot make a virtual environment: python3-venv is missing")
    got = subprocess.run([place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", CHECKER],
                         capture_output=True, text=True, timeout=180, check=False)
    if got.returncode:
        pytest.skip("PyPI cannot be reached: " + got.stderr.strip().splitlines()[-1][:120])
    return place / "bin" / "check-jsonschema"


def test_yaml_is_what_its_vendor_reads(checker):
    for name, schema, *more in [("action.yml", "vendor.github-actions"),
                                ("github-workflow.yml", "vendor.github-workflows"),
                                ("gitlab-ci.yml", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")]:
        done = subprocess.run([checker, *more, "--builtin-schema", schema, os.path.join(CI, name)],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, name + ": " + done.stdout
