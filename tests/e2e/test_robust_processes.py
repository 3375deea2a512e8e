# SPDX-License-Identifier: Apache-2.0
"""Forks, execs, pools and everything a process owns: covered, never stuck, and as it would be bare."""

import json
import os
import subprocess
import textwrap

import pytest

from guest import LIBRARY, PRELUDE, PYTHON, need

FIRES = "[run]\nprocesses = *\n[fault f]\ncall = connect\nerror = ECONNREFUSED\n"
REFUSED = """
def refused(_=None):
    import socket
    s = socket.socket()
    e = s.connect_ex(("127.0.0.1", port)); s.close()
    return e
"""


def run(guest, peer, code, config=FIRES, **how):
    text = PRELUDE + REFUSED + textwrap.dedent(code)
    return guest.command([PYTHON, "-c", text, str(peer.plain), "0"], config=config, timeout=40, **how)


def test_fork(guest, peer):
    r = run(guest, peer, """
        pids = []
        for i in range(4):
            pid = os.fork()
            if pid == 0:
                os._exit(refused())
            pids.append(pid)
        reply(status=[os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pids], mine=refused(),
              pids=pids)
    """)
    figures = r.json()
    assert figures["status"] == [111] * 4 and figures["mine"] == 111
    by_pid = {e["file_pid"] for e in r.faults()}
    assert by_pid >= set(figures["pids"]), "a child's faults are in its own recording"
    starts = {e["pid"]: e["forked"] for e in r.events("process")}
    assert all(starts[p] == 1 for p in figures["pids"]) and len(starts) == 5


def test_fork_while_threads_work(guest, peer):
    """Forks in the middle of other threads' calls: no child may hang on something a thread held."""
    r = run(guest, peer, """
        stop = []
        def work():
            while not stop:
                refused(); open("/dev/null").close()
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads: t.start()
        bad = 0
        for _ in range(60):
            pid = os.fork()
            if pid == 0:
                os._exit(0 if refused() == 111 else 1)
            end = now() + 15
            while True:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done: bad += status != 0; break
                if now() > end: os.kill(pid, 9); os.waitpid(pid, 0); bad += 1000; break
                time.sleep(0.002)
        stop.append(1)
        for t in threads: t.join()
        reply(bad=bad)
    """)
    assert r.json()["bad"] == 0


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_multiprocessing(guest, peer, tmp_path, method):
    main = tmp_path / "pool.py"
    main.write_text(PRELUDE + REFUSED + textwrap.dedent("""
        if __name__ == "__main__":
            import multiprocessing
            with multiprocessing.get_context(sys.argv[3]).Pool(2) as pool:
                reply(got=pool.map(refused, range(4)))
    """))
    r = guest.command([PYTHON, str(main), str(peer.plain), "0", method], timeout=40,
                      config=FIRES + "peer = 127.0.0.1\n")  # not the pool's own unix sockets
    assert r.json()["got"] == [111] * 4


def test_a_program_that_cannot_load_the_library_is_not_told_to(guest, peer, tmp_path):
    """musl's linker would end it. The other words of LD_PRELOAD stay, and so does a script's way to its program."""
    (tmp_path / "program.c").write_text("""
#include <stdio.h>
#include <stdlib.h>
int main(void) { const char *p = getenv("LD_PRELOAD"); return printf("%s ", p && *p ? p : "nothing") < 0; }
""")
    subprocess.run([need("musl-gcc"), "-o", tmp_path / "program", tmp_path / "program.c"], check=True)
    (tmp_path / "script").write_text("#! %s -x\n" % (tmp_path / "program"))
    (tmp_path / "script").chmod(0o755)
    r = guest.code(PRELUDE + textwrap.dedent("""
        import subprocess
        def said(argv, **how): return subprocess.run(argv, stdout=subprocess.PIPE, **how).stdout.decode().strip()
        program, script, other = sys.argv[3:]
        both = dict(os.environ, LD_PRELOAD=os.environ["LD_PRELOAD"] + " " + other)
        reply(plain=said([program]), spawned=said([program], close_fds=False), script=said([script]),
              shell=said(program + "; " + script, shell=True), both=said([program], env=both),
              ours=said(["sh", "-c", "echo $LD_PRELOAD"]))
    """), peer.plain, 0, tmp_path / "program", tmp_path / "script", "/no/such.so", config=FIRES)
    f = r.json()
    assert f.pop("ours") == LIBRARY
    assert f == {"plain": "nothing", "spawned": "nothing", "script": "nothing", "shell": "nothing nothing", "both": "/no/such.so"}


