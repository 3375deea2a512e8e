# SPDX-License-Identifier: Apache-2.0
"""A client that goes through steps and says what each gave: differential.py HOST PORT GOOD-PORT MODE STEPS.
MODE is blocking, limit (settimeout) or nonblocking; STEPS are names with commas between. At `fault` it
says so and waits for a line. MODE asyncio and uvloop tell what a protocol is told instead. The same program meets
real faults of the network and those of mishap; SAY is the command with which it sends, if not "echo"."""

import asyncio
import errno
import json
import os
import select
import socket
import sys
import time

HOST, PORT, GOOD, MODE, STEPS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5].split(",")
IN, NAMES = select.POLLIN | select.POLLOUT | select.POLLRDHUP, ["IN", "OUT", "ERR", "HUP", "RDHUP"]


SAY = os.environ.get("SAY", "echo").encode() + b" hi\n"


def flags(mask, prefix):
    return "+".join(n for n in NAMES if mask & getattr(select, prefix + n)) or "nothing"


def fresh():
    s = socket.socket()
    if MODE == "limit":
        s.settimeout(8)
    elif MODE == "nonblocking":
        s.setblocking(False)
    return s


s = fresh()


def polled(wanted=IN, wait=6000):
    p = select.poll()
    p.register(s, wanted)
    return flags(sum(m for _, m in p.poll(wait)), "POLL")


def epolled():
    with select.epoll() as e:
        e.register(s, IN)
        return flags(sum(m for _, m in e.poll(6)), "EPOLL")


def selected():
    r, w, x = select.select([s], [s], [s], 6)
    return "+".join(n for n, ready in (("r", r), ("w", w), ("x", x)) if ready)


def code(n):
    return errno.errorcode.get(n, n)


def fault():
    print("fault", flush=True)
    sys.stdin.readline()


def user_timeout():
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000)


def renew():
    global s
    s = fresh()


DO = {
    "connect": lambda: code(s.connect_ex((HOST, PORT))),
    "good": lambda: code(s.connect_ex((HOST, GOOD))),
    "poll": polled, "epoll": epolled, "select": selected,
    "readable": lambda: polled(select.POLLIN | select.POLLRDHUP),
    "error": lambda: code(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)),
    "recv": lambda: s.recv(100).decode(),
    "send": lambda: s.send(SAY),
    "name": lambda: s.getpeername() and "peer",
    "shutdown": lambda: s.shutdown(socket.SHUT_RDWR),
    "half": lambda: s.shutdown(socket.SHUT_WR),
    "pause": lambda: time.sleep(0.3),
    "fault": fault, "user-timeout": user_timeout, "new": renew,
}


def attempt(step):
    try:
        return DO[step]()
    except OSError as e:
        return code(e.errno) if e.errno else type(e).__name__


async def events():
    """What a protocol is told, and what the transport says afterwards."""
    told, over = [], asyncio.get_running_loop().create_future()

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            told.append("made")

        def data_received(self, data):
            told.append("data %d" % len(data))

        def eof_received(self):
            told.append("eof")

        def connection_lost(self, error):
            told.append("lost %s %s" % (type(error).__name__, code(getattr(error, "errno", 0))))
            over.set_result(None)

    try:
        transport, _ = await asyncio.get_running_loop().create_connection(Protocol, HOST, PORT)
    except OSError as e:
        return ["%s %s" % (type(e).__name__, code(e.errno))]
    if "user-timeout" in STEPS:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000)
    if "fault" in STEPS:
        fault()
    transport.write(SAY)
    await asyncio.wait_for(over, 10)
    try:
        transport.write(SAY)
    except RuntimeError:  # uvloop's way to say that it is over
        told.append("closed")
    return told + [transport.is_closing()]


if MODE in ("asyncio", "uvloop"):
    if MODE == "uvloop":
        import uvloop

        uvloop.install()
    print(json.dumps({"story": asyncio.run(events()), "took": [0]}))
    sys.exit()
story, took = [], []
for step in STEPS:
    begun = time.monotonic()
    story.append([step, attempt(step)])
    took.append(time.monotonic() - begun)
print(json.dumps({"story": story, "took": took}))
