# SPDX-License-Identifier: Apache-2.0
"""`mishap sweep`: every place of a program fails in turn, each in a run of its own."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from guest import BUILD, need

MISHAP = os.path.join(BUILD, "tools", "mishap")
PYTHON = "/usr/bin/python3"
APP = """import socket, sys
PORT = int(sys.argv[1])

def ask(word):
    with socket.create_connection(("127.0.0.1", PORT), 2) as s:
        s.sendall(word)
        return s.recv(100)

def careful():
    for attempt in range(3):
        try:
            return ask(b"careful")
        except OSError:
            pass
    raise SystemExit("gave up")

def careless():
    return ask(b"careless")

def save(text):
    with open("result.txt", "w") as f:
        f.write(text)

save((careful() + careless()).decode())
"""
WEB = """import os
from fastapi import FastAPI
import redis
app = FastAPI()
store = redis.Redis(port=int(os.environ["STORE"]), socket_timeout=1, retry=None)

@app.get("/careful")
def careful():
    try:
        return {"n": store.incr("n")}
    except redis.RedisError:
        return {"n": None}

@app.get("/careless")
def careless():
    return {"n": store.incr("m")}
"""


def sweep(*words, cwd, **more):
    return subprocess.run([MISHAP, "sweep", *map(str, words)], cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=200, check=False,
                          stdin=subprocess.DEVNULL, **more)


@pytest.fixture(scope="module")
def echo():
    """A port that answers with what it was sent."""
    def serve(c):
        with c:
            try:
                while data := c.recv(100):
                    c.sendall(data)
            except OSError:
                pass

    def accept():
        while True:
            try:
                c, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(c,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def app(tmp_path):
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    return tmp_path


def by_place(document):
    return {(t["site"].split(" > ")[0] if "ask" in t["site"] else t["call"], t["call"]): t for t in document["targets"]}


def test_each_place_fails_once(app, echo):
    done = sweep("-o", "out", "-j", 2, "--json", "--", PYTHON, "app.py", echo, cwd=app)
    assert done.returncode == 0 and not done.stderr, done.stderr
    document = json.loads(done.stdout)
    assert document == json.loads((app / "out" / "sweep.json").read_text())
    places = by_place(document)
    assert {k: (t["fired"], t["outcome"], bool(t["status"])) for k, t in places.items()} == {
        ("careful", "connect"): (1, "absorbed", False), ("careful", "recv"): (1, "absorbed", False),
        ("careless", "connect"): (1, "broke", True), ("careless", "recv"): (1, "broke", True),
        ("file.open", "file.open"): (1, "broke", True), ("file.write", "file.write"): (1, "broke", True)}
    assert places["careless", "recv"]["where"] == f"127.0.0.1:{echo}"
    assert document["left_out"] == []
    for t in document["targets"]:  # what was tried can be tried again by hand
        ini = app / "out" / (t["name"] + ".ini")
        assert subprocess.run([MISHAP, "check", ini], check=False, stdout=subprocess.DEVNULL).returncode == 0


def test_the_table(app, echo):
    done = sweep("-o", "out", "--fail-on", "medium", "--", PYTHON, "app.py", echo, cwd=app)
    assert done.returncode == 10, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines), done.stdout
    assert any("careful > ask" in line and "absorbed" in line for line in lines)
    assert "6 of 6 places failed, 2 absorbed, 4 broke" in done.stdout


def test_the_budget(app, echo):
    done = sweep("-o", "out", "--budget", "1ms", "--json", "--", PYTHON, "app.py", echo, cwd=app)
    document = json.loads(done.stdout)
    assert done.returncode == 11 and document["targets"] == [] and len(document["left_out"]) == 6
    assert all(line.endswith("--budget was spent") for line in document["left_out"])


def test_more_than_once(app, echo):
    done = sweep("-o", "out", "--times", 9, "--json", "--", PYTHON, "app.py", echo, cwd=app)
    places = by_place(json.loads(done.stdout))
    assert places["careful", "connect"]["outcome"] == "broke" and places["careful", "connect"]["status"] == 1


def test_interrupted(app, echo):
    (app / "slow.py").write_text("import time\ntime.sleep(2)\n" + APP, encoding="utf-8")
    with subprocess.Popen([MISHAP, "sweep", "-o", "out", "--json", "--", PYTHON, "slow.py", str(echo)], cwd=app,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as sweeping:
        end = time.monotonic() + 60
        while not (app / "out" / "place-02").exists() and time.monotonic() < end:
            time.sleep(0.05)
        os.killpg(sweeping.pid, signal.SIGINT)  # as a terminal sends it
        out, _ = sweeping.communicate(timeout=60)
    document = json.loads(out)
    assert [t["name"] for t in document["targets"]] == ["place-01", "place-02"]
    assert len(document["left_out"]) == 4 and "interrupted" in document["left_out"][0]


def test_a_server(tmp_path, redis_port):
    (tmp_path / "web.py").write_text(WEB, encoding="utf-8")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    load = f"for i in 1 2 3 4 5 6; do for p in careful careless; do curl -s -o x http://127.0.0.1:{port}/$p; done; done"
    done = sweep("-o", "out", "--json", "--times", 3, "--ready", f"127.0.0.1:{port}", "--with", load, "--",
                 PYTHON, "-m", "uvicorn", "web:app", "--port", port, "--log-level", "warning",
                 cwd=tmp_path, env={**os.environ, "STORE": str(redis_port)})
    assert done.returncode == 0, done.stdout + done.stderr
    became = {(t["site"].split(" > ")[-1], t["call"]): t["outcome"] for t in json.loads(done.stdout)["targets"] if t["fired"]}
    assert became["careless", "recv"] == "broke", became
    assert became["careful", "recv"] == "silent", became  # nobody is told


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    from queues import redis_server

    need("redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield int(url.rstrip("/").rsplit(":", 1)[1])


@pytest.mark.parametrize("words, message", [
    ([], "which command?"), (["--", "no-such-command"], "there is no command"), (["-j", "0", "--", "true"], "no number"),
    (["-j", "2", "--ready", ":1", "--", "true"], "one run at a time"), (["--budget", "soon", "--", "true"], "not a time"),
    (["--fail-on", "worst", "--", "true"], "none of low, medium, high, critical")])
def test_misuse(tmp_path, words, message):
    done = sweep(*words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert not any(tmp_path.iterdir())


def test_a_clean_run_that_fails(tmp_path):
    done = sweep("-o", "out", "--", PYTHON, "-c", "raise SystemExit(7)", cwd=tmp_path)
    assert done.returncode == 7 and "the clean run failed (status 7)" in done.stderr
