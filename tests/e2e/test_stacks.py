# SPDX-License-Identifier: Apache-2.0
"""Stacks, sites and tasks, on every CPython here: they agree with what Python says of itself."""

import functools
import os

import pytest

import mhr
from guest import PROGRAMS, has_module
from pythons import FOUND, every_python, minor, need_python, notes, run

KEPT = 96


@functools.lru_cache(None)
def shapes(path, *args, layout=""):
    said, events = run(path, "shapes.py", *args, env={"PROBE_LAYOUT": layout} if layout else None)
    return said, events, mhr.stacks(events)


def same_frame(want, got, knows_qualnames):
    name, qualname, file, line = want
    if (got[1], got[2]) != (file, line):
        return False
    if knows_qualnames:
        return got[0] == qualname
    return got[0].split(".")[-1] == name


def check_frames(path, layout=""):
    said, events, stacks = shapes(path, layout=layout)
    assert len(said["seen"]) > 40
    for s in said["seen"]:
        got = stacks[s["stack"]]
        assert len(got) == min(len(s["frames"]), KEPT), s["shape"]
        for want, have in zip(s["frames"], got):
            assert same_frame(want, have, minor(path) >= 11), (s["shape"], want, have)
    assert notes(events) == []


@every_python
def test_frames_are_those_of_python(python):
    check_frames(need_python(python))


@every_python
def test_frames_agree_through_layers_of_every_kind(python):
    """Calls made up at random, the same in every run; a failure names the shape by its frames."""
    path = need_python(python)
    said, events = run(path, "generated.py", 5, 150)
    stacks = mhr.stacks(events)
    assert len(said) >= 150
    for s in said:
        got = stacks[s["stack"]]
        assert len(got) == len(s["frames"]), (s["frames"], got)
        for want, have in zip(s["frames"], got):
            assert same_frame(want, have, minor(path) >= 11), (want, have, s["frames"])


@every_python
def test_the_table_and_the_interpreter_agree(python):
    path = need_python(python)
    agree = run(path, "layout.py", "agree")[0]
    assert agree == (1 if minor(path) >= 13 else -1)


@pytest.mark.parametrize("layout", ["words", "table"])
@pytest.mark.parametrize("python", [v for v in FOUND if v in ("3.13", "3.14", "3.15")])
def test_one_source_of_the_layout_is_enough(python, layout):
    """`words`: as a version will be that the table does not know yet."""
    check_frames(need_python(python), layout)


@every_python
def test_a_class_is_put_before_the_name_where_python_has_no_qualified_name(python):
    path = need_python(python)
    said, _, stacks = shapes(path)
    names = {s["shape"]: [f[0] for f in stacks[s["stack"]]] for s in said["seen"]}
    assert names["method"][1] == "Client.method"
    assert names["classmethod"][1] == "Client.build"
    assert names["property"][1] == "Client.value"
    assert names["inherited"][1] == ("Client.method" if minor(path) >= 11 else "Special.method")


@every_python
def test_a_stack_has_one_id_and_one_record(python):
    """From the third round on: an instruction may be specialised, and stand elsewhere, once."""
    said, events, _ = shapes(need_python(python))
    ids = [e["stack"] for e in events if e["event"] == "stack"]
    assert len(ids) == len(set(ids))
    third, fourth = ([s["stack"] for s in said["seen"] if s["round"] == r] for r in (2, 3))
    assert third == fourth
    by_frames = {}
    for s in said["seen"]:
        by_frames.setdefault(str(s["frames"]), set()).add(s["stack"])
    assert max(map(len, by_frames.values())) <= 2


@every_python
def test_a_deep_stack_is_cut_and_says_so(python):
    said, events, _ = shapes(need_python(python))
    records = {e["stack"]: e for e in events if e["event"] == "stack"}
    for s in said["seen"]:
        cut = s["shape"] == "recursion" and len(s["frames"]) == KEPT
        assert records[s["stack"]]["cut"] == cut, s["shape"]
        assert records[s["stack"]]["frames"] == len(s["frames"])


@every_python
def test_one_task_is_one_coroutine(python):
    said, events, _ = shapes(need_python(python))
    check_tasks(said, events, need_python(python))


def check_tasks(said, events, path):
    tails = {e["stack"]: e["tail"] for e in events if e["event"] == "stack"}
    for r in range(4):
        seen = [s for s in said["seen"] if s["round"] == r]
        tasks = {n: {s["task"] for s in seen if s["shape"].startswith("task %d " % n)} for n in (1, 2)}
        assert len(tasks[1]) == len(tasks[2]) == 1
        assert tasks[1] != tasks[2] and 0 not in tasks[1] | tasks[2]
        pages = {s["task"] for s in seen if s["shape"] == "asynchronous generator"}
        assert pages == tasks[1] | tasks[2]
    for s in said["seen"]:
        in_task = s["shape"].startswith("task") or s["shape"] == "asynchronous generator"
        assert bool(s["task"]) == in_task, s["shape"]
        assert tails[s["stack"]].endswith("task\ttask\n") == in_task


