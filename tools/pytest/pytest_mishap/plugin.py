# SPDX-License-Identifier: Apache-2.0
"""The hooks: when pytest has to start anew under the library, which faults are on while a test runs,
and what is said of each test afterwards."""
import os
import sys
import time

import pytest

from . import run as _run
from .chaos import Chaos, read_scenario

KEY_RUN, KEY_PLACE, KEY_FAULTS = "_mishap_run", "_mishap_place", "_mishap_faults"


def pytest_addoption(parser):
    group = parser.getgroup("mishap", "faults (mishap)")
    group.addoption("--chaos", metavar="SCENARIO", action="append", default=[],
                    help="run the whole suite under this scenario's faults; may repeat")
    group.addoption("--chaos-seed", metavar="N", type=int, help="seed of every draw")
    group.addoption("--chaos-out", metavar="DIR", help="keep the recordings there, for mishap report")


def pytest_configure(config):
    config.addinivalue_line("markers", "chaos(scenario, fault=None): run the test under the faults of a scenario "
                                       "file, or under the fault (or faults) named")
    setattr(config, KEY_RUN, None)
    if _run.loaded():
        try:
            setattr(config, KEY_RUN, _run.Run(os.environ["MISHAP_OUT"]))
        except _run.Trouble as trouble:
            raise pytest.UsageError(str(trouble)) from None


def distributes(config):
    """This process hands tests to workers, and runs none itself."""
    return bool(getattr(config.option, "tx", None) or getattr(config.option, "numprocesses", None)) and \
        not hasattr(config, "workerinput")


def needs_chaos(item):
    return item.get_closest_marker("chaos") is not None or "chaos" in getattr(item, "fixturenames", ())


def scenarios(config):
    for path in config.getoption("--chaos"):
        if not os.path.exists(path):
            raise pytest.UsageError("--chaos: there is no scenario '%s'" % path)
    return config.getoption("--chaos")


def check(paths):
    """Mistakes are told before anything runs."""
    try:
        for path in paths:
            _run.ask("check", path)
    except _run.Trouble as trouble:
        raise pytest.UsageError(str(trouble)) from None


def start_anew(config):
    """The same command once more, with the library: it must be there before Python is."""
    if _run.command() is None:
        raise pytest.UsageError("faults need the mishap command, and there is none on the PATH")
    if os.environ.get("MISHAP_OUT"):
        raise pytest.UsageError("the library was to be loaded and is not: see `mishap doctor`")
    check(scenarios(config))
    place = _run.Place(config.getoption("--chaos-out"))
    try:
        added = place.environment("run", scenarios(config), config.getoption("--chaos-seed"))
    except _run.Trouble as trouble:
        place.remove()
        raise pytest.UsageError(str(trouble)) from None
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.suspend_global_capture(in_=True)
    sys.stdout.flush()
    sys.stderr.flush()
    words = getattr(sys, "orig_argv", None) or [sys.executable, "-m", "pytest", *config.invocation_params.args]
    os.chdir(str(config.invocation_params.dir))
    if place.mine:
        added["PYTEST_MISHAP_PLACE"] = place.root
    os.execve(sys.executable, words, {**os.environ, **added})


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if scenarios(config) and not distributes(config) and not _run.loaded() and \
            not config.getoption("collectonly", False) and not hasattr(config, "workerinput"):
        start_anew(config)


def pytest_collection_finish(session):
    config = session.config
    if getattr(config, KEY_RUN) or distributes(config) or hasattr(config, "workerinput") or \
            config.getoption("collectonly", False):
        return
    if any(needs_chaos(item) for item in session.items):
        start_anew(config)


def pytest_unconfigure(config):
    place = getattr(config, KEY_PLACE, None)
    if place:
        place.remove()
    mine = os.environ.get("PYTEST_MISHAP_PLACE")
    if mine and getattr(config, KEY_RUN, None) and not hasattr(config, "workerinput"):
        import shutil
        shutil.rmtree(mine, ignore_errors=True)


class Workers:
    """xdist: each worker is started under the library, as a run of its own, so that the faults of one
    worker's test are not at work in another's."""

    def __init__(self, config):
        self.config, self.n = config, 0

    def next(self):
        place = getattr(self.config, KEY_PLACE)
        os.environ.update(place.environment("gw%d" % self.n, scenarios(self.config),
                                            self.config.getoption("--chaos-seed")))
        self.n += 1

    def pytest_xdist_setupnodes(self, config, specs):
        if _run.command() is None:
            return
        self.before = {k: os.environ.get(k) for k in ("LD_PRELOAD", "MISHAP_OUT", "MISHAP_CONFIG", "MISHAP_SEED")}
        setattr(config, KEY_PLACE, _run.Place(config.getoption("--chaos-out")))
        self.left = len(specs)
        self.next()

    def pytest_xdist_newgateway(self, gateway):
        if getattr(self.config, KEY_PLACE, None) is None:
            return
        for name, value in self.before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        self.left -= 1
        if self.left > 0:
            self.next()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    config = session.config
    if distributes(config) and not config.pluginmanager.hasplugin("mishap-workers"):
        config.pluginmanager.register(Workers(config), "mishap-workers")


