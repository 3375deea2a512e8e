# SPDX-License-Identifier: Apache-2.0
"""Disks that lie: what is written is not there, what is flushed is not flushed, and every call says that it is."""

import errno
import json
import os
import random
import subprocess

import pytest

import mhr
from guest import PYTHON, need
from test_cli import mishap
from test_effects import ALL, run

LOST = ALL + "call = write fsync\npath = %s/**\nlost = yes\n"
HELD = b"0123456789"

# One way to write `data` each, into a file that holds ten bytes: what was said, where the descriptor stands then,
# how large the file is.
WAYS = {
    "os.write": "f = os.open(path, os.O_RDWR); told = os.write(f, data)",
    "os.write at an offset": "f = os.open(path, os.O_RDWR); os.lseek(f, 8, 0); told = os.write(f, data)",
    "os.write past the end": "f = os.open(path, os.O_RDWR); os.lseek(f, 5000, 0); told = os.write(f, data)",
    "os.writev": "f = os.open(path, os.O_RDWR); told = os.writev(f, [data[:3], b'', data[3:]])",
    "os.pwrite": "f = os.open(path, os.O_WRONLY); told = os.pwrite(f, data, 4)",
    "os.pwrite past the end": "f = os.open(path, os.O_WRONLY); told = os.pwrite(f, data, 70000)",
    "os.pwritev": "f = os.open(path, os.O_WRONLY); told = os.pwritev(f, [data, data], 9)",
    "append": "f = os.open(path, os.O_WRONLY | os.O_APPEND); told = os.write(f, data)",
    "append much": "f = os.open(path, os.O_WRONLY | os.O_APPEND); told = os.write(f, data * 9000)",
    "append by pwrite": "f = os.open(path, os.O_WRONLY | os.O_APPEND); told = os.pwrite(f, data, 2)",
    "a duplicate": "f = os.open(path, os.O_RDWR); told = os.write(os.dup(f), data) + os.write(f, data)",
    "open().write": "o = open(path, 'r+'); told = o.write(data.decode()); o.flush(); f = o.fileno()",
    "open('w')": "o = open(path, 'w'); told = o.write(data.decode()); o.flush(); f = o.fileno()",
    "open('a')": "o = open(path, 'a'); told = o.write(data.decode()); o.flush(); f = o.fileno()",
    "open('wb')": "o = open(path, 'wb', buffering=0); told = o.write(data); f = o.fileno()",
    "write_text": "import pathlib; told = pathlib.Path(path).write_text(data.decode()); f = os.open(path, os.O_RDONLY)",
    "copyfile": "import shutil; open(path + '2', 'wb').write(data); told = len(shutil.copyfile(path + '2', path)) * 0\n"
                "f = os.open(path, os.O_RDONLY)",
    "nothing": "f = os.open(path, os.O_RDWR); told = os.write(f, b'')",
}
TOLD = ("\nst = os.stat(path)\n"
        "reply(told=told, stands=os.lseek(f, 0, os.SEEK_CUR), size=st.st_size, changed=st.st_mtime > 1)\n")
WRITTEN = b"ABCDEFG"


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write(guest, tmp_path, way):
    """Count, position, size and time as without the fault; of the bytes none."""
    results = []
    for under in False, True:
        folder = tmp_path / ("d%d" % under)
        folder.mkdir()
        (folder / "file").write_bytes(HELD)
        r = run(guest, "path, data = sys.argv[3], %r\nos.utime(path, (1, 1))\n%s%s" % (WRITTEN, WAYS[way], TOLD),
                LOST.replace("path = %s/**", "path = %s/file") % folder, 0, folder / "file", under=under)
        results.append((r.json(), (folder / "file").read_bytes()))
    (bare, there), (lost, left) = results
    assert lost == bare and len(left) == len(there) == bare["size"]
    emptied = way in ("open('w')", "open('wb')", "write_text", "copyfile")
    assert left == (b"" if emptied else HELD).ljust(len(there), b"\0")
    assert way == "nothing" or left != there
    faults = r.faults()
    assert {e["effect"] for e in faults} == (set() if way == "nothing" else {mhr.EFFECT["lost"] + 1})
    assert all(e["result"] == e["asked"] and not e["err"] for e in faults)


