# SPDX-License-Identifier: Apache-2.0
"""A client of peer.py in six ways of waiting, one case a run: modes.py MODE CASE PORT [PORT2].

The cases are written once, as coroutines. In the synchronous modes nothing in them ever suspends, so
one step drives a case to its end; in asyncio and uvloop the loop does."""

import asyncio
import json
import resource
import select
import socket
import statistics
import sys
import threading
import time

now = time.monotonic


class Sync:
    """A connection of the synchronous modes; each mode says how it waits."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.prepare()

    @classmethod
    async def connect(cls, port):
        return cls(port)

    def prepare(self):
        pass

    async def send(self, data):
        self.sock.sendall(data)

    async def recv(self, timeout=None):
        if self.buffer:
            data, self.buffer = self.buffer, b""
            return data
        return self.take(timeout)

    async def line(self, timeout=None):
        while b"\n" not in self.buffer:
            data = self.take(timeout)
            if not data:
                raise EOFError
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line


class Blocking(Sync):
    def take(self, timeout):
        seconds = timeout or 0
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                             int(seconds).to_bytes(8, "little")
                             + int(seconds % 1 * 1e6).to_bytes(8, "little"))
        try:
            return self.sock.recv(65536)
        except BlockingIOError:
            raise TimeoutError from None


class Settimeout(Sync):
    def take(self, timeout):
        self.sock.settimeout(timeout or 30)
        try:
            return self.sock.recv(65536)
        except socket.timeout:
            raise TimeoutError from None


class Ready(Sync):
    """Non-blocking, told by the kernel; a false report is counted."""

    false_reports = 0

    def prepare(self):
        self.sock.setblocking(False)

    def take(self, timeout):
        try:
            return self.sock.recv(65536)
        except BlockingIOError:
            pass
        while True:
            if not self.ready(timeout):
                raise TimeoutError
            try:
                return self.sock.recv(65536)
            except BlockingIOError:
                Ready.false_reports += 1


class Poll(Ready):
    def ready(self, timeout):
        p = select.poll()
        p.register(self.sock, select.POLLIN)
        return p.poll(None if timeout is None else timeout * 1000)


class Select(Ready):
    def ready(self, timeout):
        return select.select([self.sock], [], [], timeout)[0]


class Async:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port):
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, data):
        self.writer.write(data)

    async def recv(self, timeout=None):
        return await asyncio.wait_for(self.reader.read(65536), timeout)

    async def line(self, timeout=None):
        try:
            line = await asyncio.wait_for(self.reader.readline(), timeout)
        except asyncio.TimeoutError:
            raise TimeoutError from None
        if not line:
            raise EOFError
        return line[:-1]


async def rtt(net, port, port2):
    """Round trips, one after another."""
    c, times = await net.connect(port), []
    for i in range(3):
        t = now()
        await c.send(b"echo %d\n" % i)
        assert await c.line() == b"%d" % i
        times.append(now() - t)
    return {"times": times}


async def many(net, port, port2):
    """Two hundred round trips, for the benchmark."""
    c, times = await net.connect(port), []
    for _ in range(200):
        t = now()
        await c.send(b"echo x\n")
        await c.line()
        times.append(now() - t)
    return {"times": times}


async def beside(net, port, port2):
    """Healthy round trips for 1.8 s, for the benchmark; the fifth argument: is there a late neighbour?"""
    slow, fast, times = await net.connect(port), await net.connect(port2), []
    if sys.argv[5] == "1":
        await slow.send(b"echo slow\n")
    if issubclass(net, Async):
        asyncio.ensure_future(slow.recv())
        await asyncio.sleep(0.01)
    end = now() + 1.8
    while now() < end:
        t = now()
        await fast.send(b"echo x\n")
        if issubclass(net, Async):
            await fast.line()
        else:
            assert both_ready(net, slow, fast) == [fast.sock.fileno()]
            fast.sock.recv(100)
        times.append(now() - t)
    return {"times": times}


def both_ready(net, slow, fast):
    """Descriptors that one call of poll() or select() on both reports."""
    if net is Poll:
        p = select.poll()
        p.register(slow.sock, select.POLLIN)
        p.register(fast.sock, select.POLLIN)
        return [fd for fd, _ in p.poll(10000)]
    return [s.fileno() for s in select.select([slow.sock, fast.sock], [], [], 10)[0]]


async def late(net, port, port2):
    """A limit of 0.2 s fires at its time, and the late answer still arrives. Bare, the peer itself is
    late (the fifth argument, in ms), which says what the kernel's own lateness looks like."""
    c = await net.connect(port)
    t = now()
    await c.send(b"pause %s\necho late\n" % (sys.argv[5].encode() if len(sys.argv) > 5 else b"0"))
    try:
        await c.line(0.2)
        fired = 0
    except TimeoutError:
        fired = now() - t
    assert await c.line() == b"late"
    return {"fired": fired, "answer": now() - t}


