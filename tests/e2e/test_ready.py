# SPDX-License-Identifier: Apache-2.0
"""When a run begins: what --ready HOST:PORT and --ready URL take for an answer."""
import http.server
import json
import os
import socket
import subprocess
import threading

import pytest

import mhr
from guest import LIBRARY, PYTHON, need
from test_bad_luck import entry, said  # noqa: F401
from test_run import child_record, command, free_port, run

pytestmark = pytest.mark.skipif(not os.path.exists(LIBRARY), reason="the library is not built")

SLOW_APP = """import time
time.sleep(3)
open("loaded", "w").close()
def app(environ, start_response):
    status = "503 Not yet" if environ["PATH_INFO"] == "/never" else "200 OK"
    start_response(status, [("Content-Type", "text/plain")])
    return [b"x"]
"""
# Listens at once; what it does with connections follows.
LISTENS = "import os, socket, sys, time\ns = socket.create_server((sys.argv[2], int(sys.argv[1])), family=%s)\n"
NEVER = "time.sleep(60)"
LATE = "time.sleep(1.5)\nopen('loaded', 'w').close()\nc = s.accept()\ntime.sleep(60)"
SAYS = "time.sleep(1.5)\nopen('loaded', 'w').close()\n" \
       "while True: c, _ = s.accept(); c.recv(999); c.sendall(%r + b'x' * 200000); c.close()"
REFUSES = "n = 0\nwhile True:\n c, _ = s.accept(); c.recv(999); n += 1\n if n > 3: open('loaded', 'w').close()\n" \
          " c.sendall(b'HTTP/1.0 %d x\\r\\n\\r\\n' % (404 if n > 3 else 503)); c.close()"


def listener(code, port, host="127.0.0.1", family="socket.AF_INET"):
    return [PYTHON, "-c", LISTENS % family + code, str(port), host]


def begins(tmp_path, where, program, *words):
    """The run begins after the command has made `loaded`."""
    done = run(tmp_path, "-q", "--ready", where, *words, "--with", "test -e loaded && touch began", "--", *program)
    assert done.returncode == 0 and said(done.stderr) == [], done.stderr
    assert (tmp_path / "began").exists()
    return done


@pytest.mark.parametrize("url", [False, True], ids=["port", "url"])
def test_gunicorn_is_ready_when_a_worker_is(tmp_path, url):
    """Its master listens three seconds before."""
    (tmp_path / "slow.py").write_text(SLOW_APP)
    port = free_port()
    begins(tmp_path, ("http://127.0.0.1:%d/x" if url else "127.0.0.1:%d") % port,
           [need("gunicorn"), "-b", "127.0.0.1:%d" % port, "slow:app"])
    asked = [e for e in mhr.read_dir(str(tmp_path / "out")) if e["event"] == "accepted"]
    assert len(asked) <= 2, "one question, not one each 50 ms"


@pytest.mark.parametrize("where, host, family", [
    ("127.0.0.1:%d", "127.0.0.1", "socket.AF_INET"), ("[::1]:%d", "::1", "socket.AF_INET6"),
    ("127.0.0.1:%d", "::", "socket.AF_INET6"),
], ids=["IPv4", "IPv6", "IPv4 mapped into IPv6"])
def test_a_connection_has_to_be_taken(tmp_path, where, host, family):
    port, late = free_port(), LATE
    if host == "::":
        late = "s.close(); s = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6, " \
               "dualstack_ipv6=True)\n" + LATE
    begins(tmp_path, where % port, listener(late, port, host, family))


def test_who_listens_as_a_sign_only(tmp_path):
    """A worker that serves nobody may say so that it is there: it is waited for in vain, then the run begins."""
    port = free_port()
    done = run(tmp_path, "--ready", ":%d" % port, "--ready-within", "1s", "--fail-on", "high", "--with", "touch began",
               "--", *listener(NEVER, port))
    assert done.returncode == 11 and (tmp_path / "began").exists(), done.stderr
    assert said(done.stderr)[0] == \
        "mishap: :%d listens, but nobody took the connection within 1 s: the run begins all the same" % port
    assert child_record(tmp_path)["ready"] == 1


def test_data_are_waited_for_by_the_kernel(tmp_path):
    """TCP_DEFER_ACCEPT: a connection that says nothing is handed to nobody; that there is one has to do."""
    port = free_port()
    late = "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)\nopen('loaded', 'w').close()\n" + NEVER
    begins(tmp_path, "127.0.0.1:%d" % port, listener(late, port))


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.0 302 Found\r\nLocation: /y\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\n\r\n",
], ids=["200", "302", "404"])
def test_a_url_is_answered(tmp_path, answer):
    port = free_port()
    begins(tmp_path, "http://127.0.0.1:%d" % port, listener(SAYS % answer, port))


def test_a_url_is_asked_until_it_is_well(tmp_path):
    port = free_port()
    begins(tmp_path, "http://127.0.0.1:%d/?a=b#c" % port, listener(REFUSES, port))


def test_an_answer_without_end(tmp_path):
    """As of server-sent events."""
    port = free_port()
    endless = "c, _ = s.accept(); c.recv(999); open('loaded', 'w').close()\n" \
              "c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\n')\n" \
              "try:\n while True: c.sendall(b'data: x\\n\\n'); time.sleep(.1)\nexcept OSError: time.sleep(60)"
    begins(tmp_path, "http://127.0.0.1:%d/" % port, listener(endless, port))


