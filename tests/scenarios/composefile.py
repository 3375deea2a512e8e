# SPDX-License-Identifier: Apache-2.0
"""Reads a compose file, and the Dockerfiles that it builds, into services. Only what the files of
docker/compose use is understood; a key that is not known is an error, so that nothing is left out unseen."""
import json
import os
import re
import shlex
from dataclasses import dataclass, field

import yaml

KNOWN = {"image", "build", "command", "entrypoint", "environment", "volumes", "depends_on", "healthcheck", "init",
         "user", "working_dir", "ports"}


class Mistake(Exception):
    pass


@dataclass
class Service:
    name: str
    image: str
    command: list = None
    entrypoint: list = None
    environment: dict = field(default_factory=dict)
    volumes: list = field(default_factory=list)  # (source, destination, read-only); a source with / is a path
    depends_on: dict = field(default_factory=dict)  # name -> condition
    healthcheck: dict = None
    init: bool = False
    user: str = "root"
    working_dir: str = "/"
    copies: list = field(default_factory=list)  # (files or folders of the host, destination)
    packages: list = field(default_factory=list)  # of Debian


def interpolate(text, env):
    """${NAME}, ${NAME:-default}, $$."""
    def one(match):
        if match[0] == "$$":
            return "$"
        return env.get(match[1]) or match[2] or ""

    return re.sub(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}", one, text)


def words(value):
    return shlex.split(value) if isinstance(value, str) else value and [str(v) for v in value]


def dictionary(value):
    if isinstance(value, list):
        return dict(v.split("=", 1) for v in value)
    return {k: str(v) for k, v in (value or {}).items()}


def of_dockerfile(service, path, context):
    """What the last stage of a Dockerfile says of the container."""
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"\\\n", " ", f.read())
    for line in text.splitlines():
        verb, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if verb == "FROM":
            service.copies, service.packages = [], []
        elif verb == "RUN":
            found = re.search(r"apt-get install (.*?)(&&|$)", rest)
            service.packages += [w for w in found[1].split() if not w.startswith("-")] if found else []
        elif verb == "COPY" and not rest.startswith("--from"):
            *sources, to = rest.split()
            service.copies.append(([os.path.join(context, s) for s in sources], to))
        elif verb == "WORKDIR":
            service.working_dir = rest
        elif verb == "USER":
            service.user = rest
        elif verb == "ENV":
            service.environment.update(w.split("=", 1) for w in shlex.split(rest))
        elif verb == "CMD":
            service.command = json.loads(rest)
        elif verb == "ENTRYPOINT":
            service.entrypoint = json.loads(rest)


def service_of(name, said, folder, builds):
    unknown = set(said) - KNOWN
    if unknown:
        raise Mistake("service %s: not understood here: %s" % (name, ", ".join(sorted(unknown))))
    service = Service(name, said.get("image", name))
    build = said.get("build") or builds.get(service.image)
    if build:
        build = {"context": build} if isinstance(build, str) else build
        context = os.path.normpath(os.path.join(folder, build["context"]))
        of_dockerfile(service, os.path.join(context, build.get("dockerfile", "Dockerfile")), context)
    if "entrypoint" in said:
        service.entrypoint, service.command = words(said["entrypoint"]), None
    service.command = words(said.get("command")) or service.command
    service.environment.update(dictionary(said.get("environment")))
    for volume in said.get("volumes", []):
        source, to, *mode = volume.split(":")
        source = os.path.normpath(os.path.join(folder, source)) if source.startswith((".", "/")) else source
        service.volumes.append((source, to, mode == ["ro"]))
    depends = said.get("depends_on", {})
    service.depends_on = ({d: "service_started" for d in depends} if isinstance(depends, list)
                          else {d: how["condition"] for d, how in depends.items()})
    service.healthcheck = said.get("healthcheck")
    service.init = bool(said.get("init"))
    service.user = said.get("user", service.user)
    service.working_dir = said.get("working_dir", service.working_dir)
    return service


def read(path, env=None):
    """{name: Service} of a compose file."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text = "\n".join("" if line.lstrip().startswith("#") else line for line in text.split("\n"))
    document = yaml.safe_load(interpolate(text, os.environ if env is None else env))
    builds = {s["image"]: s["build"] for s in document["services"].values() if "build" in s and "image" in s}
    folder = os.path.dirname(os.path.abspath(path))
    return {name: service_of(name, said, folder, builds) for name, said in document["services"].items()}