async def stream(net, port, port2):
    """Twenty messages 50 ms apart: how late is each?"""
    c, late_by = await net.connect(port), []
    await c.send(b"stream 20 50\n")
    for _ in range(20):
        sent = float(await c.line())
        late_by.append(now() - sent)
    return {"late_by": late_by}


async def eof(net, port, port2):
    c = await net.connect(port)
    await c.send(b"eof\n")
    sent = float(await c.line())
    data = now() - sent
    assert await c.recv() == b""
    return {"data": data, "eof": now() - sent}


async def rst(net, port, port2):
    c = await net.connect(port)
    await c.send(b"rst 100\n")
    sent = float(await c.line())
    try:
        got = await c.recv()
        raise AssertionError("%r instead of a reset" % got)
    except ConnectionResetError:
        return {"rst": now() - sent}


async def big(net, port, port2):
    """300,000 bytes arrive whole and in order."""
    c, got, n = await net.connect(port), b"", 300_000
    t = now()
    await c.send(b"big %d\n" % n)
    while len(got) < n:
        got += await c.recv()
    return {"whole": got == (bytes(range(256)) * (n // 256 + 1))[:n], "seconds": now() - t}


def ping_pong(sock, seconds):
    times, end = [], now() + seconds
    while now() < end:
        t = now()
        sock.sendall(b"echo ping\n")
        assert sock.recv(100) == b"ping\n"
        times.append(now() - t)
        time.sleep(0.005)
    return times


async def neighbour(net, port, port2):
    """What a healthy connection (port2) feels while another (port) is answered late."""
    alone = await healthy_alone(net, port2)
    slow = await net.connect(port)
    t = now()
    await slow.send(b"echo slow\n")
    if issubclass(net, Async):
        waiter = asyncio.ensure_future(slow.line())
        beside = await async_ping_pong(await net.connect(port2), waiter)
        await waiter
    elif issubclass(net, Ready):
        beside = poll_both(net, slow, net(port2))
    else:
        beside = []
        other = socket.create_connection(("127.0.0.1", port2))
        thread = threading.Thread(target=lambda: beside.extend(ping_pong(other, 0.4)))
        thread.start()
        await slow.line()
        thread.join()
    return {"slow": now() - t, "alone": statistics.median(alone), "n": len(beside),
            "beside": statistics.median(beside), "worst": max(beside)}


async def healthy_alone(net, port2):
    if issubclass(net, Async):
        return await async_ping_pong(await net.connect(port2), asyncio.ensure_future(asyncio.sleep(0.3)))
    return ping_pong(socket.create_connection(("127.0.0.1", port2)), 0.3)


async def async_ping_pong(c, until):
    times = []
    while not until.done() or len(times) < 5:
        t = now()
        await c.send(b"echo ping\n")
        assert await c.line() == b"ping"
        times.append(now() - t)
        await asyncio.sleep(0.005)
    return times


def poll_both(net, slow, fast):
    """One poll() or select() over both, as an event loop would do it."""
    times, t = [], now()
    fast.sock.sendall(b"echo ping\n")
    while True:
        ready = both_ready(net, slow, fast)
        if slow.sock.fileno() in ready:
            assert slow.sock.recv(100) == b"slow\n"
            return times or [now() - t]
        if fast.sock.fileno() in ready:
            assert fast.sock.recv(100) == b"ping\n"
            times.append(now() - t)
            time.sleep(0.005)
            t = now()
            fast.sock.sendall(b"echo ping\n")


MODES = {"blocking": Blocking, "settimeout": Settimeout, "poll": Poll, "select": Select,
         "asyncio": Async, "uvloop": Async}
CASES = {f.__name__: f for f in (rtt, many, beside, late, stream, eof, rst, big, neighbour)}


def drive(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as e:
        return e.value
    raise AssertionError("a synchronous mode suspended")


def main():
    mode, case, port, port2 = sys.argv[1], CASES[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4])
    net = MODES[mode]
    if mode == "uvloop":
        import uvloop

        uvloop.install()
    before = resource.getrusage(resource.RUSAGE_SELF)
    work = case(net, port, port2)
    result = asyncio.run(work) if net is Async else drive(work)
    after = resource.getrusage(resource.RUSAGE_SELF)
    result["cpu"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result["switches"] = after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw
    result["false_reports"] = Ready.false_reports
    print(json.dumps(result))


main()
