# SPDX-License-Identifier: Apache-2.0
"""Faults on files: which paths they hit, and that what a call says it wrote is written."""

import textwrap

import pytest

from guest import PRELUDE, PYTHON, between, timed
from pythons import FOUND, every_python, steps

FAULT = "[run]\nprocesses = *\n[fault f]\n"


def run(guest, code, keys, *args, python=PYTHON, **how):
    r = guest.command([python, "-c", PRELUDE + textwrap.dedent(code), "0", "0", *map(str, args)],
                      config=FAULT + keys, timeout=30, **how)
    return r.json()


# Every path below `d`; each test works in sys.argv[3].
TRY = """
import errno
d = sys.argv[3]
def attempt(what):
    try:
        what(); return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]
"""


@pytest.mark.parametrize("glob, hit", [
    ("%s/data/*.txt", "a"), ("%s/data/**", "abc"), ("%s/**", "abcd"), ("%s/*/a.txt", "a"),
    ("%s/data/a.txt", "a"), ("**/sub/*", "b"), ("/nowhere/**", ""), ("%s/data/?.bin", "c"),
])
def test_path_globs(guest, tmp_path, glob, hit):
    glob = glob.replace("%s", str(tmp_path))
    r = run(guest, TRY + """
os.makedirs(d + "/data/sub")
files = {"a": "/data/a.txt", "b": "/data/sub/b.txt", "c": "/data/c.bin", "d": "/d.txt"}
reply(**{n: attempt(lambda: open(d + p, "w")) for n, p in files.items()})
""", "call = open\nerror = EACCES\npath = " + glob, tmp_path)
    assert {n for n, x in r.items() if x == "EACCES"} == set(hit)
    assert {n for n, x in r.items() if x == "ok"} == set("abcd") - set(hit)


@pytest.mark.parametrize("call, hit", [("mkdir", ["at", "mkdir", "temp", "tree"]), ("link", ["link", "linkat", "symlink"])])
def test_names_cannot_be_made(guest, tmp_path, call, hit):
    """Directories and links, in every spelling; nothing is made, and elsewhere it is."""
    (tmp_path / "full").mkdir()
    r = run(guest, TRY + """
import tempfile
f = d + "/full/"
at = os.open(f, os.O_RDONLY | os.O_DIRECTORY)
open(d + "/file", "w").close()
made = {"mkdir": attempt(lambda: os.mkdir(f + "a")), "tree": attempt(lambda: os.makedirs(f + "b/c")),
        "at": attempt(lambda: os.mkdir("d", dir_fd=at)), "temp": attempt(lambda: tempfile.mkdtemp(dir=f)),
        "link": attempt(lambda: os.link(d + "/file", f + "e")), "symlink": attempt(lambda: os.symlink("x", f + "g")),
        "linkat": attempt(lambda: os.link(d + "/file", "h", dst_dir_fd=at)), "elsewhere": attempt(lambda: os.mkdir(d + "/i")),
        "names": sorted(os.listdir(f))}
reply(**made)
""", "call = %s\nerror = ENOSPC\npath = %s/full/**" % (call, tmp_path), tmp_path)
    names = r.pop("names")
    assert sorted(n for n, told in r.items() if told == "ENOSPC") == hit
    assert {told for n, told in r.items() if n not in hit} == {"ok"}
    assert len(names) == len(r) - len(hit) - 1, names


def there(name):
    return FOUND[name] or pytest.skip("no CPython %s here" % name)