@functools.lru_cache(None)
def names(path, *args):
    said, events = run(path, "names.py", *args)
    return said, [(e["task"], e["tid"], e["tail"].split("\n")) for e in events if e["event"] == "name"]


@every_python
def test_tasks_have_the_names_that_asyncio_gives_them(python):
    path = need_python(python)
    said, found = names(path)
    # Two that take turns may share a place in the table of what was told: then each is told twice.
    tasks = list(dict.fromkeys((t, lines[0]) for t, _, lines in found if t))
    assert [(t, name) for t, name in tasks if name.endswith("\tleaf") or name.endswith("\tmain")] == \
        [(t, name + ("\tmain" if n == 0 else "\tleaf")) for n, (t, name) in enumerate(said["tasks"])]


@every_python
def test_who_waits_for_a_task(python):
    path = need_python(python)
    said, found = names(path)
    chains = [lines for t, _, lines in found if t]
    assert chains[0] == ["Task-1\tmain"]
    assert [line.split("\t")[1] for line in chains[1]] == ["leaf", "middle", "main"]
    assert chains[1][1].split("\t")[0] == "named café"
    gathered = [line.split("\t")[1] for line in chains[2]]
    assert gathered == (["leaf", "gathered", "main"] if minor(path) >= 14 else ["leaf"])


@every_python
def test_threads_in_which_something_failed_have_their_names(python):
    said, found = names(need_python(python))
    last = {str(tid): lines[0] for t, tid, lines in found if not t}
    assert {tid: last[tid] for tid in said["threads"]} == said["threads"]


def test_a_loop_that_is_not_asyncio_s_own_gives_no_names():
    path = need_python("distribution")
    if not has_module("uvloop", path):
        pytest.skip("no uvloop here")
    assert not [t for t, _, _ in names(path, "uvloop")[1] if t]


def test_tasks_of_uvloop():
    path = need_python("distribution")
    if not has_module("uvloop", path):
        pytest.skip("no uvloop here")
    said, events, _ = shapes(path, "uvloop")
    check_tasks(said, events, path)


@every_python
def test_sites_tell_places_apart_and_are_the_same_in_every_run(python):
    path = need_python(python)
    one, two = shapes(path)[0], run(path, "shapes.py")[0]
    assert [s["site"] for s in one["seen"]] == [s["site"] for s in two["seen"]]
    sites = {}
    for s in one["seen"]:
        sites.setdefault(s["shape"].split(" ")[0], set()).add(s["site"])
    assert all(0 not in found for found in sites.values())
    assert len(set.union(*sites.values())) > 15
    # lines are no part of a site
    assert len(sites["generator"] | sites["function"]) >= 2
    assert {s["site"] for s in one["seen"] if s["shape"] in ("generator 0", "generator 1")} == \
        {next(s["site"] for s in one["seen"] if s["shape"] == "generator 0")}


@every_python
def test_nothing_where_there_is_no_python(python):
    said, _, _ = shapes(need_python(python))
    assert said["early"] == 0, "a stack before there was an interpreter"
    assert said["foreign"] == 0, "a stack in a thread that Python does not know"


@pytest.mark.parametrize("skew", [8, -8, 24, 40, 4096])
@every_python
def test_a_wrong_layout_gives_no_stacks_said_once(python, skew):
    answers, events = run(need_python(python), "layout.py", "0", skew)
    assert answers == [[0, 0, 0]] * 3
    assert notes(events) == ["no_stacks"]


@pytest.mark.parametrize("version", ["030400f0", "031e00f0"])
def test_an_unknown_version_gives_no_stacks_said_once(version):
    python = next((p for p in FOUND.values() if p), None) or need_python("distribution")
    answers, events = run(python, "layout.py", version, 0)
    assert answers == [[0, 0, 0]] * 3
    assert notes(events) == ["no_stacks"]


@every_python
def test_a_build_that_calls_itself_free_threaded_gives_no_stacks_said_once(python):
    path = need_python(python)
    if minor(path) < 13:
        pytest.skip("there was no such build")
    answers, events = run(path, "layout.py", "free-threaded")
    assert answers == [[0, 0, 0]] * 3
    assert notes(events) == ["no_stacks"]


def test_the_layout_of_a_neighbour_is_found_out():
    """Each version under the table of every other: right frames, or none; never a crash."""
    with open(os.path.join(PROGRAMS, "layout.py"), encoding="utf-8") as f:
        line = 1 + [text.strip() for text in f].index("probe.probe_place(out)")
    for name, path in FOUND.items():
        if not path:
            continue
        for other in range(8, 16):
            if other == minor(path):
                continue
            answers, events = run(path, "layout.py", "03%02x00f0" % other, 0)
            if answers[0][0]:
                frames = mhr.stacks(events)[answers[0][0]]
                assert frames and frames[0][0] == "<module>" and frames[0][2] == line, (name, other)


@every_python
def test_a_known_stack_is_captured_fast(python):
    """The figure itself is for tests/bench; this only guards against a walk that decodes every time."""
    said, _, _ = shapes(need_python(python))
    assert said["ns"] < 20000
