# SPDX-License-Identifier: Apache-2.0
"""`mishap doctor` against the truth: what it says can fire does fire when the command is run, and what it
says cannot does not."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from guest import BUILD, PYTHON, need

import mhr
import pythons

MISHAP = os.path.join(BUILD, "tools", "mishap")
CONNECT = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
SCENARIO = "[run]\nprocesses = %s\n[fault refused]\ncall = connect\npeer = 127.0.0.1\nerror = EHOSTUNREACH\n"
C_PROGRAM = """
#include <arpa/inet.h>
#include <sys/socket.h>
int main(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 9 << 8, .sin_addr = {htonl(0x7f000001)}};
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to)) == 0;
}
"""


def mishap(*words, **how):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MISHAP_", "UV_")) and k != "LD_PRELOAD"}
    # env finds the real interpreter: a version manager's shim is a shell script, another program.
    env["PATH"] = os.path.dirname(PYTHON) + os.pathsep + env["PATH"]
    env.update(how.pop("env", {}))
    return subprocess.run([MISHAP, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL, env=env, **how)


@pytest.fixture
def scenario(tmp_path):
    def write(processes="python*", more=""):
        path = tmp_path / "scenario.ini"
        path.write_text(SCENARIO % processes + more)
        return path
    return write


def doctor(tmp_path, config, *command, env=None, status=None):
    """{fault: (can it fire, why)}; the exit status has to agree."""
    done = mishap("doctor", "--json", "-c", config, "--", *command, cwd=tmp_path, env=env or {})
    assert done.returncode in (0, 1) and done.stderr == "", done
    rows = {r["fault"]: (r["here"] == "can fire", r["why"]) for r in json.loads(done.stdout) if r["fault"][0] != "("}
    assert done.returncode == (0 if all(can for can, _ in rows.values()) else 1)
    assert all(why for can, why in rows.values() if not can), "every refusal has its reason"
    return rows


def fires(tmp_path, config, *command):
    out = tmp_path / "out"
    mishap("run", "-q", "-c", config, "-o", out, "--", *command, cwd=tmp_path)
    return any(e["event"] == "op" and e["fault"] for e in mhr.read_dir(str(out)))


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def compiled(tmp_path, *flags):
    source = tmp_path / "program.c"
    source.write_text(C_PROGRAM)
    done = subprocess.run([need("cc"), *flags, "-o", tmp_path / "program", source], check=False)
    if done.returncode:
        pytest.skip("cc cannot link with " + " ".join(flags))
    return tmp_path / "program"


def python_copy(tmp_path):
    """Its own file, so that it can be given other rights and another loader."""
    copy = tmp_path / "python-copy"
    shutil.copyfile(os.path.realpath(PYTHON), copy)
    copy.chmod(0o755)
    return copy


def setuid(tmp_path):
    if os.getuid():
        pytest.skip("only root can give a file away")
    copy = python_copy(tmp_path)
    os.chown(copy, 65534, -1)
    copy.chmod(0o4755)
    return copy, "-c", CONNECT


COMMANDS = {
    "python": lambda d: (PYTHON, "-c", CONNECT),
    "script with env": lambda d: (executable(d / "app", "#!/usr/bin/env python3\n%s\n" % CONNECT),),
    "script with option": lambda d: (executable(d / "app", "#! %s -B \n%s\n" % (PYTHON, CONNECT)),),
    "script without #!": lambda d: (executable(d / "app", "echo\n"),),
    "shell": lambda d: (need("bash"), "-c", "exec 3<>/dev/tcp/127.0.0.1/9"),
    "static": lambda d: (compiled(d, "-static"),),
    "static-pie": lambda d: (compiled(d, "-static-pie"),),
    "dynamic": lambda d: (compiled(d),),
    "setuid": setuid,
    "not there": lambda d: (d / "no-such",),
}


# What takes part, which commands can then be hit, and what is said of the others.
@pytest.mark.parametrize("processes, name, can, said", [
    ("python*", "python", True, ""),
    ("python*", "script with env", True, ""),
    ("python*", "script with option", True, ""),
    ("python*", "script without #!", False, "neither a program nor a script"),
    ("python*", "shell", False, "is none of the processes that take part (python*)"),
    ("*", "shell", True, ""),
    ("app", "script with env", True, ""),
    ("celery*", "python", False, "is none of the processes that take part (celery*)"),
    ("*", "static", False, "is statically linked"),
    ("*", "static-pie", False, "is statically linked"),
    ("*", "dynamic", True, ""),
    ("*", "setuid", False, "is setuid"),
    ("*", "not there", False, "there is no command"),
])
def test_what_it_says_is_so(tmp_path, scenario, processes, name, can, said):
    config = scenario(processes)
    command = COMMANDS[name](tmp_path)
    says, why = doctor(tmp_path, config, *command)["refused"]
    assert (says, said in why) == (can, True), why
    assert not os.path.exists(tmp_path / "mishap-out"), "doctor leaves nothing behind"
    if name != "script without #!":  # what execvp() would make of it is the shell's business
        assert fires(tmp_path, config, *command) == can


def patched(tmp_path, old, new):
    copy = python_copy(tmp_path)
    data = copy.read_bytes()
    assert old in data
    copy.write_bytes(data.replace(old, new, 1))
    return copy


def test_another_libc(tmp_path, scenario):
    old = b"/lib64/ld-linux-x86-64.so.2\0"
    if old not in open(os.path.realpath(PYTHON), "rb").read(4096):
        pytest.skip("not the loader that this test knows")
    musl = patched(tmp_path, old, b"/lib/ld-musl-x86_64.so.1".ljust(len(old), b"\0"))
    can, why = doctor(tmp_path, scenario(), musl)["refused"]
    assert not can and "another libc" in why and "ld-musl-x86_64.so.1" in why


def test_another_architecture(tmp_path, scenario):
    copy = python_copy(tmp_path)
    data = bytearray(copy.read_bytes())
    data[18] ^= 0x55  # e_machine
    copy.write_bytes(data)
    can, why = doctor(tmp_path, scenario(), copy)["refused"]
    assert not can and "another architecture" in why


@pytest.mark.parametrize("size", [0, 3, 20, 64, 65, 500, 4096])
def test_damaged_programs_are_refused(tmp_path, scenario, size):
    (tmp_path / "cut").write_bytes(open(os.path.realpath(PYTHON), "rb").read(size))
    (tmp_path / "cut").chmod(0o755)
    done = mishap("doctor", "-c", scenario("*"), "--", tmp_path / "cut", cwd=tmp_path)
    assert done.returncode in (0, 1) and done.stderr == ""
    assert done.returncode == 1 or size >= 500  # its head is whole: what follows the loader judges


def test_process_of_one_fault(tmp_path, scenario):
    more = "[fault worker]\ncall = recv\nprocess = *celery*worker*\ndelay = 1ms\n"
    rows = doctor(tmp_path, scenario(more=more), PYTHON, "app.py")
    assert rows["refused"] == (True, "")
    assert not rows["worker"][0] and "process = *celery*worker* does not match" in rows["worker"][1]
    assert doctor(tmp_path, scenario(more=more), PYTHON, "-m", "celery", "worker")["worker"][0]


@pytest.mark.parametrize("python", list(pythons.FOUND))
def test_stacks_of_each_python(tmp_path, scenario, python):
    path = pythons.need_python(python)
    rows = doctor(tmp_path, scenario(more="[fault site]\ncall = recv\nper = site\ndelay = 1ms\n"), path, "x.py")
    assert rows == {"refused": (True, ""), "site": (True, "")}


def test_a_python_without_stacks(tmp_path, scenario):
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    old = [os.path.join(root, "versions", v, "bin", "python3") for v in ("3.7.16", "3.6.15")]
    old = [p for p in old if os.path.exists(p)]
    if not old:
        pytest.skip("no Python before 3.8 here")
    rows = doctor(tmp_path, scenario(more="[fault site]\ncall = recv\nper = site\ndelay = 1ms\n"), old[0])
    assert rows["refused"][0] and "stacks" in rows["refused"][1]
    assert not rows["site"][0] and "per = site" in rows["site"][1]


def test_where_recordings_cannot_go(tmp_path, scenario):
    done = mishap("doctor", "-c", scenario(), "-o", "/proc/no/such", "--", PYTHON)
    assert done.returncode == 1 and "cannot" in done.stdout and "/proc/no/such" in done.stdout
    done = mishap("doctor", "-c", scenario(), "-o", tmp_path / "a" / "b", "--", PYTHON)
    assert done.returncode == 0 and not (tmp_path / "a").exists()


def test_environment(tmp_path, scenario):
    more = "[fault slow]\ncall = file.write\npath = /tmp/**\ndelay = 1ms\n"
    config = scenario(more=more)
    rows = doctor(tmp_path, config, PYTHON, env={"UV_USE_IO_URING": "1"})
    assert rows["refused"] == (True, "") and rows["slow"][0] and "UV_USE_IO_URING" in rows["slow"][1]
    rows = doctor(tmp_path, config, PYTHON, env={"MISHAP_DISABLE": "1"})
    assert not any(can for can, _ in rows.values()) and "MISHAP_DISABLE" in rows["slow"][1]


def place(tmp_path, *command, config=None, env=None):
    """The rows on the place: {what: (here, why)}. They say nothing of faults, and do not change the status."""
    done = mishap("doctor", "--json", *(("-c", config) if config else ()), "--", *command, cwd=tmp_path, env=env or {})
    assert done.returncode in (0, 1) and done.stderr == "", done
    return {r["fault"]: (r["here"], r["why"]) for r in json.loads(done.stdout) if r["fault"] != "(none)"}


RING = """
#include <unistd.h>
static long itself(long number, long a, long b)
{
    long r;
#if defined(__x86_64__)
    __asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a), "S"(b) : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
    r = x0;
