# SPDX-License-Identifier: Apache-2.0
"""What a program asked to wait: limits of waits on a peer, and sleeps in all their spellings."""

import pytest
from guest import has_module

MS = 1000000


def sleeps(done):
    calls = done.events("calls")[0]["tail"].split()
    return [(calls[e["call"]], round(e["requested_ns"] / MS)) for e in done.events("sleep")]


def test_sleeps_of_a_thread(guest):
    done = guest.code("""
        import select, time
        time.sleep(0.02)
        select.select([], [], [], 0.03)
        select.poll().poll(40)
        """)
    assert done.status == 0, done.stderr
    assert sleeps(done) == [("clock_nanosleep", 20), ("select", 30), ("poll", 40)]
    assert all(e["waited_ns"] == 0 and e["stack"] for e in done.events("sleep"))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_coroutine_sleeps(guest, loop):
    """Seen as the timer that its loop waited for; the loop's own thread does not stand still."""
    if not has_module(loop):
        pytest.skip("python3-%s is not installed" % loop)
    done = guest.code("""
        import asyncio, sys
        if sys.argv[1] == "uvloop":
            import uvloop
            uvloop.install()
        async def main():
            await asyncio.sleep(0.07)
        asyncio.run(main())
        """, loop)
    assert done.status == 0, done.stderr
    timers = [e for e in done.events("sleep") if e["waited_ns"]]
    assert len(timers) == 1 and not [e for e in done.events("sleep") if not e["waited_ns"]]
    assert 65 <= timers[0]["requested_ns"] / MS <= 72
    assert timers[0]["waited_ns"] >= 0.9 * timers[0]["requested_ns"]


def test_limits_of_a_wait(guest, peer):
    done = guest.code("""
        import socket, struct, sys
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 3, 0))
        s.sendall(b"pause 0\\necho a\\n")
        s.recv(10)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500)
        s.sendall(b"echo b\\n")
        s.recv(10)
        s.settimeout(2)
        s.sendall(b"echo c\\n")
        s.recv(10)
        """, peer.plain)
    assert done.status == 0, done.stderr
    waits = [(e["timeout_ns"] // MS, e["user_timeout_ns"] // MS) for e in done.events("wait") if e["pending"]]
    assert waits[:2] == [(3000, 0), (3000, 1500)]
    assert waits[2][0] in range(1900, 2001) and waits[2][1] == 1500


def test_the_limit_of_a_connect(guest):
    """A non-blocking connect that is waited for with a limit, to an address that does not answer."""
    done = guest.code("""
        import socket
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        rest = [socket.socket() for _ in range(4)]
        for s in rest:
            s.settimeout(0.3)
            try:
                s.connect(listener.getsockname())
            except TimeoutError:
                print("late")
        """)
    assert "late" in done.stdout, done.stdout + done.stderr
    waits = [e for e in done.events("wait") if e["connecting"]]
    assert waits and all(290 <= e["timeout_ns"] / MS <= 300 for e in waits)
    late = [e for e in done.events("waited") if not e["ready"]]
    assert late and all(e["waited_ns"] / MS >= 290 for e in late)
