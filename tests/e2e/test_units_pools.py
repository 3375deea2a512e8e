# SPDX-License-Identifier: Apache-2.0
"""Requests whose work is done by threads of a pool, by other threads and by other tasks: each call belongs
to the request that asked for it, though many are served at once; what goes on after the answer is called
background. Each route of the server has a peer of its own, so that a call given to another request shows."""

import collections
import http.client
import json
import os
import subprocess
import threading

import pytest
from guest import BUILD, PROGRAMS, PYTHON, has_module
from pythons import every_python, need_python
from queues import ended, free_port, wait_for
from test_units_http import open_port

MISHAP = os.path.join(BUILD, "tools", "mishap")
KINDS = ["sync", "executor", "threadpool", "async", "gather", "nested", "thread", "background"]
CLIENTS, EACH = 20, 8
LATE = """
    [fault late]
    call = recv
    side = client
    delay = uniform 1ms 40ms
"""


@pytest.fixture
def peers():
    """Ports of two peers for each kind of route; they answer each request and close."""
    import socketserver

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        request_queue_size = 200

    servers = [Server(("127.0.0.1", 0), Answer) for _ in range(2 * len(KINDS))]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_address[1] for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def _load(port, paths):
    def client(n):
        for k in range(EACH):
            c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            c.request("GET", paths[(n + 3 * k) % len(paths)])
            answer = c.getresponse()
            answer.read()
            statuses.append(answer.status)
            c.close()
    statuses = []
    clients = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    assert statuses == [200] * CLIENTS * EACH


def _attributes(span):
    return {a["key"]: next(iter(a["value"].values())) for a in span.get("attributes", [])}


def _calls(out):
    """Of the report: (route of the request, None of none; port of the peer) of each call."""
    text = subprocess.run([MISHAP, "report", out, "--format", "otlp"], check=True, stdout=subprocess.PIPE)
    spans = [s for line in text.stdout.splitlines() for r in json.loads(line).get("resourceSpans", [])
             for scope in r["scopeSpans"] for s in scope["spans"]]
    routes = {s["spanId"]: _attributes(s).get("http.route") for s in spans}
    return collections.Counter((routes.get(s.get("parentSpanId")), int(_attributes(s)["server.port"]))
                               for s in spans if "server.port" in _attributes(s))


def _judge(calls, peers, routes):
    """Every call is its route's own, or background where a route begins that."""
    owner = dict(zip(peers, routes))
    wrong = {c: n for c, n in calls.items() if c[0] is not None and c[0] != owner[c[1]]}
    unknown = {c: n for c, n in calls.items() if c[0] is None and "background" not in owner[c[1]]}
    assert not wrong and not unknown, (wrong, unknown)
    for peer, route in owner.items():
        mine, none = calls[(route, peer)], calls[(None, peer)]
        assert (mine == 0 and none) if "background" in route else mine >= 3, (route, mine, none)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_each_call_is_its_own_request_s(guest, peers, loop):
    for module in ("fastapi", "uvicorn", *(["uvloop"] if loop == "uvloop" else [])):
        if not has_module(module):
            pytest.skip("python3-%s is not installed" % module)
    port = free_port()
    process, out = guest.start(
        [PYTHON, "-m", "uvicorn", "pool_app:app", "--port", str(port), "--no-access-log", "--loop", loop],
        config=LATE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=guest.directory,
        env={"PYTHONPATH": PROGRAMS, "PEERS": " ".join(map(str, peers))})
    paths = ["/%s-%s" % (kind, which) for which in "ab" for kind in KINDS]
    with ended(process):
        wait_for(lambda: open_port(port))
        _load(port, paths)
        wait_for(lambda: sum(n for (route, _), n in _calls(out).items() if route is None) > 0)
    _judge(_calls(out), peers, paths)


@every_python
def test_in_every_python(guest, peers, python):
    port, kinds = free_port(), ["executor", "threadpool", "async", "gather", "nested", "background"]
    process, out = guest.start(
        [need_python(python), os.path.join(PROGRAMS, "pool_server.py"), str(port)], config=LATE,
        env={"PEERS": " ".join(map(str, peers[:len(kinds) * 2]))})
    paths = ["/%s-%d" % (kind, n) for n, kind in enumerate(kinds * 2)]
    with ended(process):
        wait_for(lambda: open_port(port))
        _load(port, paths)
        wait_for(lambda: sum(n for (route, _), n in _calls(out).items() if route is None) > 0)
    _judge(_calls(out), peers, ["/%s-{n}" % kind for kind in kinds * 2])
