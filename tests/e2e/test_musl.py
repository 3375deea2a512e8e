# SPDX-License-Identifier: Apache-2.0
"""The library for musl: built here from Debian's packages, and at work in programs on musl. With a CPython on
musl, which the suite `musl` builds, in that, too."""

import fcntl
import json
import os
import shutil
import socket
import threading

import pytest

import mhr
from guest import BUILD, TREE
from packages import PACKAGING, audit, build, command

ROOT, PLACE, PYTHON = (os.path.join(BUILD, name) for name in ("musl-root", "musl", "musl-python/python"))
LIBRARY = os.path.join(PLACE, "lib", "libmishap-musl.so")
SNIPPETS = os.path.join(PLACE, "tests", "hooks", "snippets")
MISHAP = os.path.join(BUILD, "tools", "mishap")
CLIENT = """
import socket, sys
try:
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.sendall(b"hello")
    print("got", s.recv(10))
except OSError as e:
    print("seen", e.errno)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def library():
    """Built by the first worker that comes."""
    os.makedirs(BUILD, exist_ok=True)
    with open(PLACE + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # The suite's, with more in it, will do.
        if not os.path.exists(os.path.join(ROOT, "done")):
            done = command(os.path.join(PACKAGING, "sysroot"), "musl", os.uname().machine, ROOT)
            if done.returncode:
                pytest.skip(done.stderr.strip().splitlines()[-1])
        if not os.path.exists(os.path.join(PLACE, "build.ninja")):
            shutil.rmtree(PLACE, ignore_errors=True)
            done = command("meson", "setup", PLACE, TREE, "--cross-file", os.path.join(ROOT, "cross.ini"),
                           "-Dcommand=disabled")
            assert done.returncode == 0, done.stdout
        done = command("ninja", "-C", PLACE)
        assert done.returncode == 0, done.stdout[-3000:]
    return LIBRARY


@pytest.fixture(scope="module")
def python(library):
    if not os.path.exists(PYTHON):
        pytest.skip("no CPython on musl: ./tests/run musl builds one")
    return PYTHON


@pytest.fixture(scope="module")
def prefix(library, tmp_path_factory):
    """The command with both libraries, as a package may have it."""
    root = tmp_path_factory.mktemp("prefix")
    os.makedirs(root / "bin")
    shutil.copy(MISHAP, root / "bin")
    shutil.copy(library, root / "bin")
    shutil.copy(os.path.join(BUILD, "lib", "libmishap.so"), root / "bin")
    return root / "bin" / "mishap"


@pytest.fixture
def echo():
    """The port of a peer that says everything again."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
                with peer:
                    for data in iter(lambda: peer.recv(100), b""):
                        peer.sendall(data)
            except ConnectionError:
                pass
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def scenario(folder, port, effect):
    path = folder / "scenario.ini"
    path.write_text("[run]\nprocesses = *\n[fault f]\ncall = recv\npeer = 127.0.0.1:%d\n%s\n" % (port, effect))
    return path


@pytest.mark.parametrize("lint", ["exports", "imports"])
def test_what_it_exports_and_needs(library, lint):
    done = command("/usr/bin/python3", os.path.join(TREE, "tests", "lint", lint + ".py"), library)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("call, op, error", [("connect", "connect", "ECONNREFUSED"), ("recv", "recv", "ECONNRESET"),
                                             ("write", "write", "ENOSPC"), ("open", "open", "EMFILE"),
                                             ("malloc", "malloc", "ENOMEM"), ("getaddrinfo", "getaddrinfo", "EAI_AGAIN"),
                                             ("pthread_create", "thread", "EAGAIN")])
def test_a_program_meets_an_error(library, tmp_path, call, op, error):
    config, out = tmp_path / "s.ini", tmp_path / "out"
    where = "path = %s/**\n" % tmp_path if op in ("open", "write") else ""
    config.write_text("[run]\nprocesses = *\n[fault f]\ncall = %s\n%serror = %s\n" % (op, where, error))
    env = {"LD_PRELOAD": library, "MISHAP_CONFIG": str(config), "MISHAP_OUT": str(out)}
    done = command(SNIPPETS, call, cwd=tmp_path, env=env)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout.startswith("eai" if error.startswith("EAI") else "errno"), done.stdout
    faults = [e for e in mhr.read_dir(str(out)) if e["event"] == "op" and e["fault"]]
    assert faults and {e["kind"] for e in faults} == {mhr.OP[op]}


def test_a_status_is_known(library, tmp_path):
    """musl's atexit() does not tell it; from exit() and from main() it is known all the same."""
    for how, status in (("exit", 7), ("connect", 0)):
        out = tmp_path / how
        command(SNIPPETS, how, cwd=tmp_path, env={"LD_PRELOAD": library, "MISHAP_OUT": str(out),
                                                  "MISHAP_CONFIG": scenario(tmp_path, 9, "delay = 1s")})
        assert status in [e["status"] for e in mhr.read_dir(str(out)) if e["event"] == "exit"]


def doctor(mishap, config, program):
    done = command(mishap, "doctor", "--json", "-c", config, "--", program, "app.py")
    return {row["fault"]: (row["here"], row["why"]) for row in json.loads(done.stdout)}["f"]


def test_doctor_on_another_libc(prefix, tmp_path):
    config = scenario(tmp_path, 9, "delay = 1s")
    here, why = doctor(MISHAP, config, SNIPPETS)
    assert here == "cannot fire" and "another libc" in why
    assert doctor(prefix, config, SNIPPETS)[0] == "can fire"
    done = command(MISHAP, "run", "-o", tmp_path / "out", "--", SNIPPETS, "connect", cwd=tmp_path)
    assert done.returncode != 0 and "another libc than libmishap.so: musl" in done.stderr, done.stderr


@pytest.mark.parametrize("effect, said", [("delay = 300ms", "got b'hello'"), ("error = ECONNRESET", "seen 104"),
                                          ("reset = yes", "seen 104"), ("eof = yes", "got b''")])
def test_a_python_on_musl(prefix, python, echo, tmp_path, effect, said):
    (tmp_path / "client.py").write_text(CLIENT)
    done = command(prefix, "run", "-c", scenario(tmp_path, echo, effect), "--no-calm", "-o", tmp_path / "out", "--",
                   python, "-S", "client.py", echo, cwd=tmp_path)
    assert said in done.stdout and done.returncode == 3, done.stdout + done.stderr
    events = list(mhr.read_dir(str(tmp_path / "out")))
    faults = [e for e in events if e["event"] == "op" and e["fault"]]
    assert faults and [e for e in events if e["event"] == "connect"]
    assert [e["status"] for e in events if e["event"] == "exit"] == [3]
    stacks = {e["stack"]: e["tail"] for e in events if e["event"] == "stack"}
    assert "client.py" in stacks[faults[0]["stack"]], stacks


def test_doctor_of_a_python_on_musl(prefix, python, tmp_path):
    here, why = doctor(prefix, scenario(tmp_path, 9, "delay = 1s\nper = site"), python)
    assert here == "can fire" and "open64" in why, why
