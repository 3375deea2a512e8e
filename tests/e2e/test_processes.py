# SPDX-License-Identifier: Apache-2.0
"""Starting programs: what is refused to a child on its parent's memory is the parent's error, and what really
fails is on record once. On every CPython: they start programs by fork, vfork or posix_spawn."""

import errno
import os

import mhr
import pytest
from pythons import every_python, need_python
from test_effects import ALL

TOLD = """
import json, os, subprocess, sys
def told(what):
    try: return what()
    except OSError as e: return e.errno
"""
WAYS = {
    "run": "subprocess.run(['/bin/true'])",                       # fork; vfork since 3.10
    "search": "subprocess.run(['true'])",
    "spawn": "subprocess.run(['/bin/true'], close_fds=False)",    # posix_spawn
    "posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "posix_spawnp": "os.posix_spawnp('true', ['true'], dict(os.environ))",
    "execv": "os.execv('/bin/true', ['true'])",
    "execvp": "os.execvp('true', ['true'])",
}


def code(guest, python, text, config=None):
    return guest.code(TOLD + text, python=python, config=config and ALL + config)


def real(r, kind):
    return [e for e in r.events("op") if e["kind"] == mhr.OP[kind] and not e["fault"]]


def search(way):
    """A search of PATH tries every directory: as many refusals as there are directories."""
    return len(os.environ["PATH"].split(":")) if way in ("search", "execvp") else 1


@pytest.mark.parametrize("way", WAYS)
@every_python
def test_a_program_that_is_refused(guest, python, way):
    """The error is the caller's, who goes on and starts the next program, under its own thread's name."""
    r = code(guest, need_python(python), """
first = told(lambda: %s)
again = subprocess.run(["/bin/echo", "x"], stdout=subprocess.PIPE).stdout.decode()
if hasattr(os, "posix_spawn"): os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
print(json.dumps([first, again]))
""" % WAYS[way], "call = exec\nerror = EACCES\nper = run\ncount = %d\n" % search(way))
    assert r.json() == [errno.EACCES, "x\n"]
    fired = r.faults()
    assert len(fired) == search(way) and {e["err"] for e in fired} == {errno.EACCES}
    assert not r.said


MISSING = {
    "run": ("subprocess.run(['/no/such/program'])", True),
    "search": ("subprocess.run(['no-such-program'])", True),
    "env": ("subprocess.run(['no-such-program'], env={'PATH': '/:/etc:/usr'})", True),
    "spawn": ("subprocess.run(['/no/such/program'], close_fds=False)", True),
    "spawnp": ("os.posix_spawnp('no-such-program', ['x'], {})", True),
    "execv": ("os.execv('/no/such/program', ['x'])", True),
    "execvp": ("os.execvp('no-such-program', ['x'])", True),
    "found": ("subprocess.run(['env', 'true'], env={'PATH': '/:/etc:/usr/bin:/bin'}).returncode", False),
}


@pytest.mark.parametrize("way", MISSING)
@every_python
def test_a_program_that_does_not_exist(guest, python, way):
    """A real failure, on record once however many places were searched; none when the search found it."""
    text, missing = MISSING[way]
    r = code(guest, need_python(python), "print(json.dumps(told(lambda: %s)))" % text)
    assert r.json() == (errno.ENOENT if missing else 0)
    failed = [e for e in real(r, "exec") + real(r, "fork") if e["err"] == errno.ENOENT]
    assert [e["fault"] for e in failed] == [0] * missing, failed


@pytest.mark.parametrize("way", ["run", "spawn", "posix_spawn"])
@every_python
def test_the_kernel_has_no_process_to_give(guest, python, way):
    """A real failure, on record once: where vfork() is refused CPython asks fork(), which is refused, too."""
    r = code(guest, need_python(python), """
import resource
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
if os.getuid() == 0:  # to whom no limit applies
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
print(json.dumps(told(lambda: %s)))
""" % WAYS[way])
    assert r.json() == errno.EAGAIN
    failed, = real(r, "fork")
    assert (failed["err"], failed["fault"]) == (errno.EAGAIN, 0)
    assert failed["stack"] or not [e for e in r.events("stack")], failed
    assert not real(r, "exec") and not r.said


def test_a_refusal_becomes_the_parents_exception(guest):
    """With a child on the parent's memory the refusal is followed in the parent, where it is raised and caught."""
    r = code(guest, need_python("distribution"), "print(told(lambda: subprocess.run(['/bin/true'])))",
             "call = exec\nerror = EACCES\n")
    assert r.stdout == "%d\n" % errno.EACCES
    op, = r.faults()
    steps = [e["tail"] for e in r.events("outcome") if e["op"] == op["op"]]
    assert steps and steps[0].startswith("PermissionError"), steps
    assert len({e["tid"] for e in r.events() if "tid" in e}) == 1


def test_a_child_killed_at_its_exec(guest):
    """The child dies, its parent does not, and goes on to be observed."""
    r = code(guest, need_python("distribution"), """
import signal, socket
status = subprocess.run(['/bin/true']).returncode
s = socket.socket(); refused = s.connect_ex(("127.0.0.1", 1))
print(json.dumps([status, refused]))
""", "call = exec\nkill = SIGKILL\nper = run\ncount = 1\n")
    assert r.json() == [-9, errno.ECONNREFUSED]
    assert [e["err"] for e in real(r, "connect")] == [errno.ECONNREFUSED]


def test_no_room_to_reserve_is_on_record(guest, tmp_path):
    """A real failure to reserve; that a file system cannot reserve at all is none."""
    r = code(guest, need_python("distribution"), """
f = os.open(%r, os.O_RDWR | os.O_CREAT)
print(told(lambda: os.posix_fallocate(f, 0, 1 << 62)))
""" % str(tmp_path / "file"))
    told = int(r.stdout)
    assert told in (errno.EFBIG, errno.ENOSPC)
    assert [e["err"] for e in real(r, "allocate")] == [told]