def test_copies_inside_of_the_kernel(guest, tmp_path):
    """They answer as on a file system that cannot do it, so that the program writes."""
    (tmp_path / "a").write_bytes(HELD)
    r = run(guest, """
        a, b = os.open(sys.argv[3] + "/a", os.O_RDONLY), os.open(sys.argv[3] + "/b", os.O_RDWR | os.O_CREAT)
        told = []
        for copy in (lambda: os.sendfile(b, a, 0, 10), lambda: os.copy_file_range(a, b, 10)):
            try: told.append(copy())
            except OSError as e: told.append(-e.errno)
        reply(told=told, size=os.fstat(b).st_size)
    """, LOST % tmp_path, 0, tmp_path).json()
    assert r == {"told": [-errno.EINVAL, -errno.EINVAL], "size": 0}


# Steps on one file by several descriptors: each tells what it returned, where all of them stand, how large the file is,
# and whether its time has changed.
STEPS = """
steps = json.loads(sys.argv[4])
plain, other = os.open(path, os.O_RDWR | os.O_CREAT), os.open(path, os.O_WRONLY)
fds, told = [plain, os.dup(plain), other, os.open(path, os.O_WRONLY | os.O_APPEND)], []
for what, who, n, at in steps:
    f, data = fds[who], bytes([65 + len(told) % 26]) * n
    os.utime(path, (1, 1))
    r = {"write": lambda: os.write(f, data), "pwrite": lambda: os.pwrite(f, data, at),
         "writev": lambda: os.writev(f, [data[:n // 3], data[n // 3:]]), "lseek": lambda: os.lseek(f, at, 0),
         "end": lambda: os.lseek(f, 0, 2), "truncate": lambda: os.ftruncate(f, at),
         "fsync": lambda: os.fsync(f)}[what]()
    told.append([r, [os.lseek(x, 0, 1) for x in fds], os.fstat(plain).st_size, os.fstat(plain).st_mtime > 1])
reply(told=told)
"""


def steps_of(seed):
    draw = random.Random(seed)
    what = ["write", "pwrite"] * 2 + ["write", "writev", "lseek", "end", "truncate", "fsync"]
    return [(draw.choice(what), draw.randrange(4), draw.choice((0, 1, 7, 100, 4096, 9000)), draw.randrange(20000))
            for _ in range(120)]


def expected(steps, told, lost):
    """What the file holds: the same by a model. lost: which of the writes (of any bytes) were."""
    data, writes = bytearray(), 0
    for i, ((what, who, n, at), (_, stand, size, _)) in enumerate(zip(steps, told)):
        if what == "truncate":
            del data[at:]
        if what in ("write", "writev", "pwrite"):
            begin = len(data) if who == 3 else at if what == "pwrite" else stand[who] - n
            if n:
                data.extend(bytes(max(0, begin + n - len(data))))
                if writes not in lost:
                    data[begin:begin + n] = bytes([65 + i % 26]) * n
            writes += 1
        data.extend(bytes(size - len(data)))
    return bytes(data)


