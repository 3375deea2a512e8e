# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells of a run: `--kernel auto|on|off`. Where BPF may not be loaded, the tests of what it
would tell are skipped, with the reason that mishap gives."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import textwrap

import pytest

import mhr
from guest import BUILD, LIBRARY, PYTHON

MISHAP = os.path.join(BUILD, "tools", "mishap")
pytestmark = pytest.mark.skipif(not os.path.exists(LIBRARY), reason="the library is not built")
NOBODY = 65534


def run(tmp_path, program, *options, before=(), python=PYTHON):
    """`mishap run` of a program's text; recordings go to tmp_path/out, the graded document to r.json."""
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(program), encoding="utf-8")
    return subprocess.run([*before, MISHAP, "run", "-q", "-o", str(tmp_path / "out"), "--report",
                           str(tmp_path / "r.json"), *options, "--", python, str(script)], cwd=tmp_path,
                          text=True, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, check=False)


def events(tmp_path, kind):
    return [e for e in mhr.read_dir(str(tmp_path / "out")) if e["event"] == kind]


def document(tmp_path):
    return json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))


def tier(tmp_path):
    return next(t for t in document(tmp_path)["run"]["tiers"] if t["tier"] == "K")


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    done = run(tmp_path_factory.mktemp("kernel"), "pass", "--kernel", "on")
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def test_who_sent_the_signal(kernel, tmp_path):
    """The killer is no relative of the one that dies: a process of its own, started by the same parent."""
    done = run(tmp_path, """
        import os, signal, subprocess, sys
        victim = subprocess.Popen(["sleep", "60"])
        killer = subprocess.Popen([sys.executable, "-c",
                                   "import os, sys; os.kill(int(sys.argv[1]), 9)", str(victim.pid)])
        victim.wait(), killer.wait()
        print(victim.pid, killer.pid)
        """, "--kernel", "on")
    victim, killer = map(int, done.stdout.split())
    ended = {e["pid"]: e for e in events(tmp_path, "kernel_exit")}
    assert ended[victim]["signal"] == signal.SIGKILL
    assert ended[victim]["sender"] == killer
    assert ended[victim]["tail"].split("\n")[0] == "sleep"
    assert ended[killer]["signal"] == 0 and ended[killer]["status"] == 0
    sent = [e for e in events(tmp_path, "kernel_signal") if e["pid"] == victim]
    assert [(e["signal"], e["sender"]) for e in sent] == [(signal.SIGKILL, killer)]
    assert "sleep 1" in " ".join(document(tmp_path)["blind_spots"])


def test_a_killed_process_has_an_exit(kernel, tmp_path):
    """Its own recording cannot tell how a process ended that was killed; the kernel can."""
    done = run(tmp_path, """
        import os, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"],
                                 stdout=subprocess.PIPE)
        child.stdout.readline()
        child.kill()
        child.wait()
        print(os.getpid(), child.pid)
        """, "--kernel", "on")
    parent, child = map(int, done.stdout.split())
    rows = {p["pid"]: p for p in document(tmp_path)["processes"]}
    assert rows[child]["exit"] == 128 + signal.SIGKILL
    assert rows[child]["ended"] == f"SIGKILL from python3 ({parent})"
    assert rows[parent]["exit"] == 0 and rows[parent]["ended"] is None


def test_exit_status_and_threads(kernel, tmp_path):
    """A process ends once, however many threads it had, and with its own status."""
    done = run(tmp_path, """
        import os, threading
        pid = os.fork()
        if not pid:
            for _ in range(4):
                threading.Thread(target=threading.Event().wait, daemon=True).start()
            os._exit(7)
        os.waitpid(pid, 0)
        print(pid)
        """, "--kernel", "on")
    ended = [e for e in events(tmp_path, "kernel_exit") if e["pid"] == int(done.stdout)]
    assert [(e["status"], e["signal"]) for e in ended] == [(7, 0)]


RESET = """
    import socket, struct
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    accepted.close()
    try:
        client.recv(1)
    except ConnectionResetError:
        print(server.getsockname()[1])
    """


def test_resets_by_peer(kernel, tmp_path):
    done = run(tmp_path, RESET, "--kernel", "on")
    port = int(done.stdout)
    tcp = {e["side"]: e for e in events(tmp_path, "kernel_tcp") if e["port"] == port}
    assert (tcp[1]["received"], tcp[1]["sent"], tcp[1]["tail"]) == (1, 0, "127.0.0.1")
    assert (tcp[2]["received"], tcp[2]["sent"], tcp[2]["tail"]) == (0, 1, "")
    assert "1 received, 1 sent" in tier(tmp_path)["note"]


def test_an_orderly_end_is_no_reset(kernel, tmp_path):
    run(tmp_path, RESET.replace('accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, '
                                'struct.pack("ii", 1, 0))', "pass"), "--kernel", "on")
    assert not events(tmp_path, "kernel_tcp")