@every_python
def test_what_is_there(guest, tmp_path, python):
    """A name that cannot be looked at: every way to ask for it; what os.path makes of that; and what asks nothing
    of it, or asks elsewhere."""
    (tmp_path / "dark").mkdir()
    (tmp_path / "dark" / "file").write_text("hello")
    (tmp_path / "dark" / "link").symlink_to("file")
    r = run(guest, TRY + """
import pathlib, shutil, stat
f, l = d + "/dark/file", d + "/dark/link"
at = os.open(d + "/dark", os.O_RDONLY | os.O_DIRECTORY)
entry = [e for e in os.scandir(d + "/dark") if e.name == "link"][0]
reply(stat=attempt(lambda: os.stat(f)), lstat=attempt(lambda: os.lstat(f)), size=attempt(lambda: os.path.getsize(f)),
      at=attempt(lambda: os.stat("file", dir_fd=at)), relative=(os.chdir(d), attempt(lambda: os.stat("dark/file")))[1],
      readlink=attempt(lambda: os.readlink(l)), path=attempt(lambda: pathlib.Path(f).stat()),
      entry=attempt(lambda: entry.stat()), copy=attempt(lambda: shutil.copy2(f, d + "/copy")),
      exists=os.path.exists(f), isfile=os.path.isfile(f), islink=os.path.islink(l), access=os.access(f, os.R_OK),
      access_at=os.access("file", os.R_OK, dir_fd=at),
      open=attempt(lambda: open(f).close()), fstat=attempt(lambda: os.stat(at)), usage=attempt(lambda: shutil.disk_usage(f)),
      list=attempt(lambda: os.listdir(d + "/dark")), elsewhere=attempt(lambda: os.stat(d)),
      there=os.path.exists(d), self=os.readlink("/proc/self/fd/%d" % at) == d + "/dark")
""", "call = stat\nerror = EACCES\npath = %s/dark/*" % tmp_path, tmp_path, python=there(python))
    assert {n for n, told in r.items() if told == "EACCES"} == {"stat", "lstat", "size", "at", "relative", "readlink",
                                                               "path", "entry", "copy"}
    assert {n for n, told in r.items() if told is False} == {"exists", "isfile", "islink", "access", "access_at"}
    assert {n for n, told in r.items() if told in (True, "ok")} == {"open", "fstat", "usage", "list", "elsewhere",
                                                                   "there", "self"}


@every_python
def test_the_status_of_an_open_file(guest, tmp_path, python):
    """A stale one, by its descriptor and those made of it; opening it does not ask, pipes have no path."""
    (tmp_path / "file").write_text("hello")
    r = run(guest, TRY + """
f = open(d + "/file")
twice, a = os.dup(f.fileno()), os.pipe()[0]
reply(fstat=attempt(lambda: os.fstat(f.fileno())), stat=attempt(lambda: os.stat(f.fileno())),
      dup=attempt(lambda: os.fstat(twice)), folder=attempt(lambda: os.fstat(os.open(d + "/", os.O_RDONLY))),
      pipe=attempt(lambda: os.fstat(a)), name=attempt(lambda: os.stat(d + "/file")), text=f.read())
""", "call = fstat\nerror = ESTALE\npath = %s/**" % tmp_path, tmp_path, python=there(python))
    assert r == {"fstat": "ESTALE", "stat": "ESTALE", "dup": "ESTALE", "folder": "ESTALE", "pipe": "ok", "name": "ok",
                 "text": "hello"}


