# SPDX-License-Identifier: Apache-2.0
"""abort_if: the faults are lifted for good when a condition holds, it is said, and the run goes on."""

import json
import os
import socket
import subprocess
import textwrap

import pytest

from guest import BUILD, PYTHON

import mhr

MISHAP = os.path.join(BUILD, "tools", "mishap")

# Every child makes one call that the fault kills it at; the parent starts the next.
WORKERS = """
import os, signal, socket, subprocess, sys, time
child = "import time, socket; time.sleep(0.3); s = socket.socket(); s.connect_ex(('127.0.0.1', 9)); print('lived')"
lived = b""
for i in range(12):
    lived = subprocess.run([sys.executable, "-c", child], stdout=subprocess.PIPE).stdout
    print(i, "lived" if lived else "died", flush=True)
    if lived:
        break
"""
SERVER = """
import socket, sys, threading, time, http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class H(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            socket.create_connection(("127.0.0.1", int(sys.argv[2])), 5).close()
            status = 200
        except OSError:
            status = 503
        self.send_response(status); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H)
threading.Thread(target=server.serve_forever, daemon=True).start()
end, told = time.monotonic() + 8, []
while time.monotonic() < end and told[-5:] != [200] * 5:
    c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    c.request("GET", "/"); told.append(c.getresponse().status); c.close()
    time.sleep(0.05)
print(told[0], told[-1], flush=True)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(tmp_path, scenario, program, *args):
    path = tmp_path / "s.ini"
    path.write_text(textwrap.dedent(scenario))
    done = subprocess.run([MISHAP, "run", "--kernel", "off", "-c", str(path), "-o", str(tmp_path / "out"),
                           "--report", str(tmp_path / "r.json"), "-q", "--", PYTHON, "-c", program, *map(str, args)],
                          text=True, timeout=90, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    report = json.loads((tmp_path / "r.json").read_text())
    notes = [e["tail"] for e in mhr.read_dir(str(tmp_path / "out"))
             if e["event"] == "note" and e["code"] == mhr.NOTE["aborted"]]
    return done, report, notes


KILL = "[fault die]\ncall = connect\npeer = :9\nkill = SIGKILL\n"


@pytest.mark.parametrize("condition", ["exits > 2", "exits > 2 for 1m", "http_5xx > 9, exits > 2"])
def test_exits(tmp_path, condition):
    done, report, notes = run(tmp_path, "[run]\nabort_if = %s\n%s" % (condition, KILL), WORKERS)
    lines = done.stdout.split("\n")
    assert [line.split()[1] for line in lines if line][:3] == ["died"] * 3, lines
    assert lines[-2].endswith("lived"), "the faults were not lifted: %s" % lines
    held = condition.split(", ")[-1].replace("1m", "1 min")
    assert len(notes) == 1 and notes[0].endswith("abort_if = " + held)
    assert "'%s' held: all faults are lifted" % held in done.stderr
    assert notes[0] in report["blind_spots"]


@pytest.mark.parametrize("condition", ["exits > 50", "exits > 3 for 100ms"])
def test_what_does_not_hold(tmp_path, condition):
    done, _, notes = run(tmp_path, "[run]\nabort_if = %s\n%s" % (condition, KILL), WORKERS)
    assert done.stdout.count("died") == 12 and not notes


def test_share_of_5xx(tmp_path):
    port = free_port()
    done, _, notes = run(tmp_path, "[run]\nabort_if = http_5xx > 90% for 1s\n"
                         + "[fault down]\ncall = connect\npeer = :9\nerror = ECONNREFUSED\n", SERVER, port, 9)
    assert done.stdout.startswith("503 503") and len(notes) == 1  # nobody listens on port 9
    ears = socket.create_server(("127.0.0.1", 0))
    (tmp_path / "two").mkdir()
    there = ears.getsockname()[1]
    done, report, notes = run(tmp_path / "two", "[run]\nabort_if = http_5xx > 90%% for 1s\n"
                              "[fault down]\ncall = connect\npeer = :%d\nerror = ECONNREFUSED\n" % there,
                              SERVER, free_port(), there)
    assert done.stdout == "503 200\n" and len(notes) == 1 and notes[0] in report["blind_spots"]


def test_number_of_5xx(tmp_path):
    ears = socket.create_server(("127.0.0.1", 0))
    there = ears.getsockname()[1]
    done, _, notes = run(tmp_path, "[run]\nabort_if = http_5xx > 3\n[fault down]\ncall = connect\npeer = :%d\n"
                         "error = ECONNREFUSED\n" % there, SERVER, free_port(), there)
    assert done.stdout == "503 200\n" and len(notes) == 1