@pytest.mark.parametrize("code, line", [
    (SAYS % b"HTTP/1.1 503 x\r\n\r\n", "answered with status 503, and nothing better"),
    (SAYS % b"SSH-2.0-x\r\n", "took no request, or answered none,"),
    (NEVER, "took no request, or answered none,"),
], ids=["503", "not HTTP", "nothing"])
def test_a_url_that_is_never_well(tmp_path, code, line):
    port = free_port()
    where = "http://127.0.0.1:%d/health" % port
    done = run(tmp_path, "--ready", where, "--ready-within", "2500ms", "--fail-on", "high", "--with", "touch began", "--",
               *listener(code, port))
    assert done.returncode == 3 and not (tmp_path / "began").exists()
    assert said(done.stderr) == ["mishap: %s %s within 2.5 s" % (where, line)]


def test_what_is_asked(tmp_path):
    port = free_port()
    code = "c, _ = s.accept(); open('asked', 'wb').write(c.recv(9999)); c.sendall(b'HTTP/1.1 204 x\\r\\n\\r\\n'); c.close();" \
           "time.sleep(60)"
    open(tmp_path / "loaded", "w").close()
    begins(tmp_path, "http://127.0.0.1:%d/a?b=c#d" % port, listener(code, port))
    lines = (tmp_path / "asked").read_bytes().decode().split("\r\n")
    assert lines[0] == "GET /a?b=c HTTP/1.1" and "Host: 127.0.0.1:%d" % port in lines
    assert "Connection: close" in lines and lines[-2:] == ["", ""]


@pytest.mark.parametrize("where, line", [
    ("https://127.0.0.1:1/", "is not of http://"), ("http://", "is not HOST:PORT, nor http://"),
    ("http://127.0.0.1:x/", "is not HOST:PORT, nor http://"), ("http://a@127.0.0.1/", "is not HOST:PORT, nor http://"),
    ("http://127.0.0.1:1/a b", "is not HOST:PORT, nor http://"), ("http://::1/", "is not HOST:PORT, nor http://"),
    ("http://127.0.0.1:1/\n", "is not HOST:PORT, nor http://"), ("http://no.such.host.invalid/", "has no address"),
])
def test_a_url_that_is_none(tmp_path, where, line):
    done = run(tmp_path, "--ready", where, "--", "touch", "ran")
    assert done.returncode == 2 and line in done.stderr and os.listdir(tmp_path) == []


def test_another_answers_the_url(tmp_path):
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = "http://127.0.0.1:%d/" % server.server_port
    done = run(tmp_path, "--ready", where, "--", "touch", "ran")
    server.shutdown()
    server.server_close()
    assert done.returncode == 2 and "something else listens there" in done.stderr
    assert os.listdir(tmp_path) == []


def test_it_is_replayed_with_it(tmp_path):
    port = free_port()
    open(tmp_path / "loaded", "w").close()
    where = "http://127.0.0.1:%d/" % port
    begins(tmp_path, where, listener(SAYS % b"HTTP/1.1 200 OK\r\n\r\n", port))
    assert json.loads((tmp_path / "out" / "run.json").read_text())["ready"] == where


APART = """unshare --net sleep 60 & apart=$!
until [ "$(readlink /proc/$apart/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep .05; done
ip link add here type veth peer name there netns $apart && ip addr add 10.9.9.1/24 dev here && ip link set here up &&
    nsenter -t $apart -n sh -c 'ip addr add 10.9.9.2/24 dev there && ip link set there up' || exit 77
"$@" nsenter -t $apart -n %s
status=$?; kill $apart; exit $status
"""


def test_a_server_in_another_network(tmp_path):
    """As in a container: its end of the connection cannot be seen, that there is one has to do."""
    words = [need(w) for w in ("unshare", "nsenter", "ip")]
    (tmp_path / "serve.py").write_text("import socket, time\ntime.sleep(1)\nopen('loaded', 'w').close()\n"
                                       "s = socket.create_server(('', 80))\ntime.sleep(60)")
    done = subprocess.run([words[0], "--net", "sh", "-c", APART % "\"$PYTHON\" serve.py", "sh",
                           *command("-q", "-o", "out", "--ready", "10.9.9.2:80", "--with",
                                    "test -e loaded && touch began", "--")], cwd=tmp_path, check=False, timeout=60,
                          env={**os.environ, "PYTHON": PYTHON}, stderr=subprocess.PIPE, text=True)
    if done.returncode in (1, 77) and not (tmp_path / "out").exists():
        pytest.skip("no networks of one's own here: " + done.stderr)
    assert done.returncode == 0 and said(done.stderr) == [] and (tmp_path / "began").exists(), done.stderr


def test_the_death_of_who_listened(tmp_path):
    """The connection that waited is reset; another process takes the next one."""
    port = free_port()
    code = "if os.fork() == 0:\n time.sleep(1); os._exit(0)\nos.wait(); s.close(); time.sleep(.5)\n" \
           "s = socket.create_server((sys.argv[2], int(sys.argv[1]))); open('loaded', 'w').close()\n" \
           "c = s.accept(); time.sleep(60)"
    begins(tmp_path, "127.0.0.1:%d" % port, listener(code, port))
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port))


class Late(http.server.BaseHTTPRequestHandler):
    """Well from the third request on."""
    seen = []

    def do_GET(self):
        self.seen.append((self.path, self.headers["Host"]))
        self.send_response(200 if len(self.seen) > 2 else 503)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_stage_of_compose_waits_for_a_url(tmp_path, entry):  # noqa: F811
    server = http.server.HTTPServer(("127.0.0.1", 0), Late)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = "127.0.0.1:%d" % server.server_port
    stage = entry("stage", "-w", "20", "-r", "http://%s/health?a" % at, "-t", "0", tmp_path / "v")
    _, stderr = stage.communicate(timeout=40)
    server.shutdown()
    server.server_close()
    assert (tmp_path / "v" / "begin").exists() and said(stderr) == [
        "mishap: there is no recording (*.mhr) in '%s/v/rec'" % tmp_path]
    assert Late.seen == [("/health?a", at)] * 3
