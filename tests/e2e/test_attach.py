# SPDX-License-Identifier: Apache-2.0
"""`mishap attach` and `mishap detach`: a service on a real uvicorn and redis that ran already."""

import collections
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from guest import BUILD, LATE, LIBRARY, PROGRAMS, PYTHON, TREE, between, has_module, need, timed
from servers import free_port, listener, redis, running

import mhr
import pythons

MISHAP = os.path.join(BUILD, "tools", "mishap")
APP = os.path.join(PROGRAMS, "attached_app.py")
SLOW = "[fault slow]\ncall = recv\npeer = localhost:%d\ndelay = 150ms\n"
RESET = "[fault reset]\ncall = recv\npeer = localhost:%d\nerror = ECONNRESET\n"


def mishap(*words, status=0, **how):
    done = subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=90, check=False, stdin=subprocess.DEVNULL, **how)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def maps_of(pid):
    with open("/proc/%s/maps" % pid, encoding="utf-8") as f:
        return f.read()


def may_trace(pid):
    """Or skip: not everywhere may a process be traced that is no child."""
    done = subprocess.run([MISHAP, "attach", str(pid), "-o", "/proc/no"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=90)
    if "may not be traced" in done.stderr:
        pytest.skip(done.stderr.strip())


class Service:
    def __init__(self, port, redis_port, process, directory):
        self.port, self.redis, self.pid, self.directory = port, redis_port, process.pid, str(directory)
        self.n = 0

    def scenario(self, text):
        self.n += 1
        path = os.path.join(self.directory, "scenario%d.ini" % self.n)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text % self.redis)
        return path

    def attach(self, *words, status=0):
        self.n += 1
        out = os.path.join(self.directory, "out%d" % self.n)
        mishap("attach", self.pid, "-o", out, *words, status=status)
        return out

    def detach(self):
        return mishap("detach", self.pid)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, path, connection=None):
        """(status, text, seconds)"""
        own = connection or self.connection()
        begun = time.monotonic()
        own.request("GET", path)
        answer = own.getresponse()
        text = answer.read().decode()
        if not connection:
            own.close()
        return answer.status, text, time.monotonic() - begun


@pytest.fixture(scope="module")
def store():
    with redis() as port:
        yield port


@pytest.fixture
def service(store, tmp_path):
    if not all(map(has_module, ("uvicorn", "starlette", "redis"))):
        pytest.skip("needs uvicorn, starlette and redis")
    port = free_port()

    def answers():
        try:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect() is None
        except OSError:
            return False

    with running([PYTHON, APP, str(port), str(store)], answers) as process:
        may_trace(process.pid)
        made = Service(port, store, process, tmp_path)
        for path in ("/loop", "/thread"):  # its connections to redis are there before mishap is
            assert made.ask(path)[0] == 200
        yield made
        assert process.poll() is None, "the service has died"


def events(out, kind):
    return [e for e in mhr.read_dir(out) if e["event"] == kind]


@timed
def test_delay_comes_and_goes(service):
    out = service.attach("-c", service.scenario(SLOW))
    for path in ("/loop", "/thread"):
        status, _, took = service.ask(path)
        assert status == 200 and took >= 0.149
    service.detach()
    for path in ("/loop", "/thread"):
        assert min(service.ask(path)[2] for _ in range(3)) < 0.14
    begun = events(out, "process")
    assert len(begun) == 1 and begun[0]["attached"] == 1 and begun[0]["python"]
    recording, = (os.path.join(out, name) for name in os.listdir(out) if name.endswith(".mhr"))
    assert mhr.header(recording)["complete"]
    fired = [e for e in events(out, "op") if e["fault"]]
    assert len(fired) == 2 and {e["effect"] - 1 for e in fired} == {mhr.EFFECT["delay"]}
    # the connections that were open are clients of that name
    peers = {e["peer"]: e["tail"].split("\n") for e in events(out, "peer")}
    assert {peers[e["peer"]][0] for e in events(out, "request")} == {"localhost"}