# 257 is openat on x86_64; elsewhere 56.
RAW = """
    import ctypes, os, platform
    libc = ctypes.CDLL("libc.so.6", use_errno=True)  # its own syscall(), not the hook
    nr = 257 if platform.machine() == "x86_64" else 56
    for _ in range(200):
        assert libc.syscall(nr, -100, b"/etc/passwd/none", 0) == -1
        assert ctypes.get_errno() == 20
    print(os.getpid())
    """


def test_raw_system_calls_are_a_blind_spot(kernel, tmp_path):
    done = run(tmp_path, RAW, "--kernel", "on")
    found = [e for e in events(tmp_path, "kernel_failed")
             if e["pid"] == int(done.stdout) and e["tail"].startswith("openat\n") and e["err"] == 20]
    assert [e["count"] for e in found] == [200]
    assert any("openat ENOTDIR 200" in s for s in document(tmp_path)["blind_spots"])


def test_io_uring_is_a_blind_spot(kernel, tmp_path):
    done = run(tmp_path, """
        import ctypes, os
        print(os.getpid(), ctypes.CDLL(None).syscall(425, 4, (ctypes.c_char * 256)()))
        """, "--kernel", "on")
    pid, ring = map(int, done.stdout.split())
    if ring < 0:
        pytest.skip("this kernel has no io_uring")
    assert [s for s in document(tmp_path)["blind_spots"] if "io_uring" in s and str(pid) in s]


def test_what_a_hook_saw_is_none(kernel, tmp_path):
    """The same failure through libc is in the recording, so nothing is missing."""
    run(tmp_path, """
        import socket
        for _ in range(5):
            try:
                socket.create_connection(("127.0.0.1", 1))
            except ConnectionRefusedError:
                pass
        """, "--kernel", "on")
    assert [e["count"] for e in events(tmp_path, "kernel_failed") if e["tail"].startswith("connect\n")] == [5]
    assert not [s for s in document(tmp_path)["blind_spots"] if "connect" in s]


def test_returning_from_a_handler_is_no_failure(kernel, tmp_path):
    """rt_sigreturn gives back what the interrupted call had returned; it must not be counted again."""
    run(tmp_path, """
        import signal, time
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        time.sleep(0.5)
        """, "--kernel", "on")
    failed = events(tmp_path, "kernel_failed")
    assert failed and not [e for e in failed if e["syscall"] >= 1 << 31]


def test_the_load_is_not_the_application(kernel, tmp_path):
    run(tmp_path, "import time; time.sleep(30)", "--kernel", "on", "--with", "sleep 0.2; cat /none; true")
    names = {e["tail"].split("\n")[0] for e in events(tmp_path, "kernel_exit")}
    assert "python3" in " ".join(names) and "cat" not in names and "sleep" not in names


def test_off(tmp_path):
    done = run(tmp_path, RAW, "--kernel", "off")
    assert done.returncode == 0 and done.stderr == ""
    assert [e["loaded"] for e in events(tmp_path, "kernel")] == [0]
    assert not events(tmp_path, "kernel_exit")
    assert tier(tmp_path)["available"] is False and "off" in tier(tmp_path)["note"]
    assert any("were not recorded" in s for s in document(tmp_path)["blind_spots"])


def test_a_word_that_is_none(tmp_path):
    done = run(tmp_path, "pass", "--kernel", "perhaps")
    assert done.returncode == 2 and "perhaps" in done.stderr and "auto, on, off" in done.stderr


def test_numbers_in_a_pid_namespace(kernel, tmp_path):
    """In a container mishap's process ids are not the kernel's own."""
    inside = ["unshare", "--pid", "--fork", "--mount-proc"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], check=False,
                                                     stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no pid namespace can be made here")
    done = run(tmp_path, """
        import os, subprocess
        child = subprocess.Popen(["sleep", "60"])
        child.kill()
        child.wait()
        print(os.getpid(), child.pid)
        """, "--kernel", "on", before=inside)
    parent, child = map(int, done.stdout.split())
    assert parent < child < 100
    ended = [e for e in events(tmp_path, "kernel_exit") if e["pid"] == child]
    assert [(e["signal"], e["sender"]) for e in ended] == [(signal.SIGKILL, parent)]


@pytest.fixture
def small_group():
    """A memory cgroup of 32 MiB below our own, to be joined by writing to its cgroup.procs."""
    with open("/proc/self/cgroup", encoding="ascii") as f:
        own = {c: path for _, c, path in (line.rstrip("\n").split(":", 2) for line in f)}
    if "memory" in own:
        parent, limit = "/sys/fs/cgroup/memory" + own["memory"], "memory.limit_in_bytes"
    else:
        parent, limit = "/sys/fs/cgroup" + own.get("", "/"), "memory.max"
    group = os.path.join(parent, f"mishap-test-{os.getpid()}")
    try:
        os.mkdir(group)
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    try:
        with open(os.path.join(group, limit), "w", encoding="ascii") as f:
            f.write(str(32 << 20))
        yield group
    except OSError as error:
        pytest.skip(f"no memory cgroup can be limited here: {error}")
    finally:
        os.rmdir(group)


