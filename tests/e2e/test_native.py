# SPDX-License-Identifier: Apache-2.0
"""Native frames: where no Python is on the stack, and where memory was refused."""

import glob
import json
import os
import shutil
import subprocess

import pytest
from guest import BUILD, PYTHON
from pythons import FOUND, every_python
from test_effects import ALL, run
from test_memory import BUDGET, MIB, refusals
from test_memory import run as hoard


def natives(result):
    """{id: frames as (name, object)} of native stacks."""
    return {e["stack"]: [tuple(line.split("\t")[:2]) for line in e["tail"].splitlines()]
            for e in result.events("stack") if e["native"]}


@every_python
def test_a_refused_allocation_tells_how_the_interpreter_came_to_it(guest, python):
    program = FOUND[python] or pytest.skip("no CPython " + python)
    done = hoard(guest, "print(json.dumps(hoard(%d)))" % MIB, BUDGET % "64MiB", python=program)
    assert done.json()
    stacks = natives(done)
    for e in refusals(done):
        names = [name for name, _ in stacks[e["native"]]]
        objects = [where for _, where in stacks[e["native"]]]
        assert e["stack"] and e["stack"] != e["native"], "and the frames of Python"
        assert any("Eval" in name for name in names), names
        assert not any("libmishap" in where for where in objects)
        assert any("python" in where or where == "/proc/self/exe" for where in objects)


# A thread of C that no interpreter knows: it does nothing but close a file.
THREAD = """
    import ctypes
    libc = ctypes.CDLL(None)
    thread, code = ctypes.c_ulong(), ctypes.cast(libc.close, ctypes.c_void_p)
    f = os.open(sys.argv[3], os.O_RDWR)
    libc.pthread_create(ctypes.byref(thread), None, code, ctypes.c_void_p(f))
    libc.pthread_join(thread, None)
    reply(done=1)
"""