def test_reset_is_seen_to_its_end(service):
    """Which exception it became, who handled it, and what the caller got."""
    out = service.attach("-c", service.scenario(RESET))
    assert service.ask("/loop")[:2] == (503, "ConnectionError")
    assert service.ask("/thread")[:2] == (503, "ConnectionError")
    service.detach()
    assert service.ask("/loop")[0] == 200
    outcomes = events(out, "outcome")
    fired = {e["op"] for e in events(out, "op") if e["fault"]}
    for where in ("in_loop", "in_thread"):
        assert [o for o in outcomes if o["op"] in fired and o["step"] == mhr.STEP["handled"] and where in o["tail"]], \
            (where, [(o["op"], o["step"], o["tail"]) for o in outcomes])
    assert any("in_thread" in e["tail"] for e in events(out, "stack"))
    assert 503 in {e["status"] for e in events(out, "unit_end")}


@timed
def test_again_and_again_under_load(service):
    """No request fails or hangs while mishap comes and goes, and each time it sees what passes."""
    failed, done, end = [], [0], threading.Event()

    def load(path):
        connection = service.connection()
        while not end.is_set():
            try:
                status, text, _ = service.ask(path, connection)
            except (OSError, http.client.HTTPException) as e:
                status, text, connection = 0, repr(e), service.connection()
            done[0] += 1
            if status != 200:
                failed.append((status, text))

    threads = [threading.Thread(target=load, args=(path,)) for path in ("/loop", "/thread") * 2]
    for t in threads:
        t.start()
    try:
        for n in range(8):
            out = service.attach(*(["-c", service.scenario(SLOW)] if n % 2 else []))
            before = done[0]
            while done[0] < before + 30:
                time.sleep(0.02)
            service.detach()
            assert events(out, "request") and events(out, "unit_end"), os.listdir(out)
    finally:
        end.set()
        for t in threads:
            t.join(30)
    assert not failed, failed[:5]
    assert done[0] > 200


def test_set_and_watch_and_report(service):
    out = service.attach("-c", service.scenario(SLOW))
    assert service.ask("/loop")[2] >= 0.149
    mishap("set", service.pid, "slow.delay=300ms")
    time.sleep(0.1)
    assert service.ask("/loop")[2] >= 0.299
    mishap("set", service.pid, "off")
    assert "slow" in mishap("set", out).stdout
    assert "off" in mishap("set", service.pid).stdout
    service.detach()
    assert "does not run under mishap" in mishap("set", service.pid, status=2).stderr
    text = mishap("report", "-v", out).stdout
    assert "attached to this process while it ran" in text


def test_for_a_time_and_a_report(service, tmp_path):
    report, stop = str(tmp_path / "report.json"), threading.Event()

    def load():
        while not stop.is_set():
            service.ask("/loop")

    t = threading.Thread(target=load)
    t.start()
    try:
        done = mishap("attach", service.pid, "-c", service.scenario(SLOW), "-o", tmp_path / "timed", "--for", "3s",
                      "--report", report)
    finally:
        stop.set()
        t.join()
    assert "attached to process %d" % service.pid in done.stdout
    with open(report, encoding="utf-8") as f:
        document = json.load(f)
    process, = document["processes"]
    assert process["attached"] and process["ended"] == "mishap was detached from it, and it runs on"
    assert any("attached to this process while it ran" in spot for spot in document["blind_spots"])
    assert not [f for f in document["findings"] if f["rule"] == "MH-0105"]
    assert "mishap is not attached" in mishap("detach", service.pid, status=2).stderr


def refusal(*words):
    return mishap("attach", *words, status=2).stderr


def test_refusals(service, tmp_path):
    service.attach()
    assert "is under mishap already" in refusal(service.pid)
    service.detach()
    assert "mishap is not attached" in mishap("detach", service.pid, status=2).stderr
    assert "there is no process" in refusal(2 ** 22 - 1)
    assert "is not a process id" in refusal("me")
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            time.sleep(0.3)  # until it has its libc
            assert "runs no Python" in refusal(other.pid)
            os.kill(other.pid, 19)
            time.sleep(0.1)
            assert "is stopped" in refusal(other.pid)
        finally:
            other.kill()


# With 32 bits it needs nothing of a libc, which is not on every machine.
FOREIGN = """
#ifdef __i386__
void _start(void)
{
    for (;;)
        __asm__ volatile("int $0x80" : : "a"(29)); /* pause() */
}
#else
#include <unistd.h>
int main(void)
{
    for (;;)
        pause();
}
#endif
"""


