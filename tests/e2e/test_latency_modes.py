# SPDX-License-Identifier: Apache-2.0
"""Latency as a slow network has it, in six ways of waiting. Every case runs bare first: a client that
is wrong by itself would prove nothing."""

import pytest

from guest import LATE, between, has_module, timed

MODES = ["blocking", "settimeout", "poll", "select", "asyncio", "uvloop"]
DELAY = 0.5
SLOW = """
[run]
processes = *
[fault slow]
call = recv
peer = 127.0.0.1:%d
delay = 500ms
"""


@pytest.fixture(params=MODES)
def mode(request):
    if request.param == "uvloop" and not has_module("uvloop"):
        pytest.skip("uvloop is not installed")
    return request.param


@pytest.fixture(params=["bare", "delayed"])
def run(request, guest, mode, peer):
    """Runs a case in the mode; returns its figures and the delay to expect."""

    def go(case, really=0):
        delayed = request.param == "delayed"
        r = guest.program("modes.py", mode, case, peer.plain, peer.plain2,
                          0 if delayed else really, under=delayed, timeout=20,
                          config=SLOW % peer.plain if delayed else None)
        figures = r.json()
        if delayed:
            assert r.faults(), "no fault was recorded"
        assert figures["cpu"] < 0.3, "busy: %(cpu)s s of CPU" % figures
        assert figures["false_reports"] == 0, "readiness was reported and there was no data"
        return figures, DELAY if delayed else 0.0

    return go


@timed
def test_round_trip(run):
    figures, delay = run("rtt")
    for t in figures["times"]:
        between(t, delay, delay + LATE, "round trip")
    assert figures["switches"] < 150, figures


@timed
def test_a_limit_fires_in_time_and_the_answer_still_comes(run):
    figures, _ = run("late", really=int(DELAY * 1000))
    between(figures["answer"], DELAY, DELAY + LATE, "answer")
    between(figures["fired"], 0.2, 0.2 + LATE, "limit")
    assert figures["fired"] < figures["answer"]


@timed
def test_messages_are_shifted_not_stretched(run):
    figures, delay = run("stream")
    for t in figures["late_by"]:
        between(t, delay, delay + LATE, "message")
    assert sorted(figures["late_by"])[10] < delay + 0.1, figures["late_by"]


@timed
def test_the_end_comes_late_too(run):
    figures, delay = run("eof")
    between(figures["data"], delay, delay + LATE, "last data")
    between(figures["eof"], delay, delay + LATE, "end of file")


@timed
def test_a_reset_comes_late_too(run):
    figures, delay = run("rst")
    between(figures["rst"], delay, delay + LATE, "reset")


@timed
def test_bytes_arrive_whole(run):
    figures, delay = run("big")
    assert figures["whole"]
    between(figures["seconds"], delay, delay + 10, "300 kB")


@timed
def test_a_neighbour_feels_nothing(run):
    figures, delay = run("neighbour")
    between(figures["slow"], delay, delay + LATE, "slow connection")
    if delay:
        assert figures["n"] >= 15, figures
        assert figures["beside"] < 10 * figures["alone"] + 0.01, figures
        assert figures["worst"] < 0.3, figures
