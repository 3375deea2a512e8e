# SPDX-License-Identifier: Apache-2.0
"""What became of an error, on every CPython here: programs/errors.py says what each program does."""

import os
import re

import pytest

from guest import PROGRAMS, has_module
from pythons import every_python, minor, need_python, notes, run, steps

RESET = "ConnectionResetError"
FILE = "errors.py"


def _lines():
    with open(os.path.join(PROGRAMS, FILE), encoding="utf-8") as f:
        return {m[1]: n for n, line in enumerate(f, 1) for m in [re.search(r"#: ([^#]*\S)", line)] if m}


LINE = _lines()
BORN = ("born", RESET, "fail", FILE, LINE["born"])


def at(step, kind, function, line):
    return (step, kind, function, FILE, LINE[line])


def bare(found):
    """Without the parts of a qualified name that Pythons before 3.11 do not know."""
    return [(s[0], s[1], s[2].split(".")[-1]) + s[3:] for s in found]


HANDLED = {
    "handled_where_raised": [("born", RESET, "handled_where_raised", FILE, LINE["here"]),
                             at("handled", RESET, "handled_where_raised", "handled")],
    "handled_by_a_caller": [BORN, at("handled", RESET, "handled_by_a_caller", "second clause")],
    "handled_by_return": [BORN, at("handled", RESET, "f", "return")],
    "handled_bare": [BORN, at("handled", RESET, "handled_bare", "bare")],
    "reraised": [BORN, at("reraised", RESET, "f", "raise"),
                 at("handled", RESET, "reraised", "outer")],
    "reraised_by_name": [BORN, at("reraised", RESET, "f", "raise e"),
                         at("handled", RESET, "reraised_by_name", "outer of e")],
    "passed_on": [BORN, at("handled", RESET, "passed_on", "passed on")],
    "wrapped": [BORN, at("replaced", "__main__.Down", "f", "wrapped"),
                at("handled", "__main__.Down", "wrapped", "wrapper handled")],
    "wrapped_twice": [BORN, at("replaced", "__main__.Down", "f", "first wrapper"),
                      at("replaced", "RuntimeError", "f", "second wrapper"),
                      at("handled", "RuntimeError", "wrapped_twice", "both handled")],
    "busy_handler": [BORN, at("handled", RESET, "busy_handler", "busy")],
    "context_manager": [BORN, at("handled", RESET, "swallowing", "in a context manager")],
    "kept_and_raised_later": [BORN, at("handled", RESET, "kept_and_raised_later", "kept"),
                              at("reraised", RESET, "kept_and_raised_later", "later"),
                              at("handled", RESET, "kept_and_raised_later", "later handled")],
    "generator": [BORN, at("handled", RESET, "g", "in a generator")],
    "task_lost": [BORN, at("unhandled", RESET, "lost", "leaves the task")],
    "task_awaited": [BORN, at("unhandled", RESET, "lost", "leaves the task"),
                     at("reraised", RESET, "main", "await"),
                     at("handled", RESET, "main", "awaited")],
    "task_handled": [BORN, at("handled", RESET, "main", "in the task")],
}


@pytest.mark.parametrize("scenario", list(HANDLED))
@every_python
def test_steps(python, scenario):
    _, events = run(need_python(python), "errors.py", scenario)
    assert bare(steps(events)) == HANDLED[scenario]
    assert notes(events) == []


@every_python
def test_each_record_tells_how_it_was_learned(python):
    path = need_python(python)
    _, events = run(path, "errors.py", "wrapped")
    source = "monitoring" if minor(path) >= 12 else "trace"
    import mhr

    found = {e["source"] for e in events if e["event"] == "outcome"}
    assert found == {mhr.SOURCE[source]}
    objects = [e["object"] for e in events if e["event"] == "outcome"]
    assert objects[0] and objects[1] == objects[2] != objects[0]


