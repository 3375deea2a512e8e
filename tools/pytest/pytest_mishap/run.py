# SPDX-License-Identifier: Apache-2.0
"""This process as a run of mishap: whether the library is loaded, its output directory, and what the
command says of it. Everything goes through the command, whose language is a promise; the layout of
the files is none."""
import json
import os
import shutil
import subprocess
import tempfile

# Faults that tests fill in while the run goes on. Each begins as the widest one there is, a day away and
# switched off; a test narrows it and gives it its effect. A fault counts the calls
# that it saw, so each use takes a fresh one.
SLOTS = {"net": (72, "net.connect net.accept net.recv net.send"),
         "dns": (16, "dns"),
         "file": (24, "file.open file.read file.write file.sync")}


class Trouble(Exception):
    """mishap said no; the text is its own."""


def command():
    """The mishap executable, None when there is none on the PATH."""
    return shutil.which("mishap")


def clean_environment():
    """For the command itself: it is no part of the run."""
    return {k: v for k, v in os.environ.items() if k != "LD_PRELOAD" and not k.startswith("MISHAP_")}


def ask(*words):
    done = subprocess.run([command() or "mishap", *map(str, words)], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(), check=False)
    if done.returncode:
        raise Trouble(done.stderr.strip() or "mishap %s: exit %d" % (words[0], done.returncode))
    return done.stdout


def library():
    places = json.loads(ask("list", "places", "--format=json"))
    return next(p["path"] for p in places if p["place"] == "library")


def loaded():
    """Is the library at work in this process?"""
    if "libmishap.so" not in os.environ.get("LD_PRELOAD", "") or not os.environ.get("MISHAP_OUT"):
        return False
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return any("libmishap.so" in line for line in maps)


def write_slots(path):
    with open(path, "w", encoding="utf-8") as out:
        out.write("[run]\nstop_after = 24h\n")
        for kind, (n, calls) in SLOTS.items():
            for i in range(1, n + 1):
                out.write("[fault test-%s-%d]\ncall = %s\ndelay = 1ns\nafter = 20h\n" % (kind, i, calls))


class Place:
    """Where a session keeps its runs: the slots, and one output directory a process."""

    def __init__(self, folder=None):
        self.mine = folder is None
        self.root = os.path.abspath(folder) if folder else tempfile.mkdtemp(prefix="pytest-mishap-")
        os.makedirs(self.root, exist_ok=True)
        self.slots = os.path.join(self.root, "slots.ini")
        write_slots(self.slots)

    def environment(self, name, scenarios, seed=None):
        """What makes a process started with it a run of its own."""
        preload = [library()] + [p for p in os.environ.get("LD_PRELOAD", "").split(":") if p]
        added = {"LD_PRELOAD": ":".join(preload), "MISHAP_OUT": os.path.join(self.root, name),
                 "MISHAP_CONFIG": ":".join([*map(os.path.abspath, scenarios), self.slots])}
        if seed is not None:
            added["MISHAP_SEED"] = str(seed)
        return added

    def remove(self):
        if self.mine:
            shutil.rmtree(self.root, ignore_errors=True)


class Run:
    """The run that this process is: switches, values, and what was recorded."""

    def __init__(self, out):
        self.out = out
        self.used = {kind: 0 for kind in SLOTS}
        faults = [row.split()[0] for row in ask("set", out).splitlines()[1:] if row.strip()]
        self.scenario = [name for name in faults if not name.startswith("test-")]
        self.off(faults)

    def set(self, *words):
        ask("set", self.out, *words)

    def on(self, names):
        if names:
            ask("set", self.out, "on", *names)

    def off(self, names):
        if names:
            ask("set", self.out, "off", *names)

    def slot(self, kind):
        self.used[kind] = self.used[kind] % SLOTS[kind][0] + 1
        return "test-%s-%d" % (kind, self.used[kind])

    def events(self):
        """All records so far, oldest first; the newest of them are on disk already."""
        return [json.loads(line) for line in ask("events", self.out, "--json").splitlines()]

    def fired(self, names, since):
        """The operations that these faults hit since then (wall clock, ns), each with what became of it."""
        events = [e for e in self.events() if e["wall"] >= since]
        return [Hit(e, events) for e in events if e["event"] == "op" and e.get("fault_name") in names]


class Hit:
    """One operation that a fault hit."""

    def __init__(self, op, events):
        self.fault, self.kind = op["fault_name"], op.get("kind_name", "")
        self.errno, self.effect = op.get("err_name"), op.get("effect_name", "")
        self.peer = op.get("peer_name") or op.get("path_name") or ""
        steps = [e for e in events if e["event"] == "outcome" and e["op"] == op["op"]
                 and e["process"] == op["process"]]
        self.steps = [(e["step_name"], *e.get("text", "").split("\t")) for e in steps]

    @property
    def exceptions(self):
        """Types that this error took, in their order."""
        return [step[1] for step in self.steps]

    @property
    def outcome(self):
        """handled, unhandled, replaced, reraised...: the last that was seen; '' when nothing was."""
        return self.steps[-1][0] if self.steps else ""

    def __repr__(self):
        what = self.errno or self.effect
        where = " at " + self.peer if self.peer else ""
        tale = ": " + ", ".join("%s %s in %s" % step[:3] for step in self.steps[-1:] if len(step) > 2)
        return "%s %s%s%s" % (what, self.kind, where, tale if len(tale) > 2 else "")
