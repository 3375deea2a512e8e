# SPDX-License-Identifier: Apache-2.0
"""The supervisor of `mishap run`: how a run begins and ends, what its exit status says, and that nothing
of it is left."""
import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import pytest

import mhr
from guest import BUILD, LIBRARY, PYTHON, TREE

MISHAP = os.path.join(BUILD, "tools", "mishap")
SERVER = [PYTHON, "-u", "-m", "http.server", "--bind", "127.0.0.1"]
pytestmark = pytest.mark.skipif(not os.path.exists(LIBRARY), reason="the library is not built")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def command(*words):
    return [MISHAP, "run", *map(str, words)]


def run(tmp_path, *words, timeout=60, **how):
    """Runs to the end in tmp_path; recordings go to tmp_path/out."""
    return subprocess.run(command("-o", tmp_path / "out", *words), cwd=tmp_path, text=True, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False,
                          **how)


def child_record(tmp_path):
    found = [e for e in mhr.read_dir(str(tmp_path / "out")) if e["event"] == "child"]
    assert len(found) == 1
    return found[0]


def mark(tmp_path):
    """An environment by which every process of a run can be told."""
    return {**os.environ, "TEST_OF_RUN": str(tmp_path)}


def marked(tmp_path):
    """Processes with that mark that live: (pid, name)."""
    wanted, found = f"TEST_OF_RUN={tmp_path}".encode(), []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{entry}/environ", "rb") as f:
                if wanted in f.read().split(b"\0"):
                    with open(f"/proc/{entry}/comm", encoding="utf-8") as name:
                        found.append((int(entry), name.read().strip()))
    return found


def wait_until(what, timeout=15):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