def without_fallocate(folder):
    """Command words that give `folder` a file system that cannot reserve room, of the command's own."""
    words = [need("unshare"), "-m", "sh", "-ec", 'mount -t ramfs none "$0"; exec "$@"', str(folder)]
    if subprocess.run([*words, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("no right to mount a file system")
    return words


@pytest.mark.parametrize("share", ["100%", "50%"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("place", ["disk", "ramfs"])
def test_a_sequence_of_calls(guest, tmp_path, seed, share, place):
    """Random steps, some of whose writes get lost: all that is told is as without the fault, and the bytes are those of
    the writes that did not."""
    folder, copy = tmp_path / "d", tmp_path / "copy"
    folder.mkdir()
    before = without_fallocate(folder) if place == "ramfs" else []
    steps, results = steps_of(seed), []
    for under in False, True:
        r = guest.command(
            [*before, PYTHON, "-c", "import json, os, shutil, sys\nreply = lambda **what: print(json.dumps(what))\n"
             "path = sys.argv[1]\n" + STEPS.replace("argv[4]", "argv[2]") + "shutil.copyfile(path, sys.argv[3])\n"
             "os.unlink(path)\n", str(folder / "file"), json.dumps(steps), str(copy)], under=under,
            config="[run]\nseed = %d\nprocesses = python*\n[fault f]\ncall = write\npath = %s/**\nlost = yes\n"
                   "probability = %s\n" % (seed, folder, share))
        results.append(r.json()["told"])
        assert copy.read_bytes() == expected(steps, results[-1], {e["ordinal"] for e in r.faults()} if under else ())
    assert results[0] == results[1]
    writes = [s for s in steps if s[0] in ("write", "writev", "pwrite")]
    assert len([s for s in writes if s[2]]) // 4 < len(r.faults()) <= len([s for s in writes if s[2]])


@pytest.mark.parametrize("how", ["one description", "appending", "processes"])
def test_many_at_once(guest, tmp_path, how):
    """Records of several threads or processes: none is torn, none falls on another, as many are gone as were lost."""
    r = run(guest, """
        path, how = sys.argv[3:]
        flags = os.O_WRONLY | os.O_CREAT | (0 if how == "one description" else os.O_APPEND)
        shared = os.open(path, flags)
        def work(who):
            f = shared if how == "one description" else os.open(path, flags)
            for n in range(2000): assert os.write(f, b"%1d%06d\\n" % (who, n)) == 8
        if how == "processes":
            for who in range(1, 5):
                if not os.fork(): work(who); os._exit(0)
            for _ in range(4): assert os.wait()[1] == 0
        else:
            threads = [threading.Thread(target=work, args=(who,)) for who in range(1, 5)]
            [t.start() for t in threads]; [t.join() for t in threads]
        reply(stands=os.lseek(shared, 0, os.SEEK_CUR))
    """, ALL + "call = write\npath = %s/**\nlost = yes\nprobability = 40%%\n" % tmp_path, 0, tmp_path / "file", how)
    data = (tmp_path / "file").read_bytes()
    assert len(data) == 8000 * 8
    assert how != "one description" or r.json()["stands"] == len(data)
    records = [data[i:i + 8] for i in range(0, len(data), 8)]
    there = [x for x in records if x != bytes(8)]
    assert len(set(there)) == len(there) and all(x[:7].isdigit() and x[7:] == b"\n" for x in there)
    assert 0 < len(r.faults()) == 8000 - len(there)


def test_where_nothing_can_get_lost(guest, tmp_path):
    """Pipes, sockets, the kernel's own files, a descriptor that is not open for writing, the end of a disk."""
    (tmp_path / "file").touch()
    r = run(guest, """
        def attempt(what):
            try: return what()
            except OSError as e: return -e.errno
        a, b = os.pipe(); x, y = socket.socketpair()
        os.write(b, b"pipe"); x.send(b"sock")
        told = [os.read(a, 9).decode(), y.recv(9).decode()]
        for flags in os.O_RDWR, os.O_RDWR | os.O_APPEND:
            os.write(os.open("/proc/self/comm", flags), b"name%d" % (flags & os.O_APPEND))
            told.append(open("/proc/self/comm").read())
        path = sys.argv[3]
        read = os.open(path, os.O_RDONLY)
        told += [attempt(lambda: os.write(read, b"x")), attempt(lambda: os.pwrite(read, b"x", 0))]
        f = os.open(path, os.O_RDWR)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        told += [attempt(lambda: os.write(f, b"x" * n)) for n in (600, 600, 1)]
        reply(told=told, size=os.fstat(f).st_size, stands=os.lseek(f, 0, 1), begin=sorted(set(open(path).read(600))))
    """, ALL + "call = write fsync\nlost = yes\n", 0, tmp_path / "file")
    told = ["pipe", "sock", "name0\n", "name%d\n" % os.O_APPEND, -errno.EBADF, -errno.EBADF, 600, 400, -errno.EFBIG]
    assert r.json() == {"told": told, "size": 1000, "stands": 1000, "begin": ["\0"]}
    assert len(r.faults()) == 1


def test_beside_other_faults(guest, tmp_path):
    """A short write whose bytes are lost; a budget of disk space, which lost bytes take up like others; and where bytes
    are lost there is no error."""
    r = run(guest, """
        f = os.open(sys.argv[3], os.O_RDWR | os.O_CREAT)
        def write(n):
            try: return os.write(f, b"x" * n)
            except OSError as e: return -e.errno
        reply(steps=[write(n) for n in (100, 600, 600, 1)], data=sorted(set(open(sys.argv[3]).read())),
              size=os.fstat(f).st_size)
    """, ALL + "call = write\nshort = 80\ncount = 1\nlost = yes\npath = {0}/**\n"
         "[fault g]\ncall = write\nlost = yes\nskip = 1\npath = {0}/**\n"
         "[fault h]\ncall = write\ndisk = 1000 bytes\npath = {0}/**\n"
         "[fault i]\ncall = write\nerror = EIO\nskip = 1\npath = {0}/**\n".format(tmp_path), 0, tmp_path / "file").json()
    assert r == {"steps": [80, 600, 320, -errno.ENOSPC], "data": ["\0"], "size": 1000}


def test_nothing_is_flushed(guest, tmp_path):
    """By strace: no system call is made; and nobody can tell."""
    environment, out = guest.prepare("[run]\nprocesses = python*\n" + LOST[LOST.index("[fault"):] % tmp_path)
    words = [need("strace"), "-f", "-qq", "-o", str(tmp_path / "trace"),
             "-e", "trace=fsync,fdatasync,write,writev,pwritev"]
    for key in [k for k in environment if k.startswith("MISHAP_")] + ["LD_PRELOAD"]:
        words += ["-E", "%s=%s" % (key, environment.pop(key))]
    done = subprocess.run([*words, PYTHON, "-c", """
import os, sys
f = open(sys.argv[1] + "/file", "w"); f.write("never"); f.flush()
print(os.fsync(f.fileno()), os.fdatasync(f.fileno()), os.stat(f.name).st_size)
""", str(tmp_path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("no right to trace")
    trace = (tmp_path / "trace").read_text()
    assert done.stdout == "None None 5\n" and "None" in trace
    assert "sync" not in trace and "never" not in trace
    kinds = [e["kind"] for e in mhr.read_dir(out) if e["event"] == "op" and e["fault"]]
    assert kinds == [mhr.OP["write"], mhr.OP["fsync"], mhr.OP["fsync"]]


DATABASE = """
import sqlite3
db = sqlite3.connect(sys.argv[3], isolation_level=None)
def fill(first, last):
    db.execute("begin")
    db.executemany("insert into t values (?, ?)", [(i, "%d " % i * 40) for i in range(first, last)])
    db.execute("commit")
"""
PREPARE = "import sys\n" + DATABASE + "db.execute('create table t (id integer primary key, text)'); fill(0, 100)\n"
LOOK = """
import sqlite3, sys
try:
    db = sqlite3.connect(sys.argv[1])
    print(db.execute("pragma integrity_check").fetchone()[0].split("\\n")[0],
          db.execute("select count(*) from t").fetchone()[0])
except sqlite3.DatabaseError as e: print(e)
"""


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("share", [0, 50, 100])
def test_a_database(guest, tmp_path, share, journal):
    """SQLite commits, and no call of its failed; who opens the database next finds rows gone, or no database."""
    path = tmp_path / "shop.db"
    made = guest.code(PREPARE, 0, 0, path, under=False)
    assert made.status == 0, made.stderr
    r = run(guest, DATABASE + """
db.execute("pragma journal_mode=%s"); db.execute("pragma locking_mode=exclusive")
for i in range(1, 6): fill(i * 1000, i * 1000 + 900)
reply(rows=db.execute("select count(*) from t").fetchone()[0])
""" % journal, "[run]\nseed = 7\nprocesses = *\n[fault f]\ncall = write fsync\npath = %s*\nlost = yes\n%s\n"
            % (path, "probability = %d%%" % share if share else "skip = 100000"), 0, path)
    assert r.json() == {"rows": 4600}
    assert not [e for e in r.events("op") if e["err"] and e["kind"] in (mhr.OP["write"], mhr.OP["fsync"])]
    found = guest.code(LOOK, path, under=False).stdout
    kinds = {e["kind"] for e in r.faults()}
    if share:
        assert mhr.OP["write"] in kinds and (journal == "wal" or mhr.OP["fsync"] in kinds)
        assert found != "ok 4600\n" and (share < 100 or found == "ok 100\n"), found
    else:
        assert found == "ok 4600\n" and not kinds


@pytest.mark.parametrize("lost", [False, True])
def test_who_reads_back_what_was_written_notices(guest, tmp_path, lost):
    r = run(guest, """
        import hashlib
        path, data = sys.argv[3], os.urandom(100000)
        with open(path + ".new", "wb") as f:
            f.write(data); f.flush(); os.fsync(f.fileno())
        with open(path + ".new", "rb") as f: kept = hashlib.sha256(f.read()).digest() == hashlib.sha256(data).digest()
        if kept: os.replace(path + ".new", path)
        reply(kept=kept, there=os.path.exists(path))
    """, (LOST if lost else LOST.replace("lost = yes", "lost = yes\nskip = 1000")) % tmp_path, 0, tmp_path / "file")
    assert r.json() == {"kept": not lost, "there": not lost}
    assert bool(r.faults()) == lost


def test_a_lost_record_was_written_by_the_program(guest, tmp_path):
    """Judges ask whether it said what failed: it did, and the disk is not its own."""
    r = run(guest, """
        import logging
        logging.basicConfig(filename=sys.argv[3])
        logging.error("out of stock")
        reply(size=os.stat(sys.argv[3]).st_size, text=open(sys.argv[3]).read().strip("\\0"))
    """, LOST % tmp_path, 0, tmp_path / "app.log")
    assert r.json() == {"size": len("ERROR:root:out of stock\n"), "text": ""}
    assert [e["level"] for e in r.events("log")] == [mhr.LEVEL["error"]]


def test_the_report_holds_nothing_against_anybody(guest, tmp_path):
    """That the program breaks on what it reads back may have had other reasons: no outcome, no finding."""
    path = tmp_path / "state.json"
    r = guest.code("""
        import json, sys
        for n in range(12):
            with open(sys.argv[1], "w") as f: json.dump({"n": n}, f)
            try: json.load(open(sys.argv[1]))
            except ValueError: pass
        json.load(open(sys.argv[1]))
    """, path, config=LOST % tmp_path)
    assert r.status == 1 and "JSONDecodeError" in r.stderr
    done = mishap("report", r.out, "--format", "json")
    report = json.loads(done.stdout)
    assert report["run"]["fired"] == 12 and [c["outcome"] for c in report["cases"]] == [None]
    assert not report["findings"] and report["score"]["survival_index"] is None
    assert any(spot.startswith("12 writes and flushes were said to be done") for spot in report["blind_spots"])
    assert mishap("report", r.out, "--fail-on", "low", "-o", "/dev/null").returncode == 11