@every_python
def test_a_with_statement_that_suppresses(python):
    """The statement's own line, or the line of its last statement: versions differ."""
    _, events = run(need_python(python), "errors.py", "suppressed")
    found = steps(events)
    assert found[0] == BORN
    assert [s[:4] for s in found[1:]] == [("handled", RESET, "suppressed", FILE)]


@every_python
def test_a_bug_in_the_handler_replaces_the_error(python):
    _, events = run(need_python(python), "errors.py", "bug_in_the_handler")
    found = bare(steps(events))
    assert found[:2] == [BORN, at("replaced", "UnboundLocalError", "f", "bug")]
    assert found[2][:4] == ("handled", "UnboundLocalError", "bug_in_the_handler", FILE)


@every_python
def test_c_code_that_swallows(python):
    _, events = run(need_python(python), "errors.py", "swallowed_by_c")
    found = bare(steps(events))
    assert found == [BORN, at("replaced", "AttributeError", "__getattr__", "attribute error"),
                     at("handled", "AttributeError", "swallowed_by_c", "getattr")]


@every_python
def test_every_try_has_its_own_outcome(python):
    _, events = run(need_python(python), "errors.py", "retried")
    for op in (1, 2, 3):
        assert steps(events, op) == [BORN, at("handled", RESET, "retried", "retry")]


@every_python
def test_a_second_error_in_the_handler_of_the_first(python):
    _, events = run(need_python(python), "errors.py", "retried_in_the_handler")
    name = "retried_in_the_handler"
    assert steps(events, 2) == [BORN, at("handled", RESET, name, "second try")]
    assert steps(events, 1) == [BORN, at("handled", RESET, name, "first try")]


@every_python
def test_tasks_at_once_are_kept_apart(python):
    _, events = run(need_python(python), "errors.py", "tasks_at_once")
    tasks = set()
    for op in (1, 2, 3):
        found = bare(steps(events, op))
        assert found[:2] == [BORN, at("replaced", "__main__.Down", "one", "each replaced")]
        assert found[2][:3] == ("unhandled", "__main__.Down", "one")
        of = {e["task"] for e in events if e["event"] == "outcome" and e["op"] == op}
        assert len(of) == 1 and 0 not in of
        tasks |= of
    assert len(tasks) == 3


@every_python
def test_lost_in_a_thread(python):
    _, events = run(need_python(python), "errors.py", "thread")
    found = steps(events)
    assert found[0] == BORN
    assert [s[:2] + s[3:4] for s in found[1:]] == [("unhandled", RESET, "threading.py"), ("lost", RESET, "threading.py")]


@every_python
def test_lost_in_a_thread_of_the_lowest_kind(python):
    _, events = run(need_python(python), "errors.py", "raw_thread")
    found = bare(steps(events))
    assert found[0] == BORN
    assert [s[:4] for s in found[1:]] == [("unhandled", RESET, "f", FILE)]


@every_python
def test_unhandled_at_the_top(python):
    _, events = run(need_python(python), "errors.py", "top", status=1)
    found = steps(events)
    assert found[0] == BORN
    assert [s[:4] for s in found[1:]] == [("unhandled", RESET, "<module>", FILE)]


@every_python
def test_handed_to_another_thread(python):
    """sys.monitoring sees all threads; a trace function the one that failed and, from 3.9, the main one."""
    path = need_python(python)
    _, events = run(path, "errors.py", "executor")
    found = bare(steps(events))
    assert found[0] == BORN
    assert found[1][:2] + found[1][3:4] == ("handled", RESET, "thread.py")
    if minor(path) >= 9:
        assert found[2:] == [at("reraised", RESET, "main", "await executor"),
                             at("handled", RESET, "main", "executor")]


@every_python
def test_a_stream_of_asyncio_hands_the_error_to_who_reads(python):
    _, events = run(need_python(python), "errors.py", "stream")
    found = bare(steps(events))
    assert found[0][:2] == ("born", RESET) and found[0][3] == "selector_events.py"
    assert found[1][:2] == ("handled", RESET) and found[1][3] == "selector_events.py"
    assert found[-1] == at("handled", RESET, "main", "stream")


