# SPDX-License-Identifier: Apache-2.0
"""Every scenario of config/ at work: each of its faults fires in a program that talks to a real redis, a real
PostgreSQL and HTTP, uses names, files, memory and descriptors. Phases are shortened, usual ports are exchanged for
those of the test."""

import contextlib
import glob
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

import mhr
from guest import PROGRAMS, PYTHON, TREE, need

SCENARIOS = sorted(os.path.basename(p)[:-4] for p in glob.glob(os.path.join(TREE, "config", "*.ini")))
POSTGRES = sorted(glob.glob("/usr/lib/postgresql/*/bin"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port, timeout=20):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise AssertionError("nobody listens on port %d" % port)


def echo():
    """The port of a peer that says everything back."""
    ears = socket.create_server(("127.0.0.1", 0))

    def one(s):
        with contextlib.suppress(OSError), s:
            while data := s.recv(4096):
                s.sendall(data)

    def all_of_them():
        while True:
            threading.Thread(target=one, args=(ears.accept()[0],), daemon=True).start()

    threading.Thread(target=all_of_them, daemon=True).start()
    return ears.getsockname()[1]


def postgres(folder):
    """(process, port) of a PostgreSQL of the test's own; it does not run as root."""
    port, as_other = free_port(), []
    if os.getuid() == 0:
        as_other = [need("runuser"), "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = os.path.join(folder, "data")
    subprocess.run([*as_other, os.path.join(POSTGRES[-1], "initdb"), "-D", data, "-A", "trust", "--no-sync"],
                   check=True, stdout=subprocess.DEVNULL, cwd="/")
    return subprocess.Popen([*as_other, os.path.join(POSTGRES[-1], "postgres"), "-D", data, "-p", str(port),
                             "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                             "-c", "fsync=off"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"), port


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """{usual port: port here}"""
    started = []
    there = {6379: free_port(), 80: free_port(), 5672: echo(), 4317: echo(), 5432: echo()}
    started.append(subprocess.Popen([need("redis-server"), "--port", str(there[6379]), "--save", "", "--bind",
                                     "127.0.0.1"], stdout=subprocess.DEVNULL,
                                    cwd=str(tmp_path_factory.mktemp("redis"))))
    started.append(subprocess.Popen([PYTHON, "-m", "http.server", str(there[80]), "--bind", "127.0.0.1",
                                     "--protocol", "HTTP/1.1"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    cwd=str(tmp_path_factory.mktemp("http"))))
    if POSTGRES:
        folder = "/tmp/mishap-pg-%d" % os.getpid()
        os.mkdir(folder)
        process, there[5432] = postgres(folder)
        started.append(process)
    try:
        for port in there.values():
            answers(port)
        yield there
    finally:
        for p in started:
            p.terminate()
        for p in started:
            p.wait(20)
        if POSTGRES:
            shutil.rmtree(folder, ignore_errors=True)


def shortened(text, there, phase_ms):
    """(the scenario for this test, how long it lasts)"""
    text = re.sub(r":(\d+)\b", lambda m: ":%d" % there.get(int(m[1]), int(m[1])), text)
    text = re.sub(r"(?m)^for = \d+s$", "for = %dms" % phase_ms, text)
    text = re.sub(r"(?m)^after = \d+s$", "after = %dms" % (phase_ms / 2), text)
    if "[phase" not in text and "after = " not in text:  # first there are connections, then trouble
        text = re.sub(r"(?m)^(\[fault .*\])$", r"\1\nafter = 400ms", text)
    text = text.replace("delay = 2s", "delay = 50ms").replace("abort_if = exits > 6\n", "")
    return text, max(2.5 * phase_ms / 600, phase_ms / 1000 * text.count("[phase ") + 0.5)


def names(folder):
    """Command words that give both.test an address of each family, the IPv4 one first, in /etc/hosts of the command's
    own; [] where that is not allowed."""
    hosts, order = folder / "hosts", folder / "gai.conf"
    hosts.write_text("127.0.0.1 localhost both.test\n2001:db8::1 both.test\n")
    order.write_text("precedence ::ffff:0:0/96 100\n")
    mount = 'mount --bind "$0" /etc/hosts; [ ! -e /etc/gai.conf ] || mount --bind "$1" /etc/gai.conf; shift; exec "$@"'
    words = [need("unshare"), "-m" if os.getuid() == 0 else "-Urm", "sh", "-ec", mount, str(hosts), str(order)]
    return words if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_fault_fires(guest, tmp_path, world, name):
    within = names(tmp_path) if name == "wrong-family" else []
    if name == "wrong-family" and not within:
        pytest.skip("no right to a mount namespace, for a name with addresses of both families")
    with open(os.path.join(TREE, "config", name + ".ini"), encoding="utf-8") as f:
        whole = f.read()
    wanted = re.findall(r"(?m)^\[fault (\S+)\]", whole)
    for phase_ms in 600, 1200, 2400:  # a shortened phase may find a busy machine elsewhere
        text, seconds = shortened(whole, world, phase_ms)
        folder = tmp_path / ("d%d" % phase_ms)
        folder.mkdir()
        r = guest.command([*within, PYTHON, os.path.join(PROGRAMS, "everything.py"), str(seconds), str(folder),
                           *(str(world[p]) for p in (6379, 5432, 80, 5672, 4317)), str(free_port())], text,
                          timeout=90)
        assert r.status == 0, r.stderr
        events = mhr.read_dir(r.out)
        names_of = {e["fault"]: e["tail"].split("\n")[0] for e in events if e["event"] == "fault"}
        fired = {names_of[e["fault"] - 1] for e in events if e["event"] == "op" and e["fault"]}
        if set(wanted) <= fired:
            return
    assert not set(wanted) - fired, "these did not fire"
