# SPDX-License-Identifier: Apache-2.0
"""What Python, its clients and their libraries import from libc is hooked, or lib/table/unhooked.def says why not."""

import fnmatch
import glob
import os
import re
import subprocess
import zipfile

import pytest

from guest import BUILD, PYTHON
from test_hooks import ROWS, table

WHEELS = ["psycopg-binary==3.2.3", "asyncpg==0.30.0", "aiohttp==3.11.11", "hiredis==3.1.0", "confluent-kafka==2.8.0",
          "uvloop==0.21.0"]
HOOKED = {name for _, name in ROWS}
REASONS = [(kind, reason, names.split()) for kind, reason, names in
           re.findall(r'^NOT_HOOKED\((\w+), "([^"]*)", "([^"]*)"\)$', table("unhooked.def"), re.M)]
EXACT = {name: kind for kind, _, names in REASONS for name in names if "*" not in name and "[" not in name}
GLOBS = [(re.compile(fnmatch.translate(name)), kind) for kind, _, names in REASONS for name in names if name not in EXACT]
# Looked at by nobody but the libraries themselves: C++, and what other libraries than libc give.
LIBC = re.compile(r"@GLIBC_")


def kind_of(name):
    return EXACT.get(name) or next((kind for pattern, kind in GLOBS if pattern.match(name)), None)


def imports(path):
    done = subprocess.run(["nm", "-D", "--undefined-only", "--with-symbol-versions", path], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    words = [line.split()[-1] for line in done.stdout.splitlines()]
    return {word.split("@")[0] for word in words if LIBC.search(word)}


def unknown(paths):
    found = {}
    for path in paths:
        for name in imports(path) - HOOKED:
            if not kind_of(name):
                found.setdefault(name, os.path.basename(path))
    return found


def pythons():
    """{name: files} of each CPython here."""
    found = {"Debian": ["/usr/bin/python3"] + glob.glob("/usr/lib/python3.*/lib-dynload/*.so")}
    for home in glob.glob(os.path.expanduser("~/.pyenv/versions/3.*")):
        version = os.path.basename(home)
        if int(version.split(".")[1]) >= 8:
            found[version] = (glob.glob(home + "/bin/python3.*[0-9]") + glob.glob(home + "/lib/libpython3.*.so.*") +
                              glob.glob(home + "/lib/python3.*/lib-dynload/*.so"))
    return found


LIBRARIES = {name: glob.glob("/usr/lib/*/%s.so.*" % name) for name in ("libssl", "libcrypto", "libpq", "librdkafka",
                                                                       "libcurl")}
LIBRARIES["uvloop"] = glob.glob("/usr/lib/python3/dist-packages/uvloop/*.so")


@pytest.mark.parametrize("name, files", list({**pythons(), **LIBRARIES}.items()), ids=lambda v: v if isinstance(v, str)
                         else "")
def test_imports_of_what_is_installed(name, files):
    files = [f for f in files if os.path.exists(f)]
    if not files:
        pytest.skip(name + " is not installed")
    assert set().union(*map(imports, files)), "nothing was imported: nm has not worked"
    assert not unknown(files)


@pytest.mark.parametrize("wheel", WHEELS)
def test_imports_of_wheels(tmp_path, wheel):
    cache = os.path.join(BUILD, "wheels")
    os.makedirs(cache, exist_ok=True)
    pattern = os.path.join(cache, wheel.split("==")[0].replace("-", "_") + "-" + wheel.split("==")[1] + "-*.whl")
    if not glob.glob(pattern):
        done = subprocess.run([PYTHON, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", cache,
                               "--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--platform",
                               "manylinux_2_28_x86_64", "--timeout", "10", "--retries", "1", wheel], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        if done.returncode:
            pytest.skip("%s cannot be had from PyPI: %s" % (wheel, done.stdout.strip().splitlines()[-1:]))
    with zipfile.ZipFile(glob.glob(pattern)[0]) as z:
        z.extractall(tmp_path)
    files = [os.path.join(d, n) for d, _, names in os.walk(tmp_path) for n in names if ".so" in n]
    assert files and set().union(*map(imports, files))
    assert not unknown(files)


def test_the_table_is_sound():
    """Nothing is said to be unhooked that is hooked; every kind is one, every reason is given."""
    text = table("unhooked.def")
    assert len(REASONS) == len(re.findall("^NOT_HOOKED", text, re.M)) > 20
    assert not [name for name in EXACT if name in HOOKED]
    assert {kind for kind, _, _ in REASONS} == {"bytes", "waiting", "name", "file", "memory", "process", "other"}
    names = [name for _, _, names in REASONS for name in names]
    assert not {name for name in names if names.count(name) > 1}


def test_the_list_is_printed():
    done = subprocess.run([os.path.join(BUILD, "tools", "mishap"), "list", "unhooked"], check=True,
                          stdout=subprocess.PIPE, text=True)
    words = done.stdout.split()
    for kind, _, names in REASONS:
        assert (names[0] in words) == (kind != "other")
