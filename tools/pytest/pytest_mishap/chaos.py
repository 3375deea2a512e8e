# SPDX-License-Identifier: Apache-2.0
"""The `chaos` fixture: faults for as long as a with block lasts, and what became of them."""
import configparser
import contextlib
import functools
import json
import os
import time

from . import run as _run


class NotExercised(AssertionError):
    """No operation met the fault: whatever was asserted, nothing was put to the test."""


@functools.lru_cache(maxsize=None)
def groups():
    """Operation or group name -> kind of slot."""
    table = {}
    for row in json.loads(_run.ask("list", "calls", "--format=json")):
        group = row["group"]
        kind = "dns" if group == "dns" else group.split(".")[0]
        for name in (row["operation"], group, *row["calls"]):
            table.setdefault(name, kind)
    return table


def slot_kind(keys):
    """Which slots can take this fault. ValueError: none can."""
    words = keys.get("call", "").split()
    kinds = {groups().get(word) for word in words}
    if not words:
        kinds = {"file" if "path" in keys else "net"}
    if len(kinds) == 1 and kinds <= set(_run.SLOTS):
        return kinds.pop()
    raise ValueError("call = %s: a test's fault takes network calls, name look-ups or file calls, of one kind; "
                     "for others put it into a scenario and use pytest --chaos" % keys.get("call"))


def read_scenario(path, names=None):
    """{fault name: {key: value}} of a scenario whose faults can be put into slots."""
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",), strict=False)
    parser.optionxform = str
    if not os.path.exists(path):
        raise ValueError("there is no scenario '%s'" % path)
    _run.ask("check", path)
    parser.read(path, encoding="utf-8")
    found = {section[6:].strip(): {k: " ".join(v.split()) for k, v in parser.items(section)}
             for section in parser.sections() if section.startswith("fault ")}
    if any(section.startswith("phase ") for section in parser.sections()):
        raise ValueError("'%s' has phases, which a single test has not; use pytest --chaos" % path)
    wanted = [names] if isinstance(names, str) else list(names or found)
    for name in wanted:
        if name not in found:
            raise ValueError("'%s' has no fault '%s'; it has: %s" % (path, name, ", ".join(found)))
    return {name: found[name] for name in wanted}


class Fault:
    """Faults that are at work together; made by Chaos.fault() and Chaos.scenario()."""

    def __init__(self, run, names):
        self._run, self.names, self.since = run, names, time.time_ns()

    def hits(self):
        """Every operation that was hit so far: `.errno`, `.peer`, `.exceptions`, `.outcome`."""
        return self._run.fired(self.names, self.since)

    def fired(self):
        return len(self.hits())

    def outcomes(self):
        """How often each outcome was seen: {'handled': 2, ...}; '' is an error nobody saw."""
        count = {}
        for hit in self.hits():
            count[hit.outcome] = count.get(hit.outcome, 0) + 1
        return count


class Chaos:
    """What a test gets. Without the library nothing can be injected, and every use says so."""

    def __init__(self, run):
        self._run, self._faults = run, []

    @contextlib.contextmanager
    def fault(self, **keys):
        """A fault in the words of a scenario: chaos.fault(call="recv", peer="redis:6379", delay="2s").
        `for_` stands for the key `for`. Yields a Fault."""
        keys = {k.rstrip("_"): str(v) for k, v in keys.items()}
        with self._faults_of({"": keys}) as fault:
            yield fault

    @contextlib.contextmanager
    def scenario(self, path, fault=None):
        """The faults of a scenario file, or the one (or those) named."""
        with self._faults_of(read_scenario(path, fault)) as made:
            yield made

    @contextlib.contextmanager
    def _faults_of(self, faults):
        kinds = [slot_kind(keys) for keys in faults.values()]
        slots = [self._run.slot(kind) for kind in kinds]
        words = []
        for slot, keys in zip(slots, faults.values()):
            words += ["%s.%s=%s" % (slot, k, v) for k, v in {"delay": "none", "after": "none", **keys}.items()]
        self._run.set(*words)
        made = Fault(self._run, slots)
        self._faults.append(made)
        try:
            self._run.on(slots)
            yield made
        finally:
            self._run.off(slots)
            self._run.set("reset", *slots)

    def hits(self):
        """Every operation that any fault of this test has hit."""
        return [hit for fault in self._faults for hit in fault.hits()]

    def fired(self):
        return len(self.hits())

    def outcomes(self):
        count = {}
        for fault in self._faults:
            for outcome, n in fault.outcomes().items():
                count[outcome] = count.get(outcome, 0) + n
        return count

    def assert_fired(self):
        if not self.fired():
            raise NotExercised("no operation met the fault: is the peer faked or mocked, or the pattern wrong?")

    def assert_absorbed(self):
        """The fault happened, and each error was handled: none was left to run on unhandled."""
        self.assert_fired()
        left = [hit for hit in self.hits() if hit.outcome in ("unhandled", "lost")]
        if left:
            raise AssertionError("not absorbed: " + "; ".join(map(repr, left)))
