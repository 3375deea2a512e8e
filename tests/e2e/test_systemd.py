# SPDX-License-Identifier: Apache-2.0
"""`docker/systemd`: systemd accepts the units, and what they set makes a service record and be graded."""
import glob
import os
import shutil
import subprocess

import pytest

from guest import BUILD, need

HERE = os.path.dirname(os.path.abspath(__file__))
UNITS = os.path.join(HERE, "..", "..", "docker", "systemd")
MISHAP = os.path.join(BUILD, "tools", "mishap")
LIBRARY = os.path.join(BUILD, "lib", "libmishap.so")
APP = """import socket, sys
for _ in range(20):
    try:
        socket.create_connection(("127.0.0.1", 9), 1)
    except OSError as exc:
        print("the peer is down:", exc, file=sys.stderr)
"""
SCENARIO = "[fault refuse]\ncall = connect\npeer = 127.0.0.1\nerror = ECONNREFUSED\n"


def lines(name):
    with open(os.path.join(UNITS, name), encoding="utf-8") as f:
        return [line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#")]


@pytest.fixture
def machine(tmp_path):
    """Its paths instead of the installed ones."""
    def said(text, unit):
        for there, here in (("/usr/lib/x86_64-linux-gnu/mishap/libmishap.so", LIBRARY), ("/usr/bin/mishap", MISHAP),
                            ("/etc/mishap", str(tmp_path)), ("%S", str(tmp_path / "lib")), ("%N", unit), ("%i", unit)):
            text = text.replace(there, here)
        return text
    (tmp_path / "web.ini").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "lib" / "mishap" / "web").mkdir(parents=True)
    return said


def test_systemd_accepts_them(tmp_path, machine):
    analyze = need("systemd-analyze")
    (tmp_path / "web.service").write_text("[Service]\nExecStart=/usr/bin/python3 -c pass\n", encoding="utf-8")
    (tmp_path / "web.service.d").mkdir()
    shutil.copy(os.path.join(UNITS, "mishap.conf"), tmp_path / "web.service.d")
    with open(os.path.join(UNITS, "mishap-grade@.service"), encoding="utf-8") as f:
        (tmp_path / "mishap-grade@.service").write_text(f.read().replace("/usr/bin/mishap", MISHAP), encoding="utf-8")
    (tmp_path / "mishap-grade@web.service").symlink_to("mishap-grade@.service")
    for unit in ("web.service", "mishap-grade@web.service"):
        done = subprocess.run([analyze, "verify", "--man=no", tmp_path / unit], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
        ours = [line for line in done.stdout.splitlines() if "mishap" in line or "web.service" in line]
        assert done.returncode == 0 and not ours, done.stdout


def test_what_they_set(tmp_path, machine):
    environment = dict(os.environ)
    for key, value in lines("mishap.conf"):
        if key == "Environment":
            environment.update([machine(value, "web").split("=", 1)])
    assert machine(dict(lines("mishap.conf"))["StateDirectory"], "web") == "mishap/web"
    subprocess.run(["/usr/bin/python3", "-c", APP], env=environment, check=True, stderr=subprocess.DEVNULL)
    assert glob.glob(str(tmp_path / "lib/mishap/web/*.mhr"))
    graded = machine(dict(lines("mishap-grade@.service"))["ExecStart"], "web").split()
    done = subprocess.run(graded, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode in (0, 10) and "refuse" in done.stdout, done.stderr
    assert (tmp_path / "lib/mishap/web/report.html").stat().st_size > 10000