def test_a_thread_without_an_interpreter_has_its_frames(guest, tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    r = run(guest, THREAD, ALL + "call = close\nerror = EIO\npath = %s\n" % path, 1, path)
    [fault] = r.faults()
    assert fault["tid"] != fault["file_pid"] and not fault["stack"]
    frames = natives(r)[fault["native"]]
    assert frames and all(where.rsplit("/", 1)[-1].startswith("libc.so") for _, where in frames), frames


def test_a_thread_of_python_has_no_need_of_them(guest, tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    r = run(guest, "f = os.open(sys.argv[3], os.O_RDWR)\ntry: os.close(f)\nexcept OSError: pass",
            ALL + "call = close\nerror = EIO\npath = %s\n" % path, 1, path)
    assert [e["native"] for e in r.faults()] == [0] and not natives(r)


def test_children_have_them_too(guest):
    done = hoard(guest, """
import os
pids = [os.fork() for _ in range(1)]
if not pids[0]:
    hoard(1048576); os._exit(0)
os.waitpid(pids[0], 0); print(json.dumps(hoard(1048576)))
""", BUDGET % "64MiB")
    assert done.json()
    for pid in {e["file_pid"] for e in refusals(done)}:
        ids = {e["stack"] for e in done.events("stack") if e["native"] and e["file_pid"] == pid}
        assert ids >= {e["native"] for e in refusals(done) if e["file_pid"] == pid}
    assert len({e["file_pid"] for e in refusals(done)}) == 2


KAFKA = """
import ctypes, time
k = ctypes.CDLL("librdkafka.so.1")
for f in ("rd_kafka_conf_new", "rd_kafka_new"): getattr(k, f).restype = ctypes.c_void_p
conf, why = k.rd_kafka_conf_new(), ctypes.create_string_buffer(500)
for name, value in ((b"bootstrap.servers", b"127.0.0.1:1"), (b"log_level", b"0")):
    k.rd_kafka_conf_set(ctypes.c_void_p(conf), name, value, why, 500)
producer = k.rd_kafka_new(0, ctypes.c_void_p(conf), why, 500)
time.sleep(1)
k.rd_kafka_destroy(ctypes.c_void_p(producer))
"""


@pytest.mark.skipif(not glob.glob("/usr/lib/*/librdkafka.so.1"), reason="librdkafka1 is not installed")
def test_the_threads_of_librdkafka_have_their_frames(guest):
    r = guest.command([PYTHON, "-c", KAFKA], config="[fault refused]\ncall = connect\npeer = 127.0.0.1\n"
                      "error = EHOSTUNREACH\n")
    assert r.status == 0, r.stderr
    stacks = natives(r)
    assert r.faults()
    for fault in r.faults():
        assert not fault["stack"] and any("librdkafka" in where for _, where in stacks[fault["native"]])


HAMMER = """
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

void *hammer(void *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(long)port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 30; i++) {
        int s = socket(AF_INET, SOCK_STREAM, 0);

        connect(s, (struct sockaddr *)&to, sizeof(to));
        close(s);
    }
    return NULL;
}

void work(int port)
{
    pthread_t thread;

    pthread_create(&thread, NULL, hammer, (void *)(long)port);
    pthread_join(thread, NULL);
}
"""


def test_a_finding_in_a_thread_that_python_does_not_know_shows_its_frames(tmp_path):
    """Whose site is not the application's: what there is to be told of it is the function of the library."""
    (tmp_path / "hammer.c").write_text(HAMMER)
    library = tmp_path / "libhammer.so"
    subprocess.run([shutil.which("cc") or pytest.skip("no C compiler"), "-shared", "-fPIC", "-rdynamic", "-o", library,
                    tmp_path / "hammer.c", "-lpthread"], check=True)
    (tmp_path / "down.ini").write_text("[run]\nprocesses = *\n[fault down]\ncall = connect\nerror = ECONNREFUSED\n")
    (tmp_path / "app.py").write_text("import ctypes\nctypes.CDLL(%r).work(7)\n" % str(library))
    subprocess.run([os.path.join(BUILD, "tools", "mishap"), "run", "-q", "-c", tmp_path / "down.ini", "-o",
                    tmp_path / "out", "--report", tmp_path / "r.json", "--", PYTHON, tmp_path / "app.py"],
                   check=False, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report = json.loads((tmp_path / "r.json").read_text())
    [finding] = [f for f in report["findings"] if f["rule"] == "MH-0502"]
    assert finding["peer"] == "127.0.0.1:7"
    assert finding["site"]["file"] == str(library) and finding["site"]["function"] == "hammer"
    assert any(f["file"] == str(library) for f in finding["site"]["stack"])
    assert {case["site"] for case in report["cases"]} == {finding["site"]["function"]}
    events = subprocess.run([os.path.join(BUILD, "tools", "mishap"), "events", tmp_path / "out", "--grep",
                             "libhammer.so"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert any(" stack " in line and "native=1" in line for line in events.splitlines())


CRASH = """
import ctypes, sys
held = []
try:
    while True: held.append(bytes(1 << 20))
except MemoryError:
    if sys.argv[1] == "crashes": ctypes.string_at(0)
    raise
"""


@pytest.mark.parametrize("how", ["crashes", "raises"])
def test_a_crash_without_memory_is_not_held_against_the_application(tmp_path, how):
    """What an interpreter cannot survive is said, with its frames; what it raises is the program's."""
    (tmp_path / "tight.ini").write_text("[fault tight]\ncall = memory\nmemory = 64MiB\n")
    (tmp_path / "hoard.py").write_text(CRASH)
    subprocess.run([os.path.join(BUILD, "tools", "mishap"), "run", "-q", "-c", tmp_path / "tight.ini", "-o",
                    tmp_path / "out", "--report", tmp_path / "r.json", "--", PYTHON, tmp_path / "hoard.py", how],
                   check=False, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report = json.loads((tmp_path / "r.json").read_text())
    crashed = [text for text in report["blind_spots"] if "crashed just after an allocation was refused" in text]
    [case] = report["cases"]
    if how == "crashes":
        assert len(crashed) == 1 and "_PyEval_EvalFrameDefault" in crashed[0]
        assert case["outcome"] is None and not report["findings"]
    else:
        assert not crashed and case["outcome"] == "broke"
