# SPDX-License-Identifier: Apache-2.0
"""Wheels for musl: the command with its libc in it, and the library for musl, where there is nothing else."""

import json
import os
import shutil

import pytest

from guest import BUILD
from packages import AUDITWHEEL, audit, build, command
from venvs import python_with

PYTHON = os.path.join(BUILD, "musl-python", "python")
HERE = os.uname().machine
PROGRAM = """
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof(at));
    printf("seen %d\\n", errno);
}
"""
SCENARIO = "[run]\nprocesses = *\n[fault away]\ncall = connect\nerror = EHOSTUNREACH\n"
AS_MODULE = ("import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
             "runpy.run_module('mishap', run_name='__main__', alter_sys=True)")
INSIDE = ('mount --make-rprivate / && mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" && '
          'exec chroot "$@"')


class Package:
    """What pip unpacks, and a program on musl."""

    def __init__(self, machine, folder):
        if os.environ.get("MISHAP_LIBC") != "MUSL":
            pytest.skip("two builds more for each machine: ./tests/run musl makes them")
        self.emulator = []
        if machine != HERE:
            self.emulator = [shutil.which("qemu-" + machine) or pytest.skip("qemu-%s is missing" % machine)]
        wheel = build("wheel", folder, "meson", "readelf", "patchelf", "make", options=("--for", machine + "-musl"))
        assert wheel.endswith("-py3-none-musllinux_1_2_%s.whl" % machine)
        audit(wheel, folder / "audited")
        self.place, self.program = folder / "site", folder / "program"
        done = command(python_with(*AUDITWHEEL), "-m", "pip", "install", "--no-index", "--only-binary=:all:",
                       "--platform", "musllinux_1_2_" + machine, "--target", self.place, wheel)
        assert done.returncode == 0, done.stderr
        (folder / "program.c").write_text(PROGRAM)
        root = os.path.join(BUILD, "packaging", "wheel-%s-musl" % machine, "root-musl")
        done = command(os.path.join(root, "cc"), folder / "program.c", "-o", self.program)
        assert done.returncode == 0, done.stderr
        self.loader = os.path.join(root, "lib", "ld-musl-%s.so.1" % machine)
        self.mishap = self.place / "mishap" / "bin" / "mishap"


@pytest.fixture(scope="module", params=sorted({HERE, "x86_64", "aarch64"}))
def package(request, tmp_path_factory):
    return Package(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "s.ini").write_text(SCENARIO)
    return tmp_path / "s.ini"


def test_it_injects_and_reads(package, scenario, tmp_path):
    env = {"LD_PRELOAD": package.place / "mishap/lib/mishap/libmishap-musl.so", "MISHAP_CONFIG": scenario,
           "MISHAP_OUT": tmp_path / "out"}
    words = [w for pair in env.items() for w in (["-E"] if package.emulator else []) + ["%s=%s" % pair]]
    done = command(*(package.emulator or ["env"]), *words, package.program)
    assert done.stdout == "seen 113\n", done.stdout + done.stderr
    done = command(*package.emulator, package.mishap, "events", tmp_path / "out")
    assert "fault=away" in done.stdout, done.stdout + done.stderr


def test_where_there_is_no_other_libc(package, scenario, tmp_path):
    """A root with nothing in it but the package, a program and musl: names are found in its /etc/hosts all the same."""
    if package.emulator or os.geteuid():
        pytest.skip("needs root, and this machine's own kind")
    root = tmp_path / "root"
    for folder in ("proc", "dev", "etc", "tmp", os.path.dirname(package.loader)[1:]):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copytree(package.place / "mishap", root / "mishap")
    shutil.copy(package.loader, root / package.loader[1:])
    shutil.copy(package.program, root / "program")
    shutil.copy(scenario, root / "s.ini")
    (root / "etc" / "hosts").write_text("127.0.0.1 peer\n")
    inside = ("unshare", "--mount", "sh", "-c", INSIDE, "sh", root, "/mishap/bin/mishap")
    words = ("run", "-c", "/s.ini", "--no-calm", "-o", "/out", "--ready")
    done = command(*inside, *words, "nobody:9", "--", "/program")
    assert done.returncode == 2 and "nobody" in done.stderr, done.stdout + done.stderr
    done = command(*inside, *words, "peer:9", "--", "/program")
    assert "before peer:9 answered" in done.stderr and "seen 113\n" in done.stdout, done.stdout + done.stderr
    done = command(*inside, "doctor", "--json", "-c", "/s.ini", "--", "/program")
    assert done.returncode == 0, done.stdout + done.stderr
    here = {row["fault"]: row["here"] for row in json.loads(done.stdout)}
    assert here["away"] == "can fire" and here["(alerts)"] == "impossible" and here["(kernel side)"] == "refused"


def test_as_a_module_of_a_python_on_musl(package, scenario, tmp_path):
    if package.emulator or not os.path.exists(PYTHON):
        pytest.skip("no CPython on musl: ./tests/run musl builds one for this machine")
    done = command(PYTHON, "-S", "-c", AS_MODULE, package.place, "run", "-c", scenario, "--no-calm",
                   "-o", tmp_path / "out", "--", package.program, cwd=tmp_path)
    assert done.returncode == 0 and "seen 113\n" in done.stdout, done.stdout + done.stderr
