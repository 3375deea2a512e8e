# SPDX-License-Identifier: Apache-2.0
"""Where logs go: each kind of sink is known by where it is, and what is told of a line is its level, exceptions,
peers that the program knows, and the id of its trace."""

import os
import socket

import pytest

import mhr
from guest import PRELUDE, PYTHON

TRACE = "0af7651916cd43dd8448eb211c80319c"


def logs(guest, peer, code, *args):
    r = guest.command([PYTHON, "-c", PRELUDE + code, str(peer.plain), "0", *map(str, args)])
    assert r.status == 0, r.stderr
    return {(e["sink"], e["level"], e["tail"]) for e in r.events("log")}


def test_standard_streams_and_files(guest, peer, tmp_path):
    got = logs(guest, peer, """
s = connect()
os.write(1, b"INFO fine\\n"); os.write(2, b"WARNING no answer of 127.0.0.1:%d, of hunter2:5432\\n" % port)
with open(sys.argv[3] + "/app.log", "w") as f: f.write("ERROR OSError trace_id=" + sys.argv[4] + "\\n")
with open(sys.argv[3] + "/data.txt", "w") as f: f.write("ERROR OSError\\n")
""", tmp_path, TRACE)
    level, sink = mhr.LEVEL, mhr.SINK
    assert got == {(sink["stdout"], level["info"], ""), (sink["stderr"], level["warning"], "127.0.0.1:%d" % peer.plain),
                   (sink["file"], level["error"], "OSError trace:" + TRACE)}


@pytest.mark.parametrize("how", ["connect", "sendto"])
@pytest.mark.parametrize("sink, port, text, level, words", [
    ("syslog", 514, "<11>app: ConnectionError", "error", "ConnectionError"),
    ("statsd", 8125, "errors.TimeoutError:1|c", None, "TimeoutError"),
])
def test_datagrams(guest, peer, how, sink, port, text, level, words):
    send = {"connect": 's.connect(("127.0.0.1", %d)); s.send(data)', "sendto": 's.sendto(data, ("127.0.0.1", %d))'}
    got = logs(guest, peer, "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                            "data = sys.argv[3].encode()\n" + send[how] % port, text)
    assert got == {(mhr.SINK[sink], mhr.LEVEL[level] if level else 0, words)}


def test_journald(guest, peer):
    """Its socket by its name; where there is one already, or may not be made, it is left alone."""
    place = "/run/systemd/journal"
    path = place + "/socket"
    if os.path.exists(path) or not os.access("/run", os.W_OK):
        pytest.skip("a journal of its own is here, or /run is not ours")
    made = [d for d in ("/run/systemd", place) if not os.path.isdir(d)]
    os.makedirs(place, exist_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        server.bind(path)
        got = logs(guest, peer, """
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendmsg([b"MESSAGE=no KeyError\\n", b"PRIORITY=3\\n"], [], 0, "%s")
""" % path)
    finally:
        server.close()
        if os.path.exists(path):
            os.unlink(path)
        for d in reversed(made):
            os.rmdir(d)
    assert {(s, t) for s, _, t in got} == {(mhr.SINK["journal"], "KeyError"), (mhr.SINK["journal"], "")}
    assert mhr.LEVEL["error"] in {level for _, level, _ in got}


def test_otlp_and_sentry(guest, peer):
    """Plaintext exports: severities and types of exceptions are read as they stand in them."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", 4318))
    except OSError:
        pytest.skip("port 4318 is taken")
    listener.listen(8)
    with listener:
        got = logs(guest, peer, """
def post(where, path, body):
    s = socket.create_connection(("127.0.0.1", where))
    s.sendall(b"POST %s HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: %d\\r\\n\\r\\n" % (path, len(body))); s.sendall(body)
post(4318, b"/v1/logs", b'{"severityText":"ERROR","traceId":"TRACE","body":{"stringValue":"KeyError: 1"}}')
post(4318, b"/v1/logs", b'\\x1a\\x05ERROR\\x2a\\x0a\\x0a\\x08OSError\\x00')
post(port, b"/api/7/envelope/", b'{"level":"warning","exception":{"values":[{"type":"ValueError","value":"x"}]}}')
post(port, b"/api/x/envelope/", b'{"level":"warning","exception":{"values":[{"type":"TypeError","value":"x"}]}}')
""".replace("TRACE", TRACE))
    sink, level = mhr.SINK, mhr.LEVEL
    assert got == {(sink["otlp"], level["error"], "KeyError trace:" + TRACE), (sink["otlp"], level["error"], "OSError"),
                   (sink["sentry"], level["warning"], "ValueError")}
