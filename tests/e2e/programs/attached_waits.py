# SPDX-License-Identifier: Apache-2.0
"""Threads that wait in every way when mishap comes: each must wait on as if nothing had been. Echoes nothing by
itself: the peer sends a byte on each connection now and then. attached_waits.py PORT SLEEP libc|python [LIMIT]

`libc`: by addresses of libc's functions, past Python's own care for EINTR, and past hooks that come later.
Prints "pid PID", then a line of JSON per wait that ended: {"how", "result", "seconds"}."""

import ctypes
import errno
import json
import os
import select
import socket
import struct
import sys
import threading
import time

PORT = int(sys.argv[1])
LIMIT = int(sys.argv[4]) if len(sys.argv) > 4 else 60  # seconds
libc = ctypes.CDLL(None, use_errno=True)
lock = threading.Lock()


class Event(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("events", ctypes.c_uint32), ("data", ctypes.c_uint64)]


class Poll(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]


def connection():
    return socket.create_connection(("127.0.0.1", PORT))


def recv(s, buf):
    return libc.recv(s.fileno(), buf, 1, 0)


def recv_limited(s, buf):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", LIMIT, 0))
    return libc.recv(s.fileno(), buf, 1, 0)


def read(s, buf):
    return libc.read(s.fileno(), buf, 1)


def poll(s, buf):
    return libc.poll(ctypes.byref(Poll(s.fileno(), select.POLLIN, 0)), 1, LIMIT * 1000)


def epoll_wait(s, buf):
    fd = libc.epoll_create1(0)
    libc.epoll_ctl(fd, 1, s.fileno(), ctypes.byref(Event(select.EPOLLIN, s.fileno())))
    return libc.epoll_wait(fd, ctypes.byref(Event()), 1, LIMIT * 1000)


def select_(s, buf):
    sets = (ctypes.c_ulong * 16)()
    sets[s.fileno() // 64] = 1 << (s.fileno() % 64)
    return libc.select(s.fileno() + 1, sets, None, None, ctypes.byref((ctypes.c_long * 2)(LIMIT, 0)))


def nanosleep(s, buf):
    return libc.nanosleep(ctypes.byref((ctypes.c_long * 2)(int(sys.argv[2]), 0)), None)


def by_recv(s, buf):
    return len(s.recv(1))


def by_timeout(s, buf):
    s.settimeout(LIMIT)
    return len(s.recv(1))


def by_read(s, buf):
    return len(os.read(s.fileno(), 1))


def by_poll(s, buf):
    p = select.poll()
    p.register(s, select.POLLIN)
    return len(p.poll(LIMIT * 1000)) and len(s.recv(1))


def by_epoll(s, buf):
    if not hasattr(mine, "epoll"):
        mine.epoll = select.epoll()
        mine.epoll.register(s, select.EPOLLIN)
    return len(mine.epoll.poll(LIMIT)) and len(s.recv(1))


def by_select(s, buf):
    return len(select.select([s], [], [], LIMIT)[0]) and len(s.recv(1))


mine = threading.local()
WAYS = {"libc": (recv, recv_limited, read, poll, epoll_wait, select_, nanosleep),
        "python": (by_recv, by_timeout, by_read, by_poll, by_epoll, by_select, nanosleep)}[sys.argv[3]]


def waits(how):
    s, buf = connection(), ctypes.create_string_buffer(8)
    while True:
        begun = time.monotonic()
        result = how(s, buf)
        err = ctypes.get_errno() if result < 0 else 0
        seconds = time.monotonic() - begun
        if how in (poll, epoll_wait, select_) and result > 0:
            s.recv(1)
        with lock:
            print(json.dumps({"how": how.__name__, "result": errno.errorcode.get(err, result), "seconds": seconds}),
                  flush=True)


print("pid", os.getpid(), flush=True)
for way in WAYS:
    threading.Thread(target=waits, args=(way,), daemon=True).start()
threading.Event().wait()
