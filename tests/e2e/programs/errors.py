# SPDX-License-Identifier: Apache-2.0
"""Calls that fail, and what the program does about it, one scenario a run: errors.py SCENARIO.
A comment like `#: name` marks a line that the tests ask for."""

import asyncio
import contextlib
import ctypes
import errno
import gc
import json
import os
import socket
import sys
import threading
import time
import weakref

probe = ctypes.PyDLL(os.environ["PROBE"])
scenarios = {}


def scenario(function):
    scenarios[function.__name__] = function
    return function


class Down(Exception):
    pass


def fail(op=1, err=errno.ECONNRESET):
    s = socket.socket()
    probe.probe_arm(ctypes.c_int64(op), err)
    s.recv(10)  #: born


def go_on():
    return sum(i for i in range(3))


@scenario
def handled_where_raised():
    s = socket.socket()
    probe.probe_arm(ctypes.c_int64(1), errno.ECONNRESET)
    try:
        s.recv(10)  #: here
    except OSError:  #: handled
        go_on()
    go_on()


@scenario
def handled_by_a_caller():
    try:
        fail()
    except KeyError:
        go_on()
    except (ValueError, ConnectionError) as e:  #: second clause
        str(e)
    except Exception:
        raise
    go_on()


@scenario
def handled_by_return():
    def f():
        try:
            fail()
        except OSError:  #: return
            return 1
    f()


@scenario
def handled_bare():
    try:
        fail()
    except:  # noqa: E722 #: bare
        go_on()
    go_on()


@scenario
def reraised():
    def f():
        try:
            fail()
        except OSError:
            go_on()
            raise  #: raise
    try:
        f()
    except OSError:  #: outer
        go_on()
    go_on()


@scenario
def reraised_by_name():
    def f():
        try:
            fail()
        except OSError as e:
            raise e  #: raise e
    try:
        f()
    except OSError:  #: outer of e
        go_on()
    go_on()


@scenario
def passed_on():
    def f():
        with socket.socket():
            try:
                fail()
            except KeyError:
                go_on()
            finally:
                go_on()
    try:
        f()
    except OSError:  #: passed on
        go_on()
    go_on()


@scenario
def wrapped():
    def f():
        try:
            fail()
        except OSError as e:
            raise Down("no answer") from e  #: wrapped
    try:
        f()
    except Down:  #: wrapper handled
        go_on()
    go_on()


@scenario
def wrapped_twice():
    def f():
        try:
            try:
                fail()
            except OSError:
                raise Down() from None  #: first wrapper
        except Down as e:
            raise RuntimeError() from e  #: second wrapper
    try:
        f()
    except RuntimeError:  #: both handled
        go_on()
    go_on()


@scenario
def bug_in_the_handler():
    def f():
        try:
            answer = fail()
        except OSError:
            print(answer)  #: bug
    with contextlib.suppress(NameError):
        f()
    go_on()


@scenario
def busy_handler():
    try:
        fail()
    except OSError:  #: busy
        try:
            int("x")
        except ValueError:
            go_on()
        go_on()
    go_on()


@scenario
def suppressed():
    with contextlib.suppress(OSError):
        fail()
    go_on()


@contextlib.contextmanager
def swallowing():
    try:
        yield
    except OSError:  #: in a context manager
        go_on()


@scenario
def context_manager():
    with swallowing():
        fail()
    go_on()


@scenario
def swallowed_by_c():
    class Odd:
        def __getattr__(self, name):
            if name == "attribute":
                try:
                    fail()
                except OSError as e:
                    raise AttributeError(name) from e  #: attribute error
    getattr(Odd(), "attribute", None)  #: getattr
    go_on()


@scenario
def kept_and_raised_later():
    last = None
    try:
        fail()
    except OSError as e:  #: kept
        last = e
    go_on()
    try:
        raise last  #: later
    except OSError:  #: later handled
        go_on()
    go_on()


@scenario
def retried():
    for op in (1, 2, 3):
        try:
            fail(op)
        except OSError:  #: retry
            continue


@scenario
def retried_in_the_handler():
    try:
        fail(1)
    except OSError:  #: first try
        try:
            fail(2)
        except OSError:  #: second try
            go_on()
        go_on()
    go_on()


@scenario
def generator():
    def g():
        try:
            yield fail()
        except OSError:  #: in a generator
            yield 1
            yield 2
        yield 3
    list(g())


@scenario
def thread():
    t = threading.Thread(target=fail)
    t.start()
    t.join()


@scenario
def raw_thread():
    import _thread

    def f():
        try:
            fail()  #: leaves the thread
        finally:
            done.set()
    done = threading.Event()
    _thread.start_new_thread(f, ())
    done.wait(10)
    time.sleep(0.1)


@scenario
def top():
    fail()  #: leaves the program


async def lost():
    fail()  #: leaves the task


@scenario
def task_lost():
    async def main():
        task = asyncio.ensure_future(lost())
        await asyncio.sleep(0.02)
        del task
        gc.collect()
    asyncio.run(main())


@scenario
def task_awaited():
    async def main():
        task = asyncio.ensure_future(lost())
        await asyncio.sleep(0.02)
        try:
            await task  #: await
        except OSError:  #: awaited
            await asyncio.sleep(0)
        go_on()
    asyncio.run(main())