def test_out_of_memory(kernel, tmp_path, small_group):
    done = run(tmp_path, f"""
        import os
        pid = os.fork()
        if not pid:
            with open("{small_group}/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
            eaten = [bytearray(os.urandom(1 << 20)) for _ in range(200)]
            os._exit(0)
        print(pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        """, "--kernel", "on")
    pid, status = map(int, done.stdout.split())
    if status != -signal.SIGKILL:
        pytest.skip(f"the kernel did not kill it: {status}")
    assert [e["pid"] for e in events(tmp_path, "kernel_oom")] == [pid]
    ended = [e for e in events(tmp_path, "kernel_exit") if e["pid"] == pid]
    assert [(e["signal"], e["sender"]) for e in ended] == [(signal.SIGKILL, 0)]
    assert "1 for want of memory" in tier(tmp_path)["note"]
    process = next(p for p in document(tmp_path)["processes"] if p["pid"] == pid)
    assert process["exit"] == 128 + signal.SIGKILL and "memory" in process["ended"]


TWO_TRY = """
    import os, socket

    def ask(times):
        for _ in range(times):
            try: socket.create_connection(("127.0.0.1", 1)).close()
            except OSError: pass

    child = os.fork()
    ask(20 if child else 7)
    if child:
        os.waitpid(child, 0)
        print(child)
"""


def test_the_probes_agree_with_the_recordings(kernel, tmp_path):
    """What the library told the kernel that it had recorded is what the recordings hold, in a parent and in a
    child; and is not any more when one of the two recordings gets lost."""
    config = tmp_path / "half.ini"
    config.write_text("[run]\nprocesses = *\n[fault half]\ncall = connect\nevery = 2\nerror = ETIMEDOUT\nper = process\n")
    done = run(tmp_path, TWO_TRY, "--kernel", "on", "-c", str(config))
    child = int(done.stdout)
    (told,) = events(tmp_path, "kernel")
    ops = events(tmp_path, "op")
    faults = [e for e in ops if e["fault"]]
    assert told["probed"] == 1 and len(faults) >= 10 + 3
    assert (told["faults"], told["failures"]) == (len(faults), len(ops) - len(faults))
    assert f"agrees on {told['faults']} faults and {told['failures']} failures" in tier(tmp_path)["note"]
    assert document(tmp_path)["run"]["lost_events"] == 0

    next((tmp_path / "out").glob(f"*-{child}-*.mhr")).unlink()
    left = [e for e in ops if e["file_pid"] != child]
    subprocess.run([MISHAP, "report", tmp_path / "out", "-o", tmp_path / "r.json", "--format", "json"], check=False)
    assert document(tmp_path)["run"]["lost_events"] == len(ops) - len(left) > 0
    assert "agrees" not in tier(tmp_path)["note"]
    assert f"{len(ops) - len(left)} faults and failures that the kernel heard of are in no recording" in " ".join(
        document(tmp_path)["blind_spots"])


@pytest.fixture
def weak():
    """(command prefix that takes all rights away, directory that it may write to). pytest's own directories
    are private to its user, and so may be the one that holds the build."""
    with tempfile.TemporaryDirectory(prefix="mishap-kernel-") as name:
        prefix = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                pytest.skip("there is no setpriv")
            prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                      "--inh-caps=-all"]
            os.chown(name, NOBODY, NOBODY)
        for test, path in (("-x", MISHAP), ("-r", LIBRARY), ("-w", name)):
            if subprocess.run([*prefix, "test", test, path], check=False).returncode:
                pytest.skip(f"an unprivileged user cannot reach {path}")
        yield prefix, pathlib.Path(name)


def test_without_rights_it_is_said_in_the_report(weak):
    before, directory = weak
    done = run(directory, RESET, before=before)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().isdigit() and done.stderr == ""
    assert tier(directory)["available"] is False and tier(directory)["note"]
    assert events(directory, "process")


def test_without_rights_one_line(weak):
    before, directory = weak
    done = run(directory, RESET, "-v", before=before)
    assert done.returncode == 0 and done.stdout.strip().isdigit()
    assert [line for line in done.stderr.splitlines() if "kernel" in line] == done.stderr.splitlines()
    assert len(done.stderr.splitlines()) == 1


def test_without_rights_on_is_an_error(weak):
    before, directory = weak
    done = run(directory, "print('ran')", "--kernel", "on", before=before)
    assert done.returncode == 3 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "kernel" in done.stderr
