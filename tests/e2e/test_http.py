# SPDX-License-Identifier: Apache-2.0
"""What is recorded of plaintext HTTP on both sides, with real servers and clients, and of log records;
and that nothing secret of either gets into the recording."""

import glob
import os

import mhr
import pytest
from guest import PROGRAMS, PYTHON, has_module

EXPECTED = [("GET /items", 200), ("GET /busy", 503), ("GET /none", 204), ("GET /stream", 200),
            ("POST /pay", 201)]


@pytest.mark.parametrize("client", ["urllib", "requests", "httpx"])
@pytest.mark.parametrize("server", ["stdlib", "h11", "httptools"])
def test_both_sides(guest, server, client):
    for name in {"h11": ["uvicorn", "h11"], "httptools": ["uvicorn", "httptools"]}.get(server, []) + [client]:
        if not has_module(name):
            pytest.skip("python3-%s is not installed" % name)
    done = guest.command([PYTHON, os.path.join(PROGRAMS, "web.py"), server, client])
    assert done.json() == [[200, 37], [503, 4], [204, 0], [200, 5000], [201, 9]]

    ends = {e["tail"]: e for e in done.events("unit_end")}
    assert [(e["tail"], e["status"]) for e in done.events("unit_end")] == EXPECTED
    assert [e["tail"] for e in done.events("unit_begin")] == [text for text, _ in EXPECTED]
    assert ends["GET /items"]["nkeys"] == 2 and ends["GET /items"]["keys"]
    assert [ends[t]["bytes"] for t, _ in EXPECTED] == [37, 4, 0, 5000, 9]
    assert [ends[t]["retry_after_s"] for t, _ in EXPECTED] == [-1, 17, -1, -1, -1]
    assert all(e["how"] == 0 for e in ends.values())

    requests = done.events("request")
    assert [e["tail"] for e in requests] == [text for text, _ in EXPECTED]
    assert [e["idempotency_key"] for e in requests] == [0, 0, 0, 0, 1]
    responses = done.events("response")
    assert [e["status"] for e in responses] == [status for _, status in EXPECTED]
    assert [e["retry_after_s"] for e in responses] == [-1, 17, -1, -1, -1]


def test_answers_in_small_pieces(guest):
    done = guest.command([PYTHON, os.path.join(PROGRAMS, "web.py"), "stdlib", "urllib"], """
        [fault drip]
        call = recv
        side = client
        short = 1..16
        """)
    assert done.json()[1] == [503, 4]
    assert [(e["status"], e["retry_after_s"]) for e in done.events("response")] == [
        (200, -1), (503, 17), (204, -1), (200, -1), (201, -1)]
    assert len(done.faults()) >= 5


def test_nothing_secret_is_kept(guest):
    done = guest.command([PYTHON, os.path.join(PROGRAMS, "web.py"), "stdlib", "urllib"])
    words = [w for e in done.events("log") for w in e["tail"].split()]
    assert "ConnectionRefusedError" in words
    assert "redis:6379" not in words, "it has never asked for that host: it may be anything"
    assert any(e["traceback"] for e in done.events("log"))
    assert mhr.LEVEL["error"] in {e["level"] for e in done.events("log")}
    for path in glob.glob(os.path.join(done.out, "*.mhr")):
        with open(path, "rb") as f:
            assert b"SECRET" not in f.read()


MADE_IN_A_TASK = """
    import asyncio, http.client, http.server, json, threading
    class Quiet(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
        def log_message(self, *args):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    def ask(path):
        line.request("GET", path)
        return line.getresponse().read().decode()
    async def greet():
        return ask("/hello")
    def work(said):
        said.append(ask("/work"))
    said = [asyncio.run(greet())]
    worker = threading.Thread(target=work, args=(said,))
    worker.start()
    worker.join()
    print(json.dumps(said))
"""


def test_a_thread_speaks_for_itself_on_a_connection_that_a_task_made(guest):
    done = guest.code(MADE_IN_A_TASK)
    assert done.json() == ["ok", "ok"]
    stacks = mhr.stacks(done.events())
    asked = {e["tail"]: [frame[0] for frame in stacks[e["stack"]]] for e in done.events("request")}
    assert "greet" in asked["GET /hello"]
    assert "work" in asked["GET /work"] and "greet" not in asked["GET /work"]