@scenario
def task_handled():
    async def main():
        try:
            await lost()
        except OSError:  #: in the task
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
    asyncio.run(main())


@scenario
def tasks_at_once():
    async def one(op):
        try:
            fail(op)
        except OSError:  #: each
            await asyncio.sleep(0.01)
            raise Down() from None  #: each replaced
        return 0

    async def main():
        await asyncio.gather(*[one(op) for op in (1, 2, 3)], return_exceptions=True)
    asyncio.run(main())


@scenario
def executor():
    async def main():
        try:
            await asyncio.get_running_loop().run_in_executor(None, fail)  #: await executor
        except OSError:  #: executor
            go_on()
        go_on()
    asyncio.run(main())


@scenario
def stream():
    async def serve(reader, writer):
        await reader.read(2)
        writer.write(b"ab")
        await asyncio.sleep(5)

    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(reader.read(2))
        await asyncio.sleep(0.05)
        probe.probe_arm_fd(ctypes.c_int64(1), errno.ECONNRESET,
                           writer.get_extra_info("socket").fileno())
        writer.write(b"hi")
        try:
            await waiting
        except ConnectionResetError:  #: stream
            go_on()
        go_on()
        server.close()
    asyncio.run(main())


@scenario
def nothing_born():
    def f():
        probe.probe_arm(ctypes.c_int64(1), errno.ECONNREFUSED)
        with socket.socket() as s:
            ctypes.CDLL(None).connect(s.fileno(), None, 0)
    f()
    probe.probe_place((ctypes.c_uint64 * 3)())


@scenario
def with_the_gil():
    try:
        probe.probe_watch_now(ctypes.c_int64(1))
        raise OSError(errno.ECONNREFUSED, "as asyncio does")
    except OSError:  #: refused
        go_on()
    go_on()


@scenario
def library_with_a_lock():
    """One thread holds a library's lock in recv(), the other the GIL, and wants the lock."""
    with socket.socket() as s:
        library = ctypes.CDLL(os.environ["PROBE"])
        t = threading.Thread(target=library.probe_library_recv, args=(ctypes.c_int64(1), s.fileno()))
        t.start()
        probe.probe_library_wait()
        t.join()


@scenario
def traced():
    lines = []

    def tracer(frame, event, arg):
        lines.append((frame.f_code.co_name, event))
        return tracer
    sys.settrace(tracer)
    with contextlib.suppress(OSError):
        fail()
    still = sys.gettrace() is tracer
    sys.settrace(None)
    assert still and ("fail", "exception") in lines and ("fail", "line") in lines
    with contextlib.suppress(OSError):
        fail(2)


@scenario
def tools_taken():
    for tool in range(6):
        sys.monitoring.use_tool_id(tool, "somebody")
    with contextlib.suppress(OSError):
        fail()
    for tool in range(6):
        assert sys.monitoring.get_tool(tool) == "somebody"


@scenario
def traced_from_the_handler():
    """The program starts to trace while we follow: its tracer must win and stay."""
    def tracer(frame, event, arg):
        return tracer
    try:
        fail()
    except OSError:
        sys.settrace(tracer)
        go_on()
    go_on()
    assert sys.gettrace() is tracer
    sys.settrace(None)


@scenario
def unnoticed():
    """Afterwards nothing is left that a program could see."""
    before = sys.gettrace(), sys.getprofile()
    gc.disable()

    class Resource:
        pass

    def f():
        resource = Resource()
        gone.append(weakref.ref(resource))
        fail()
    gone = []
    for _ in range(50):
        try:
            f()
        except OSError as e:
            assert gone[-1]() is not None, "the traceback keeps it"
            e.__traceback__.tb_frame
        assert gone[-1]() is None, "kept longer than without us"
    assert (sys.gettrace(), sys.getprofile()) == before
    assert sys.exc_info() == (None, None, None)


@scenario
def forked():
    out = os.environ["PROBE_OUT"]
    with contextlib.suppress(OSError):
        fail(1)
    pid = os.fork()
    if not pid:
        probe.probe_fork_child(out.encode())
        try:
            fail(7)
        except OSError:  #: in the child
            go_on()
        go_on()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    with contextlib.suppress(OSError):
        fail(2)


@scenario
def many():
    """Threads and tasks at once, more than the table has rows; the end comes with daemons at work."""
    def work(n):
        for _ in range(n):
            try:
                try:
                    fail()
                except OSError as e:
                    raise Down() from e
            except Down:
                go_on()

    async def task():
        for _ in range(10):
            try:
                fail()
            except OSError:
                await asyncio.sleep(0)

    async def tasks():
        await asyncio.gather(*[task() for _ in range(100)])

    threads = [threading.Thread(target=work, args=(100,)) for _ in range(6)]
    for t in threads:
        t.start()
    asyncio.run(tasks())
    for t in threads:
        t.join()
    for _ in range(3):
        threading.Thread(target=work, args=(10 ** 9,), daemon=True).start()
    time.sleep(0.1)


class Late:
    """Fails while the interpreter is torn down."""

    def __init__(self):
        self.fail, self.error = fail, OSError

    def __del__(self):
        try:
            self.fail(5)
        except self.error:
            pass


@scenario
def torn_down():
    global late
    late = Late()
    late.itself = late
    with contextlib.suppress(OSError):
        fail()


if __name__ == "__main__":
    scenarios[sys.argv[1]]()
    print(json.dumps("done"))
