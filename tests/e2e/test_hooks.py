# SPDX-License-Identifier: Apache-2.0
"""Every row of hooks.def: its snippet works bare and under the library, from a thread, a child and a
constructor, and meets each error that its operation can have. See tests/hooks/README.md."""

import ctypes
import errno
import os
import re
import socket

import pytest

from guest import LIBC, PLACE, TREE

SNIPPETS = os.path.join(PLACE, "tests", "hooks", "snippets")


def table(name):
    with open(os.path.join(TREE, "lib", "table", name), encoding="utf-8") as f:
        return re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)


# Which musl 1.2.3 has none of: the library alone brings them.
BROUGHT = {"close_range", "closefrom", "epoll_pwait2", "execveat", "preadv2", "pwritev2", "renameat2",
           "statx"}
# Musl: it always refuses the first two, never the third, and does not know the fourth. The others start this
# system's shell, whose libc has no use for what is preloaded.
OTHERWISE = {"brk", "sbrk", "epoll_create", "epoll_pwait2", "system", "popen", "posix_spawn", "posix_spawnp",
             "fexecve", "execv", "execve", "execveat", "execvp", "execvpe"}
ROWS = re.findall(r"^HOOK(?:_%s)?\((\w+), [^,]+, (\w+)," % LIBC, table("hooks.def"), re.M)
ERRORS = {op: names.replace(" ", "").split(",") for op, names in
          re.findall(r"^OP\((\w+),.*?ERR\(([^)]*)\)", table("ops.def"), re.M)}
EFFECTS = dict(re.findall(r"^OP\((\w+), [\w.]+, ([^,]*),", table("ops.def"), re.M))
FILES = ("open", "read", "write", "fsync", "rename", "unlink", "ftruncate", "close", "allocate", "statvfs",
         "mkdir", "link", "stat", "fstat", "readdir")
# Every class of calls has an active fault, and none of them applies.
QUIET = "[run]\nprocesses = *\n[fault elsewhere]\ncall = recv send connect accept\npeer = 10.9.9.9\ndelay = 1s\n" \
        "[fault nowhere]\ncall = open read write fsync rename unlink close file.stat readdir\npath = /nowhere/**\nerror = EIO\n"


def run(guest, tmp_path, name, how="main", config=None, under=True):
    r = guest.command([SNIPPETS, name, how], config=config, under=under, cwd=str(tmp_path), timeout=20)
    assert r.status == 0 and not r.stderr, "%s %s: %s\n%s" % (name, how, r.status, r.stderr)
    return r.stdout.strip()


def expected(op, name):
    if op == "getaddrinfo":
        return "eai %d" % -getattr(socket, name)
    return "errno %d" % getattr(errno, name)


def kernel_on_rings():
    """What the kernel itself answers when a ring is asked for: some forbid it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(425, 1, None)
    return errno.errorcode[ctypes.get_errno()]


def fault(op, effect, tmp_path):
    where = "path = %s/**\n" % tmp_path if op in FILES else ""
    return "[run]\nprocesses = *\n[fault f]\ncall = %s\n%s\n%s" % (op, effect, where)


@pytest.mark.parametrize("op, name", ROWS)
def test_a_call_does_its_work(guest, tmp_path, op, name):
    if LIBC == "MUSL" and name in OTHERWISE:
        pytest.skip("musl's own answer is another")
    if LIBC == "GLIBC" or name not in BROUGHT:
        assert run(guest, tmp_path, name, under=False) == "ok 0", "bare"
    for how in ("main", "thread", "fork", "constructor"):
        assert run(guest, tmp_path, name, how) == "ok 0", "observed, %s" % how
    for how in ("main", "fork"):
        assert run(guest, tmp_path, name, how, config=QUIET) == "ok 0", "faults elsewhere, %s" % how


# While a fault could apply, sendfile() and its kin answer as on files that cannot do it: every caller then
# reads and writes instead, and meets the fault there.
SENDFILE = ("sendfile", "sendfile64", "splice", "copy_file_range")


@pytest.mark.parametrize("op, name", [r for r in ROWS if "error" in EFFECTS.get(r[0], "")])
def test_a_call_meets_the_errors_of_its_operation(guest, tmp_path, op, name):
    for error in ERRORS[op] if name not in SENDFILE else ["EINVAL"]:
        if op == "io_uring" and error == kernel_on_rings():
            continue
        config = fault(op, "error = " + (error if name not in SENDFILE else "EIO"), tmp_path)
        assert run(guest, tmp_path, name, config=config) == expected(op, error), "%s: %s" % (name, error)
    for how in ("thread", "fork") if op not in ("malloc", "mmap", "thread", "fork", "exec") else ():
        assert run(guest, tmp_path, name, how, config=config) == expected(op, error), how


# libc makes up for what a stream has not got at once: no caller can see it. Nor can its writes get lost.
STREAMS = set(re.findall(r"^HOOK(?:_\w+)?\(\w+, [^,]+, (\w+), \(.*FILE \*f", table("hooks.def"), re.M))


@pytest.mark.parametrize("op, name", [r for r in ROWS if "lost" in EFFECTS.get(r[0], "")
                                      and r[1] not in SENDFILE and r[1] not in STREAMS])
def test_a_call_can_lose_what_it_does(guest, tmp_path, op, name):
    """It returns what it should, and the snippet looks for its bytes in vain; of a flush nothing shows."""
    for how in ("main", "thread", "fork"):
        told = run(guest, tmp_path, name, how, config=fault(op, "lost = yes", tmp_path))
        assert told.startswith("wrong ") if op == "write" else told == "ok 0", "%s: %s" % (how, told)
    assert (tmp_path / "snippet.tmp").read_bytes() == b"hello world"


@pytest.mark.parametrize("op, name", [r for r in ROWS if "short" in EFFECTS.get(r[0], "")
                                      and r[1] not in SENDFILE and r[1] not in STREAMS])
def test_a_call_can_be_short(guest, tmp_path, op, name):
    assert run(guest, tmp_path, name, config=fault(op, "short = 1..2", tmp_path)) == "short 0"
