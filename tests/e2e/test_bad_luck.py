# SPDX-License-Identifier: Apache-2.0
"""Bad input and bad luck of a run: one clear line each, and a gate that is never green."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import mhr
from guest import BUILD, LIBRARY, PYTHON, TREE, need
from test_run import MISHAP, Running, free_port, marked, run, wait_until

pytestmark = pytest.mark.skipif(not os.path.exists(LIBRARY), reason="the library is not built")
REFUSE = "[fault refuse]\ncall = connect\npeer = 127.0.0.1\nevery = 2\nerror = ECONNREFUSED\n"
SLEEP = [PYTHON, "-c", "import time\nprint('ready', flush=True)\ntime.sleep(60)"]
LOADER = b"/lib64/ld-linux-x86-64.so.2\0"


def gate(directory, *words):
    return subprocess.run([MISHAP, "report", str(directory), "--fail-on", "high", *words], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def said(stderr):
    return [line for line in stderr.splitlines() if line.startswith("mishap: ")]


@contextlib.contextmanager
def mounted(place, options):
    place.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False,
                                     stderr=subprocess.DEVNULL).returncode:
        pytest.skip("cannot mount a tmpfs here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


# Programs that the library cannot be in


def changed(tmp_path, old, new):
    data = open(os.path.realpath(PYTHON), "rb").read()
    if old not in data:
        pytest.skip("not the loader that this test knows")
    (tmp_path / "program").write_bytes(data.replace(old, new, 1))


def musl(tmp_path):
    changed(tmp_path, LOADER, b"/lib/ld-musl-x86_64.so.1".ljust(len(LOADER), b"\0"))


def aarch64(tmp_path):
    musl(tmp_path)  # either is said; the architecture first
    data = bytearray((tmp_path / "program").read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    (tmp_path / "program").write_bytes(data)


def unknown_machine(tmp_path):
    aarch64(tmp_path)
    data = bytearray((tmp_path / "program").read_bytes())
    data[18:20] = b"\xfe\xfe"
    (tmp_path / "program").write_bytes(data)


def script_of(kind):
    def make(tmp_path):
        kind(tmp_path)
        os.rename(tmp_path / "program", tmp_path / "interpreter")
        (tmp_path / "interpreter").chmod(0o755)
        (tmp_path / "program").write_text("#!%s\nprint('ran')\n" % (tmp_path / "interpreter"))
    return make


@pytest.mark.parametrize("make, line", [
    (musl, "program has another libc than libmishap.so: musl (ld-musl-x86_64.so.1), not glibc"),
    (aarch64, "program is for another architecture than libmishap.so: aarch64, not x86-64"),
    (unknown_machine, "program is for another architecture than libmishap.so: an unknown machine, not x86-64"),
    (script_of(musl), "interpreter has another libc than libmishap.so: musl (ld-musl-x86_64.so.1), not glibc"),
], ids=["musl", "aarch64", "unknown machine", "a script's interpreter"])
def test_a_foreign_command_is_not_started(tmp_path, make, line):
    make(tmp_path)
    (tmp_path / "program").chmod(0o755)
    done = run(tmp_path, "--fail-on", "high", "--", tmp_path / "program")
    assert done.returncode == 3 and len(said(done.stderr)) == 1, done.stderr
    assert done.stderr == "mishap: %s/%s\n" % (tmp_path, line)
    assert not (tmp_path / "out").exists()


def test_a_library_for_another_machine(tmp_path):
    """The same from the other side: what counts is the library, not the tool."""
    shutil.copyfile(MISHAP, tmp_path / "mishap")
    (tmp_path / "mishap").chmod(0o755)
    data = bytearray(open(LIBRARY, "rb").read())
    data[18:20] = (183).to_bytes(2, "little")
    (tmp_path / "libmishap.so").write_bytes(data)
    done = subprocess.run([tmp_path / "mishap", "run", "-o", tmp_path / "out", "--", PYTHON, "-c", ""], text=True,
                          stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == 3 and len(said(done.stderr)) == 1
    assert "another architecture than libmishap.so: x86-64, not aarch64" in done.stderr


def for_another_machine(place):
    data = bytearray(open(LIBRARY, "rb").read())
    data[18:20] = (183).to_bytes(2, "little")
    (place / "lib.so").write_bytes(data)


def for_another_libc(place):
    """What needs musl's libc, which is not here."""
    (place / "c.c").write_text("int x;")
    for out, words in (("libc.musl.so.1", ["-Wl,-soname,libc.musl.so.1"]), ("lib.so", ["libc.musl.so.1"])):
        subprocess.run([need("cc"), "-shared", "-Wl,--no-as-needed", "-o", out, "c.c", *words], cwd=place, check=True)
    (place / "libc.musl.so.1").unlink()


