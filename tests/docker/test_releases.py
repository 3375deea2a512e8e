# SPDX-License-Identifier: Apache-2.0
"""The image's library in containers of other releases than the one that it was built on: older and newer glibc and Python."""
import subprocess

import pytest

import daemon as docker

SCENARIO = "[fault away]\ncall = connect\nerror = EHOSTUNREACH\n"
CODE = """import socket
def ask():
    return socket.socket().connect_ex(("127.0.0.1", 9))
print("seen", ask())
"""


@pytest.mark.parametrize("release", ["bullseye", "trixie"])
def test_a_python_of_another_release(daemon, release):
    image, volume = "mishap-test-" + release, release + ":/mishap"
    daemon.import_root(docker.release(release), image)
    docker.build(daemon, "mishap", "Dockerfile", BASE=docker.BASE)

    def run(image, *words, env=()):
        return subprocess.run(["docker", "run", "--rm", "--network", "none", "-v", volume,
                               *(w for e in env for w in ("-e", e)), image, *words], env=daemon.env, check=False,
                              timeout=120, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    assert run("mishap", "install", "/mishap").returncode == 0
    words = "printf '%s' > /mishap/s.ini; printf '%s' > /mishap/app.py" % (
        SCENARIO.replace("\n", "\\n"), CODE.replace("\n", "\\n"))
    assert run(image, "sh", "-c", words).returncode == 0
    # By way of a shell, which has loaded no more than libc.
    done = run(image, "sh", "-c", "python3 /mishap/app.py; sleep 0", env=("LD_PRELOAD=/mishap/libmishap.so", "MISHAP_OUT=/mishap/rec",
                                                        "MISHAP_CONFIG=/mishap/s.ini"))
    assert done.stdout == "seen 113\n" and done.stderr == "", done.stdout + done.stderr
    events = run("mishap", "events", "/mishap/rec").stdout
    assert "fault=away" in events and "/mishap/app.py" in events and "ask" in events, events
    done = run("mishap", "gate", "/mishap")
    assert " 1 fired, in 1 of 1 cases" in done.stdout, done.stdout + done.stderr
