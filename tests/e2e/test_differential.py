# SPDX-License-Identifier: Apache-2.0
"""The same client against a fault of the network and against mishap's: it must not see a difference, nor
afterwards. Two network namespaces with a cable between; the faults are closed ports and iptables' doing."""

import contextlib
import json
import os
import subprocess

import pytest

from conftest import Peer
from guest import PROGRAMS, PYTHON, has_module, need

HOST = "10.231.77.2"
HERE, THERE = "mishap%dh" % os.getpid(), "mishap%dt" % os.getpid()


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def cable():
    """Two namespaces; the peer runs in THERE."""
    if os.geteuid():
        pytest.skip("network namespaces need root")
    for command in ("ip", "iptables", "sysctl"):
        need(command)
    try:
        for ns in (HERE, THERE):
            ip("netns", "add", ns)
        ip("link", "add", "cable", "netns", HERE, "type", "veth", "peer", "name", "cable", "netns", THERE)
        for ns, last in ((HERE, 1), (THERE, 2)):
            ip("-n", ns, "addr", "add", "10.231.77.%d/24" % last, "dev", "cable")
            ip("-n", ns, "link", "set", "cable", "up")
            ip("-n", ns, "link", "set", "lo", "up")
        ip("netns", "exec", HERE, "sysctl", "-qw", "net.ipv4.tcp_syn_retries=1")
        ip("netns", "exec", THERE, "iptables", "-L")
        yield
    except subprocess.CalledProcessError as e:
        pytest.skip("no network namespaces here: %s" % e.stderr.decode().strip())
    finally:
        for ns in (HERE, THERE):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", ns)


@pytest.fixture(scope="module")
def there(cable):
    p = Peer(before=["ip", "netns", "exec", THERE, "env", "PEER_HOST=" + HOST])
    yield p
    p.stop()


@contextlib.contextmanager
def rule(port, target):
    """What comes to the peer's port meets this target, until the end."""
    words = ["INPUT", "-p", "tcp", "--dport", str(port), "-j", *target.split()]
    ip("netns", "exec", THERE, "iptables", "-I", *words)
    try:
        yield
    finally:
        ip("netns", "exec", THERE, "iptables", "-D", *words)


def run(guest, there, mode, steps, target=None, fault=None, at_once=True):
    """The story that the client tells: the network's fault is an iptables target ("closed": nobody listens; "end":
    the peer closes after its answer), mishap's the keys of a fault."""
    with contextlib.ExitStack() as stack:
        port = there.closed if target == "closed" and not fault else there.plain
        config = "[run]\nprocesses = python*\n[fault f]\npeer = %s:%d\n%s\n" % (HOST, port, fault) if fault else None
        if target and target not in ("closed", "end") and at_once and not fault:
            stack.enter_context(rule(port, target))
        p, _ = guest.start(
            ["ip", "netns", "exec", HERE, PYTHON, os.path.join(PROGRAMS, "differential.py"), HOST, str(port),
             str(there.plain2), mode, ",".join(steps)], under=bool(fault), config=config, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, env={"SAY": "last" if target == "end" and not fault else "echo"})
        try:
            if not at_once:
                assert p.stdout.readline() == b"fault\n"
                if target and target != "end" and not fault:
                    stack.enter_context(rule(port, target))
                p.stdin.write(b"\n")
            said = p.communicate(timeout=30)[0].decode()
            assert p.returncode == 0, said
            return json.loads(said)
        finally:
            p.kill()
            p.wait()


# Steps of a connect that fails. A non-blocking one is waited for by the first step after it.
FAILED = ["connect,poll,error,error,recv,send,name,poll", "connect,error,poll,connect,error,good,poll,send,pause,recv",
          "connect,epoll,recv,recv,send,error", "connect,select,send,send,recv,error,poll",
          "connect,poll,connect,poll,error,shutdown,recv", "connect,pause,connect,connect,error,recv"]
# After an established connection has failed. A send does not meet what has not been waited for or received:
# the fault is one of receiving, and comes as late as that.
BROKEN = ["send,readable,error,recv,recv,send,poll", "send,pause,epoll,recv,recv,send,send,error,poll",
          "send,pause,select,recv,name,shutdown,poll,recv", "send,pause,poll,poll,send,recv,send,error",
          "send,pause,recv,poll,half,send,error,recv"]
CONNECTS = {
    "refused": ("closed", "call = connect\nerror = ECONNREFUSED"),
    "rejected": ("REJECT --reject-with tcp-reset", "call = connect\nerror = ECONNREFUSED"),
}
MODES = ["blocking", "limit", "nonblocking"]


def same(guest, there, mode, steps, target, fault, **how):
    real = run(guest, there, mode, steps, target=target, **how)
    injected = run(guest, there, mode, steps, target=target, fault=fault, **how)
    assert injected["story"] == real["story"]
    return real, injected


@pytest.mark.parametrize("steps", FAILED)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", CONNECTS)
def test_a_connect_that_fails(guest, there, what, mode, steps):
    same(guest, there, mode, steps.split(","), *CONNECTS[what])