def test_subprocess_of_every_kind(guest, peer):
    """subprocess uses vfork; posix_spawn and os.exec too; env={} loses the library, as documented."""
    r = run(guest, peer, """
        import subprocess
        child = ("import socket, sys; s = socket.socket(); "
                 "sys.exit(s.connect_ex(('127.0.0.1', %d)))" % port)
        argv = [sys.executable, "-c", child]
        result = {
            "run": subprocess.run(argv).returncode,
            "close_fds": subprocess.run(argv, close_fds=True).returncode,
            "preexec": subprocess.run(argv, preexec_fn=lambda: None).returncode,
            "shell": subprocess.run("exec " + sys.executable + " -c \\"" + child + "\\"", shell=True).returncode,
            "env": subprocess.run(argv, env={}).returncode,
            "spawn": os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(sys.executable, argv, os.environ), 0)[1]),
            "output": subprocess.run([sys.executable, "-c", "print(6 * 7)"], stdout=subprocess.PIPE).stdout.decode(),
            "missing": 0,
        }
        try:
            subprocess.run(["/no/such/program"])
        except FileNotFoundError:
            result["missing"] = 1
        pid = os.fork()
        if pid == 0: os.execv(sys.executable, argv)
        result["exec"] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        a, b = os.pipe()
        result["pass"] = subprocess.run([sys.executable, "-c", "import os; os.write(%d, b'x')" % b],
                                        pass_fds=[b]).returncode
        result["read"] = os.read(a, 1).decode()
        result["mine"] = refused()
        reply(**result)
    """).json()
    assert r == {"run": 111, "close_fds": 111, "preexec": 111, "shell": 111, "env": 0, "spawn": 111,
                 "output": "42\n", "missing": 1, "exec": 111, "pass": 0, "read": "x", "mine": 111}


def test_a_prefork_server(guest, peer):
    """Four workers accept on one socket and answer; each is covered and recorded for itself."""
    r = run(guest, peer, """
        v = socket.create_server(("127.0.0.1", 0)); pids = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                s, _ = v.accept(); s.recv(10); s.sendall(b"%d" % refused()); s.close()
                os._exit(0)
            pids.append(pid)
        got = []
        for _ in range(4):
            c = socket.socket(); c.settimeout(10)
            c.connect(v.getsockname()); c.sendall(b"x"); got.append(c.recv(10).decode())
        reply(got=got, status=[os.waitpid(p, 0)[1] for p in pids])
    """, config=FIRES + "peer = 127.0.0.1:%d\n" % peer.plain)
    assert r.json() == {"got": ["111"] * 4, "status": [0] * 4}
    assert len({e["file_pid"] for e in r.faults()}) == 4


@pytest.mark.parametrize("code, status", [
    ("refused(); os._exit(5)", 5), ("refused(); sys.exit(6)", 6), ("refused(); os.kill(os.getpid(), 9)", -9),
    ("refused(); os.abort()", -6), ("refused(); raise SystemExit", 0), ("refused(); 1 / 0", 1),
    ("threading.Thread(target=lambda: [refused() for _ in iter(int, 1)], daemon=True).start(); time.sleep(0.2)", 0),
    ("import atexit; atexit.register(refused); refused()", 0),
    ("t = threading.Thread(target=lambda: (time.sleep(0.2), refused())); t.start()", 0),
])
def test_ways_to_end(guest, peer, code, status):
    r = run(guest, peer, code)
    assert r.status == status, r.stderr
    assert r.faults()


# What a process owns. The same text must come out bare and under the library.
STATE = """
import signal, locale, resource, gc
def fds():
    return sorted(int(n) for n in os.listdir("/proc/self/fd"))
before = fds()
refused(); s = socket.socket(); e = select.epoll(); e.register(s); import ssl, asyncio
asyncio.run(asyncio.sleep(0.01))
status = dict(l.split(":", 1) for l in open("/proc/self/status").read().splitlines() if ":" in l)
umask = os.umask(0); os.umask(umask)
environment = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "MISHAP_CONFIG", "MISHAP_OUT")}
reply(before=before, after=fds(), signals={str(n): str(signal.getsignal(n)) for n in signal.valid_signals()},
      blocked=status["SigBlk"], ignored=status["SigIgn"], caught=status["SigCgt"], threads=status["Threads"],
      umask=umask, locale=locale.setlocale(locale.LC_ALL), environment=environment, cwd=os.getcwd(),
      limits=[resource.getrlimit(x) for x in (resource.RLIMIT_NOFILE, resource.RLIMIT_STACK)],
      next=os.open("/dev/null", os.O_RDONLY), argv=len(sys.argv), nice=os.nice(0), sid=os.getsid(0) > 0)
"""


