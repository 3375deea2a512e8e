# SPDX-License-Identifier: Apache-2.0
"""A little of all that a scenario can be about, round and round, for test_scenarios.py:
everything.py SECONDS DIRECTORY REDIS POSTGRES HTTP BROKER TELEMETRY OWN. Each thing has a short limit and no trouble
ends it; a worker that dies is started again."""

import http.client
import os
import socket
import struct
import subprocess
import sys
import threading
import time

SECONDS, FOLDER = float(sys.argv[1]), sys.argv[2]
REDIS, POSTGRES, HTTP, BROKER, TELEMETRY, OWN = map(int, sys.argv[3:9])
LIMIT = 0.15
kept, spare, rounds = {}, {}, {}


def connect(port):
    return socket.create_connection(("127.0.0.1", port), LIMIT)


def talk(port, first, then):
    """One exchange on a connection that is kept as long as it works. As a pool does it has a spare one for the time
    in which there are no new ones."""
    s, request = kept.pop(port, None), then
    if s is None:
        request = first
        try:
            s = connect(port)
            if port not in spare:
                spare[port] = connect(port)
        except OSError:
            if s is None and port not in spare:
                raise
            s = s or spare.pop(port)
    s.sendall(request)
    rounds[port] = rounds.get(port, 0) + 1
    if s.recv(65536) and rounds[port] % 20:  # and a new one now and then
        kept[port] = s


def redis():
    talk(REDIS, b"PING\r\n", b"PING\r\n")


def broker():
    talk(BROKER, b"hello\n", b"hello\n")


def telemetry():
    talk(TELEMETRY, b"hello\n", b"hello\n")


def postgres():
    body = b"\x00\x03\x00\x00user\x00postgres\x00database\x00postgres\x00\x00"
    query = b"SELECT 1\x00"
    talk(POSTGRES, struct.pack("!I", len(body) + 4) + body, b"Q" + struct.pack("!I", len(query) + 4) + query)


def web():
    request = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
    talk(HTTP, request, request)


def own():
    c = http.client.HTTPConnection("127.0.0.1", OWN, timeout=LIMIT)
    try:
        c.request("GET", "/")
        c.getresponse().read()
    finally:
        c.close()


def names():
    # a resolver without a network may take its time
    for name in "name.invalid", "both.test":
        threading.Thread(target=ask, args=(name,), daemon=True).start()


def ask(name):
    try:
        socket.getaddrinfo(name, 80)
    except OSError:
        pass


def disk():
    with open(os.path.join(FOLDER, "app.log"), "ab", 0) as f:
        f.write(b"line\n")
        os.fsync(f.fileno())
    with open(os.path.join(FOLDER, "app.db"), "w+b", 0) as f:
        f.write(b"x" * 100)
        f.seek(0)
        f.read(10)


def memory():
    bytes(300 << 20)  # never touched, so it costs nothing


def descriptors():
    have = []
    try:
        for _ in range(100):
            have.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for fd in have:
            os.close(fd)


def serve(listener):
    while True:
        try:
            s, _ = listener.accept()
            with s:
                s.settimeout(LIMIT)
                s.recv(4096)
                s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            time.sleep(0.001)


def work():
    listener = socket.create_server(("127.0.0.1", OWN), reuse_port=True)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    things = (redis, postgres, web, broker, telemetry, own, names, disk, memory, descriptors, time.time)
    for thing in things:
        threading.Thread(target=round_and_round, args=(thing,), daemon=True).start()
    threading.Event().wait()


def round_and_round(thing):
    while True:
        try:
            thing()
        except (OSError, MemoryError, http.client.HTTPException):
            pass
        time.sleep(0.003 if thing not in (memory, descriptors, names, time.time) else 0.05)


if len(sys.argv) > 9:
    end = float(sys.argv[9])
    threading.Timer(max(0.1, end - time.monotonic()), os._exit, [0]).start()
    work()
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    subprocess.run([sys.executable, *sys.argv, "%f" % end, "celery worker"], check=False)
