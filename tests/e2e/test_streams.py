# SPDX-License-Identifier: Apache-2.0
"""Streams of stdio: an operation is a call for which libc goes to the descriptor, and one that fails leaves its
stream, its bytes and its answer as libc leaves them when the kernel says no."""

import errno
import os
import textwrap

import pytest

import mhr
from guest import PRELUDE, PYTHON, has_module

FAULT = "[run]\nprocesses = *\n[fault f]\n"
# libc by its own names. `call` answers with what it returned, errno, and the two indicators of the stream.
LIBC = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name in ("fopen", "fdopen"):
    getattr(libc, name).restype = ctypes.c_void_p
for name in ("fread", "fwrite", "getline"):
    getattr(libc, name).restype = ctypes.c_ssize_t
libc.fgets.restype = ctypes.c_char_p
buf = ctypes.create_string_buffer(1 << 20)
def stream(path, mode, size=None):
    f = ctypes.c_void_p(libc.fopen(path.encode(), mode.encode()))
    assert f.value, ctypes.get_errno()
    if size is not None:
        libc.setvbuf(f, None, 2 if size == 0 else 1 if size == 1 else 0, max(size, 2))
    return f
def call(f, name, *args):
    ctypes.set_errno(0)
    got = getattr(libc, name)(*args)
    said = ctypes.get_errno()
    return [got.decode() if isinstance(got, bytes) else got, said,
            None if name == "fclose" else [bool(libc.ferror(f)), bool(libc.feof(f))]]
path = sys.argv[3]
"""
WRITES = """
f = stream(path, "w", SIZE)
big = b"x" * 10000
told = [call(f, "fputs", b"hello\\n", f), call(f, "fputc", 65, f), call(f, "fflush", f), call(f, "fflush", f)]
told += [call(f, "fputc", 65, f), call(f, "fwrite", big, 1, len(big), f), call(f, "fflush", f)]
told += [call(f, "fprintf", f, b"%s %d\\n", big, 7), call(f, "fprintf", f, b"%s", b"short")]
told += [call(f, "putc", 66 + i % 5, f) for i in range(9000)]
libc.clearerr(f)
told += [call(f, "fwrite", big, 100, 30, f), call(f, "fputs", big, f), call(f, "fputs", b"end", f), call(f, "fclose", f)]
reply(told=told)
"""
READS = """
f = stream(path, "r", SIZE)
def line():
    where, n = ctypes.c_char_p(), ctypes.c_size_t()
    return call(f, "getline", ctypes.byref(where), ctypes.byref(n), f)
