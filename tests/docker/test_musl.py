# SPDX-License-Identifier: Apache-2.0
"""The image for musl, built on a root that has nothing of glibc's: its library in a volume, its command as it is."""
import json
import subprocess

import pytest

import daemon as docker

SCENARIO = "[run]\nprocesses = *\n[fault away]\ncall = connect\nerror = EHOSTUNREACH\n"
IMAGE = "mishap-musl"


@pytest.fixture(scope="module")
def run(daemon):
    """run(IMAGE, WORD...): docker run, with the volume."""
    daemon.make_musl()
    docker.build(daemon, IMAGE, "Dockerfile.musl", BUILD=docker.BASE, BASE="mishap-test-musl")

    def start(image, *words, env=(), entry=()):
        return subprocess.run(["docker", "run", "--rm", "--network", "none", "-v", "musl:/mishap",
                               *(w for e in env for w in ("-e", e)), *entry, image, *words],
                              env=daemon.env, check=False, timeout=120, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    return start


def test_a_program_under_faults_is_graded(run):
    done = run(IMAGE, "install", "/mishap")
    assert done.returncode == 0, done.stderr
    words = "printf '%s' > /mishap/s.ini" % SCENARIO.replace("\n", "\\n")
    assert run("mishap-test-musl", "sh", "-c", words).returncode == 0
    done = run("mishap-test-musl", "/program", env=("LD_PRELOAD=/mishap/libmishap-musl.so", "MISHAP_OUT=/mishap/rec",
                                                    "MISHAP_CONFIG=/mishap/s.ini"))
    assert done.stdout == "seen 113\n", done.stdout + done.stderr
    done = run(IMAGE, "events", "/mishap/rec")
    assert "fault=away" in done.stdout, done.stdout + done.stderr
    done = run(IMAGE, "gate", "/mishap", "--fail-on", "high")
    assert done.returncode in (10, 11), done.stdout + done.stderr
    report = run(IMAGE, "/mishap/report/report.json", entry=("--entrypoint", "cat")).stdout
    assert json.loads(report)["run"]["fired"] == 1


def test_how_large_the_image_is(daemon, run, record_property):
    docker.check_size(daemon, IMAGE, record_property)


def test_doctor_says_what_it_cannot(run):
    done = run(IMAGE, "doctor", "--json", "-c", "/mishap/s.ini", "--", "/program")
    rows = {row["fault"]: row["here"] for row in json.loads(done.stdout)}
    assert rows["away"] == "can fire" and rows["(alerts)"] == "impossible" and rows["(kernel side)"] == "refused"
    done = run(IMAGE, "explain", "MH-0601", "--library", "aiohttp")
    assert done.returncode == 0 and "aiohttp.ClientTimeout(" in done.stdout, done.stderr