class Running:
    """`mishap run` in the background; killed at the end of the test if it has not ended."""

    def __init__(self, tmp_path, *words):
        self.tmp_path = tmp_path
        self.process = subprocess.Popen(command("-o", tmp_path / "out", *words), cwd=tmp_path, text=True,
                                        env=mark(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        for pid, _ in marked(self.tmp_path):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate(timeout=30)

    def end(self, timeout=40):
        self.stdout, self.stderr = self.process.communicate(timeout=timeout)
        return self.process.returncode


@pytest.mark.parametrize("code, status", [
    ("pass", 0), ("raise SystemExit(7)", 7), ("raise SystemExit(10)", 10), ("raise RuntimeError", 1),
    ("import os; os.kill(os.getpid(), 9)", 137), ("import os; os.abort()", 134),
])
def test_the_commands_own_status(tmp_path, code, status):
    done = run(tmp_path, "--", PYTHON, "-c", code)
    assert done.returncode == status, done.stderr
    record = child_record(tmp_path)
    assert record["stopped"] == 0
    assert (128 + record["signal"] if record["signal"] else record["status"]) == status
    assert record["tail"].startswith(PYTHON)


def test_the_command_gets_its_arguments_input_and_output(tmp_path):
    done = subprocess.run(command("-q", "-o", tmp_path / "out", PYTHON, "-c",
                                  "import sys; print(sys.argv[1:], sys.stdin.read())", "--for", "-o", "--", "x y"),
                          input="hello", stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 0
    assert done.stdout == "['--for', '-o', '--', 'x y'] hello\n"


def test_the_environment_of_the_command_and_of_the_load(tmp_path):
    port = free_port()
    show = "env | grep -E '^(MISHAP_(OUT|CONFIG|SEED)|LD_PRELOAD)=' | sort"
    server = f"{show} > app.env; exec {' '.join(SERVER)} {port}"
    done = run(tmp_path, "--seed", "16", "--ready", f"127.0.0.1:{port}", "--with", f"{show} > load.env", "--",
               "sh", "-c", server, env={**os.environ, "LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/libdl.so.2"}
               if os.path.exists("/usr/lib/x86_64-linux-gnu/libdl.so.2") else None)
    assert done.returncode == 0, done.stderr
    app = dict(line.split("=", 1) for line in (tmp_path / "app.env").read_text().splitlines())
    assert app["LD_PRELOAD"].split(":")[0] == os.path.realpath(LIBRARY)
    assert app["MISHAP_OUT"] == str(tmp_path / "out") and app["MISHAP_SEED"] == "16"
    assert "MISHAP_CONFIG" not in app
    load = (tmp_path / "load.env").read_text()
    assert "libmishap" not in load and "MISHAP_" not in load


def test_default_directory(tmp_path):
    done = subprocess.run(command("-q", "--", "true"), cwd=tmp_path, timeout=30, check=False)
    assert done.returncode == 0
    (name,) = os.listdir(tmp_path / "mishap-out")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-\d+", name)


def test_a_directory_holds_one_run(tmp_path):
    assert run(tmp_path, "--", "true").returncode == 0
    done = run(tmp_path, "--", "touch", "ran")
    assert done.returncode == 2 and "holds a run already" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_bad_scenario_starts_nothing(tmp_path):
    (tmp_path / "bad.ini").write_text("[fault x]\ncall = recv\ndely = 3s\n")
    done = run(tmp_path, "-c", "bad.ini", "--", "touch", "ran")
    assert done.returncode == 2
    assert re.search(r"bad\.ini:3: .*dely", done.stderr)
    assert sorted(os.listdir(tmp_path)) == ["bad.ini"]


def test_for_ends_a_server_politely(tmp_path):
    began = time.monotonic()
    done = run(tmp_path, "--for", "500ms", "--", *SERVER, free_port())
    assert done.returncode == 0, done.stderr
    assert 0.5 <= time.monotonic() - began < 8
    assert "Keyboard interrupt received" in done.stdout + done.stderr
    assert child_record(tmp_path)["stopped"] == 1


def test_phases_end_the_run(tmp_path):
    (tmp_path / "s.ini").write_text("[phase one]\nfor = 300ms\n[phase two]\nfor = 400ms\nfaults = x\n"
                                    "[fault x]\ncall = recv\npeer = 10.0.0.1\nerror = ECONNRESET\n")
    began = time.monotonic()
    done = run(tmp_path, "-c", "s.ini", "--", PYTHON, "-c", "import time; time.sleep(30)")
    assert done.returncode == 0, done.stderr
    assert 0.7 <= time.monotonic() - began < 8


def test_ready_then_load_then_end(tmp_path):
    port = free_port()
    late = f"import time, os; time.sleep(.5); os.execv({SERVER[0]!r}, {[*SERVER, str(port)]!r})"
    load = f"{PYTHON} -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:{port}/\").read()' && touch loaded"
    done = run(tmp_path, "--ready", f"127.0.0.1:{port}", "--with", load, "--", PYTHON, "-c", late)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "loaded").exists()


def test_the_clock_starts_when_ready(tmp_path):
    port = free_port()
    late = f"import time, os; time.sleep(1); os.execv({SERVER[0]!r}, {[*SERVER, str(port)]!r})"
    began = time.monotonic()
    done = run(tmp_path, "--ready", f"localhost:{port}", "--for", "700ms", "--", PYTHON, "-c", late)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began >= 1.7


def test_death_before_ready(tmp_path):
    where = f"127.0.0.1:{free_port()}"
    done = run(tmp_path, "--ready", where, "--with", "touch loaded", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4
    assert f"the command ended (status 4) before {where} answered" in done.stderr
    assert not (tmp_path / "loaded").exists()


def test_what_kept_it_from_starting_is_judged(tmp_path):
    needs = f"import socket; socket.create_connection(('127.0.0.1', {free_port()}))"
    done = run(tmp_path, "--ready", f"127.0.0.1:{free_port()}", "--report", "r.json", "--", PYTHON, "-c", needs)
    assert done.returncode == 1
    report = json.loads((tmp_path / "r.json").read_text())
    assert [f["rule"] for f in report["findings"]] == ["MH-0105"]
    assert "ECONNREFUSED" in " ".join(report["findings"][0]["evidence"])


def test_an_orderly_end_before_ready_is_trouble(tmp_path):
    assert run(tmp_path, "--ready", f"127.0.0.1:{free_port()}", "--", "true").returncode == 3


def test_somebody_else_listens(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = "127.0.0.1:%d" % other.getsockname()[1]
        done = run(tmp_path, "--ready", where, "--", "touch", "ran")
    assert done.returncode == 2 and where in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_load_that_cannot_run(tmp_path):
    done = run(tmp_path, "--with", "no-such-load", "--", PYTHON, "-c", "import time; time.sleep(30)")
    assert done.returncode == 3 and "the load could not be run: no-such-load" in done.stderr


def test_one_interrupt_is_polite(tmp_path):
    with Running(tmp_path, "--", *SERVER, free_port()) as r:
        assert wait_until(lambda: any(name.startswith("python") for _, name in marked(tmp_path)))
        time.sleep(0.5)
        r.process.send_signal(signal.SIGINT)
        assert r.end() == 0
        assert "Keyboard interrupt received" in r.stdout + r.stderr
        assert marked(tmp_path) == []
    assert child_record(tmp_path)["stopped"] == 1


STUBBORN = """import signal, time
for s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, lambda n, f: print("got", n, flush=True))
print("ready", flush=True)
end = time.monotonic() + 60
while time.monotonic() < end: time.sleep(1)"""


def test_second_interrupt_is_at_once(tmp_path):
    with Running(tmp_path, "--", PYTHON, "-c", STUBBORN) as r:
        assert r.process.stdout.readline() == "ready\n"
        r.process.send_signal(signal.SIGINT)
        assert r.process.stdout.readline() == "got 2\n"
        began = time.monotonic()
        r.process.send_signal(signal.SIGINT)
        assert r.end() == 137
        assert time.monotonic() - began < 8
        assert "was killed" in r.stderr
        assert marked(tmp_path) == []
    assert child_record(tmp_path)["signal"] == 9


def test_the_stubborn_get_sigterm_then_sigkill(tmp_path):
    began = time.monotonic()
    done = run(tmp_path, "--for", "200ms", "--", PYTHON, "-c", STUBBORN)
    assert done.returncode == 137
    assert done.stdout.startswith("ready\ngot 2\ngot 15\n")
    assert time.monotonic() - began >= 20


@pytest.mark.parametrize("handler, signals, last", [
    ("signal.signal(15, lambda *_: sys.exit(3))", [15], {"status": 3, "signal": 0}),
    ("signal.signal(15, signal.SIG_IGN)", [15, 9], {"status": -1, "signal": 9}),
])
def test_grace_ends_it_as_an_orchestrator_does(tmp_path, handler, signals, last):
    """SIGTERM to the command while the load goes on, then SIGKILL; who listened then is recorded."""
    port = free_port()
    others = [socket.create_server(("127.0.0.1", 0)) for _ in range(40)]  # of the host, not of the run
    code = ("import signal, socket, sys, time\n" + handler +
            f"\ns = socket.create_server(('127.0.0.1', {port}))\nasked = s.accept()\ntime.sleep(60)")
    load = (f"{PYTHON} -c \"import socket, time; s = [socket.create_connection(('127.0.0.1', {port})) for _ in 'ab'];"
            " time.sleep(60)\"")
    done = run(tmp_path, "-q", "--ready", f"127.0.0.1:{port}", "--with", load, "--for", "1s", "--grace", "1s",
               "--", PYTHON, "-c", code)
    for other in others:
        other.close()
    assert done.returncode == (137 if 9 in signals else 0), done.stderr
    events = mhr.read_dir(str(tmp_path / "out"))
    stops = [e for e in events if e["event"] == "stop"]
    child = child_record(tmp_path)
    assert [e["signal"] for e in stops] == signals
    assert {key: child[key] for key in last} == last and child["stopped"] == 1
    assert child["ended_at"] >= stops[-1]["sent_at"]
    listeners = [e for e in events if e["event"] == "listener"]
    assert [(e["port"], e["tail"]) for e in listeners] == [(port, str(child["pid"]))]
    assert listeners[0]["waiting"] >= 2  # nobody accepts but the question of --ready


def test_nothing_is_left(tmp_path):
    """Neither workers in other sessions, nor orphans, nor the load's own children."""
    app = ("import subprocess, time\n"
           "subprocess.Popen(['sh', '-c', 'sleep 61 & sleep 62'], start_new_session=True)\n"
           "subprocess.Popen('setsid sleep 63 &', shell=True)\n"
           "time.sleep(60)")
    with Running(tmp_path, "--with", "setsid sleep 64 & sleep 1", "--", PYTHON, "-c", app) as r:
        assert wait_until(lambda: sum(n == "sleep" for _, n in marked(tmp_path)) >= 4), marked(tmp_path)
        r.end()
        assert marked(tmp_path) == []


def test_children_that_were_there_before_are_left_alone(tmp_path):
    """`sh -c 'server & exec mishap run'` makes the server our child, but not of the run."""
    line = f"sleep 65 > /dev/null 2>&1 & echo $!; exec {MISHAP} run -q -o {tmp_path}/out -- true"
    done = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, text=True, timeout=30, check=False)
    pid = int(done.stdout.split()[0])
    try:
        assert done.returncode == 0
        os.kill(pid, 0)
    finally:
        os.kill(pid, signal.SIGKILL)


class Terminal:
    """A command on a terminal of its own; what it prints gathers in .seen."""

    def __init__(self, argv, cwd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ["TERM"] = "xterm"
            os.execv(argv[0], argv)
        self.seen = b""

    def read_until(self, pattern, timeout=15):
        end = time.monotonic() + timeout
        while not re.search(pattern, self.seen) and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536)
                except OSError:  # the other side is closed
                    break
        return re.search(pattern, self.seen)

    def end(self):
        self.read_until(rb"\0never", 30)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_progress_on_a_terminal_and_control_c(tmp_path):
    port = free_port()
    terminal = Terminal(command("-o", tmp_path / "out", "--ready", f"127.0.0.1:{port}", "--", *SERVER, port), tmp_path)
    assert terminal.read_until(rb"running .*faults 0 .*requests \d+ .*5xx 0")
    os.write(terminal.fd, b"\x03")
    assert terminal.end() == 0
    assert terminal.seen.count(b"Keyboard interrupt received") == 1


def test_no_progress_without_terminal_or_when_quiet(tmp_path):
    done = run(tmp_path, "--for", "500ms", "--", "sleep", "20")
    assert "\r" not in done.stderr and "faults" not in done.stderr
    terminal = Terminal(command("-q", "-o", tmp_path / "quiet", "--for", "500ms", "--", "sleep", "20"), tmp_path)
    assert terminal.end() == 0
    assert terminal.seen == b""


def test_a_command_may_talk_to_the_terminal(tmp_path):
    terminal = Terminal(command("-q", "-o", tmp_path / "out", "--", PYTHON, "-c", "print('<' + input() + '>')"),
                        tmp_path)
    time.sleep(0.5)
    os.write(terminal.fd, b"hello\n")
    assert terminal.read_until(rb"<hello>")
    assert terminal.end() == 0


def test_reports_are_written_in_the_format_of_their_suffix(tmp_path):
    done = run(tmp_path, "--report", "r.json", "--report", "r.html", "--", PYTHON, "-c", "pass")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["schema_version"] == 1 and report["run"]["exit"] == 0
    assert "<html" in (tmp_path / "r.html").read_text()
    again = subprocess.run([MISHAP, "report", tmp_path / "r.json"], stdout=subprocess.PIPE, text=True, check=False)
    assert again.returncode == 0 and again.stdout.strip()


def test_a_gate_over_a_run_in_which_nothing_fired_is_not_green(tmp_path):
    assert run(tmp_path, "--fail-on", "HIGH", "--", PYTHON, "-c", "pass").returncode == 11


def test_the_commands_failure_goes_before_the_gate(tmp_path):
    assert run(tmp_path, "--fail-on", "low", "--", PYTHON, "-c", "raise SystemExit(5)").returncode == 5


def test_an_installed_copy_works(tmp_path):
    """`meson install` below another root, and moved: library and scenarios are found from the executable."""
    done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", tmp_path / "root"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
    (installed,) = (tmp_path / "root").rglob("bin/mishap")
    prefix = tmp_path / "moved"
    shutil.move(installed.parent.parent, prefix)
    libraries = list(prefix.rglob("mishap/libmishap.so"))
    assert len(libraries) == 1
    done = subprocess.run([prefix / "bin" / "mishap", "run", "-q", "-o", tmp_path / "out", "--", PYTHON, "-c",
                           "import os; print(os.environ['LD_PRELOAD'])"], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0 and done.stdout.strip() == str(libraries[0])
    assert any(e["event"] == "process" for e in mhr.read_dir(str(tmp_path / "out")))
    scenarios = sorted(p.name for p in prefix.glob("share/mishap/*.ini"))
    assert scenarios == sorted(n for n in os.listdir(os.path.join(TREE, "config")) if n.endswith(".ini"))
    assert scenarios
    done = subprocess.run([prefix / "bin" / "mishap", "run", "-q", "-c", scenarios[0][:-4], "-o", tmp_path / "named",
                           "--", "true"], check=False)
    assert done.returncode == 0


KNOCKING = """import socket, sys, time
end = time.monotonic() + 30
while time.monotonic() < end:
    try: socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
    except OSError: pass
    time.sleep(.1)"""


@pytest.mark.parametrize("options, calm", [((), True), (("--no-calm",), False)], ids=["calm", "no-calm"])
def test_a_scenario_without_calm_begins_with_some(tmp_path, options, calm):
    (tmp_path / "s.ini").write_text("[fault refuse]\ncall = connect\npeer = 127.0.0.1\nerror = ECONNREFUSED\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = run(tmp_path, "-c", "s.ini", *options, "--with", "sleep 7", "--", PYTHON, "-c", KNOCKING,
                   server.getsockname()[1])
    assert done.returncode == 0, done.stderr
    events = mhr.read_dir(str(tmp_path / "out"))
    (begun,) = [e["at"] for e in events if e["event"] == "process"]
    connects = [e for e in events if e["event"] == "connect"]
    refused = [e for e in connects if e["err"]]
    assert len(refused) >= 5
    if calm:
        clean = [e for e in connects if e["at"] < refused[0]["at"]]
        assert len(clean) >= 20 and refused[0]["at"] - begun >= 4.5e9
    else:
        assert len(refused) == len(connects)


def test_if_mishap_is_killed_the_command_is_told(tmp_path):
    with Running(tmp_path, "--", PYTHON, "-c", "import time\nprint('ready', flush=True)\ntime.sleep(60)") as r:
        assert r.process.stdout.readline() == "ready\n"
        r.process.kill()
        assert wait_until(lambda: marked(tmp_path) == [])
