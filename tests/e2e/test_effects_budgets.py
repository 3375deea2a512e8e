# SPDX-License-Identifier: Apache-2.0
"""Budgets of descriptors and threads, and processes that cannot be started."""

import errno

import pytest

from test_effects import ALL, run

FDS = ALL + "call = socket accept open descriptor\nfds = 30\n"


@pytest.mark.parametrize("make", [
    "os.open('/dev/null', os.O_RDONLY)", "socket.socket().detach()", "os.dup(0)", "os.pipe()[0]",
    "select.epoll()", "[s.detach() for s in socket.socketpair()][0]", "open('/dev/null')",
])
def test_descriptors(guest, make):
    """As with the limit of the kernel: what counts is the number that a new one would have."""
    r = run(guest, """
        held, told = [], 0
        try:
            while len(held) < 100: held.append(%s)
        except OSError as e: told = e.errno
        n = len(held)
        if isinstance(held[-1], int): os.close(held.pop())
        else: held.pop().close()
        again = len([%s])
        reply(told=told, n=n, again=again)
    """ % (make, make), FDS)
    f = r.json()
    assert f["told"] == errno.EMFILE and 10 <= f["n"] <= 27 and f["again"] == 1, f
    assert [e["err"] for e in r.faults()] == [errno.EMFILE]


def test_a_server_out_of_descriptors_keeps_its_clients_waiting(guest):
    r = run(guest, """
        v = socket.create_server(("127.0.0.1", 0)); held = []
        while True:
            try: held.append(os.open("/dev/null", os.O_RDONLY))
            except OSError: break
        for f in (held.pop(), held.pop()): os.close(f)
        c = socket.create_connection(v.getsockname())
        blocker = os.open("/dev/null", os.O_RDONLY)
        try: v.accept(); told = 0
        except OSError as e: told = e.errno
        os.close(blocker)
        s, _ = v.accept(); c.send(b"x")
        reply(told=told, got=s.recv(1).decode())
    """, FDS).json()
    assert r == {"told": errno.EMFILE, "got": "x"}


def test_threads(guest):
    r = run(guest, """
        stop, made = threading.Event(), []
        try:
            while len(made) < 40:
                t = threading.Thread(target=stop.wait); t.start(); made.append(t)
            told = "nothing"
        except RuntimeError as e: told = str(e)
        n = len(made)
        stop.set(); [t.join() for t in made]; time.sleep(0.1)
        t = threading.Thread(target=stop.wait); t.start(); t.join()
        reply(told=told, n=n)
    """, ALL + "call = thread\nthreads = 8\n")
    assert r.json() == {"told": "can't start new thread", "n": 7}
    assert [e["err"] for e in r.faults()] == [errno.EAGAIN]


@pytest.mark.parametrize("name", ["EAGAIN", "ENOMEM"])
@pytest.mark.parametrize("make", ["os.fork()", "subprocess.run(['/bin/true'])",
                                  "subprocess.run(['/bin/true'], preexec_fn=int)"])
def test_processes(guest, name, make):
    tries = 2 if make.endswith("true'])") else 1  # where vfork() fails CPython tries fork()
    r = run(guest, """
        import subprocess
        try: %s; told = 0
        except OSError as e: told = e.errno
        again = subprocess.run(["/bin/echo", "x"], stdout=subprocess.PIPE).stdout.decode()
        reply(told=told, again=again)
    """ % make, ALL + "call = fork\nerror = %s\ncount = %d\n" % (name, tries))
    assert r.json() == {"told": getattr(errno, name), "again": "x\n"}
    assert len(r.faults()) == tries


def test_a_budget_ends_with_its_phase(guest):
    r = run(guest, """
        def room():
            held = []
            try:
                while len(held) < 60: held.append(os.dup(0))
            except OSError: pass
            for f in held: os.close(f)
            return len(held)
        first = room(); time.sleep(1.2); reply(first=first, then=room())
    """, "[run]\nprocesses = *\n[phase tight]\nfor = 1s\nfaults = f\n[phase calm]\n[fault f]\n"
         "call = descriptor\nfds = 20\n").json()
    assert r["first"] < 20 and r["then"] == 60


DISK = ALL + "call = write\ndisk = %s\npath = %s/**\n"


def test_a_disk_fills_with_a_short_write_first(guest, tmp_path):
    path = tmp_path / "file"
    r = run(guest, """
        f = os.open(sys.argv[3], os.O_RDWR | os.O_CREAT)
        def write(n):
            try: return os.write(f, b"x" * n)
            except OSError as e: return -e.errno
        steps = [write(600), write(600), write(1), os.lseek(f, 0, 0), write(500)]
        os.ftruncate(f, 400); os.lseek(f, 0, 2); steps += [write(500), write(200)]
        size = os.fstat(f).st_size
        os.unlink(sys.argv[3]); g = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT); f = g
        steps += [write(900)]
        reply(steps=steps, size=size)
    """, DISK % ("1000 bytes", tmp_path), 0, path)
    full = -errno.ENOSPC
    assert r.json() == {"steps": [600, 400, full, 0, 500, 500, 100, 900], "size": 1000}
    assert [e["err"] for e in r.faults()] == [0, errno.ENOSPC, 0]
    assert path.stat().st_size == 900


def test_a_file_that_is_written_anew_needs_no_more_room(guest, tmp_path):
    r = run(guest, """
        done = 0
        for i in range(50):
            with open(sys.argv[3], "w") as f: f.write("x" * 700)
            done += 1
        with open(sys.argv[3], "a") as f: f.write("y" * 200)
        try:
            with open(sys.argv[3] + "2", "w") as f: f.write("z" * 700)
            told = 0
        except OSError as e: told = e.errno
        reply(done=done, told=told, sizes=[os.path.getsize(sys.argv[3] + x) for x in ("", "2")])
    """, DISK % ("1000 bytes", tmp_path), 0, tmp_path / "file")
    assert r.json() == {"done": 50, "told": errno.ENOSPC, "sizes": [900, 100]}


def test_a_disk_elsewhere_has_room(guest, tmp_path):
    r = run(guest, """
        with open(sys.argv[3], "w") as f: f.write("x" * 100000)
        reply(size=os.path.getsize(sys.argv[3]))
    """, DISK % ("0 bytes", tmp_path / "other"), 0, tmp_path / "file")
    assert r.json() == {"size": 100000} and not r.faults()