def test_nothing_a_process_owns_is_changed(guest, peer):
    quiet = FIRES + "peer = 10.9.9.9\n"
    bare = run(guest, peer, STATE, config=None, under=False).json()
    assert run(guest, peer, STATE, config=quiet).json() == bare
    assert run(guest, peer, STATE, config=None).json() == bare


def test_a_delay_leaves_no_low_descriptor(guest, peer):
    """The one timer of ours sits high and is close-on-exec, and goes with the last late descriptor."""
    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent("""
        s = connect(); s.setblocking(False); e = select.epoll(); e.register(s, select.EPOLLIN)
        before = set(os.listdir("/proc/self/fd"))
        ask(s); e.poll(0.1)
        during = sorted(int(x) for x in set(os.listdir("/proc/self/fd")) - before)
        flags = [open("/proc/self/fdinfo/%d" % f).read().split("flags:")[1].split()[0] for f in during
                 if os.path.exists("/proc/self/fdinfo/%d" % f)]
        next = os.open("/dev/null", os.O_RDONLY); os.close(next)
        while not e.poll(10): pass
        s.recv(100); s.close(); e.close()
        after = sorted(int(x) for x in set(os.listdir("/proc/self/fd")) - before)
        reply(during=during, flags=flags, next=next, after=after, highest=max(map(int, before)))
    """), str(peer.plain), "0"], config="[run]\nprocesses = *\n[fault f]\ncall = recv\ndelay = 300ms\n")
    figures = r.json()
    assert len(figures["during"]) <= 1, figures
    assert all(fd >= 200 for fd in figures["during"]), figures
    assert all(int(f, 8) & 0o2000000 for f in figures["flags"]), "close-on-exec"
    assert figures["next"] <= figures["highest"] + 1 and figures["after"] == [], figures


def test_closing_all_descriptors(guest, peer):
    """A daemon closes everything by range, or one by one, and reuses 0, 1 and 2; injection goes on."""
    for way in ("os.closerange(3, 4096)", "[os.close(f) for f in range(3, 300) if not attempt(f)]",
                "__import__('ctypes').CDLL(None).close_range(3, 0xffffffff, 0)"):
        r = run(guest, peer, """
            def attempt(f):
                try: os.fstat(f)
                except OSError: return True
            s = socket.socket(); e = select.epoll()
            fd = s.detach()
            out = os.dup(1)
            os.dup2(out, 1)
            %s
            first = refused()
            again = socket.socket(); n = again.fileno()
            a, b = socket.socketpair(); a.send(b"x")
            reply(first=first, second=refused(), n=n, got=b.recv(1).decode())
        """ % way)
        assert r.json() == {"first": 111, "second": 111, "n": 3, "got": "x"}, way
        assert len(r.faults()) == 2


def test_a_program_without_0_1_and_2(guest, peer, tmp_path):
    result = tmp_path / "result"
    r = run(guest, peer, """
        os.close(0); os.close(1); os.close(2)
        s = socket.socket(); low = s.fileno()
        e = s.connect_ex(("127.0.0.1", port))
        with open(%r, "w") as f: json.dump({"low": low, "error": e, "file": f.fileno()}, f)
        os._exit(0)
    """ % str(result))
    assert r.status == 0
    assert json.loads(result.read_text()) == {"low": 0, "error": 111, "file": 1}
    assert len(r.faults()) == 1


def test_started_without_0_1_and_2(guest, peer, tmp_path):
    """The library must not take 0, 1 or 2 for itself, nor write its words into a file of the program's."""
    result = tmp_path / "result"
    code = ("import os, json; fds = sorted(os.listdir('/proc/self/fd')); f = open(%r, 'w'); "
            "json.dump([f.fileno(), fds], f); f.flush(); os._exit(0)" % str(result))
    seen = []
    for under in (False, True):
        r = guest.command(["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', PYTHON, code], under=under,
                          config="[run]\nprocesses = *\n[fault broken]\nnonsense = 1\n" if under else None)
        assert r.status == 0
        seen.append(result.read_text())
    assert seen[0] == seen[1]


def test_a_recording_for_each_process_and_a_common_clock(guest, peer):
    r = run(guest, peer, """
        import subprocess
        subprocess.run([sys.executable, "-c", "pass"]); refused()
    """)
    starts = r.events("process")
    assert len(starts) == 2 and len({e["ordinal"] for e in starts}) == 2
    names = [n for n in os.listdir(r.out) if n.endswith(".mhr")]
    assert len(names) == 2 and "control" in os.listdir(r.out)
    origins = {e["origin_at"] for e in r.events("origin")}
    assert len(origins) == 1