#endif
    return r;
}
int main(void)
{
    static char params[120];
    return (MODE ? itself(425, 1, (long)params) : syscall(MODE ? 0 : 425, 1L, params)) < 0;
}
"""


@pytest.fixture
def rings(tmp_path):
    """Makes a program, or a shared object, that sets up a ring; 'none': that could and does not."""
    def make(how, name="program", *flags):
        (tmp_path / "ring.c").write_text(RING.replace("425", "424") if how == "none" else RING)
        subprocess.run([need("cc"), "-O2", "-DMODE=%d" % (how == "itself"), *flags, "-o", tmp_path / name,
                        tmp_path / "ring.c"], check=True)
        return tmp_path / name
    return make


def test_rings_that_are_seen_and_rings_that_are_not(tmp_path, scenario, rings):
    """What is said of a program is what happens in it: on record, refused on request, or past everything."""
    refuse = tmp_path / "refuse.ini"
    refuse.write_text("[run]\nprocesses = *\n[fault no-rings]\ncall = io_uring\nerror = ENOSYS\n")
    here = place(tmp_path, rings("none"))["(io_uring)"]
    if here[0] == "impossible":
        pytest.skip(here[1])
    assert here == ("not found", "")
    for how, says, refused in (("libc", "can be seen", True), ("itself", "cannot be seen", False)):
        program = rings(how)
        here, why = place(tmp_path, program)["(io_uring)"]
        assert here == says and why.startswith(str(program))
        assert fires(tmp_path, refuse, program) == refused
        can, why = doctor(tmp_path, refuse, program)["no-rings"]
        assert can and ("see (io_uring)" in why) != refused
        shutil.rmtree(tmp_path / "out")


def test_rings_of_a_package(tmp_path, rings):
    """The packages of the interpreter that is asked about are looked at: here one of a virtual environment."""
    venv = tmp_path / "venv"
    done = subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=False)
    if done.returncode:
        pytest.skip("no venv here")
    site = next(venv.glob("lib/python3*/site-packages"))
    assert place(tmp_path, venv / "bin" / "python3")["(io_uring)"][0] in ("not found", "impossible")
    (site / "package").mkdir()
    rings("libc").rename(site / "package" / "_speed.cpython-311-x86_64-linux-gnu.so")
    here, why = place(tmp_path, venv / "bin" / "python3", "app.py")["(io_uring)"]
    assert here == "impossible" or (here == "can be seen" and "package/_speed" in why and "ENOSYS" in why)


def test_a_program_that_wants_liburing(tmp_path, rings):
    """Its name is enough: liburing makes its system calls itself."""
    (tmp_path / "lib.c").write_text("int io_uring_queue_init(void) { return 0; }\n")
    (tmp_path / "uses.c").write_text("int io_uring_queue_init(void); int main(void) { return io_uring_queue_init(); }\n")
    for source, out, flags in (("lib.c", "liburing.so", ("-shared", "-fPIC")), ("uses.c", "uses", ("-L.", "-luring"))):
        subprocess.run([need("cc"), source, "-o", out, *flags], check=True, cwd=tmp_path)
    assert place(tmp_path, tmp_path / "uses")["(io_uring)"][0] in ("cannot be seen", "impossible")


def test_the_kernel_side():
    """What doctor says is what a run with `--kernel on` finds; without rights it is refused, with the reason."""
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    for before in [(), nobody] if os.getuid() == 0 and shutil.which("setpriv") else [()]:
        with tempfile.TemporaryDirectory() as open_to_all:
            os.chmod(open_to_all, 0o777)
            told, done = (subprocess.run([*before, MISHAP, *words, "--", PYTHON, "-c", ""], stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True, check=False, timeout=60, cwd=open_to_all,
                                         stdin=subprocess.DEVNULL)
                          for words in (("doctor", "--json"), ("run", "-q", "--kernel", "on")))
        here, why = {r["fault"]: (r["here"], r["why"]) for r in json.loads(told.stdout)}["(kernel side)"]
        assert here in (("available", "in part", "refused") if not before else ("refused",))
        assert bool(why) == (here != "available")
        assert done.returncode == (3 if here == "refused" else 0), done.stderr
        assert here != "refused" or why in done.stderr


def test_a_missing_symbol(tmp_path, scenario):
    """A libc that lacks what the library wants does not load it: here a library that wants what no libc has."""
    (tmp_path / "lib.c").write_text("void no_such_symbol(void);\n__attribute__((constructor)) static void begin(void)"
                                    " { no_such_symbol(); }\n")
    subprocess.run([need("cc"), "-shared", "-fPIC", "-Wl,-z,now", "lib.c", "-o", "libmishap.so"], check=True,
                   cwd=tmp_path)
    shutil.copyfile(MISHAP, tmp_path / "alone")
    (tmp_path / "alone").chmod(0o755)
    done = subprocess.run([tmp_path / "alone", "doctor", "--json", "-c", scenario(), "--", PYTHON], timeout=60, text=True,
                          stdout=subprocess.PIPE, check=False, cwd=tmp_path)
    row = next(r for r in json.loads(done.stdout) if r["fault"] == "refused")
    assert done.returncode == 1 and row["here"] == "cannot fire"
    assert "does not load the library" in row["why"] and "no_such_symbol" in row["why"]


def test_without_its_library(tmp_path, scenario):
    alone = tmp_path / "alone"
    shutil.copyfile(MISHAP, alone)
    alone.chmod(0o755)
    done = subprocess.run([alone, "doctor", "-c", scenario()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, cwd=tmp_path)
    if done.returncode == 0:
        pytest.skip("a mishap is installed on this machine")
    assert done.returncode == 1 and "libmishap.so is not there" in done.stdout


def test_routes_are_not_seen_behind_tls(tmp_path, scenario):
    more = "[fault %s]\ncall = connect\npeer = 127.0.0.1\noperation = %s\nerror = EHOSTUNREACH\n"
    rows = doctor(tmp_path, scenario(more=more % ("route", "GET /a/*") + more % ("task", "shop.tasks.*")), PYTHON)
    assert rows["route"][0] and "not for requests behind TLS" in rows["route"][1]
    assert rows["task"] == (True, "") and rows["refused"] == (True, "")


def test_without_scenario_or_command(tmp_path):
    done = mishap("doctor", cwd=tmp_path)
    assert done.returncode == 0 and "can record" in done.stdout and done.stderr == ""
    assert os.listdir(tmp_path) == []


def test_a_bad_scenario(tmp_path):
    (tmp_path / "bad.ini").write_text("[fault f]\ncall = recv\ndelay = 3\n")
    done = mishap("doctor", "-c", tmp_path / "bad.ini", "--", sys.executable)
    assert done.returncode == 2 and "'3' has no unit" in done.stderr and done.stdout == ""
