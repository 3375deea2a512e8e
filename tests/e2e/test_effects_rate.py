# SPDX-License-Identifier: Apache-2.0
"""Slow links and slow disks: bytes come and go at a rate, in each direction, and nobody waits who need not."""

import pytest

from guest import between, timed
from test_effects import ALL, run

RATE = ALL + "call = %s\nrate = %s\npeer = 127.0.0.1:%d\n"

READ = """
    import asyncio
    way, n = sys.argv[3], int(sys.argv[4])
    pieces, got, begun = 0, b"", now()
    if way == "asyncio":
        async def main():
            global got, pieces
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"big %d\\neof\\n" % n)
            while True:
                data = await reader.read(65536)
                if not data: break
                got += data; pieces += 1
        asyncio.run(main())
    else:
        s = connect(); s.sendall(b"big %d\\neof\\n" % n); s.setblocking(way == "blocking")
        p = select.poll(); p.register(s, select.POLLIN); e = select.epoll(); e.register(s, select.EPOLLIN)
        false = 0
        while True:
            if way == "poll": assert p.poll(5000)
            if way == "epoll": assert e.poll(5)
            try: data = s.recv(65536)
            except BlockingIOError:
                false += 1; continue
            if not data: break
            got += data; pieces += 1
        assert false == 0, false
    cpu, switches = busy()
    reply(at=now() - begun, right=got[:n] == (bytes(range(256)) * (n // 256 + 1))[:n], n=len(got),
          pieces=pieces, cpu=cpu, switches=switches)
"""


@pytest.mark.parametrize("way", ["blocking", "poll", "epoll", "asyncio"])
@timed
def test_reading_at_a_rate(guest, peer, way):
    r = run(guest, READ, RATE % ("recv", "64KiB/s", peer.plain), peer.plain, way, 65536)
    f = r.json()
    between(f["at"], 0.98, 2.0, "64 KiB at 64 KiB/s")
    assert f["right"] and f["n"] > 65536
    assert 10 < f["pieces"] < 120, "bytes come in packets, not at once: %(pieces)d" % f
    assert f["cpu"] < 0.5 and f["switches"] < 600, f
    assert {e["effect"] for e in r.faults()} and all(e["fault"] == 1 for e in r.faults())


@timed
def test_a_delay_and_a_rate(guest, peer):
    f = run(guest, READ, RATE % ("recv", "100KiB/s\ndelay = 300ms", peer.plain), peer.plain, "poll", 51200).json()
    between(f["at"], 0.78, 2.0, "0.3 s and 50 KiB at 100 KiB/s")
    assert f["right"]


@timed
def test_a_fast_link_is_fast(guest, peer):
    f = run(guest, READ, RATE % ("recv", "100MiB/s", peer.plain), peer.plain, "blocking", 1 << 20).json()
    assert f["right"] and f["at"] < 1, f


@timed
def test_what_comes_after_a_pause_waits_for_nothing(guest, peer):
    """An idle link saves nothing up, and owes nothing."""
    r = run(guest, """
        s = connect(); times = []
        for i in range(3):
            t = now(); s.sendall(b"big 10000\\n"); got = 0
            while got < 10000: got += len(s.recv(65536))
            times.append(now() - t); time.sleep(0.5)
        reply(times=times)
    """, RATE % ("recv", "50KB/s", peer.plain), peer.plain).json()
    for t in r["times"]:
        between(t, 0.195, 0.7, "10 kB at 50 kB/s")


@pytest.mark.parametrize("way", ["blocking", "poll", "asyncio"])
@timed
def test_writing_at_a_rate(guest, peer, way):
    r = run(guest, """
        import asyncio
        way, n, begun = sys.argv[3], 65536, now()
        if way == "asyncio":
            async def main():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.transport.set_write_buffer_limits(0)
                writer.write(b"x" * n); await writer.drain(); at = now() - begun
                writer.write(b"\\ncount\\n"); return at, int(await reader.readline())
            at, counted = asyncio.run(main())
        else:
            s = connect(); left = b"x" * n; s.setblocking(way == "blocking")
            p = select.poll(); p.register(s, select.POLLOUT)
            while left:
                if way == "poll": assert p.poll(5000)
                try: left = left[s.send(left):]
                except BlockingIOError: pass
            at = now() - begun
            s.setblocking(True); s.sendall(b"\\ncount\\n"); counted = int(s.makefile().readline())
        reply(at=at, counted=counted, cpu=busy()[0])
    """, RATE % ("send", "64KiB/s", peer.plain), peer.plain, way).json()
    between(r["at"], 0.94, 2.0, "64 KiB at 64 KiB/s")
    assert r["counted"] >= 65536 and r["cpu"] < 0.5, r