told = [call(f, "fgetc", f), call(f, "fgets", buf, 100, f), call(f, "fread", buf, 1, 5000, f), call(f, "fgetc", f)]
told += [line(), call(f, "fgets", buf, 100, f)]
libc.clearerr(f)
told += [call(f, "fread", buf, 1, 9000, f), call(f, "getc", f), line(), call(f, "fclose", f)]
reply(told=told)
"""


def run(guest, code, keys, path, under=True, **how):
    r = guest.command([PYTHON, "-c", PRELUDE + LIBC + textwrap.dedent(code), "0", "0", str(path)],
                      config=FAULT + keys if keys else None, under=under, timeout=60, **how)
    return r, r.json()


def faults(r):
    """(call, file, errno, effect) of each."""
    (calls,) = [e["tail"].split() for e in r.events("calls")]
    files = {e["path"]: os.path.basename(e["tail"]) for e in r.events("path")}
    effects = {number + 1: name for name, number in mhr.EFFECT.items()}
    return [(calls[e["call"]], files[e["path"]], e["err"], effects[e["effect"]]) for e in r.faults()]


def lines(path, n=20000):
    path.write_bytes(b"".join(b"line %d\n" % i for i in range(n))[:n])
    return path


@pytest.mark.parametrize("size", ["None", "0", "1", "100", "65536"])
def test_a_full_disk_is_as_a_real_one(guest, tmp_path, size):
    """/dev/full, and a file of which a fault says the same: every answer of every call."""
    code = WRITES.replace("SIZE", size)
    _, real = run(guest, code, None, "/dev/full", under=False)
    r, told = run(guest, code, "call = write\nerror = ENOSPC\npath = %s/*" % tmp_path, tmp_path / "file")
    assert told == real
    assert {f[3] for f in faults(r)} == {"error"} and (tmp_path / "file").stat().st_size == 0
    assert any(x[1] == errno.ENOSPC for x in told["told"])


@pytest.mark.parametrize("size", ["None", "0", "100", "65536"])
def test_what_cannot_be_read_is_as_on_a_directory(guest, tmp_path, size):
    """The kernel reads no directory: EISDIR there, and in a file of which a fault says EIO."""
    code = READS.replace("SIZE", size)
    (tmp_path / "folder").mkdir()
    _, real = run(guest, code, None, tmp_path / "folder", under=False)
    r, told = run(guest, code, "call = read\nerror = EIO\npath = %s/*" % tmp_path, lines(tmp_path / "file"))
    assert [[errno.EIO if x == errno.EISDIR else x for x in t] for t in real["told"]] == told["told"]
    assert r.faults()


# What each call has moved is told by the file: its size, or where its descriptor stands.
MOVES = """
import random
rng, moves = random.Random(int(sys.argv[4])), 0
f = stream(path, "r" if READ else "w", rng.choice([None, None, 0, 1, 2, 7, 300, 5000]))
fd = libc.fileno(f)
for i in range(400):
    n = rng.choice([0, 1, 2, 10, 100, 1000, 4095, 4096, 4097, 9000])
    text = b"x" * n + rng.choice([b"", b"\\n"])
    where = (lambda: os.lseek(fd, 0, 1)) if READ else (lambda: os.fstat(fd).st_size)
    before = where()
    if READ:
        line, room = ctypes.c_char_p(), ctypes.c_size_t()
        what = rng.choice(["fgetc", "getc_unlocked", "fread", "fgets", "getline", "ungetc"])
        args = {"fread": (buf, 1, n, f), "fgets": (buf, n, f), "getline": (ctypes.byref(line), ctypes.byref(room), f),
                "ungetc": (65, f)}.get(what, (f,))
        if before == os.fstat(fd).st_size:
            break
    else:
        what = rng.choice(["fputc", "putc_unlocked", "fwrite", "fputs", "fprintf", "fflush"])
        args = {"fwrite": (text, 1, len(text), f), "fputs": (text, f), "fprintf": (f, b"%d %s", i, text), "fflush": (f,)}.get(
            what, (rng.choice(b"a\\n"), f))
    getattr(libc, what)(*args)
    moves += where() != before
left = os.fstat(fd).st_size
libc.fclose(f)
moves += not READ and os.stat(path).st_size != left
reply(moves=moves, size=os.stat(path).st_size)
"""


@pytest.mark.parametrize("kind", ["read", "write"])
def test_an_operation_is_where_libc_goes_to_the_descriptor(guest, tmp_path, kind):
    """In random calls on random buffers: no more, no fewer, and the same bytes as without us."""
    code = MOVES.replace("READ", str(kind == "read")).replace("sys.argv[4]", "os.environ['SEED']")
    for seed in range(12):
        path = lines(tmp_path / "file", 300000) if kind == "read" else tmp_path / "file"
        _, bare = run(guest, code, None, path, under=False, env={"SEED": str(seed)})
        r, told = run(guest, code, "call = %s\ndelay = 1us\npath = %s/file" % (kind, tmp_path), path,
                      env={"SEED": str(seed)})
        assert told == bare and told["moves"]
        assert len(r.faults()) == told["moves"], "seed %d" % seed


@pytest.mark.parametrize("skip", [0, 1, 3])
def test_byte_by_byte_the_nth_refill_fails(guest, tmp_path, skip):
    """Every byte before it comes; the one after it, too, once the indicator is cleared."""
    r, told = run(guest, """
f = stream(path, "r")
n = 0
while True:
    c = libc.fgetc(f)
    if c == -1:
        break
    n += 1
said, failed = ctypes.get_errno(), bool(libc.ferror(f))
libc.clearerr(f)
reply(n=n, said=said, failed=failed, next=chr(libc.fgetc(f)), want=open(path).read()[n])
""", "call = fgetc\nerror = EIO\npath = %s/*\nskip = %d\ncount = 1" % (tmp_path, skip), lines(tmp_path / "file"))
    assert told["n"] == skip * 4096 and told["said"] == errno.EIO and told["failed"]
    assert told["next"] == told["want"]
    assert faults(r) == [("fgetc", "file", errno.EIO, "error")]


def test_the_end_comes_early_and_is_no_error(guest, tmp_path):
    r, told = run(guest, """
