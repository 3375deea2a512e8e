# SPDX-License-Identifier: Apache-2.0
"""mishap.h: a program that switches its faults itself, compiled as pkg-config says."""

import errno
import os
import re

import pytest

from guest import BUILD, PYTHON
from packages import command

MISHAP = os.path.join(BUILD, "tools", "mishap")
PROGRAM = """
#include <arpa/inet.h>
#include <errno.h>
#include <mishap.h>
#include <stdio.h>
static int seen(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    errno = 0;
    connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof(at));
    return errno;
}
int main(void)
{
    if (!mishap_switch || !mishap_fired)
        return printf("not here\\n"), 0;
    printf("%d ", seen());
    printf("%d ", mishap_switch("away", 0));
    printf("%d ", seen());
    printf("%d ", mishap_switch("away", 1));
    printf("%d ", seen());
    printf("%d ", mishap_switch(NULL, 0));
    printf("%d ", seen());
    printf("%d ", mishap_switch(NULL, 1));
    printf("%d ", seen());
    printf("%ld %ld ", mishap_fired("away"), mishap_fired(NULL));
    printf("%d %ld\\n", mishap_switch("nobody", 1), mishap_fired("nobody"));
}
"""
SCENARIO = """[run]
processes = *
[fault never]
call = connect
peer = 127.0.0.1:10
error = ECONNRESET
[fault away]
call = connect
peer = 127.0.0.1:9
error = EHOSTUNREACH
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("header")
    done = command("meson", "install", "-C", BUILD, "--no-rebuild", "--tags", "devel", "--destdir", folder / "root")
    assert done.returncode == 0, done.stdout + done.stderr
    found = [os.path.join(at, name) for at, _, names in os.walk(folder / "root") for name in names]
    assert sorted(os.path.basename(path) for path in found) == ["mishap.h", "mishap.pc"]
    env = {"PKG_CONFIG_PATH": os.path.dirname(next(p for p in found if p.endswith(".pc"))),
           "PKG_CONFIG_SYSROOT_DIR": str(folder / "root")}
    # A prefix of the system's own has no flag at all.
    flags = command("pkg-config", "--keep-system-cflags", "--cflags", "--libs", "mishap", env=env)
    assert flags.returncode == 0 and re.search(r"-I\S+/include", flags.stdout), flags.stdout + flags.stderr
    assert command("pkg-config", "--variable=preload", "mishap", env=env).stdout.endswith("/mishap/libmishap.so\n")
    (folder / "program.c").write_text(PROGRAM)
    done = command("gcc", "-Wall", "-Wextra", "-Werror", folder / "program.c", "-o", folder / "program",
                   *flags.stdout.split())
    assert done.returncode == 0, done.stderr
    return folder / "program"


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "s.ini").write_text(SCENARIO)
    return tmp_path / "s.ini"


def test_a_program_switches_its_faults(program, scenario, tmp_path):
    done = command(MISHAP, "run", "-q", "-c", scenario, "--no-calm", "-o", tmp_path / "out", "--", program, cwd=tmp_path)
    there, away, gone = errno.ECONNREFUSED, errno.EHOSTUNREACH, -errno.ENOENT
    said = [away, 0, there, 0, away, 0, there, 0, away, 3, 3, gone, gone]
    assert done.stdout.splitlines()[0].split() == [str(n) for n in said], done.stdout + done.stderr


def test_without_the_library_it_runs_all_the_same(program):
    assert command(program).stdout == "not here\n"


def test_where_nothing_is_recorded_it_says_so(program, scenario, tmp_path):
    library = os.path.join(BUILD, "lib", "libmishap.so")
    done = command(program, env={"LD_PRELOAD": library, "MISHAP_CONFIG": str(scenario), "MISHAP_DISABLE": "1",
                                 "MISHAP_OUT": str(tmp_path / "out")})
    assert str(-errno.ENOTCONN) in done.stdout.split() and str(errno.EHOSTUNREACH) not in done.stdout.split(), done.stdout


def test_a_python_switches_one_by_ctypes(scenario, tmp_path):
    """And another process of the run is switched with it."""
    other = "import errno, socket; s = socket.socket(); print(s.connect_ex(('127.0.0.1', 9)))"
    text = ("import ctypes, subprocess, sys\nmishap = ctypes.CDLL(None)\n"
            "for on in (1, 0):\n    mishap.mishap_switch(b'away', on)\n"
            "    subprocess.run([sys.executable, '-c', %r])\n" % other)
    done = command(MISHAP, "run", "-q", "-c", scenario, "--no-calm", "-o", tmp_path / "out", "--", PYTHON, "-c", text,
                   cwd=tmp_path)
    assert done.stdout.split()[:2] == [str(errno.EHOSTUNREACH), str(errno.ECONNREFUSED)], done.stdout + done.stderr
