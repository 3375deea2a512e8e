# SPDX-License-Identifier: Apache-2.0
"""The three ways of using mishap, each with the real shop or a small application: wrapping a command,
plain LD_PRELOAD with the report afterwards, and the gate of a CI stage with its exit codes."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build"))
MISHAP = os.path.join(BUILD, "tools", "mishap")
LIBRARY = os.path.join(BUILD, "lib", "libmishap.so")
SHOP = os.path.join(TREE, "docker", "shop")
LOAD = os.path.join(SHOP, "load.py")
PYTHON = "/usr/bin/python3"  # Debian's, which has fastapi, uvicorn and redis

needs = pytest.mark.skipif(
    not (os.path.exists(MISHAP) and os.path.exists(LIBRARY) and shutil.which("redis-server")
         and subprocess.run([PYTHON, "-c", "import fastapi, uvicorn, redis, httpx, tenacity"],
                            capture_output=True, check=False).returncode == 0),
    reason="needs the build, redis-server and Debian's fastapi, uvicorn, redis, httpx, tenacity")
pytestmark = needs

RESETS = """[run]
seed = 7
[phase calm]
for = 2s
[phase redis-reset]
for = 3s
faults = reset-redis
[phase recovery]
for = 2s
[fault reset-redis]
call = recv
peer = 127.0.0.1:{redis}
error = ECONNRESET
"""
REFUSED = """[run]
seed = 7
[phase calm]
for = 1500ms
[phase refused]
for = 3s
faults = refuse drop
[phase recovery]
for = 1500ms
[fault refuse]
call = connect
peer = 127.0.0.1:{peer}
error = ECONNREFUSED
[fault drop]
call = recv
peer = 127.0.0.1:{peer}
side = client
error = ECONNRESET
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port, within=15.0):
    end = time.monotonic() + within
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False