# How far a connect that an ICMP message ends has come is a matter of milliseconds, and of the kernel.
@pytest.mark.parametrize("mode", ["blocking", "limit"])
@pytest.mark.parametrize("target, error", [("host", "EHOSTUNREACH"), ("net", "ENETUNREACH")])
def test_nobody_is_there(guest, there, target, error, mode):
    same(guest, there, mode, ["connect", "name"], "REJECT --reject-with icmp-%s-unreachable" % target,
         "call = connect\nerror = " + error)


@pytest.mark.parametrize("mode, steps", [("blocking", "connect,poll,error,recv,send"),
                                         ("limit", "connect,poll,error,recv,send"),
                                         ("nonblocking", "connect,poll,error,recv,send,poll"),
                                         ("nonblocking", "connect,pause,error,connect,name,epoll,send,send,recv")])
def test_nobody_answers(guest, there, mode, steps):
    """With tcp_syn_retries = 1 that is over after three seconds."""
    real, injected = same(guest, there, mode, steps.split(","), "DROP", "call = connect\ndelay = 3s\nerror = ETIMEDOUT")
    assert abs(sum(real["took"]) - sum(injected["took"])) < 1.5


@pytest.mark.parametrize("mode, steps", [("blocking", "send,recv,recv,send,poll,error"),
                                         ("limit", "send,recv,recv,send,poll,error"),
                                         ("nonblocking", "send,readable,error,recv,send,poll"),
                                         ("nonblocking", "send,readable,send,send,recv,epoll")])
def test_nobody_answers_any_more(guest, there, mode, steps):
    """TCP_USER_TIMEOUT ends a connection whose bytes nobody acknowledges."""
    same(guest, there, mode, ["connect", "pause", "user-timeout", "fault", *steps.split(",")], "DROP",
         "call = recv send\nblackhole = yes", at_once=False)


# Before a connection is made, and after.
TOLD = {
    **CONNECTS,
    "host": ("REJECT --reject-with icmp-host-unreachable", "call = connect\nerror = EHOSTUNREACH"),
    "net": ("REJECT --reject-with icmp-net-unreachable", "call = connect\nerror = ENETUNREACH"),
    "unanswered": ("DROP", "call = connect\ndelay = 3s\nerror = ETIMEDOUT"),
    "reset": ("REJECT --reject-with tcp-reset", "call = recv\nerror = ECONNRESET"),
    "reset-after": ("REJECT --reject-with tcp-reset", "call = recv\nreset = after 0 bytes"),
    "silent": ("DROP", "call = recv send\nblackhole = yes"),
    "end": ("end", "call = recv\neof = after 3 bytes"),
}


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("what", TOLD)
def test_what_a_protocol_is_told(guest, there, loop, what):
    if loop == "uvloop" and not has_module("uvloop"):
        pytest.skip("uvloop is not installed")
    connects = "connect" in TOLD[what][1]
    steps = ["connect"] if connects else ["user-timeout", "fault"] if what == "silent" else ["fault"]
    same(guest, there, loop, steps, *TOLD[what], at_once=connects)


@pytest.mark.parametrize("steps", ["send,recv,readable,recv,recv,error", "send,pause,poll,recv,recv,poll,name",
                                   "send,pause,epoll,recv,epoll,recv,half,recv", "send,pause,select,recv,select,recv"])
@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_ends(guest, there, mode, steps):
    """After its answer the peer closes."""
    if mode == "nonblocking":
        steps = steps.replace("send,recv", "send,pause,readable,recv")
    same(guest, there, mode, ["connect", "pause", *steps.split(",")], "end", "call = recv\neof = after 3 bytes")


UNIX = """
    import errno, json, os, select, socket, sys
    path, busy, told = sys.argv[1], sys.argv[2] == "EAGAIN", []
    listener = socket.socket(socket.AF_UNIX); listener.bind(path)
    if busy or "LD_PRELOAD" in os.environ:
        listener.listen(0)
    others = [socket.socket(socket.AF_UNIX) for _ in range(3 if busy and "LD_PRELOAD" not in os.environ else 0)]
    for other in others:
        other.setblocking(False); other.connect_ex(path)
    s = socket.socket(socket.AF_UNIX); s.setblocking(False)
    told += [errno.errorcode.get(s.connect_ex(path)) for _ in range(2)]
    told.append(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    p = select.poll(); p.register(s, 5); told.append(p.poll(0)[0][1])
    try: s.send(b"x")
    except OSError as e: told.append(errno.errorcode[e.errno])
    print(json.dumps(told))
"""


@pytest.mark.parametrize("error", ["ECONNREFUSED", "EAGAIN"])
def test_a_unix_socket_says_it_at_once(guest, tmp_path, error):
    real = guest.code(UNIX, tmp_path / "real.sock", error, under=False).json()
    config = "[run]\nprocesses = *\n[fault f]\npeer = unix:%s\ncall = connect\nerror = %s\n"
    path = tmp_path / "injected.sock"
    assert guest.code(UNIX, path, error, config=config % (path, error)).json() == real


@pytest.mark.parametrize("steps", BROKEN)
@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_is_reset(guest, there, mode, steps):
    same(guest, there, mode, ["connect", "pause", "fault", *steps.split(",")], "REJECT --reject-with tcp-reset",
         "call = recv\nerror = ECONNRESET", at_once=False)