@every_python
def test_an_error_that_becomes_no_exception_is_unseen(python):
    _, events = run(need_python(python), "errors.py", "nothing_born")
    assert [s[0] for s in steps(events)] == ["unseen"]


@every_python
def test_a_call_that_comes_with_the_gil_held(python):
    """As getsockopt(SO_ERROR) does, by which asyncio learns that it could not connect."""
    _, events = run(need_python(python), "errors.py", "with_the_gil")
    assert [s[0] for s in steps(events, 1)] == ["born", "handled"]
    assert steps(events, 1)[1] == at("handled", "ConnectionRefusedError", "with_the_gil", "refused")


@every_python
def test_a_library_s_lock_and_the_gil(python):
    """Without us the program comes to its end: so it must with us, at the price of an outcome."""
    _, events = run(need_python(python), "errors.py", "library_with_a_lock")
    assert steps(events) == [] and notes(events) == ["no_outcome"]


@every_python
def test_a_tracer_of_the_program_wins(python):
    path = need_python(python)
    _, events = run(path, "errors.py", "traced")
    if minor(path) >= 12:  # both have their own place
        assert [s[0] for s in steps(events, 1)] == ["born", "handled"]
        assert notes(events) == []
    else:
        assert steps(events, 1) == []
        assert notes(events) == ["trace_taken"]
    assert [s[0] for s in steps(events, 2)] == ["born", "handled"]


@every_python
def test_a_tracer_that_comes_later_stays(python):
    run(need_python(python), "errors.py", "traced_from_the_handler")


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_no_tool_id_is_left(python):
    _, events = run(need_python(python), "errors.py", "tools_taken")
    assert steps(events) == [] and notes(events) == ["trace_taken"]


@every_python
def test_nothing_is_kept_longer_than_without_us(python):
    _, events = run(need_python(python), "errors.py", "unnoticed")
    assert len(steps(events)) == 100


@every_python
def test_a_forked_child_goes_on(python):
    _, events = run(need_python(python), "errors.py", "forked")
    assert [s[0] for s in steps(events, 1)] == [s[0] for s in steps(events, 2)] == ["born", "handled"]
    assert steps(events, 7) == [BORN, at("handled", RESET, "forked", "in the child")]
    assert {e["pid"] != e["file_pid"] for e in events if "pid" in e} <= {False}


@every_python
def test_threads_tasks_and_the_end(python):
    _, events = run(need_python(python), "errors.py", "many")
    found = [s[0] for s in steps(events)]
    assert found.count("born") > 1500
    assert found.count("handled") >= found.count("born") - 70
    assert found.count("replaced") >= 600


@every_python
def test_an_interpreter_that_is_torn_down(python):
    _, events = run(need_python(python), "errors.py", "torn_down")
    assert [s[0] for s in steps(events)] == ["born", "handled"]


def test_errors_inside_of_uvloop(guest):
    """libuv reads in C, below no Python frame of the reader: the error comes by a callback."""
    path = need_python("distribution")
    if not has_module("uvloop", path):
        pytest.skip("no uvloop here")
    result = guest.code("""
        import asyncio, json, uvloop

        async def serve(reader, writer):
            writer.write(await reader.read(2))
            await asyncio.sleep(5)

        async def client(port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hi")
            try:
                return len(await reader.read(2))
            except ConnectionResetError:
                return "reset"

        async def main():
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            return await asyncio.gather(*[client(port) for _ in range(5)])

        uvloop.install()
        print(json.dumps(asyncio.run(main())))
    """, python=path, config="""
        [fault reset]
        call = recv
        side = client
        error = ECONNRESET
        count = 5
    """)
    assert result.json() == ["reset"] * 5
    events = result.events()
    for e in result.faults():
        found = steps(events, e["op"])
        assert [s[:3] for s in found] == [("born", RESET, "StreamReader._wait_for_data"),
                                          ("handled", RESET, "client")]