@contextlib.contextmanager
def started(words, port, **how):
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    try:
        assert listens(port), f"{words} does not listen"
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    with started(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                  "--dir", str(folder)], port):
        yield port


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"cents": 990}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Peer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that reset are what these tests are about."""


@pytest.fixture(scope="module")
def peer_port():
    server = Peer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def shop_environment(tmp_path, redis_port, peer_port):
    return {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
            "PRICING_URL": f"http://127.0.0.1:{peer_port}", "PYTHONPATH": SHOP,
            "ORDERS_FILE": str(tmp_path / "orders.jsonl"), "PYTHONDONTWRITEBYTECODE": "1"}


def uvicorn(name, port):
    return [PYTHON, "-m", "uvicorn", "--port", str(port), "--no-access-log", f"{name}:app"]


def load(port, seconds, *routes):
    words = [PYTHON, LOAD, "--url", f"http://127.0.0.1:{port}", "--for", f"{seconds}s",
             "--rate", "20", "--timeout", "4s"]
    for route in routes:
        words += ["--route", route]
    return words


def shell(words):
    return " ".join(f"'{word}'" for word in words)


def mishap(*words, **how):
    how.setdefault("timeout", 90)
    return subprocess.run([MISHAP, *map(str, words)], capture_output=True, text=True, check=False,
                          **how)


def read(path):
    with open(path, encoding="utf-8") as source:
        return json.load(source)


def failed(report):
    return {(f["rule"], f["site"]["function"]) for f in report["findings"]}


def scenario(tmp_path, text, **ports):
    path = tmp_path / "scenario.ini"
    path.write_text(text.format(**ports))
    return path


def check_resets(report):
    """What is true of the shop when redis resets every answer, whichever way it was recorded."""
    assert report["run"]["fired"] >= 10
    assert report["run"]["healthy"] is True
    assert any(rule == "MH-0101" and "show_cart" in (site or "") for rule, site in failed(report))
    reset = [j for j in report["journeys"] if j["errno"] == "ECONNRESET"]
    assert reset and any(j["injected"] for j in reset)
    assert any("ConnectionError" in (j["exception"] or "") for j in reset)
    routes = {r["route"]: r for r in report["routes"]}
    cart = next(r for name, r in routes.items() if name.startswith("GET /cart/"))
    assert cart["calm"]["errors"] == 0 and cart["fault"]["errors"] > 0


def test_run_wraps_the_command(tmp_path, redis_port, peer_port):
    port = free_port()
    done = mishap(
        "run", "-c", scenario(tmp_path, RESETS, redis=redis_port), "--ready", f"127.0.0.1:{port}",
        "--with", shell(load(port, 7)), "--report", tmp_path / "x.html", "--report",
        tmp_path / "x.json", "-o", tmp_path / "out", "--", *uvicorn("shop", port),
        env=shop_environment(tmp_path, redis_port, peer_port), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    check_resets(read(tmp_path / "x.json"))
    assert "GRADE" in done.stdout and "MH-0101" in done.stdout
    page = (tmp_path / "x.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html") and "MH-0101" in page
    assert "https://" not in page.split("<body")[0], "the page must not load anything"
    assert not listens(port, within=0.3), "the shop is still there"
    assert (tmp_path / "orders.jsonl").read_text().strip(), "the shop did its work meanwhile"


def test_preload_then_report(tmp_path, redis_port, peer_port):
    port, out = free_port(), tmp_path / "rec"
    out.mkdir()
    environment = shop_environment(tmp_path, redis_port, peer_port)
    preloaded = {**environment, "LD_PRELOAD": LIBRARY, "MISHAP_OUT": str(out),
                 "MISHAP_CONFIG": str(scenario(tmp_path, RESETS, redis=redis_port))}
    with started(uvicorn("shop", port), port, env=preloaded, cwd=tmp_path):
        ran = subprocess.run(load(port, 6), capture_output=True, text=True, env=environment,
                             timeout=30, check=True)
        assert "500" in ran.stdout, "nothing was injected"
    done = mishap("report", out, "--format", "json", "-o", tmp_path / "x.json")
    assert done.returncode == 0, done.stderr
    report = read(tmp_path / "x.json")
    assert report["run"]["fired"] >= 10
    assert any(rule == "MH-0101" and "show_cart" in (site or "") for rule, site in failed(report))
    text = mishap("report", out)
    assert text.returncode == 0 and "GRADE" in text.stdout
    assert max(map(len, text.stdout.splitlines())) <= 80


def test_only_preload_observes(tmp_path, peer_port):
    """With nothing but LD_PRELOAD and MISHAP_OUT nothing is injected. A redis that is really not
    there is judged all the same, and reported as observed."""
    port, out = free_port(), tmp_path / "rec"
    out.mkdir()
    environment = shop_environment(tmp_path, free_port(), peer_port)  # nobody listens there
    preloaded = {**environment, "LD_PRELOAD": LIBRARY, "MISHAP_OUT": str(out)}
    with started(uvicorn("shop", port), port, env=preloaded, cwd=tmp_path):
        subprocess.run(load(port, 3), capture_output=True, env=environment, timeout=30, check=True)
    done = mishap("report", out, "--format", "json", "-o", tmp_path / "x.json")
    assert done.returncode == 0, done.stderr
    report = read(tmp_path / "x.json")
    assert report["run"]["fired"] == 0
    refused = [j for j in report["journeys"] if j["errno"] == "ECONNREFUSED"]
    assert refused and not any(j["injected"] for j in report["journeys"])
    crashed = [f for f in report["findings"] if f["rule"] == "MH-0101"]
    assert crashed and all(f["observed"] for f in crashed)
    text = mishap("report", "--verbose", out).stdout
    assert "observed, not injected" in text and "MH-0101" in text


def gate(tmp_path, peer_port, *more, text=REFUSED, **environment):
    """A CI stage: the small application under the scenario, with --fail-on high."""
    port = free_port()
    done = mishap(
        "run", "-c", scenario(tmp_path, text, peer=peer_port), "--ready", f"127.0.0.1:{port}",
        "--with", shell(load(port, 6, "GET /quote")), "--fail-on", "high", "--report",
        tmp_path / "x.json", "-o", tmp_path / "out", *more, "--", *uvicorn("quotes", port),
        env={**os.environ, "PEER": f"http://127.0.0.1:{peer_port}", **environment,
             "PYTHONPATH": os.path.join(HERE, "apps"), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path)
    assert (tmp_path / "x.json").exists(), done.stderr
    return done


def test_gate_passes(tmp_path, peer_port):
    done = gate(tmp_path, peer_port, CAREFUL="1")
    assert done.returncode == 0, done.stdout + done.stderr


def test_gate_fails(tmp_path, peer_port):
    done = gate(tmp_path, peer_port)
    assert done.returncode == 10, done.stdout + done.stderr
    severe = [f for f in read(tmp_path / "x.json")["findings"] if f["severity"] == "High"]
    assert "MH-0101" in {f["rule"] for f in severe}


def test_gate_cannot_judge_when_nothing_fired(tmp_path, peer_port):
    elsewhere = REFUSED.replace("127.0.0.1:{peer}", "192.0.2.1:{peer}")
    done = gate(tmp_path, peer_port, text=elsewhere, CAREFUL="1")
    assert done.returncode == 11, done.stdout + done.stderr
    assert read(tmp_path / "x.json")["run"]["fired"] == 0


def test_gate_of_an_unhealthy_application(tmp_path, peer_port):
    done = gate(tmp_path, peer_port, BROKEN="1")
    assert done.returncode == 12, done.stdout + done.stderr
    assert read(tmp_path / "x.json")["run"]["healthy"] is False


@pytest.mark.parametrize("bad, word", [
    ("[fault x]\ncall = recvv\nerror = ECONNRESET\n", "recvv"),
    ("[fault x]\ncall = recv\nerror = ECONRESET\n", "ECONRESET"),
    ("[fualt x]\ncall = recv\n", "fualt"),
    ("[fault x]\ncall = recv\nprobability = 250%\nerror = ECONNRESET\n", "250%"),
])
def test_bad_scenario_never_starts_the_command(tmp_path, bad, word):
    path, marker = tmp_path / "bad.ini", tmp_path / "started"
    path.write_text(bad)
    done = mishap("run", "-c", path, "-o", tmp_path / "out", "--", "touch", marker)
    assert done.returncode == 2
    assert not marker.exists()
    assert f"{path}:" in done.stderr and word in done.stderr


def test_scenario_that_cannot_be_read(tmp_path):
    marker = tmp_path / "started"
    for path in (tmp_path / "absent.ini", tmp_path):
        done = mishap("run", "-c", path, "-o", tmp_path / "out", "--", "touch", marker)
        assert done.returncode == 2 and str(path) in done.stderr
        assert not marker.exists()


@pytest.mark.parametrize("code, status", [
    ("raise SystemExit(7)", 7),
    ("pass", 0),
    ("import os; os.kill(os.getpid(), 9)", 128 + signal.SIGKILL),
])
def test_status_of_the_command_is_kept(tmp_path, code, status):
    done = mishap("run", "-o", tmp_path / "out", "--", sys.executable, "-c", code)
    assert done.returncode == status, done.stderr
