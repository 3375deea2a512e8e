# SPDX-License-Identifier: Apache-2.0
"""A dockerd of the test's own in namespaces of its own, and the image that everything is built on."""
import json
import os
import re
import shutil
import subprocess
import time
import zlib

import pytest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build"))
COMPOSE = os.path.join(TREE, "docker", "compose")
BASE = "mishap-test-base"
PACKAGES = ("gcc libc6-dev meson ninja-build pkg-config libinih-dev libjansson-dev "
            "libsmartcols-dev libcurl4-openssl-dev libcurl4 ca-certificates make xz-utils busybox-static bash-static "
            "redis-server python3-uvicorn python3-fastapi python3-httpx python3-requests "
            "python3-redis python3-tenacity python3-celery gunicorn python3-gunicorn python3-flask python3-django "
            "python3-psycopg2 redis-tools supervisor python3-confluent-kafka postgresql").split()
NAMESPACES = ["unshare", "--net", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child"]


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    missing = [p for p in ("dockerd", "docker", "docker-compose", "debootstrap", "unshare", "iptables", "ip")
               if not shutil.which(p)]
    return "not installed: " + " ".join(missing) if missing else None


# Unpacks in the base what the build of Dockerfile.musl would fetch, and makes a program of it.
# An archive that is behind, as one of tests may be, will do.
MUSL = """set -e
echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/90tests
cd /tools/packaging
for libc in musl static; do ./sysroot $libc $(uname -m) /build/root-$libc; done
/build/root-musl/cc -o /program /program.c
rm -r /tools /program.c
"""
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


def contents():
    """What the base is made of, as a number."""
    with open(os.path.join(TREE, "tools", "packaging", "sysroot"), "rb") as f:
        return zlib.crc32(f.read() + (" ".join(PACKAGES) + MUSL + PROGRAM).encode())


def release(name):
    """Another Debian with a Python and nothing else, made once; skips where it cannot be had."""
    place = os.path.join(BUILD, "docker-root-" + name)
    if not os.path.isdir(place):
        new = place + ".new"
        shutil.rmtree(new, ignore_errors=True)
        made = subprocess.run(["debootstrap", "--variant=minbase", "--include=python3", name, new], check=False,
                              timeout=400, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode:
            pytest.skip("debootstrap: " + (made.stdout.decode().splitlines() or ["failed"])[-1])
        os.rename(new, place)
    return place


def root():
    """A Debian with all packages, made once; skips where there is no mirror."""
    place = os.path.join(BUILD, "docker-root-%08x" % contents())
    if os.path.isdir(place):
        return place
    new = place + ".new"
    shutil.rmtree(new, ignore_errors=True)
    policy = os.path.join(new, "usr", "sbin", "policy-rc.d")
    made = subprocess.run(["debootstrap", "--variant=minbase", "bookworm", new], check=False, timeout=400,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        pytest.skip("debootstrap: " + (made.stdout.decode().splitlines() or ["failed"])[-1])
    with open(policy, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 101\n")
    os.chmod(policy, 0o755)
    shutil.copy("/etc/resolv.conf", os.path.join(new, "etc", "resolv.conf"))
    subprocess.run(["chroot", new, "apt-get", "-qq", "install", "-y", "--no-install-recommends", *PACKAGES],
                   check=True, timeout=600, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    for name in ("packaging/sysroot", "setup.sh"):
        os.makedirs(os.path.dirname(os.path.join(new, "tools", name)), exist_ok=True)
        shutil.copy(os.path.join(TREE, "tools", name), os.path.join(new, "tools", name))
    with open(os.path.join(new, "program.c"), "w", encoding="ascii") as f:
        f.write(PROGRAM)
    subprocess.run(["chroot", new, "bash", "-c", MUSL], check=True, timeout=600, stdout=subprocess.DEVNULL)
    os.rename(new, place)
    return place


class Daemon:
    def __init__(self, directory):
        self.directory = directory
        self.socket = os.path.join(directory, "d.sock")
        self.env = {**os.environ, "DOCKER_HOST": "unix://" + self.socket, "DOCKER_BUILDKIT": "0",
                    "BASE": BASE, "REDIS_IMAGE": BASE}
        self.process = None

    def start(self):
        command = ("ip link set lo up && exec dockerd --data-root {0}/data --exec-root {0}/exec "
                   "-H unix://{0}/d.sock -p {0}/pid".format(self.directory))
        log = os.path.join(self.directory, "dockerd.log")
        with open(log, "wb") as f:
            self.process = subprocess.Popen([*NAMESPACES, "sh", "-c", command], stdout=f, stderr=f)
        end = time.monotonic() + 60
        while subprocess.run(["docker", "info"], env=self.env, check=False, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(log, encoding="utf-8", errors="replace") as f:
                    pytest.skip("dockerd does not start here: " + f.read().strip()[-200:])
            time.sleep(0.5)

    def stop(self):
        """The first process of its namespace takes all others with it."""
        if self.process:
            self.process.kill()
            self.process.wait()
        end = time.monotonic() + 20
        while os.path.exists(self.directory) and time.monotonic() < end:
            shutil.rmtree(self.directory, ignore_errors=True)
            time.sleep(0.2)

    def import_root(self, place, image):
        with subprocess.Popen(["tar", "-C", place, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(["docker", "import", "-", image], stdin=tar.stdout, env=self.env, check=True,
                           stdout=subprocess.DEVNULL)
        assert tar.returncode == 0

    def make_musl(self):
        """An image as Alpine is: musl, a program on it, busybox and bash, with nothing of glibc."""
        folder = os.path.join(self.directory, "musl")
        os.makedirs(folder)
        with open(os.path.join(folder, "Dockerfile"), "w", encoding="ascii") as f:
            f.write("FROM %s AS base\nFROM scratch\nCOPY --from=base /bin/busybox /bin/busybox\n"
                    "COPY --from=base /bin/bash-static /bin/bash\n"
                    "COPY --from=base /build/root-musl/lib/ld-musl-*.so.1 /build/root-musl/lib/\n"
                    "COPY --from=base /program /program\n"
                    'RUN ["/bin/busybox", "--install", "-s", "/bin"]\nRUN mkdir -p /run /tmp\n' % BASE)
        subprocess.run(["docker", "build", "-q", "-t", "mishap-test-musl", folder], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, timeout=120)

    def make_postgres(self):
        """An image that does what the official one does, as far as the scenarios use it."""
        folder = os.path.join(self.directory, "postgres")
        os.makedirs(folder)
        shutil.copy(os.path.join(TREE, "tests", "scenarios", "images", "postgres"), folder)
        with open(os.path.join(folder, "Dockerfile"), "w", encoding="ascii") as f:
            f.write("FROM %s\nCOPY postgres /usr/local/bin/entry\n"
                    "RUN install -d -o postgres -m 700 /var/lib/postgresql/data\n"
                    'ENTRYPOINT ["/usr/local/bin/entry"]\nCMD ["postgres"]\n' % BASE)
        subprocess.run(["docker", "build", "-q", "-t", "mishap-test-postgres", folder], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, timeout=120)
        self.env["POSTGRES_IMAGE"] = "mishap-test-postgres"


def build(daemon, image, dockerfile, **arguments):
    done = subprocess.run(["docker", "build", "-t", image, "-f", os.path.join(TREE, "docker", dockerfile),
                           *(w for pair in arguments.items() for w in ("--build-arg", "%s=%s" % pair)), TREE],
                          env=daemon.env, check=False, timeout=900, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-4000:]


def layers(daemon, image):
    """(bytes, what made it) of each layer of an image, the last first."""
    done = subprocess.run(["docker", "history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}",
                           image], env=daemon.env, check=True, stdout=subprocess.PIPE, text=True)
    return [(int(size), by) for size, by in (line.split("\t", 1) for line in done.stdout.splitlines())]


def check_size(daemon, image, record_property):
    """What of ours is in an image is as large as docker/README.md says; goes into the summary."""
    found = layers(daemon, image)
    ours = sum(size for size, by in found if re.search("COPY .* in /usr", by)) / 1e6
    for key, value in (("image", image), ("ours", "%.1f MB" % ours),
                       ("with its base", "%.0f MB" % (sum(size for size, _ in found) / 1e6))):
        record_property(key, value)
    with open(os.path.join(TREE, "docker", "README.md"), encoding="utf-8") as f:
        said = re.search(r"^\| %s \| ([0-9.]+) MB" % image, f.read(), re.M)
    assert abs(ours - float(said[1])) < 0.25, found


class Run:
    """One `docker-compose up` of a file, to its end."""

    def __init__(self, daemon, name, project, **settings):
        self.env = {**daemon.env, **settings}
        self.base = ["docker-compose", "--no-ansi", "-p", project, "-f", os.path.join(COMPOSE, name + ".yml")]
        self.project = project
        self._do("build", timeout=300)
        done = self._do("up", "--no-build", "--no-color", "--abort-on-container-exit",
                        "--exit-code-from", "mishap", timeout=150, check=False)
        self.status, self.said = done.returncode, done.stdout.decode(errors="replace")

    def _do(self, *arguments, timeout, check=True):
        done = subprocess.run([*self.base, *arguments], env=self.env, check=False, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert not check or done.returncode == 0, done.stdout.decode(errors="replace")[-4000:]
        return done

    def report(self):
        place = self.project + "_mishap_1:/mishap/report/report.json"
        tar = subprocess.run(["docker", "cp", place, "-"], env=self.env, check=True,
                             stdout=subprocess.PIPE).stdout
        done = subprocess.run(["tar", "-xO"], input=tar, check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)
