# SPDX-License-Identifier: Apache-2.0
"""Packages, built as a user builds them, installed where nothing else of the tree is, and put to use."""

import os
import shutil
import zipfile

import pytest

from guest import BUILD, PYTHON, TREE
from packages import PACKAGING, audit, build, command
from pythons import FOUND

MISHAP = os.path.join(BUILD, "tools", "mishap")
APP = """import urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:8080/", timeout=5)
except OSError as e:
    print("seen:", e)
"""


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


def installs(wheel, name, folder):
    """In a fresh venv, with nothing from elsewhere."""
    python, venv = FOUND[name], folder / "venv"
    if not python:
        pytest.skip("no CPython %s here" % name)
    made = command(python, "-m", "venv", venv)
    if made.returncode:
        pytest.skip("no venv: " + made.stdout + made.stderr)
    done = command(venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    for mishap in ([venv / "bin" / "mishap"], [venv / "bin" / "python", "-m", "mishap"]):
        done = command(*mishap, "--version", cwd=folder)
        assert done.returncode == 0 and done.stdout.startswith("mishap 0"), done.stdout + done.stderr
    refused([venv / "bin" / "mishap"], venv / "bin" / "python", folder)


@pytest.mark.parametrize("name", FOUND)
def test_a_wheel_installs_and_injects(wheel, tmp_path, name):
    installs(wheel, name, tmp_path)


def test_a_wheel_for_older_systems(tmp_path):
    """Built for Debian 11 and later; it runs here as well."""
    machine = os.uname().machine
    wheel = build("wheel", tmp_path, "meson", "readelf", "patchelf", options=("--for", machine))
    assert wheel.endswith("-py3-none-manylinux_2_31_%s.whl" % machine)
    audit(wheel, tmp_path / "audited")
    installs(wheel, next(n for n in FOUND if FOUND[n]), tmp_path)


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
    audit(wheel, tmp_path / "audited")


def test_a_wheel_for_aarch64(tmp_path):
    """Cross-built for Debian 11 and later; its library and its command run under qemu with that system's Python."""
    wheel = build("wheel", tmp_path, "meson", "readelf", "patchelf", "aarch64-linux-gnu-gcc",
                  options=("--for", "aarch64"))
    assert wheel.endswith("-py3-none-manylinux_2_31_aarch64.whl")
    audit(wheel, tmp_path / "audited")
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
                                     "except OSError as e:\n    print('seen', e.errno)\n"
                                     "import os\nfor ask in os.stat, os.lstat, os.listdir:\n    try:\n"
                                     "        ask('/tmp/')\n    except OSError as e:\n        print(e.errno)\n")
    # there stat() goes by the names that glibc had up to 2.32
    (tmp_path / "refuse.ini").write_text("[fault refuse]\ncall = connect\nerror = ECONNREFUSED\n"
                                         "[fault dark]\ncall = stat readdir\nerror = EIO\npath = /tmp/\n")
    done = command(emulator, "-L", root, "-E", "MISHAP_OUT=%s" % (tmp_path / "out"),
                   "-E", "MISHAP_CONFIG=%s" % (tmp_path / "refuse.ini"),
                   "-E", "LD_PRELOAD=%s" % (tmp_path / "mishap" / "lib" / "mishap" / "libmishap.so"),
                   os.path.join(root, "usr", "bin", "python3.9"), "-S", "-E", tmp_path / "app.py")
    assert done.stdout == "seen 111\n5\n5\n5\n", done.stdout + done.stderr
    events = command(MISHAP, "events", tmp_path / "out").stdout
    assert "fault=refuse" in events and "app.py" in events, events


def test_a_debian_package_is_clean_and_runs(tmp_path, monkeypatch):
    for name in ("DEBFULLNAME", "DEBEMAIL"):
        monkeypatch.delenv(name, raising=False)
    deb = build("deb", tmp_path / "dist", "meson", "dpkg-deb", "dpkg-shlibdeps")
    root = tmp_path / "root"
    assert command("dpkg-deb", "-x", deb, root).returncode == 0
    assert (root / "usr/share/man/man1/mishap.1.gz").exists()
    assert (root / "usr/share/bash-completion/completions/mishap").exists()
    refused([root / "usr" / "bin" / "mishap"], PYTHON, tmp_path)
    accepted(deb, "mishap maintainers <mishap@packages.invalid>")
    who = "R&D of A/B <ops@packages.debian.org>"
    done = command(os.path.join(PACKAGING, "deb"), "--build", os.path.join(BUILD, "packaging", "deb"), "--maintainer", who,
                   tmp_path / "theirs")
    accepted(done.stdout.strip(), who)


def accepted(deb, maintainer):
    """lintian has nothing to say, and it is whose it was said to be."""
    done = command("dpkg-deb", "-f", deb, "Maintainer")
    assert done.stdout == maintainer + "\n"
    if not shutil.which("lintian"):
        pytest.skip("all but lintian, which is missing")
    done = command("lintian", "--fail-on", "error,warning", deb)
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr


@pytest.mark.parametrize("who", ["", "nobody", "<a@b>", "A <b>", "A <a@b> <c@d>", "A\nB <a@b>"])
def test_a_maintainer_that_is_none(tmp_path, who):
    done = command(os.path.join(PACKAGING, "deb"), "--maintainer", who, tmp_path / "dist")
    assert done.returncode == 2 and done.stderr == "deb: a maintainer is 'NAME <ADDRESS>', not '%s'\n" % who
