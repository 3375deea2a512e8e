# SPDX-License-Identifier: Apache-2.0
"""`--alert`: what Slack and Opsgenie are told of a finished run, by a server of our own that keeps what comes;
and that a secret is nowhere else, and that an alert which fails changes nothing."""

import contextlib
import http.server
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from guest import PYTHON, TREE
from test_run import MISHAP

SECRET = "T0KEN-that-nobody-sees"
SAMPLE = os.path.join(TREE, "tests", "golden", "sample.json")


@contextlib.contextmanager
def service(status=200, location=None):
    """Yields (port, what came: (path, headers, JSON))."""
    came = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "%d" % len(SECRET))
            self.end_headers()
            self.wfile.write(SECRET.encode())

        do_GET = do_POST

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], came
        server.shutdown()


@pytest.fixture(scope="module", autouse=True)
def libcurl():
    done = report("--alert", "slack", SLACK_WEBHOOK_URL="http://127.0.0.1:9/")
    if "libcurl" in done.stderr:
        pytest.skip("built without libcurl (libcurl4-openssl-dev), or it is not here")


def report(*words, document=SAMPLE, **env):
    env = {**{k: v for k, v in os.environ.items() if not re.match("SLACK|OPSGENIE|.*_proxy$", k, re.I)}, **env}
    return subprocess.run([MISHAP, "report", document, *words], text=True, timeout=60, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


@pytest.fixture
def run(tmp_path):
    """The recordings of a run in which a fault fired."""
    (tmp_path / "s.ini").write_text("[fault f]\ncall = connect\npeer = 127.0.0.1\nerror = ECONNREFUSED\n")
    code = "import socket\nfor _ in range(5): socket.socket().connect_ex(('127.0.0.1', 9))"
    subprocess.run([MISHAP, "run", "-q", "-c", "s.ini", "-o", "out", "--kernel", "off", "--", PYTHON, "-c", code, "--password",
                    "SECRET-of-the-command"], cwd=tmp_path, check=True, timeout=60)
    return str(tmp_path / "out")


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [value] if isinstance(value, str) else [s for v in value for s in strings(v)] if isinstance(value, list) else []


def test_slack(run):
    """The shape that incoming webhooks take, with their limits; every run is told."""
    with service() as (port, came):
        done = report("--alert", "slack", "--fail-on", "critical", document=run,
                      SLACK_WEBHOOK_URL="http://127.0.0.1:%d/services/%s" % (port, SECRET))
    (path, headers, body), = came
    assert done.returncode in (0, 11) and path == "/services/" + SECRET and headers["Content-Type"] == "application/json"
    assert set(body) == {"text", "blocks"} and 0 < len(body["text"]) <= 3000
    assert [b["type"] for b in body["blocks"]] == ["header", "section", "section", "context"]
    assert body["blocks"][0]["text"]["type"] == "plain_text" and len(body["blocks"][0]["text"]["text"]) <= 150
    assert all(len(f["text"]) <= 2000 for f in body["blocks"][1]["fields"])
    assert "5 fired" in " ".join(strings(body)) and "python3" in body["text"] and "grade " in body["text"]
    assert not re.search(r"\{[a-z]+\}|<\d+>", " ".join(strings(body))), "a word of the template was not filled in"
    assert "SECRET" not in json.dumps(body), "arguments of the command are nobody's business"
    assert SECRET not in done.stdout + done.stderr


def test_opsgenie():
    with service(202) as (port, came):
        env = {"OPSGENIE_API_KEY": SECRET, "OPSGENIE_API_URL": "http://127.0.0.1:%d" % port}
        done = report("--alert", "opsgenie", "--fail-on", "low", **env)
        assert done.returncode == 10
        (path, headers, body), = came
        # what the gate lets pass wakes nobody
        assert report("--alert", "opsgenie", **env).returncode == 0 and len(came) == 1
    assert path == "/v2/alerts" and headers["Authorization"] == "GenieKey " + SECRET
    assert set(body) == {"message", "alias", "description", "entity", "source", "priority", "tags", "details"}
    assert 0 < len(body["message"]) <= 130 and len(body["alias"]) <= 512 and len(body["description"]) <= 15000
    assert body["priority"] in ("P2", "P3", "P4", "P5") and body["tags"] == ["mishap", "chaos"]
    assert all(isinstance(v, str) for v in body["details"].values()), "it takes no numbers there"
    with open(SAMPLE, encoding="utf-8") as f:
        sample = json.load(f)
    assert body["details"]["grade"] == sample["score"]["grade"]
    assert sample["findings"][0]["rule"] in body["description"] and "The gate failed." in body["description"]
    assert SECRET not in done.stdout + done.stderr


def test_texts_that_are_long_or_odd(tmp_path):
    """What comes from an application cannot break the JSON, a limit, or Slack's own marks."""
    with open(SAMPLE, encoding="utf-8") as f:
        sample = json.load(f)
    sample["run"]["command"] = ["/opt/" + "\u00e9<!channel>&\"\\\n" * 400]
    for finding in sample["findings"]:
        finding["title"] = "<@U1> & \u2603" * 100
    (tmp_path / "r.json").write_text(json.dumps(sample))
    with service() as (port, came):
        done = report("--alert", "slack", "--alert", "opsgenie", "--fail-on", "low", document=str(tmp_path / "r.json"),
                      SLACK_WEBHOOK_URL="http://127.0.0.1:%d/" % port, OPSGENIE_API_KEY=SECRET,
                      OPSGENIE_API_URL="http://127.0.0.1:%d" % port)
    assert done.returncode == 10 and [c[0] for c in came] == ["/", "/v2/alerts"], done.stderr
    slack, opsgenie = came[0][2], came[1][2]
    assert len(slack["blocks"][0]["text"]["text"]) <= 150 and len(slack["text"]) <= 3000
    assert not re.search("<[!@]", json.dumps(slack)), "nobody is called by a text of the application"
    assert len(opsgenie["message"]) == 130 and "<!channel>" in opsgenie["alias"]


def closed():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("case", ["refused", "404", "redirect", "silent", "no address", "file:///etc/passwd"])
def test_an_alert_that_fails_is_one_line(case):
    said = {"refused": "ouldn't connect|ould not connect", "404": "it answered with status 404",
            "redirect": "it answered with status 302", "silent": "[Tt]imeout|timed out"}.get(case, "begins with neither")
    with contextlib.ExitStack() as stack:
        address = case
        if case in ("404", "redirect"):
            other, elsewhere = stack.enter_context(service())
            port, _ = stack.enter_context(service(302 if case == "redirect" else 404, "http://127.0.0.1:%d/" % other))
            address = "http://127.0.0.1:%d/%s" % (port, SECRET)
        elif case == "refused":
            address = "http://127.0.0.1:%d/%s" % (closed(), SECRET)
        elif case == "silent":
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            address = "http://127.0.0.1:%d/%s" % (server.getsockname()[1], SECRET)
        bare = report("--fail-on", "low")
        began = time.monotonic()
        done = report("--fail-on", "low", "--alert", "slack", SLACK_WEBHOOK_URL=address)
        assert time.monotonic() - began < 25
        if case == "redirect":
            assert elsewhere == [], "the secret is not taken elsewhere"
    assert done.returncode == bare.returncode == 10 and done.stdout == bare.stdout
    more = [line for line in done.stderr.splitlines() if line not in bare.stderr.splitlines()]
    assert len(more) == 1 and re.match("mishap: the alert to slack was not sent: .*(%s)" % said, more[0]), more
    assert SECRET not in done.stderr


@pytest.mark.parametrize("words, line", [
    (["pager"], "--alert: there is no service 'pager'; there are: slack opsgenie"),
    (["slack"], "--alert slack: SLACK_WEBHOOK_URL is not set"),
    (["opsgenie=/no/such"], "--alert opsgenie: cannot read the file with its secret: No such file or directory"),
])
def test_what_cannot_be_told_is_said_before_the_run(tmp_path, words, line):
    env = {k: v for k, v in os.environ.items() if not k.startswith("SLACK")}
    done = subprocess.run([MISHAP, "run", "--alert", *words, "--", "touch", "ran"], cwd=tmp_path, text=True, env=env,
                          stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == 2 and done.stderr == "mishap: %s\n" % line and os.listdir(tmp_path) == []


def test_a_run_tells_and_keeps_no_secret(tmp_path):
    """From a file, as containers are given secrets; nothing of it is in what the run leaves behind."""
    with service() as (port, came):
        (tmp_path / "secret").write_text("http://127.0.0.1:%d/%s\n" % (port, SECRET))
        done = subprocess.run([MISHAP, "run", "-o", "out", "--alert", "slack=secret", "--report", "r.json", "--report",
                               "r.html", "--", PYTHON, "-c", ""], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 0 and len(came) == 1 and came[0][0] == "/" + SECRET, done.stderr
    assert SECRET not in done.stdout + done.stderr
    for folder, _, files in os.walk(tmp_path):
        for name in set(files) - {"secret"}:
            with open(os.path.join(folder, name), "rb") as f:
                assert SECRET.encode() not in f.read(), name
