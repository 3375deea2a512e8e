# SPDX-License-Identifier: Apache-2.0
"""Calls that are more than one line of a table: the room on a disk, other programs, system calls by number."""

import errno
import os
import platform

import mhr
import pytest
from guest import PYTHON
from test_effects import ALL, run


def test_a_disk_budget_is_what_statvfs_tells(guest, tmp_path):
    """What is said to be free, can be reserved and can be written are one figure, below the path only."""
    r = run(guest, """
        import shutil
        here = sys.argv[3]; path = here + "/file"
        def free(of=here): return shutil.disk_usage(of).free
        f = os.open(path, os.O_RDWR | os.O_CREAT)
        first, elsewhere = free(), free("/")
        os.write(f, bytes(300000)); second, named, opened = free(), free(path), os.fstatvfs(f)
        try: os.posix_fallocate(f, 0, 2000000); told = 0
        except OSError as e: told = e.errno
        size = os.fstat(f).st_size
        os.posix_fallocate(f, 0, 500000); third = free()
        os.truncate(path, 0); last = free()
        reply(first=first, elsewhere=elsewhere, second=second, named=named, told=told, size=size, third=third,
              opened=opened.f_bavail * opened.f_frsize, last=last)
    """, ALL + "call = write\ndisk = 1000 kB\npath = %s/**\n" % tmp_path, 0, tmp_path)
    f = r.json()
    assert 990000 < f["first"] <= 1000000 < f["elsewhere"]
    assert 690000 < f["second"] <= 700000 and f["second"] == f["named"] == f["opened"]
    assert f["told"] == errno.ENOSPC and f["size"] == 300000, "nothing was reserved"
    assert 490000 < f["third"] <= 500000 and f["last"] == f["first"]
    assert [e["err"] for e in r.faults()] == [errno.ENOSPC]
    assert [e["code"] for e in r.events("note")] == [mhr.NOTE["room"]]


def test_a_process_that_becomes_another_program_did_not_crash(guest):
    r = guest.command([PYTHON, "-c", "import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'print(7)'])"])
    assert r.status == 0 and r.stdout == "7\n"
    files = [os.path.join(r.out, n) for n in os.listdir(r.out) if n.endswith(".mhr")]
    assert len(files) == 2 and all(mhr.header(f)["complete"] for f in files)


@pytest.mark.parametrize("leave", ["sys.exit", "os._exit"])
def test_an_exit_status_is_recorded_as_others_see_it(guest, leave):
    r = guest.command([PYTHON, "-c", f"import os, sys; {leave}(-1)"])
    assert r.status == 255 and [e["status"] for e in r.events("exit")] == [255]


def test_a_program_that_cannot_be_become_goes_on(guest):
    r = run(guest, """
        told = []
        for _ in range(2):
            try: os.execv("/no/such/program", ["x"])
            except OSError as e: told.append(e.errno)
        reply(told=told)
    """, ALL + "call = exec\nerror = EACCES\ncount = 1\n")
    assert r.json()["told"] == [errno.EACCES, errno.ENOENT]
    assert [e["err"] for e in r.faults()] == [errno.EACCES]
    assert r.events("exit")


def test_no_process_can_be_started(guest):
    """However it is started: fork, vfork and posix_spawn under subprocess, os.system, multiprocessing."""
    r = run(guest, """
        import multiprocessing, subprocess
        def told(what):
            try: return what()
            except OSError as e: return e.errno
        reply(told=[told(os.fork), told(lambda: subprocess.run(["true"])), told(lambda: os.popen("true")),
                    told(lambda: subprocess.run(["/bin/true"], close_fds=False)),
                    told(lambda: os.posix_spawn("/bin/true", ["true"], {})),
                    told(lambda: os.posix_spawnp("true", ["true"], {})),
                    told(lambda: multiprocessing.get_context("spawn").Process(target=print).start())],
              status=os.system("true"))
    """, ALL + "call = fork\nerror = EAGAIN\n")
    f = r.json()
    assert f["told"] == [errno.EAGAIN] * 7 and f["status"] == -1
    assert len(r.faults()) >= 8


RING = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
params = ctypes.create_string_buffer(120)
libc.syscall(425, 4, params)
print(ctypes.get_errno())
"""


def test_a_ring_is_on_record_or_refused(guest):
    passed = guest.command([PYTHON, "-c", RING])
    assert [e["code"] for e in passed.events("note")] == [mhr.NOTE["bypass"]]
    refused = guest.command([PYTHON, "-c", RING], config="[fault no-rings]\ncall = io_uring\nerror = ENOSYS\n")
    assert refused.stdout.strip() == str(errno.ENOSYS)
    assert [e["err"] for e in refused.faults()] == [errno.ENOSYS] and not refused.events("note")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
def test_numbers_are_calls(guest, peer):
    """What goes through syscall() meets the faults of its name."""
    r = run(guest, """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        s = connect(); b = ctypes.create_string_buffer(100)
        ask(s)
        first = libc.syscall(45, s.fileno(), b, 100, 0, None, None), ctypes.get_errno()
        reply(first=first, second=libc.syscall(0, s.fileno(), b, 100))
    """, ALL + "call = recv\nerror = ECONNRESET\ncount = 1\n", peer.plain)
    f = r.json()
    assert f["first"] == [-1, errno.ECONNRESET]
    assert f["second"] == 0, "after a reset the end"
    assert len(r.faults()) == 1