@pytest.mark.parametrize("make, status", [(for_another_machine, 0), (for_another_libc, 127)])
def test_a_container_with_a_wrong_library(tmp_path, make, status):
    """The loader says so, and goes on without or does not: nothing is recorded, and the gate is not green."""
    make(tmp_path)
    (tmp_path / "rec").mkdir()
    env = {**os.environ, "LD_PRELOAD": str(tmp_path / "lib.so"), "MISHAP_OUT": str(tmp_path / "rec")}
    done = subprocess.run([PYTHON, "-c", ""], env=env, text=True, stderr=subprocess.PIPE, check=False, timeout=30)
    assert done.returncode == status and len(done.stderr.splitlines()) == 1, done.stderr
    done = gate(tmp_path / "rec")
    assert done.returncode == 3 and said(done.stderr) == ["mishap: there is no recording (*.mhr) in '%s/rec'" % tmp_path]


def test_a_static_command_may_start_others(tmp_path):
    """A launcher of containers is often static, and what it starts takes part."""
    (tmp_path / "c.c").write_text("#include <unistd.h>\nint main(int n, char **v) { return n < 2 ? 0 : execv(v[1], v + 1); }")
    if subprocess.run([need("cc"), "-static", "-o", tmp_path / "init", tmp_path / "c.c"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip("nothing static can be built here")
    line = "%s/init is statically linked" % tmp_path
    done = run(tmp_path, "-q", "--fail-on", "high", "--", tmp_path / "init")
    assert done.returncode == 11 and line in said(done.stderr)[0] and len(said(done.stderr)) == 2
    shutil.rmtree(tmp_path / "out")
    done = run(tmp_path, "-q", "--", tmp_path / "init", PYTHON, "-c", "")
    assert done.returncode == 0 and line in done.stderr
    assert [e for e in mhr.read_dir(str(tmp_path / "out")) if e["event"] == "process"]


# Places to record to


def test_a_read_only_volume(tmp_path):
    with mounted(tmp_path / "volume", "size=1m,ro") as volume:
        for out in (volume, volume / "new"):
            done = subprocess.run([MISHAP, "run", "-o", out, "--fail-on", "high", "--", "touch", "ran"], text=True,
                                  cwd=tmp_path, stderr=subprocess.PIPE, check=False, timeout=30)
            assert done.returncode == 2, "nothing was started"
            assert done.stderr == "mishap: Cannot use the directory '%s': Read-only file system\n" % out
        assert not (tmp_path / "ran").exists()
        done = subprocess.run([PYTHON, "-c", "print('fine')"], text=True, stdout=subprocess.PIPE, check=True, timeout=30,
                              stderr=subprocess.PIPE, env={**os.environ, "LD_PRELOAD": LIBRARY, "MISHAP_OUT": str(volume)})
        assert done.stdout == "fine\n" and len(said(done.stderr)) == 1, done.stderr
        done = gate(volume)
        assert done.returncode == 3 and said(done.stderr) == ["mishap: there is no recording (*.mhr) in '%s'" % volume]


def test_one_run_at_a_time(tmp_path):
    with Running(tmp_path, "--", *SLEEP) as first:
        assert first.process.stdout.readline() == "ready\n"
        done = run(tmp_path, "--", "touch", "ran")
        assert done.returncode == 2 and said(done.stderr) == [
            "mishap: a run goes on in '%s/out'; name another directory" % tmp_path]
        first.process.send_signal(signal.SIGINT)
        first.end()
    assert len([e for e in mhr.read_dir(str(tmp_path / "out")) if e["event"] == "child"]) == 1
    done = run(tmp_path, "--", "touch", "ran")
    assert done.returncode == 2 and "holds a run already" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_of_many_that_start_at_once_one_runs(tmp_path):
    for attempt in range(5):
        out = tmp_path / str(attempt)
        many = [subprocess.Popen([MISHAP, "run", "-q", "-o", out, "--kernel", "off", "--", "sh", "-c",
                                  "echo x >> %s/ran%d" % (tmp_path, attempt)], stderr=subprocess.DEVNULL)
                for _ in range(6)]
        assert sorted(p.wait(60) for p in many) == [0, 2, 2, 2, 2, 2]
        assert (tmp_path / ("ran%d" % attempt)).read_text() == "x\n"


CONNECTS = """import socket, sys, time
injected = n = 0
for i in range(int(sys.argv[2])):
    s = socket.socket()
    r = s.connect_ex(("127.0.0.1", int(sys.argv[1])))
    s.close(); injected += r == 111; n += 1
print(n, injected)"""


@contextlib.contextmanager
def listener():
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        def take():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()
        threading.Thread(target=take, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_the_disk_is_full_in_mid_run(tmp_path):
    """The program goes on to its end, without faults; what is known of it is not enough for a gate."""
    (tmp_path / "s.ini").write_text(REFUSE)
    with mounted(tmp_path / "volume", "size=2400k") as volume, listener() as port:
        done = subprocess.run([MISHAP, "run", "-q", "-o", volume / "out", "-c", "s.ini", "--kernel", "off", "--fail-on",
                               "critical", "--", PYTHON, "-c", CONNECTS, str(port), "12000"], text=True, cwd=tmp_path,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        n, injected = map(int, done.stdout.split())
        assert n == 12000 and 100 < injected < 6000
        assert done.returncode == 11, done.stderr
        lines = said(done.stderr)
        assert "cannot extend the recording" in lines[0] and "No space left on device" in lines[1]
        assert lines[2].startswith("mishap: the gate cannot judge: mishap did not see this run to its end")
        assert len(lines) == 3
        report = json.loads(gate(volume / "out", "--format", "json").stdout)
    assert report["run"]["finished"] is False and report["run"]["fired"] == injected
    assert any("the recording of process" in text for text in report["run"]["cut"])
    assert set(report["run"]["cut"]) <= set(report["blind_spots"])


def test_one_process_of_several_has_no_room(tmp_path):
    """As in a container that has the library only: nobody saw the end of the run, the recordings say it."""
    (tmp_path / "s.ini").write_text(REFUSE)
    with mounted(tmp_path / "volume", "size=3400k") as volume, listener() as port:
        env = {**os.environ, "LD_PRELOAD": LIBRARY, "MISHAP_OUT": str(volume), "MISHAP_CONFIG": str(tmp_path / "s.ini")}
        for rounds in ("40", "12000"):
            subprocess.run([PYTHON, "-c", CONNECTS, str(port), rounds], env=env, check=True, timeout=120,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done = gate(volume, "--format", "json", "--fail-on", "critical")
    report = json.loads(done.stdout)
    assert done.returncode == 11 and len(report["run"]["cut"]) == 1 and report["run"]["finished"] is None
    assert said(done.stderr) == ["mishap: the gate cannot judge: " + report["run"]["cut"][0]]


# Deaths


def test_mishap_itself_is_killed(tmp_path):
    (tmp_path / "s.ini").write_text(REFUSE)
    with Running(tmp_path, "-c", "s.ini", "--", PYTHON, "-c", """import socket, time
for _ in range(30): socket.socket().connect_ex(("127.0.0.1", 9))
print("ready", flush=True)
time.sleep(60)""") as r:
        assert r.process.stdout.readline() == "ready\n"
        done = gate(tmp_path / "out")
        assert done.returncode == 11 and "the run goes on still" in done.stderr
        r.process.kill()
        assert wait_until(lambda: marked(tmp_path) == [])
    done = gate(tmp_path / "out", "--format", "json")
    assert done.returncode == 11
    assert said(done.stderr) == ["mishap: the gate cannot judge: mishap did not see this run to its end: it was killed, "
                                 "its disk was full, or the run goes on still."]
    report = json.loads(done.stdout)
    assert report["run"]["fired"] == 15 and report["run"]["finished"] is False
    assert not [u for u in report["units"] if u["kind"] == "command" and u.get("state") == "broke"]


def test_it_never_gets_ready(tmp_path):
    where = "127.0.0.1:%d" % free_port()
    began = time.monotonic()
    done = run(tmp_path, "--fail-on", "high", "--ready", where, "--ready-within", "700ms", "--with", "touch loaded", "--",
               *SLEEP)
    assert done.returncode == 3 and said(done.stderr) == ["mishap: %s did not answer within 0.7 s" % where]
    assert 0.7 <= time.monotonic() - began < 10 and not (tmp_path / "loaded").exists()


@pytest.mark.parametrize("when", ["before it is ready", "under load"])
def test_the_command_dies(tmp_path, when):
    port = free_port()
    serve = "import http.server as h, os, sys\nif sys.argv[2] == 'x': os.kill(os.getpid(), 9)\n" \
            "h.HTTPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"
    load = "for i in 1 2 3; do curl -s -o /dev/null http://127.0.0.1:%d/; done; kill -9 $(cat pid); sleep 20" % port
    command = "echo $$ > pid; exec %s -c \"%s\" %d %s" % (PYTHON, serve, port, "x" if when.startswith("b") else "y")
    done = run(tmp_path, "-q", "--fail-on", "high", "--ready", "127.0.0.1:%d" % port, "--with", load, "--", "sh", "-c",
               command)
    assert done.returncode == 137, done.stderr
    line = "the command ended (status 137) before 127.0.0.1:%d answered" % port if when.startswith("b") else \
        "the command was ended by signal 9 (Killed)"
    assert said(done.stderr)[0] == "mishap: " + line
    assert gate(tmp_path / "out").returncode in (11, 12)


# The image's own script: the same with the paths of this build


@pytest.fixture
def entry(tmp_path):
    with open(os.path.join(TREE, "docker", "entry"), encoding="utf-8") as f:
        text = f.read()
    for path, ours in (("/usr/lib/mishap/", BUILD + "/lib/"), ("/usr/share/mishap/", TREE + "/config/"),
                       ("/run/mishap-installed", str(tmp_path / "installed"))):
        assert path in text
        text = text.replace(path, ours)
    (tmp_path / "entry").write_text(text)

    def start(*words):
        env = {**os.environ, "PATH": os.path.dirname(MISHAP) + ":" + os.environ["PATH"]}
        return subprocess.Popen(["bash", tmp_path / "entry", *map(str, words)], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=env)
    return start


@pytest.mark.parametrize("words, status, line", [
    (("-t", "30"), 11, "stopped before the end of the run: not to be judged"),
    (("-w", "1", "-r", "127.0.0.1:9"), 11, "nobody listens at 127.0.0.1:9 after 1 s: not to be judged"),
    (("-w", "1", "-r", "http://127.0.0.1:9/x"), 11, "http://127.0.0.1:9/x is not answered well after 1 s: not to be judged"),
    (("-t", "0"), 3, "there is no recording (*.mhr) in '%s/rec'"),
], ids=["an application's container dies", "never ready", "a URL never answered", "nothing was recorded"])
def test_a_stage_of_compose(tmp_path, entry, words, status, line):
    stage = entry("stage", *words, tmp_path / "v")
    if status == 11 and "-t" in words:  # compose takes the others along when a container has died
        assert wait_until(lambda: (tmp_path / "v" / "begin").exists())
        stage.send_signal(signal.SIGTERM)
    _, stderr = stage.communicate(timeout=30)
    assert stage.returncode == status, stderr
    assert said(stderr) == ["mishap: " + (line % (tmp_path / "v") if "%s" in line else line)]


def test_two_stages_in_one_volume(tmp_path, entry):
    """The second would empty what the first one records to."""
    first = entry("stage", "-t", "60", tmp_path / "v")
    assert wait_until(lambda: (tmp_path / "v" / "begin").exists())
    (tmp_path / "v" / "rec" / "1.mhr").touch()
    second = entry("stage", "-t", "0", tmp_path / "v")
    _, stderr = second.communicate(timeout=30)
    assert second.returncode == 11
    assert said(stderr) == ["mishap: a stage goes on in '%s/v': not to be judged" % tmp_path]
    assert (tmp_path / "v" / "rec" / "1.mhr").exists()
    first.send_signal(signal.SIGTERM)
    _, stderr = first.communicate(timeout=30)
    assert first.returncode == 11
    third = entry("stage", "-t", "0", tmp_path / "v")
    assert third.wait(30) == 3 and "no recording" in third.communicate()[1]


def test_a_stage_of_compose_on_a_read_only_volume(tmp_path, entry):
    with mounted(tmp_path / "v", "size=1m,ro") as volume:
        stage = entry("stage", volume)
        _, stderr = stage.communicate(timeout=30)
    assert stage.returncode == 3
    assert said(stderr) == ["mishap: cannot install into '%s': is a volume read-only?" % volume]