@timed
def test_a_slow_link_respects_limits(guest, peer):
    r = run(guest, """
        s = connect(); s.sendall(b"big 60000\\n"); s.settimeout(0.3); t = now()
        try:
            s.recv(10, socket.MSG_PEEK); first = now() - t
        except socket.timeout: first = -1
        reply(first=first, at=now() - t)
    """, RATE % ("recv", "2 bytes/s", peer.plain), peer.plain).json()
    assert r["first"] == -1
    between(r["at"], 0.3, 0.8, "limit of a read on a slow link")


@pytest.mark.parametrize("way", ["blocking", "asyncio"])
@pytest.mark.parametrize("call", ["recv", "send"])
@timed
def test_small_messages_are_slow_too(guest, peer, call, way):
    """Each question of 100 bytes, or its answer, takes its tenth of a second at 1 kB/s, the first one included."""
    r = run(guest, """
        import asyncio
        times, line = [], b"echo " + b"x" * 99 + b"\\n"
        line = line if "%s" == "recv" else line[5:6] + line[6:99] + b"\\necho x\\n"
        if sys.argv[3] == "blocking":
            s = connect(); f = s.makefile("rb")
            for _ in range(6):
                t = now(); s.sendall(line); f.readline(); times.append(now() - t)
        else:
            async def main():
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                for _ in range(6):
                    t = now(); writer.write(line); await reader.readline(); times.append(now() - t)
            asyncio.run(main())
        reply(times=times, n=len(line))
    """ % call, RATE % (call, "1kB/s", peer.plain), peer.plain, way)
    f = r.json()
    for t in f["times"]:
        between(t, 0.095, 0.35, "100 bytes at 1 kB/s")


@timed
def test_small_answers_come_one_after_the_other(guest, peer):
    """Eight answers of 100 bytes that were asked for at once are no packet: the first is not as late as the last."""
    r = run(guest, """
        s = connect(); f = s.makefile("rb"); times = []
        t = now(); s.sendall((b"echo " + b"x" * 99 + b"\\n") * 8)
        for _ in range(8): f.readline(); times.append(now() - t)
        reply(times=times)
    """, RATE % ("recv", "1kB/s", peer.plain), peer.plain)
    for n, t in enumerate(r.json()["times"], 1):
        between(t, 0.1 * n - 0.005, 0.1 * n + 0.3, "answer %d" % n)


@timed
def test_a_slow_disk(guest, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 50000)
    r = run(guest, """
        path, times, begun = sys.argv[3], [], now()
        with open(path, "rb", 0) as f:
            n = 0
            while True:
                data = f.read(5000)
                if not data: break
                n += len(data)
        read = now() - begun
        t = now()
        with open(path, "wb", 0) as f: f.write(b"y" * 30000)
        reply(n=n, read=read, write=now() - t)
    """, ALL + "call = file.read file.write\nrate = 100KB/s\npath = %s/**\n" % tmp_path, 0, path)
    f = r.json()
    assert f["n"] == 50000
    between(f["read"], 0.5, 1.3, "50 kB at 100 kB/s")
    between(f["write"], 0.3, 1.0, "30 kB at 100 kB/s")
    assert path.read_bytes() == b"y" * 30000


@timed
def test_a_neighbour_is_not_slow(guest, peer):
    r = run(guest, """
        s, o = connect(), connect(int(sys.argv[3]))
        s.sendall(b"big 500000\\n"); t = now(); n = 0
        o.sendall(b"big 500000\\n")
        while n < 500000: n += len(o.recv(65536))
        reply(at=now() - t)
    """, RATE % ("recv", "1KiB/s", peer.plain), peer.plain, peer.plain2).json()
    assert r["at"] < 1
