# SPDX-License-Identifier: Apache-2.0
"""Runs a compose file on this machine, to its end, and reads what came of it."""
import json
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
COMPOSE = os.path.join(TREE, "docker", "compose")
sys.path.insert(0, HERE)

import composefile  # noqa: E402
import machine  # noqa: E402

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def why_not(path):
    """What is missing here to run this file, or None."""
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    missing = [p for p in ("unshare", "nsenter", "ip", "mount", "setpriv") if not shutil.which(p)]
    if missing:
        return "not installed: " + " ".join(missing)
    tried = subprocess.run([*machine.NAMESPACES, "sh", "-c", "mount -t tmpfs t /mnt && cd /mnt && mkdir u w r && "
                            "mount -t overlay o -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w r && "
                            "ip link add br0 type bridge && ip link add v0 type veth peer name v1"],
                           check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if tried.returncode:
        return "no namespaces here: " + (tried.stderr.strip().splitlines() or ["refused"])[-1]
    services = composefile.read(path)
    missing = [p for p in machine.packages(services) if not installed(p)]
    missing += [f for f in machine.folders(services) if not os.path.isdir(f)]
    return "not installed: " + " ".join(missing) if missing else None


def path_of(name):
    return name if "/" in name else os.path.join(COMPOSE, name + ".yml")


def installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout == "installed"


def living(mark):
    """Processes of this run that live."""
    wanted, found = ("SCENARIO_RUN=" + mark).encode(), []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % entry, "rb") as f:
                if wanted in f.read().split(b"\0"):
                    found.append(int(entry))
        except OSError:
            pass
    return found


class Run:
    def __init__(self, name, out, **env):
        self.path = path_of(name)
        self.name, self.out = os.path.basename(self.path)[:-4], out
        reason = why_not(self.path)
        if reason:
            pytest.skip(reason)
        done = subprocess.run([PYTHON, os.path.join(HERE, "machine.py"), self.path, out], check=False, timeout=300,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **env, "SCENARIO_RUN": out})
        self.status, self.said = done.returncode, done.stdout.decode(errors="replace")
        with open(os.path.join(out, "result.json"), encoding="utf-8") as f:
            self.result = json.load(f)
        self.left = living(out)
        self.report = self._report()

    def _report(self):
        try:
            with open(os.path.join(self.out, "volumes", "mishap", "report", "report.json"), encoding="utf-8") as f:
                return json.load(f)
        except OSError:
            return None

    def log(self, service):
        with open(os.path.join(self.out, service + ".log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def rules(self):
        return {f["rule"] for f in self.report["findings"]}

    def passed(self):
        return {p["rule"] for p in self.report["passed"]}

    def outcomes(self):
        return {k: v["count"] for k, v in self.report["outcomes"].items() if v["count"]}

    def figures(self):
        """A row of the table."""
        row = {"scenario": self.name, "status": self.status, "seconds": self.result["seconds"], "grade": "-",
               "points": "-", "evidence": "-", "fired": "-", "outcomes": "-", "findings": "-"}
        if self.report:
            score = self.report["score"]
            row.update(grade=score["grade"], points=score["points"], fired=self.report["run"]["fired"],
                       evidence="%d %%" % (100 * score["evidence"]), findings=" ".join(sorted(self.rules())) or "-",
                       outcomes=", ".join("%d %s" % (n, what) for what, n in self.outcomes().items()) or "-")
        return row