f = stream(path, "r")
got = call(f, "fread", buf, 1, 100, f) + call(f, "fread", buf, 1, 8000, f)
libc.clearerr(f)
reply(got=got, at=os.lseek(libc.fileno(f), 0, 1))
""", "call = read\neof = after 4096 bytes\npath = %s/*" % tmp_path, lines(tmp_path / "file"))
    assert told["got"] == [100, 0, [False, False], 3996, 0, [False, True]]
    assert told["at"] == 4096 and [f[3] for f in faults(r)] == ["eof"]


def test_what_no_caller_could_see_is_not_claimed(guest, tmp_path):
    """Short counts, and changed bits: the bytes are right, and no record says otherwise."""
    path = lines(tmp_path / "file")
    r, told = run(guest, """
f = stream(path, "r")
n = libc.fread(buf, 1, 1 << 20, f)
reply(same=buf.raw[:n] == os.environb[b"WANT"])
""", "call = read\nshort = 1..3\ncorrupt = 5 bits\npath = %s/file" % tmp_path, path, env={"WANT": path.read_text()})
    assert told["same"] and not r.faults()


def test_a_kill_comes_with_the_refill(guest, tmp_path):
    r = guest.command([PYTHON, "-c", PRELUDE + LIBC + """
f = stream(path, "r")
for i in range(4097):
    if i == 4096:
        print("so far", flush=True)
    libc.fgetc(f)
print("further")
""", "0", "0", str(lines(tmp_path / "file"))],
                      config=FAULT + "call = read\nkill = SIGKILL\nskip = 1\npath = %s/file" % tmp_path, timeout=60)
    assert r.status == -9 and r.stdout == "so far\n"


def test_a_disk_budget_counts_streams(guest, tmp_path):
    """What is written and what is kept for the budget agree; what does not fit is lost, as libc loses it."""
    r, told = run(guest, """
f = stream(path, "w")
told = [libc.fputs(b"x" * 1000, f) for i in range(100)]
said = ctypes.get_errno()
reply(first=told.index(-1), said=said, size=os.stat(path).st_size, closed=libc.fclose(f))
""", "call = write\ndisk = 20KiB\npath = %s/*" % tmp_path, tmp_path / "file")
    assert told["said"] == errno.ENOSPC and 16384 <= told["size"] <= 20480
    assert faults(r)[0][3] == "disk"


def test_what_really_fails_is_recorded(guest, tmp_path):
    """A file of the size that the process may not pass: not a fault's, and EFBIG."""
    r, told = run(guest, """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
f = stream(path, "w")
reply(told=call(f, "fwrite", b"x" * 20000, 1, 20000, f)[1:])
""", "call = write\nerror = EIO\npath = /nowhere", tmp_path / "file")
    assert told["told"] == [errno.EFBIG, [True, False]]
    (op,) = [e for e in r.events("op") if e["err"] == errno.EFBIG]
    assert not op["fault"]


@pytest.mark.parametrize("what", ["load_verify_locations(cafile=sys.argv[3])", "load_cert_chain(sys.argv[3])"])
def test_openssl_reads_its_certificates_so(guest, tmp_path, certificate, what):
    """ssl.SSLContext: OpenSSL's BIO reads files by fread and fgets."""
    path = tmp_path / "ca.pem"
    path.write_bytes(b"".join(open(c, "rb").read() for c in certificate))
    code = """
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
try:
    c.%s
    reply(said="loaded")
except (ssl.SSLError, OSError) as e:
    reply(said=type(e).__name__)
""" % what
    _, bare = run(guest, code, None, path, under=False)
    r, told = run(guest, code, "call = read\nerror = EIO\npath = **/ca.pem", path)
    assert bare["said"] == "loaded" and told["said"] in ("SSLError", "OSError")
    assert faults(r) and {f[1:3] for f in faults(r)} == {("ca.pem", errno.EIO)}
    assert {f[0] for f in faults(r)} <= {"fread", "fgets"}


@pytest.mark.skipif(not has_module("psycopg2"), reason="psycopg2 is not installed")
def test_libpq_reads_its_services_so(guest, tmp_path):
    path = tmp_path / "pg_service.conf"
    path.write_text("[shop]\nhost=127.0.0.1\nport=1\n")
    code = """
import psycopg2
try:
    psycopg2.connect("service=shop")
except psycopg2.OperationalError as e:
    reply(said=str(e))
"""
    _, bare = run(guest, code, None, path, under=False, env={"PGSERVICEFILE": str(path)})
    r, told = run(guest, code, "call = read\nerror = EIO\npath = **/pg_service.conf", path,
                  env={"PGSERVICEFILE": str(path)})
    assert "port 1" in bare["said"] and 'definition of service "shop" not found' in told["said"]
    assert faults(r) == [("fgets", "pg_service.conf", errno.EIO, "error")]