@every_python
def test_directories_cannot_be_read(guest, tmp_path, python):
    """By name, by descriptor, entry by entry; os.walk() tells who asks to be told. Beside it all is well."""
    for name in ("sick", "well"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("")
    r = run(guest, TRY + """
import glob
s, w = d + "/sick", d + "/well"
at, errors = os.open(s, os.O_RDONLY | os.O_DIRECTORY), []
walked = [place for place, _, _ in os.walk(d, onerror=errors.append)]
reply(listdir=attempt(lambda: os.listdir(s)), at=attempt(lambda: os.listdir(at)), scandir=attempt(lambda: list(os.scandir(s))),
      scandir_at=attempt(lambda: list(os.scandir(at))), glob=glob.glob(s + "/*"), stat=attempt(lambda: os.stat(s + "/file")),
      walked=sorted(walked), told=[errno.errorcode[e.errno] for e in errors],
      well=[os.listdir(w), glob.glob(w + "/*"), [e.name for e in os.scandir(w)], os.listdir(os.open(w, os.O_RDONLY))],
      opened=attempt(lambda: os.scandir(s)))
""", "call = readdir\nerror = EIO\npath = %s/sick" % tmp_path, tmp_path, python=there(python))
    assert r["listdir"] == r["at"] == r["scandir"] == r["scandir_at"] == "EIO"
    assert r["glob"] == [] and r["told"] == ["EIO"] and r["stat"] == r["opened"] == "ok"
    assert str(tmp_path / "well") in r["walked"]
    assert r["well"] == [["file"], [str(tmp_path / "well" / "file")], ["file"], ["file"]]


def test_a_listing_fails_where_libc_asks_the_kernel(guest, tmp_path):
    """Entries that were read already are still given out; how many that are is the kernel's choice. A descriptor
    that a listing had is nobody's afterwards."""
    (tmp_path / "many").mkdir()
    for i in range(3000):
        (tmp_path / "many" / ("%04d" % i)).write_text("")
    r = run(guest, TRY + """
import gc
m = d + "/many"
seen, errors = [], []
for _ in range(3):
    names = []
    try:
        for e in os.scandir(m): names.append(e.name)
    except OSError as e:
        errors.append(errno.errorcode[e.errno])
    seen.append(len(set(names)))
    gc.collect()
f = os.open(d, os.O_RDONLY)
reply(seen=seen, errors=errors, other=attempt(lambda: os.listdir(f)))
""", "call = readdir\nerror = EIO\nskip = 1\ncount = 1\npath = %s/many" % tmp_path, tmp_path)
    assert r["errors"] == ["EIO"] and r["other"] == "ok"
    assert 0 < r["seen"][0] < 3000 and r["seen"][1:] == [3000, 3000]


@every_python
def test_imports_go_on_beside_a_fault_on_stat(guest, tmp_path, python):
    """They ask for what is not there all the time: neither a failure nor recorded. What was made of an injected no
    is known, too."""
    (tmp_path / "file").write_text("")
    r = guest.command([there(python), "-c", textwrap.dedent("""
        import asyncio, json, os, sys, unittest.mock
        for i in range(1000): assert not os.path.exists(sys.argv[1] + "/none")
        print(json.dumps(os.path.exists(sys.argv[1] + "/file")))
    """), str(tmp_path)], config=FAULT + "call = file.stat\nerror = EIO\npath = %s/file" % tmp_path, timeout=60)
    assert r.status == 0 and not r.stderr and r.json() is False
    (op,) = (e for e in r.events("op") if e["kind"] == r.faults()[0]["kind"])
    assert op["fault"] == 1
    told = [(step, kind, function) for step, kind, function, _, _ in steps(r.events(), op["op"])]
    assert told == [("born", "OSError", "exists"), ("handled", "OSError", "exists")]


def test_every_way_to_open(guest, tmp_path):
    """open(), os.open, relative names, dir_fd, pathlib, a new file, a child's open by execve."""
    r = run(guest, TRY + """
import pathlib, subprocess, tempfile
os.chdir(d)
open("/dev/null").close()
reply(builtin=attempt(lambda: open(d + "/x", "w")), os=attempt(lambda: os.open(d + "/x", os.O_CREAT | os.O_RDWR)),
      relative=attempt(lambda: open("x", "w")), dots=attempt(lambda: open("./sub/../x", "w")),
      dirfd=attempt(lambda: os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=os.open(d, os.O_RDONLY | os.O_DIRECTORY))),
      pathlib=attempt(lambda: pathlib.Path(d, "x").write_text("x")),
      temp=attempt(lambda: tempfile.NamedTemporaryFile(dir=d)),
      child=subprocess.run(["sh", "-c", "echo > x"], stderr=subprocess.DEVNULL).returncode != 0)
""", "call = open\nerror = EROFS\npath = %s/**" % tmp_path, tmp_path)
    assert r == {"builtin": "EROFS", "os": "EROFS", "relative": "EROFS", "dots": "EROFS", "dirfd": "EROFS",
                 "pathlib": "EROFS", "temp": "EROFS", "child": True}


def test_a_full_disk_and_then_room_again(guest, tmp_path):
    r = run(guest, TRY + """
f = os.open(d + "/log", os.O_CREAT | os.O_RDWR)
results = [attempt(lambda: os.write(f, b"x" * 100)) for _ in range(4)]
reply(results=results, size=os.fstat(f).st_size)
""", "call = write\nerror = ENOSPC\nskip = 1\ncount = 2\npath = %s/**" % tmp_path, tmp_path)
    assert r == {"results": ["ok", "ENOSPC", "ENOSPC", "ok"], "size": 200}


def test_buffered_files_meet_a_full_disk(guest, tmp_path):
    """The error comes at flush; the file object keeps what it could not write, and close() says it."""
    r = run(guest, TRY + """
f = open(d + "/log", "w")
f.write("hello")
first = attempt(f.flush)
second = attempt(f.close)
reply(first=first, second=second, text=open(d + "/log").read())
""", "call = write\nerror = ENOSPC\ncount = 1\npath = %s/**" % tmp_path, tmp_path)
    assert r == {"first": "ENOSPC", "second": "ok", "text": "hello"}


def test_fsync_fails(guest, tmp_path):
    r = run(guest, TRY + """
f = open(d + "/db", "w"); f.write("x"); f.flush()
reply(fsync=attempt(lambda: os.fsync(f.fileno())), data=attempt(lambda: os.fdatasync(f.fileno())))
""", "call = fsync\nerror = EIO\npath = %s/**" % tmp_path, tmp_path)
    assert r == {"fsync": "EIO", "data": "EIO"}


def test_rename_across_devices(guest, tmp_path):
    """shutil.move falls back to a copy, as it does across file systems; os.replace fails and leaves both."""
    r = run(guest, TRY + """
import shutil
open(d + "/a", "w").write("A"); open(d + "/b", "w").write("B")
first = attempt(lambda: os.replace(d + "/a", d + "/b"))
kept = open(d + "/a").read() + open(d + "/b").read()
shutil.move(d + "/a", d + "/c")
reply(first=first, kept=kept, moved=open(d + "/c").read(), gone=not os.path.exists(d + "/a"))
""", "call = rename\nerror = EXDEV\npath = %s/**" % tmp_path, tmp_path)
    assert r == {"first": "EXDEV", "kept": "AB", "moved": "A", "gone": True}


def test_short_writes_and_reads(guest, tmp_path):
    r = run(guest, TRY + """
f = os.open(d + "/x", os.O_CREAT | os.O_RDWR)
wrote = os.write(f, b"0123456789")
size = os.fstat(f).st_size
os.lseek(f, 0, 0)
part = len(os.read(f, 10))
with open(d + "/y", "wb") as g: g.write(bytes(range(256)) * 40)
whole = open(d + "/y", "rb").read() == bytes(range(256)) * 40
reply(wrote=wrote, size=size, part=part, whole=whole)
""", "call = write read\nshort = 1..7\npath = %s/**" % tmp_path, tmp_path)
    assert 1 <= r["wrote"] <= 7 and r["size"] == r["wrote"] and r["part"] <= 7 and r["whole"]


def test_the_end_of_a_file_comes_early(guest, tmp_path):
    (tmp_path / "x").write_bytes(bytes(range(200)))
    r = run(guest, TRY + """
data = open(d + "/x", "rb").read()
reply(n=len(data), right=data == bytes(range(len(data))))
""", "call = read\neof = after 50 bytes\npath = %s/x" % tmp_path, tmp_path)
    assert r == {"n": 50, "right": True}


@timed
def test_a_slow_disk_blocks_the_thread_and_no_other(guest, tmp_path):
    (tmp_path / "x").write_text("hello")
    r = run(guest, TRY + """
ticks = []
def tick():
    while len(ticks) < 20:
        a = now(); time.sleep(0.01); ticks.append(now() - a)
f = os.open(d + "/x", os.O_RDONLY)
thread = threading.Thread(target=tick); thread.start()
t = now(); data = os.read(f, 100).decode(); at = now() - t
t = now(); os.read(os.open("/proc/self/stat", os.O_RDONLY), 10); other = now() - t
thread.join()
reply(data=data, at=at, other=other, worst=max(ticks))
""", "call = read\ndelay = 300ms\npath = %s/**" % tmp_path, tmp_path)
    assert r["data"] == "hello" and r["other"] < 0.2 and r["worst"] < 0.25
    between(r["at"], 0.3, 0.8, "read")


def test_pipes_and_terminals_are_not_files(guest, tmp_path):
    """A fault on all file writes leaves stdout, pipes and eventfds alone."""
    r = run(guest, TRY + """
a, b = os.pipe()
os.write(b, b"x"); got = os.read(a, 1).decode()
reply(got=got, file=attempt(lambda: open(d + "/x", "w").write("x") and None))
""", "call = write read\nerror = EIO\npath = %s/**" % tmp_path, tmp_path)
    assert r["got"] == "x"


def test_logging_goes_on(guest, tmp_path):
    """logging's handler meets ENOSPC, says so on stderr by its own rule, and the program goes on."""
    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent("""
        import logging
        logging.basicConfig(filename=sys.argv[3] + "/app.log")
        for i in range(3): logging.error("line %d", i)
        reply(done=True)
    """), "0", "0", str(tmp_path)],
        config=FAULT + "call = write\nerror = ENOSPC\npath = %s/*.log" % tmp_path)
    assert r.json() == {"done": True}
    assert "No space left on device" in r.stderr


def test_what_an_opening_empties(guest, tmp_path):
    """A name that was renamed away has nothing in it, whoever wrote it before; a link has what it leads to."""
    path, link, other = (str(tmp_path / name) for name in ("kept", "link", "other"))
    r = guest.command([PYTHON, "-c", textwrap.dedent("""
        import os, sys
        path, link, other = sys.argv[1:]
        def write(name, how="w"):
            with open(name, how) as out:
                out.write("x" * 9)
        write(path); write(path); os.replace(path, other); write(path); os.symlink(other, link)
        write(link); write(path, "a"); write(path, "r+"); os.truncate(path, 0); write(path)
        write("/dev/null")
    """), path, link, other], timeout=30)
    assert r.status == 0, r.stderr
    names = {e["path"]: e["tail"] for e in r.events("path")}
    had = [e["had"] for e in r.events("file") if names[e["path"]] in (path, link)]
    assert had == [1, 10, 1, 10, 0, 0, 1]