@pytest.mark.parametrize("command, why", [
    ("musl-gcc", "uses musl, where hooks must be there from the start: start it under mishap"),
    ("gcc -m32 -nostdlib -static", "is a 32-bit program; the library is for 64 bits"),
    ("gcc -static", "has no libc that could load anything: it is statically linked, or has only just begun"),
    ("gcc -static-pie", "has no libc that could load anything: it is statically linked, or has only just begun"),
])
def test_programs_that_cannot_have_it(tmp_path, command, why):
    """They are refused in a line, and run on untouched."""
    compiler, *flags = command.split()
    (tmp_path / "program.c").write_text(FOREIGN)
    if subprocess.run([need(compiler), *flags, "-o", tmp_path / "program", tmp_path / "program.c"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip("cannot link with " + command)
    with subprocess.Popen([tmp_path / "program"]) as program:
        try:
            time.sleep(0.3)  # until it has its libc
            mapped = maps_of(program.pid)
            said = refusal("--any", program.pid, "-o", tmp_path / "out")
            assert said == "mishap: process %d %s\n" % (program.pid, why)
            assert maps_of(program.pid) == mapped
            assert program.poll() is None and not os.path.exists(tmp_path / "out")
        finally:
            program.kill()


class Waits:
    """programs/attached_waits.py, and the peer that wakes it."""

    def __init__(self, how, limit=60):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.process = subprocess.Popen(
            [PYTHON, os.path.join(PROGRAMS, "attached_waits.py"), str(self.listener.getsockname()[1]), "4", how,
             str(limit)],
            stdout=subprocess.PIPE, text=True)
        self.pid = int(self.process.stdout.readline().split()[1])
        self.ends = [self.listener.accept()[0] for _ in range(7)]
        self.lines, self.news = [], threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(json.loads(line))
                self.news.notify_all()

    def wake(self):
        """Every wait ends now; what they were."""
        before = len(self.lines)
        for end in self.ends:
            end.sendall(b"x")
        with self.news:
            assert self.news.wait_for(lambda: len({e["how"] for e in self.lines[before:]} - {"nanosleep"}) >= 6, 20), \
                self.lines
            return self.lines[before:]

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        for end in (*self.ends, self.listener):
            end.close()


@pytest.fixture
def waits(request):
    made = Waits(request.param)
    may_trace(made.pid)
    yield made
    made.stop()


@pytest.mark.parametrize("waits", ["libc"], indirect=True)
def test_threads_wait_on(waits, tmp_path):
    """No wait is cut short: not by the stop of a thread, nor of all, and sleeps last as long as they should."""
    time.sleep(0.3)
    for n in range(4):
        mishap("attach", waits.pid, "-o", tmp_path / str(n))
        if n == 3:
            time.sleep(4)  # until the sleeper, too, has slept once
        else:
            time.sleep(0.1)
        assert not [e for e in waits.lines if e["how"] != "nanosleep"], waits.lines
        mishap("detach", waits.pid)
        ended = waits.wake()
        assert {e["result"] for e in ended if e["how"] != "nanosleep"} == {1}, ended
        waits.lines.clear()
    slept = [e for e in ended if e["how"] == "nanosleep"] or waits.lines
    assert all(e["result"] == 0 and e["seconds"] >= 3.999 for e in slept), slept


@timed
@pytest.mark.parametrize("how", ["libc", "python"])
def test_limits_of_waits_last_as_long_as_they_should(tmp_path, how):
    """Each ends by its own limit, in time, however often mishap came and went meanwhile."""
    made, anew = Waits(how, 4), {"recv_limited"}  # the kernel forgets when it began: its limit may be longer
    try:
        may_trace(made.pid)
        for n in range(2):
            time.sleep(1)
            mishap("attach", made.pid, "-o", tmp_path / ("%d-%d" % (made.pid, n)))
            mishap("detach", made.pid)
        with made.news:
            assert made.news.wait_for(lambda: len({e["how"] for e in made.lines} - anew) >= 4, 20), made.lines
            first = {}
            for line in made.lines:
                first.setdefault(line["how"], line)
    finally:
        made.stop()
    for name, line in first.items():
        between(line["seconds"], 4, 20 if name in anew else 4 + LATE, name)
        assert line["result"] in (0, "EAGAIN")


HANG = "[run]\nprocesses = *\n[fault hang]\ncall = recv\npeer = 127.0.0.1\nhang = yes\n"


@pytest.mark.parametrize("waits", ["python"], indirect=True)
def test_what_is_held_is_let_go(waits, tmp_path):
    with open(tmp_path / "hang.ini", "w", encoding="ascii") as f:
        f.write(HANG)
    mishap("attach", waits.pid, "-o", tmp_path / "out", "-c", tmp_path / "hang.ini")
    for byte in (b"x", b"y"):
        for end in waits.ends:
            end.sendall(byte)
        time.sleep(0.3)

    def got():
        return collections.Counter(e["how"] for e in waits.lines if e["how"] != "nanosleep")

    # only what waited in the kernel when mishap came was not in its hands, and that once
    assert set(got().values()) <= {1} and "by_epoll" not in got(), got()
    mishap("detach", waits.pid)
    with waits.news:
        assert waits.news.wait_for(lambda: list(got().values()) == [2] * 6, 10), got()
    assert {e["result"] for e in waits.lines if e["how"] != "nanosleep"} == {1}
    assert {e["effect"] - 1 for e in events(tmp_path / "out", "op") if e["fault"]} == {mhr.EFFECT["hang"]}


def answer_bytes(s):
    with contextlib.suppress(OSError):
        while s.recv(1):
            s.sendall(b"!")


@pytest.fixture
def echo():
    """The port of a peer that answers every byte, in this process: it must not be under mishap."""
    with listener(answer_bytes) as port:
        yield port


class Lines:
    """A program, the lines that it prints, and its process id: its first one."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.process.stdout.readline())

    def until(self, word):
        """Reads on until a line has this word; the line."""
        watch = threading.Timer(30, self.process.kill)
        watch.start()
        try:
            for line in self.process.stdout:
                if word in line.split():
                    return line.split()
        finally:
            watch.cancel()
        raise AssertionError("it has ended without saying " + word)

    def __enter__(self):
        may_trace(self.pid)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()


def scenario(directory, text, *values):
    path = os.path.join(str(directory), "scenario.ini")
    with open(path, "w", encoding="ascii") as f:
        f.write(text % values)
    return path


ONE_RESET = "[fault reset]\ncall = recv\npeer = 127.0.0.1:%d\nerror = ECONNRESET\n"


@pythons.every_python
def test_every_python(python, echo, tmp_path):
    path = pythons.need_python(python)
    out = tmp_path / "out"
    with Lines([path, os.path.join(PROGRAMS, "attached_client.py"), str(echo)]) as client:
        client.until("!")
        mishap("attach", client.pid, "-o", out, "-c", scenario(tmp_path, ONE_RESET, echo))
        client.until("reset")
        mishap("detach", client.pid)
        client.until("!")
    fired = [e for e in events(out, "op") if e["fault"]]
    stacks = {e["stack"]: e["tail"] for e in events(out, "stack")}
    if pythons.minor(path) >= 15 and not stacks:
        pytest.skip("no stacks of this version")
    assert "ask" in stacks[fired[0]["stack"]].split("\n")[0]
    steps = [s[0] for s in pythons.steps(mhr.read_dir(out), fired[0]["op"])]
    assert "handled" in steps, steps


def test_a_forked_child_is_under_it(echo, tmp_path):
    out = tmp_path / "out"
    with Lines([PYTHON, os.path.join(PROGRAMS, "attached_client.py"), str(echo), "fork"]) as parent:
        mishap("attach", parent.pid, "-o", out, "-c", scenario(tmp_path, ONE_RESET, echo))
        parent.process.stdin.write("\n")
        parent.process.stdin.flush()
        child = int(parent.until("reset")[0])
        assert child != parent.pid
        mishap("detach", parent.pid)
        parent.until("reset")  # each process is let go of by itself
        mishap("detach", child)
        parent.until("!")
        parent.until("!")
        os.kill(child, 9)
    assert {(e["pid"], e["forked"]) for e in events(out, "process")} == {(parent.pid, 0), (child, 1)}


STARTS = """
import os, subprocess, sys
print(os.getpid(), flush=True)
client = [sys.executable, sys.argv[1], sys.argv[2]]
for line in sys.stdin:
    how = line.strip()
    if how == "subprocess":
        subprocess.Popen(client)
    elif how == "no-fds":
        subprocess.Popen(client, env=dict(os.environ, MISHAP_TEST="x"), close_fds=False)
    elif how == "shell":
        subprocess.Popen("exec " + " ".join(client), shell=True)
    elif how == "spawn":
        os.posix_spawn(client[0], client, {"LD_PRELOAD": sys.argv[3]})
    elif how == "spawnp":
        os.posix_spawnp("python3", client, os.environ)
    elif how == "fd":
        if os.fork() == 0:
            os.execve(os.open(client[0], os.O_RDONLY), client, {})
    elif how == "itself":
        os.execv(client[0], client)
"""


@pytest.mark.parametrize("how", ["subprocess", "no-fds", "shell", "spawn", "spawnp", "fd", "itself"])
def test_a_program_that_it_starts_is_under_it(echo, tmp_path, how):
    """And no more once mishap has let go of who starts it."""
    client, out = os.path.join(PROGRAMS, "attached_client.py"), tmp_path / "out"
    libc = next(line.split()[-1] for line in maps_of("self").splitlines() if "/libc." in line)
    with Lines([PYTHON, "-c", STARTS, client, str(echo), libc]) as parent:
        mishap("attach", parent.pid, "-o", out, "-c", scenario(tmp_path, ONE_RESET, echo))
        parent.process.stdin.write(how + "\n")
        parent.process.stdin.flush()
        child = int(parent.until("reset")[0])
        if how == "itself":
            assert child == parent.pid
            return
        assert child != parent.pid and events(out, "op")
        os.kill(child, 9)
        mishap("detach", parent.pid)
        parent.process.stdin.write(how + "\n")
        parent.process.stdin.flush()
        later = next(pid for pid, _ in iter(lambda: parent.until("!"), None) if int(pid) != child)
        assert "does not run under mishap" in mishap("set", later, status=2).stderr
        os.kill(int(later), 9)
    assert {(e["pid"], e["attached"]) for e in events(out, "process")} == {(parent.pid, 1), (child, 0)}


@pytest.mark.parametrize("script", [False, True])
def test_a_program_of_musl_that_it_starts_is_left_alone(echo, tmp_path, script):
    """Its linker would end it for a library that it cannot load."""
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text("#include <stdio.h>\nint main(int n, char **a) { return printf(\"%s fine\\n\", a[n - 1]) < 0; }\n")
    subprocess.run([need("musl-gcc"), "-o", program, source], check=True)
    started = program
    if script:
        started = tmp_path / "script"
        started.write_text("#! %s\n" % program)
        started.chmod(0o755)
    with Lines([PYTHON, "-c", STARTS.replace("sys.executable", repr(str(started))), "x", "y", "/no/such.so"]) as parent:
        mishap("attach", parent.pid, "-o", tmp_path / "out", "-c", scenario(tmp_path, ONE_RESET, echo))
        for how in ("subprocess", "shell", "spawn", *([] if script else ["fd"])):  # it could not read itself
            parent.process.stdin.write(how + "\n")
            parent.process.stdin.flush()
            assert parent.until("fine")
        mishap("detach", parent.pid)


def test_what_is_started_and_does_not_take_part(echo, tmp_path):
    path = scenario(tmp_path, "[run]\nprocesses = celery*\n" + ONE_RESET, echo)
    with Lines([PYTHON, "-c", STARTS, os.path.join(PROGRAMS, "attached_client.py"), str(echo)]) as parent:
        mishap("attach", parent.pid, "--any", "-o", tmp_path / "out", "-c", path)
        parent.process.stdin.write("subprocess\n")
        parent.process.stdin.flush()
        child = int(parent.until("!")[0])
        mishap("detach", parent.pid)
        os.kill(child, 9)
    assert [e["pid"] for e in events(tmp_path / "out", "process")] == [parent.pid]


def test_the_end_of_its_time_is_the_end_of_all(echo, tmp_path):
    """What it has started goes on without faults."""
    with Lines([PYTHON, "-c", STARTS, os.path.join(PROGRAMS, "attached_client.py"), str(echo)]) as parent:
        begun = subprocess.Popen([MISHAP, "attach", str(parent.pid), "-c", scenario(tmp_path, ONE_RESET, echo), "-o",
                                  str(tmp_path / "out"), "--for", "2s"], stdout=subprocess.PIPE, text=True)
        assert "attached" in begun.stdout.readline()
        parent.process.stdin.write("subprocess\n")
        parent.process.stdin.flush()
        child = int(parent.until("reset")[0])
        begun.communicate(timeout=60)
        for _ in range(3):
            parent.until("!")
        os.kill(child, 9)


LATER = """
import os, sys
print(os.getpid(), flush=True)
for line in sys.stdin:
    import psycopg2
    try:
        psycopg2.connect(host="127.0.0.1", port=int(line), connect_timeout=5)
    except psycopg2.OperationalError as e:
        print("refused" if "refused" in str(e) else "other", flush=True)
"""


def test_what_is_loaded_later_is_seen(echo, tmp_path):
    """An extension module, and a library that comes with it."""
    if not has_module("psycopg2"):
        pytest.skip("needs psycopg2")
    rule = "[fault refuse]\ncall = connect\npeer = 127.0.0.1:%d\ncaller = libpq*\nerror = ECONNREFUSED\n"
    with Lines([PYTHON, "-c", LATER]) as program:
        mishap("attach", program.pid, "-o", tmp_path / "out", "-c", scenario(tmp_path, rule, echo))
        program.process.stdin.write("%d\n" % echo)
        program.process.stdin.flush()
        program.until("refused")
        mishap("detach", program.pid)


BUSY = "import os\nprint(os.getpid(), flush=True)\nwhile True: pass"


LOOKS = """
import errno, os, sys, time
at = os.open(sys.argv[1], os.O_RDONLY)
def asked(what):
    try:
        return what() and "ok"
    except OSError as e:
        return errno.errorcode[e.errno]
print(os.getpid(), flush=True)
while True:
    print(asked(lambda: os.listdir(at)), asked(lambda: os.fstat(at)), asked(lambda: os.stat(sys.argv[1])), flush=True)
    time.sleep(0.02)
"""


def test_a_directory_that_was_open_before(tmp_path):
    (tmp_path / "file").write_text("")
    with Lines([PYTHON, "-c", LOOKS, str(tmp_path)]) as p:
        p.until("ok")
        mishap("attach", p.pid, "-o", tmp_path / "out",
               "-c", scenario(tmp_path, "[fault f]\ncall = file.stat readdir\nerror = EIO\npath = %s\n", tmp_path))
        p.until("EIO")  # it may have been in the middle of a line
        assert p.process.stdout.readline().split() == ["EIO"] * 3
        mishap("detach", p.pid)
        p.until("ok")
        assert p.process.stdout.readline().split() == ["ok"] * 3


def test_one_that_only_computes(tmp_path):
    with Lines([PYTHON, "-c", BUSY]) as busy:
        mishap("attach", busy.pid, "-o", tmp_path / "out")
        mishap("detach", busy.pid)
        assert busy.process.poll() is None


def test_more_refusals(echo, tmp_path):
    client = [PYTHON, os.path.join(PROGRAMS, "attached_client.py"), str(echo)]
    with Lines(["env", "LD_PRELOAD=" + LIBRARY, "MISHAP_OUT=%s" % (tmp_path / "own"), *client]) as preloaded:
        assert "is under mishap already" in refusal(preloaded.pid)
        assert "was started under mishap" in mishap("detach", preloaded.pid, status=2).stderr
    with Lines(client) as traced, subprocess.Popen([need("strace"), "-o", "/dev/null", "-p", str(traced.pid)],
                                                   stderr=subprocess.DEVNULL) as tracer:
        time.sleep(1)
        assert "is traced by process %d" % tracer.pid in refusal(traced.pid)
        tracer.terminate()
    with Lines(client) as left_out:
        path = scenario(tmp_path, "[run]\nprocesses = celery*\n" + ONE_RESET, echo)
        done = mishap("attach", left_out.pid, "-c", path, "-o", tmp_path / "no", status=3)
        assert "leaves this program out" in done.stderr
        mishap("attach", left_out.pid, "--any", "-c", path, "-o", tmp_path / "yes")
        left_out.until("reset")
        mishap("detach", left_out.pid)


def test_among_other_files(echo, tmp_path):
    """A process that sees other files than the command, as in a container: library and scenario come along."""
    if os.geteuid():
        pytest.skip("needs root")
    with open(os.path.join(PROGRAMS, "attached_client.py"), encoding="utf-8") as f:
        code = f.read()
    hide = 'mount -t tmpfs none "$1" && cd / && exec "$2" -c "$3" "$4"'
    with Lines([need("unshare"), "-m", "--propagation", "private", "sh", "-c", hide, "sh", TREE, PYTHON, code,
                str(echo)]) as hidden:
        done = mishap("attach", hidden.pid, "-c", scenario(tmp_path, ONE_RESET, echo), cwd=TREE)
        hidden.until("reset")
        out = done.stdout.split("recording is in ")[1].split("\n")[0]
        try:
            assert out.startswith("/proc/%d/root/tmp/" % hidden.pid)
            mishap("detach", hidden.pid)
            hidden.until("!")
            assert [e for e in events(out, "op") if e["fault"]]
        finally:
            shutil.rmtree(out)


# A filter that ends the process for one call, or lets it fail: what the library does must not be tried.
FILTERED = """
import ctypes, os, struct, sys
number, verdict = int(sys.argv[1]), int(sys.argv[2], 16)
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, verdict), (6, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("HBBI", *i) for i in steps)
buf = ctypes.create_string_buffer(code)
prog = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buf))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, prog, 0, 0) == 0
print(os.getpid(), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("number, verdict, name", [(265, "80000000", "linkat"), (285, "50001", "fallocate"),
                                                   (101, "80000000", None)])
def test_seccomp(tmp_path, number, verdict, name):
    if os.geteuid() or os.uname().machine != "x86_64":
        pytest.skip("needs root, and the numbers of x86-64")
    with Lines([PYTHON, "-c", FILTERED, str(number), verdict]) as filtered:
        done = subprocess.run([MISHAP, "attach", str(filtered.pid), "-o", str(tmp_path / "out")], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=90)
        if "cannot be read" in done.stderr:
            pytest.skip("filters cannot be read here")
        if name:
            assert done.returncode == 2 and "does not let it call %s()" % name in done.stderr
        else:
            assert done.returncode == 0, done.stderr
            mishap("detach", filtered.pid)
        assert filtered.process.poll() is None


def test_a_setuid_program(tmp_path):
    if os.geteuid():
        pytest.skip("needs root")
    own = str(tmp_path / "python")
    shutil.copy(os.path.realpath(PYTHON), own)
    os.chown(own, 65534, 65534)
    os.chmod(own, 0o4755)
    with subprocess.Popen([own, "-c", "import time; time.sleep(60)"]) as other:
        try:
            time.sleep(0.5)
            assert "is a setuid program" in refusal(other.pid)
        finally:
            other.kill()


GROWS = """
import os, time
held = [bytearray(1 << 20) for _ in range(20)]
print(os.getpid(), flush=True)
while True:
    try:
        more = [bytearray(1 << 20) for _ in range(80)]
        print("room", flush=True)
        more.clear()
        held.pop() if held else None
    except MemoryError:
        print("full", flush=True)
    time.sleep(0.02)
"""


def test_a_budget_of_memory(tmp_path):
    """What was there before counts, and can be given back."""
    path = scenario(tmp_path, "[fault tight]\ncall = memory\nmemory = 70MiB\n")
    with Lines([PYTHON, "-c", GROWS]) as program:
        program.until("room")
        mishap("attach", program.pid, "-c", path, "-o", tmp_path / "out")
        program.until("full")
        mishap("detach", program.pid)
        program.until("room")


def test_another_user(echo, tmp_path):
    """Root attaches to a process of nobody: directory and scenario are made such that it can use them."""
    if os.geteuid():
        pytest.skip("needs root")
    with open(os.path.join(PROGRAMS, "attached_client.py"), encoding="utf-8") as f:
        code = f.read()
    out = tempfile.mkdtemp(prefix="mishap-attach-")  # pytest's own directories are closed to others
    as_nobody = [need("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    try:
        os.chmod(out, 0o755)
        with Lines([*as_nobody, PYTHON, "-c", code, str(echo)]) as client:
            mishap("attach", client.pid, "-c", scenario(tmp_path, ONE_RESET, echo), "-o", out)
            client.until("reset")
            mishap("detach", client.pid)
        assert [e for e in events(out, "op") if e["fault"]]
    finally:
        shutil.rmtree(out)
