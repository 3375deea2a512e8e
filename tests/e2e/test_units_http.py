# SPDX-License-Identifier: Apache-2.0
"""Requests as units of work on real servers: what HTTP/1.1 allows on one connection, what is not
HTTP/1.1, and what the processes of a server are."""

import json
import os
import socket
import subprocess

import mhr
import pytest
from guest import BUILD, PROGRAMS, PYTHON, has_module
from queues import ended, free_port, wait_for

MISHAP = os.path.join(BUILD, "tools", "mishap")


def open_port(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


class Server:
    def __init__(self, guest, module, *options, app="asgi_app:app", config=None):
        if not has_module(module):
            pytest.skip("python3-%s is not installed" % module)
        self.port = free_port()
        where = ["--port", str(self.port)] if module == "uvicorn" else ["-b", "127.0.0.1:%d" % self.port]
        self.process, self.out = guest.start(
            [PYTHON, "-m", module, app, *where, *options], config and guest.config(config), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=guest.directory, env={"PYTHONPATH": PROGRAMS})

    def __enter__(self):
        wait_for(lambda: open_port(self.port))
        return self

    def __exit__(self, *_):
        with ended(self.process):
            pass

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), 10)

    def talk(self, *pieces, until):
        """Sends the pieces, each but the first when something came back; returns all that came."""
        got = b""
        with self.connect() as s:
            for piece in pieces:
                s.sendall(piece)
                got += s.recv(65536)
            while until not in got:
                more = s.recv(65536)
                assert more, got
                got += more
        return got

    def events(self, kind):
        return [e for e in mhr.read_dir(self.out) if e["event"] == kind]

    def units(self):
        """(method and path, status, how) of the units that ended, in the order of their requests."""
        begun = {e["unit"]: e["tail"] for e in self.events("unit_begin")}
        ends = {e["unit"]: (begun[e["unit"]], e["status"], e["how"]) for e in self.events("unit_end")}
        return [ends[u] for u in begun if u in ends]

    def report(self):
        return json.loads(subprocess.run([MISHAP, "report", self.out, "--format", "json"], check=True,
                                         stdout=subprocess.PIPE).stdout)


def ask(path, method="GET", headers="", body=b""):
    return ("%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (method, path, headers)).encode() + body


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_pipelined(guest, http):
    if not has_module(http):
        pytest.skip("python3-%s is not installed" % http)
    with Server(guest, "uvicorn", "--http", http) as s:
        s.talk(ask("/slow") + ask("/b", "POST", "Content-Length: 4\r\n", b"body") + ask("/c"),
               until=b"/c 0")
    assert s.units() == [("GET /slow", 200, 0), ("POST /b", 200, 0), ("GET /c", 200, 0)]
    b = [e for e in s.events("unit_end") if e["bytes"] == 4]
    assert b and b[0]["latency_ns"] >= 250e6, "it waited for the one ahead of it"


def test_one_connection_for_many(guest):
    with Server(guest, "uvicorn", "--http", "h11") as s:
        s.talk(ask("/a", "HEAD"), ask("/none"), ask("/b"),
               ask("/c", "POST", "Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"), until=b"/c 3")
        s.talk(ask("/d", "PUT", "Content-Length: 3\r\nExpect: 100-continue\r\n"), b"abc", until=b"/d 3")
    assert s.units() == [("HEAD /a", 200, 0), ("GET /none", 204, 0), ("GET /b", 200, 0),
                         ("POST /c", 200, 0), ("PUT /d", 200, 0)]


def test_http2_is_called_so(guest):
    with Server(guest, "gunicorn", app="asgi_app:wsgi") as s, s.connect() as c:
        c.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        c.recv(100)
    assert [e["what"] for e in s.events("spoken")] == [mhr.SPOKEN["http2"]] and not s.units()


@pytest.mark.parametrize("module, app, options, roles", [
    ("gunicorn", "asgi_app:wsgi", ["-w", "2"], {"gunicorn arbiter": 1, "gunicorn worker": 2}),
    ("uvicorn", "asgi_app:app", ["--workers", "2"], {"uvicorn supervisor": 1, "uvicorn worker": 2}),
    ("uvicorn", "asgi_app:app", [], {"uvicorn server": 1}),
])
def test_what_a_process_is(guest, module, app, options, roles):
    with Server(guest, module, *options, app=app) as s:
        for _ in range(20):
            s.talk(ask("/a"), until=b"/a")
        wait_for(lambda: len(s.events("process")) >= sum(roles.values()))
    seen = [p["role"] for p in s.report()["processes"]]
    assert {r: seen.count(r) for r in roles} == roles, seen


@pytest.mark.parametrize("status, state", [(0, "succeeded"), (3, "failed")])
def test_a_command_is_one_unit(guest, status, state):
    done = guest.code("import sys; print('done'); sys.exit(int(sys.argv[1]))", status)
    report = json.loads(subprocess.run([MISHAP, "report", done.out, "--format", "json"], check=True,
                                       stdout=subprocess.PIPE).stdout)
    (unit,), (process,) = report["units"], report["processes"]
    assert (unit["kind"], unit["state"], unit["exact"]) == ("command", state, True)
    assert unit["name"].startswith("run %s -c" % PYTHON) and process["role"] == "command"
