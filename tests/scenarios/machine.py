#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`docker compose up --abort-on-container-exit --exit-code-from mishap`, without docker.

machine.py FILE.yml OUT: starts the services of a compose file, each in namespaces of its own with an address
on a bridge and a writable copy of this machine's files; ends with the status of the service `mishap`. The
volumes are OUT/volumes, what the services say is OUT/NAME.log, how it went OUT/result.json. Needs root. All
of it lives in namespaces of this program, and ends with it.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time

import composefile
import images
from container import Container, run

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("MISHAP_BUILD", os.path.join(TREE, "build")))
LIMIT, GRACE = 240, 4
NAMESPACES = ["unshare", "--net", "--mount", "--mount-proc", "--pid", "--fork", "--kill-child"]


def say(text):
    print("scenario: " + text, file=sys.stderr, flush=True)


class Failed(Exception):
    """The whole cannot go on: as compose, ends with 1."""


class Machine:
    def __init__(self, services, out):
        self.out, self.began = out, time.monotonic()
        self.left_out = sorted(n for n, s in services.items() if not known(s))
        self.services = {n: s for n, s in services.items() if n not in self.left_out}
        self.place = os.path.join(out, "machine")
        self.containers = {}

    def prepare(self):
        for path in (self.place, os.path.join(self.out, "volumes")):
            os.makedirs(path, exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", self.place)
        run("ip", "link", "add", "br0", "type", "bridge")
        run("ip", "link", "set", "br0", "up")
        run("ip", "link", "set", "lo", "up")
        hosts = "127.0.0.1 localhost\n"
        for number, service in enumerate(self.services.values(), 2):
            container = Container(service, number, self.place, self.out, BUILD)
            hosts += "%s %s\n" % (container.address, service.name)
            self.containers[service.name] = container
        for container in self.containers.values():
            container.prepare(hosts)
            if container.service.image.startswith("mishap") and container.service.name == "mishap":
                container.install(TREE)

    def ready(self, name, condition):
        """May those start that wait for this one?"""
        container = self.containers.get(name)
        if container is None:
            return True  # left out
        if condition == "service_healthy":
            return container.healthy()
        return container.process is not None

    def start(self):
        """In the order of depends_on."""
        waiting = dict(self.containers)
        while waiting:
            for name, container in list(waiting.items()):
                if all(self.ready(d, how) for d, how in container.service.depends_on.items()):
                    container.start()
                    del waiting[name]
            self.look()
            if self.ended():
                return
            time.sleep(0.1)

    def look(self):
        if time.monotonic() - self.began > LIMIT:
            raise Failed("not at its end after %d s" % LIMIT)
        for name, container in self.containers.items():
            if container.hopeless():
                raise Failed("service %s does not get healthy" % name)

    def ended(self):
        return [n for n, c in self.containers.items() if c.process and c.process.poll() is not None]

    def stop(self):
        """SIGTERM to all, SIGKILL to those that stay; returns these."""
        running = [c for c in self.containers.values() if c.process and c.process.poll() is None]
        for container in running:
            container.signal(signal.SIGTERM)
        end = time.monotonic() + GRACE
        stubborn = []
        for container in running:
            try:
                container.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                stubborn.append(container.service.name)
                container.process.kill()
                container.process.wait()
        return stubborn

    def up(self):
        result = {"status": 1, "ended": None, "stubborn": [], "left_out": self.left_out}
        try:
            self.prepare()
            self.start()
            while not self.ended():
                self.look()
                time.sleep(0.1)
            result["ended"] = self.ended()[0]
        except Failed as e:
            result["failed"] = str(e)
            say(str(e))
        result["stubborn"] = self.stop()
        gate = self.containers.get("mishap")
        if "failed" not in result and gate and gate.process:
            result["status"] = gate.status()
        result["statuses"] = {n: c.status() for n, c in self.containers.items() if c.process}
        result["seconds"] = round(time.monotonic() - self.began, 1)
        return result


def known(service):
    return service.entrypoint or service.copies or service.packages or images.of(service.image)


def packages(services):
    """Of Debian, that these services take."""
    wanted = {"iproute2", "util-linux"}
    for service in services.values():
        image = images.of(service.image)
        wanted.update(service.packages, image.packages if image else [])
    return sorted(wanted)


def folders(services):
    """Of the build directory, that these services take."""
    found = [images.of(s.image) for s in services.values()]
    return sorted(os.path.join(BUILD, f) for image in found if image for f in image.from_build)


def main():
    if len(sys.argv) != 3 or not re.search(r"\.ya?ml$", sys.argv[1]):
        print(__doc__, file=sys.stderr)
        return 2
    path, out = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if os.environ.pop("SCENARIO_INSIDE", None) is None:
        os.makedirs(out, exist_ok=True)
        os.execvpe(NAMESPACES[0], [*NAMESPACES, sys.executable, *sys.argv], {**os.environ, "SCENARIO_INSIDE": "1"})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    result = Machine(composefile.read(path), out).up()
    with open(os.path.join(out, "result.json"), "w", encoding="utf-8") as f:
        json.dump(result, f)
    return result["status"]


if __name__ == "__main__":
    sys.exit(main())