@pytest.fixture
def chaos(request):
    """Faults for this test: `with chaos.fault(call="recv", peer="redis:6379", delay="2s") as fault:`"""
    run = getattr(request.config, KEY_RUN)
    if run is None:
        pytest.skip("not under the library: the mishap command was not found")
    made = Chaos(run)
    setattr(request.node, KEY_FAULTS, made)
    return made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    run, mark = getattr(item.config, KEY_RUN), item.get_closest_marker("chaos")
    item._mishap_since = time.time_ns()
    if run is None:
        if mark:
            pytest.skip("not under the library: the mishap command was not found")
        yield
        return
    made = getattr(item, KEY_FAULTS, None) or Chaos(run)
    setattr(item, KEY_FAULTS, made)
    if not mark:
        run.on(run.scenario)
        yield
        run.off(run.scenario)
        return
    path = mark.args[0] if mark.args else mark.kwargs.get("scenario")
    if not path:
        raise pytest.UsageError("%s: @pytest.mark.chaos needs a scenario" % item.nodeid)
    here = os.path.join(os.path.dirname(str(item.fspath)), path)
    with made.scenario(here if os.path.exists(here) else path, mark.kwargs.get("fault")):
        yield


def hits_of(item):
    """What any fault did while the test ran; None when none was to."""
    run, made = getattr(item.config, KEY_RUN), getattr(item, KEY_FAULTS, None)
    if run is None or not (run.scenario or (made and made._faults)):
        return None
    hits = made.hits() if made else []
    if run.scenario:
        hits += run.fired(run.scenario, item._mishap_since)
    return hits


def chain(exc):
    """The exception, its causes and contexts."""
    seen = []
    while exc is not None and exc not in seen:
        seen.append(exc)
        exc = exc.__cause__ or exc.__context__
    return seen


def because_of(hits, excinfo):
    """Did the test fail because of an injected fault? 'yes', 'maybe' (faults fired, the exception is not
    known to come from one) or 'no'."""
    if not hits:
        return "no"
    mine = {type(e).__name__ for e in chain(excinfo.value)} if excinfo else set()
    theirs = {name.rsplit(".", 1)[-1] for hit in hits for name in hit.exceptions}
    return "yes" if mine & theirs else "maybe"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if call.when != "call":
        return
    try:
        hits = hits_of(item)
    except _run.Trouble as trouble:
        report.sections.append(("mishap", str(trouble)))
        return
    if hits is None:
        return
    blame = because_of(hits, call.excinfo) if report.failed else ""
    report.user_properties.append(("mishap", {"fired": len(hits), "because": blame}))
    if report.failed:
        words = {"yes": "failed because of an injected fault:", "maybe": "faults fired, but the exception is not known "
                 "to come from one:", "no": "no fault fired: this failure is the test's own"}[blame]
        report.sections.append(("mishap", "\n".join([words, *map(repr, hits[:20])])))


def pytest_terminal_summary(terminalreporter, config):
    counts = {"yes": [], "maybe": [], "no": [], "idle": [], "held": []}
    for category in ("passed", "failed"):
        for report in terminalreporter.stats.get(category, ()):
            seen = dict(p for p in getattr(report, "user_properties", ()) if p[0] == "mishap").get("mishap")
            if seen is None:
                continue
            if category == "failed":
                counts[seen["because"]].append(report.nodeid)
            else:
                counts["held" if seen["fired"] else "idle"].append(report.nodeid)
    if not any(counts.values()):
        return
    terminalreporter.section("mishap")
    for key, words in (("held", "passed while faults fired"), ("yes", "failed because of an injected fault"),
                       ("maybe", "failed while faults fired, for a reason that is not known to be one"),
                       ("no", "failed, and no fault fired"), ("idle", "not exercised: no operation met a fault")):
        if counts[key]:
            terminalreporter.write_line("%4d %s" % (len(counts[key]), words))
            if key in ("yes", "maybe", "idle"):
                for nodeid in counts[key][:10]:
                    terminalreporter.write_line("       " + nodeid)
