# SPDX-License-Identifier: Apache-2.0
"""The same seed gives the same faults at the same places, whatever the scheduler does: ten runs of the same load
under threads, asyncio and prefork, compared without regard to order."""

import textwrap

import pytest
from guest import PRELUDE, PYTHON

RUNS = 10

# Draws, counts and weights, counted by each scope that there is.
CONFIG = """
[run]
seed = {seed}
processes = *
[fault late]
call = recv
peer = 127.0.0.1:{port}
probability = 30%
per = {per}
delay = uniform 1us 900us
[fault broken]
call = open
path = {path}
probability = 40%
per = process
skip = 2
error = EACCES 2, EMFILE 1
[fault cut]
call = send
peer = 127.0.0.1:{port}
every = 5
per = {per}
short = 1..4
"""

SHARED = """
import asyncio
WORKERS, ASKS = 4, 12
def try_to_open():
    try:
        os.close(os.open(sys.argv[3], os.O_RDONLY))
    except OSError:
        pass
def ask_often(s):
    for n in range(ASKS):
        s.sendall(b"echo 12345\\n")
        while s.recv(100)[-1:] != b"\\n":
            pass
        try_to_open()
"""

# How the work is done: each worker has a connection of its own, numbered by the order of its making.
WAYS = {
    "threads": """
        sockets = [connect() for _ in range(WORKERS)]
        ts = [threading.Thread(target=ask_often, args=(s,)) for s in sockets]
        [t.start() for t in ts]; [t.join() for t in ts]
    """,
    "asyncio": """
        async def one(s):
            loop = asyncio.get_running_loop()
            for n in range(ASKS):
                await loop.sock_sendall(s, b"echo 12345\\n")
                while (await loop.sock_recv(s, 100))[-1:] != b"\\n":
                    pass
                try_to_open()
        async def main():
            sockets = [connect() for _ in range(WORKERS)]
            for s in sockets:
                s.setblocking(False)
            await asyncio.gather(*(one(s) for s in sockets))
        asyncio.run(main())
    """,
    "prefork": """
        pids = []
        for _ in range(WORKERS):
            pid = os.fork()
            if pid == 0:
                ask_often(connect())
                os._exit(0)
            pids.append(pid)
        assert [os.waitpid(p, 0)[1] for p in pids] == [0] * WORKERS
    """,
}


def faults_of(guest, peer, path, way, per, seed=7):
    """What fired: (process, fault, operation, effect, err, delay, draw, ordinal), sorted."""
    text = PRELUDE + SHARED + textwrap.dedent(WAYS[way])
    r = guest.command([PYTHON, "-c", text, str(peer.plain), "0", path],
                      CONFIG.format(seed=seed, port=peer.plain, per=per, path=path))
    assert r.status == 0 and not r.stderr, r.stderr
    ordinals = {e["file_pid"]: e["ordinal"] for e in r.events("process")}
    return sorted((ordinals[e["file_pid"]], e["fault"], e["kind"], e["effect"], e["err"], e["delay_ns"], e["draw"],
                   e["ordinal"]) for e in r.faults())


# Threads share what is counted by process or peer; which of them is the Nth is the scheduler's, that the Nth is
# hit is not. By connection it also is the same connection.
@pytest.mark.parametrize("way, per", [("threads", "connection"), ("threads", "peer"), ("asyncio", "connection"),
                                      ("asyncio", "peer"), ("prefork", "connection"), ("prefork", "process")])
def test_the_same_seed_gives_the_same_faults(guest, peer, tmp_path, way, per):
    path = tmp_path / "file"
    path.write_text("x")
    first = faults_of(guest, peer, str(path), way, per)
    assert len(first) >= 10 and len({f[1] for f in first}) == 3, first
    for n in range(1, RUNS):
        again = faults_of(guest, peer, str(path), way, per)
        assert again == first, "run %d: only now %s; no more %s" % (
            n, sorted(set(again) - set(first)), sorted(set(first) - set(again)))
    assert faults_of(guest, peer, str(path), way, per, seed=8) != first
