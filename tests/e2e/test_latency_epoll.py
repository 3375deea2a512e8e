# SPDX-License-Identifier: Apache-2.0
"""epoll under latency: level, edge and one-shot reports, changes of a registration, several sets, other
threads that already sleep. Each program runs against a peer that is really late and one made late."""

import errno

import pytest

from guest import LATE, between, timed

EPOLL = """
IN, OUT, ET, ONESHOT = select.EPOLLIN, select.EPOLLOUT, select.EPOLLET, select.EPOLLONESHOT
HUP, ERR, RDHUP = select.EPOLLHUP, select.EPOLLERR, select.EPOLLRDHUP
def non_blocking():
    s = connect(); s.setblocking(False)
    return s
"""


def run(late, code, *args, **how):
    import textwrap

    return late.run(EPOLL + textwrap.dedent(code), *args, **how)


@timed
def test_level_triggered_reports_until_it_is_read(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN)
        t = ask(s)
        none = e.poll(0)
        first = e.poll(10); at = now() - t
        again = [len(e.poll(0.05)) for _ in range(3)]
        part = s.recv(2).decode()
        still = len(e.poll(0))
        rest = s.recv(100).decode()
        empty = e.poll(0.05)
        reply(none=none, first=first[0][1], fd=first[0][0] == s.fileno(), at=at, again=again, part=part,
              still=still, rest=rest, empty=empty)
    """)
    between(r["at"], 0.5, 0.5 + LATE, "report")
    assert r["none"] == [] and r["first"] == 1 and r["fd"]
    assert r["again"] == [1, 1, 1] and r["still"] == 1 and r["empty"] == []
    assert (r["part"], r["rest"]) == ("la", "te\n")


@timed
def test_timeouts_of_epoll_wait_are_kept(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN)
        t = ask(s)
        waits = []
        for limit in (0.1, 0.2):
            a = now()
            assert e.poll(limit) == []
            waits.append(now() - a)
        got = e.poll(10)
        reply(waits=waits, at=now() - t, got=len(got))
    """)
    between(r["waits"][0], 0.1, 0.3, "limit")
    between(r["waits"][1], 0.2, 0.4, "limit")
    between(r["at"], 0.5, 0.5 + LATE, "report")
    assert r["got"] == 1


@timed
def test_edge_triggered_reports_each_arrival_once(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN | ET)
        t = ask(s, "echo one")
        first = len(e.poll(10)); at = now() - t
        again = len(e.poll(0.1))
        u = ask(s, "echo two")
        second = len(e.poll(10)); at2 = now() - u
        got = s.recv(100).decode()
        after = len(e.poll(0.1))
        reply(first=first, at=at, again=again, second=second, at2=at2, got=got, after=after)
    """)
    assert (r["first"], r["again"], r["second"], r["after"]) == (1, 0, 1, 0)
    between(r["at"], 0.5, 0.5 + LATE, "first edge")
    between(r["at2"], 0.5, 0.5 + LATE, "second edge")
    assert r["got"] == "one\ntwo\n"


@timed
def test_edge_triggered_after_a_read_too_early(late):
    """The usual loop: drain until EAGAIN, then wait for the edge. An early EAGAIN must not eat it."""
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN | OUT | ET)
        e.poll(0.05)
        t = ask(s)
        early = 0
        for _ in range(3):
            try:
                s.recv(100); early = "data"
            except BlockingIOError:
                early += 1
            time.sleep(0.05)
        events = []
        while not any(m & IN for _, m in events):
            events = e.poll(10)
            assert events
        at = now() - t
        reply(early=early, at=at, got=s.recv(100).decode())
    """)
    assert r["early"] == 3 and r["got"] == "late\n"
    between(r["at"], 0.5, 0.5 + LATE, "edge")


@timed
def test_one_shot_reports_once_until_it_is_armed_again(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN | ONESHOT)
        t = ask(s)
        first = len(e.poll(10)); at = now() - t
        disarmed = len(e.poll(0.1))
        e.modify(s, IN | ONESHOT)
        a = now()
        armed = len(e.poll(10)); at2 = now() - a
        s.recv(100)
        e.modify(s, IN | ONESHOT)
        u = ask(s)
        third = len(e.poll(10)); at3 = now() - u
        reply(first=first, at=at, disarmed=disarmed, armed=armed, at2=at2, third=third, at3=at3)
    """)
    assert (r["first"], r["disarmed"], r["armed"], r["third"]) == (1, 0, 1, 1)
    between(r["at"], 0.5, 0.5 + LATE, "first report")
    between(r["at2"], 0, 0.2, "report of what is there")
    between(r["at3"], 0.5, 0.5 + LATE, "third report")


@timed
def test_writable_is_told_while_reading_is_late(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN | OUT)
        t = ask(s)
        time.sleep(0.05)
        early = [m for _, m in e.poll(0)]
        e.modify(s, IN)
        masks = [m for _, m in e.poll(10)]
        at = now() - t
        e.modify(s, IN | OUT)
        both = [m for _, m in e.poll(0)]
        reply(early=early, masks=masks, at=at, both=both)
    """)
    assert r["early"] == [4] and r["masks"] == [1] and r["both"] == [5], r
    between(r["at"], 0.5, 0.5 + LATE, "report")


@timed
def test_modified_while_the_answer_is_on_its_way(late):
    """IN taken away while it is pending is not reported; given back, it is reported in time."""
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN)
        t = ask(s)
        early = len(e.poll(0.1))
        e.modify(s, 0)
        while now() - t < 0.7:
            assert e.poll(0.05) == []
        e.modify(s, IN)
        there = len(e.poll(0))
        s.recv(100)
        t = ask(s)
        early += len(e.poll(0.1))
        e.modify(s, 0); e.modify(s, IN)
        back = len(e.poll(10)); at = now() - t
        reply(early=early, there=there, back=back, at=at)
    """)
    assert (r["early"], r["there"], r["back"]) == (0, 1, 1)
    between(r["at"], 0.5, 0.5 + LATE, "report")


@timed
def test_deleted_and_added_while_the_answer_is_on_its_way(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN)
        t = ask(s)
        early = len(e.poll(0.1))
        e.unregister(s)
        gone = len(e.poll(0.6))
        e.register(s, IN)
        there = len(e.poll(0))
        s.recv(100)
        t = ask(s)
        early += len(e.poll(0.1))
        e.unregister(s); e.register(s, IN)
        back = len(e.poll(10)); at = now() - t
        try:
            e.register(s, IN); twice = 0
        except FileExistsError:
            twice = 1
        e.unregister(s)
        try:
            e.modify(s, IN); missing = 0
        except FileNotFoundError:
            missing = 1
        reply(early=early, gone=gone, there=there, back=back, at=at, twice=twice, missing=missing)
    """)
    assert (r["early"], r["gone"], r["there"], r["back"]) == (0, 0, 1, 1)
    assert r["twice"] == 1 and r["missing"] == 1
    between(r["at"], 0.5, 0.5 + LATE, "report")


@timed
def test_two_sets_and_the_data_of_each(late):
    """The same socket in two sets, one level and one edge; each gives its own report."""
    r = run(late, """
        s, a, b = non_blocking(), select.epoll(), select.epoll()
        a.register(s, IN); b.register(s, IN | ET)
        t = ask(s)
        early = len(a.poll(0.05)) + len(b.poll(0.05))
        first = len(a.poll(10)); at = now() - t
        second = len(b.poll(10)); at2 = now() - t
        third = len(b.poll(0.05))
        fourth = len(a.poll(0))
        reply(early=early, first=first, second=second, third=third, fourth=fourth, at=at, at2=at2)
    """)
    assert (r["early"], r["first"], r["second"], r["third"], r["fourth"]) == (0, 1, 1, 0, 1)
    between(r["at"], 0.5, 0.5 + LATE, "first set")
    between(r["at2"], 0.5, 0.5 + LATE, "second set")


@timed
def test_a_set_inside_a_set_and_inside_poll(late):
    """An epoll descriptor can be waited on itself: with poll, and inside another set."""
    r = run(late, """
        s, inner, outer = non_blocking(), select.epoll(), select.epoll()
        inner.register(s, IN); outer.register(inner.fileno(), IN)
        t = ask(s)
        p = select.poll(); p.register(inner.fileno(), select.POLLIN)
        got = []
        while not got and now() - t < 10:
            p.poll(10000)
            got = inner.poll(0)
        at = now() - t
        s.recv(100)
        t = ask(s)
        got2 = []
        before = busy()
        while not got2 and now() - t < 10:
            outer.poll(10)
            got2 = inner.poll(0)
        after = busy()
        reply(at=at, at2=now() - t, n=len(got), n2=len(got2), cpu=after[0] - before[0])
    """)
    assert (r["n"], r["n2"]) == (1, 1)
    between(r["at"], 0.5, 0.5 + LATE, "through poll")
    between(r["at2"], 0.5, 0.5 + LATE, "through an outer set")
    assert r["cpu"] < 0.2


@timed
def test_end_of_file_and_hang_up_come_late(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN | RDHUP)
        t = ask(s, "half")
        early = e.poll(0.2)
        seen = []
        while not any(m & RDHUP for m in seen):
            seen += [m for _, m in e.poll(10)]
            assert seen
        at = now() - t
        data = s.recv(100)
        end = s.recv(100).decode()
        s.shutdown(socket.SHUT_WR)
        a = now()
        hup = [m for _, m in e.poll(10)]
        reply(early=early, at=at, end=end, data=len(data), hup=hup[0] & HUP)
    """)
    assert r["early"] == [] and r["end"] == "" and r["data"] > 1 and r["hup"] == 16
    between(r["at"], 0.5, 0.5 + LATE, "end")


@timed
def test_reset_comes_late_and_is_an_error(late):
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN)
        t = ask(s, "rst 0")
        seen = 0
        while not seen & ERR:
            got = e.poll(10)
            assert got
            at = now() - t
            seen |= got[0][1]
            if not seen & ERR:
                try:
                    s.recv(100)
                except BlockingIOError:
                    pass
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        reply(at=at, seen=seen, error=error)
    """)
    between(r["at"], 0.5, 0.5 + LATE, "reset")
    assert r["seen"] & 8 and r["seen"] & 16 and r["seen"] & 1, r
    assert r["error"] == 104


@timed
def test_a_thread_that_already_sleeps_is_woken(late):
    """Another thread sleeps in epoll_wait without a limit when the registration is made, and again when
    an early read re-arms it."""
    r = run(late, """
        e, got = select.epoll(), []
        def loop():
            for _ in range(2):
                events = e.poll(10)
                got.append(now())
                if events:
                    data[0].recv(100)
        data = [non_blocking()]
        thread = threading.Thread(target=loop); thread.start()
        time.sleep(0.1)
        t = ask(data[0])
        time.sleep(0.1)
        e.register(data[0], IN)
        while len(got) < 1: time.sleep(0.01)
        u = ask(data[0])
        thread.join()
        reply(first=got[0] - t, second=got[1] - u)
    """)
    between(r["first"], 0.5, 0.6 + LATE, "sleeping thread, new registration")
    between(r["second"], 0.5, 0.5 + LATE, "sleeping thread, old registration")


def test_a_thread_that_wakes_while_a_registration_is_made(late):
    """Whoever registers loses the processor to the thread that this wakes, and the bytes are there already:
    they are still late. A niced thread on the same processor loses it every time."""
    r = run(late, """
        e, seen, asked = select.epoll(), {}, {}
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        socks = {s.fileno(): s for s in (non_blocking() for _ in range(20))}
        def loop():
            while len(seen) < len(socks):
                for fd, _ in e.poll(10):
                    seen[fd] = now(); e.unregister(fd)
        for fd, s in socks.items():
            asked[fd] = ask(s)
        time.sleep(0.1)
        thread = threading.Thread(target=loop); thread.start()
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        for fd in socks:
            time.sleep(0.01); e.register(fd, IN)
        thread.join()
        reply(early=sum(seen[fd] - asked[fd] < 0.45 for fd in socks))
    """)
    assert r["early"] == 0, r


@timed
def test_a_thread_that_sleeps_with_another_descriptor(late):
    """The set holds a quiet socket; the late one is registered while the thread sleeps; the quiet one is
    told at once when it speaks."""
    r = run(late, """
        e, got = select.epoll(), {}
        quiet, slow = socket.socketpair(), non_blocking()
        e.register(quiet[0], IN)
        def loop():
            while len(got) < 2:
                for fd, _ in e.poll(10):
                    if fd == quiet[0].fileno():
                        quiet[0].recv(1); got["quiet"] = now()
                    else:
                        slow.recv(100); got["slow"] = now()
        thread = threading.Thread(target=loop); thread.start()
        t = ask(slow)
        e.register(slow, IN)
        time.sleep(0.2)
        q = now(); quiet[1].send(b"x")
        thread.join(12)
        reply(slow=got["slow"] - t, quiet=got["quiet"] - q)
    """)
    between(r["slow"], 0.5, 0.5 + LATE, "late one")
    between(r["quiet"], 0, 0.2, "quiet one")


@timed
def test_nobody_spins(late):
    """Five waits of half a second: a handful of context switches, next to no CPU."""
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        e.register(s, IN)
        ask(s); e.poll(10); s.recv(100)
        before = busy()
        for _ in range(5):
            ask(s)
            while not e.poll(10): pass
            s.recv(100)
        after = busy()
        reply(cpu=after[0] - before[0], switches=after[1] - before[1])
    """)
    assert r["cpu"] < 0.1, r
    assert r["switches"] < 100, r


@timed
def test_closed_while_the_answer_is_on_its_way(late):
    """A closed socket leaves the set; a new one that gets its number starts afresh."""
    r = run(late, """
        s, e = non_blocking(), select.epoll()
        fd = s.fileno()
        e.register(s, IN)
        ask(s)
        early = len(e.poll(0.1))
        s.close()
        gone = len(e.poll(0.7))
        a, b = socket.socketpair()
        e.register(a, IN)
        b.send(b"x"); t = now()
        other = e.poll(10); at = now() - t
        n = connect(); n.setblocking(False)
        e.register(n, IN)
        a.recv(1)
        t = ask(n)
        new = len(e.poll(10)); at2 = now() - t
        reply(early=early, gone=gone, other=len(other), at=at, new=new, at2=at2, reused=a.fileno() == fd)
    """)
    assert (r["early"], r["gone"], r["other"], r["new"]) == (0, 0, 1, 1) and r["reused"]
    between(r["at"], 0, 0.3, "healthy socket under the old number")
    between(r["at2"], 0.5, 0.5 + LATE, "new socket")


@timed
def test_many_descriptors_keep_their_own_times(late):
    """Thirty connections asked 10 ms apart are reported 10 ms apart, in one loop."""
    r = run(late, """
        e, asked, at = select.epoll(), {}, {}
        socks = [non_blocking() for _ in range(30)]
        for s in socks: e.register(s, IN)
        for s in socks:
            asked[s.fileno()] = ask(s)
            time.sleep(0.01)
        by = {s.fileno(): s for s in socks}
        before = busy()
        while len(at) < 30:
            for fd, _ in e.poll(10):
                at[fd] = now() - asked[fd]
                by[fd].recv(100)
        after = busy()
        reply(at=sorted(at.values()), cpu=after[0] - before[0])
    """)
    for t in r["at"]:
        between(t, 0.5, 0.5 + LATE, "one of thirty")
    assert r["at"][15] < 0.6 and r["cpu"] < 0.2, r


@timed
def test_poll_and_select_hide_and_show(late):
    """poll, ppoll-like limits and select with many descriptors; the revents of what is not ready stay 0."""
    r = run(late, """
        s, (a, b) = non_blocking(), socket.socketpair()
        p = select.poll()
        p.register(s, select.POLLIN); p.register(a, select.POLLIN)
        t = ask(s)
        none = p.poll(100); none_at = now() - t
        b.send(b"x")
        healthy = [fd for fd, _ in p.poll(10000)] == [a.fileno()]; healthy_at = now() - t
        three = [len(x) for x in select.select([s, a], [s], [], 0)]
        a.recv(1)
        both = [len(x) for x in select.select([s, a], [], [s], 10)]; at = now() - t
        reply(none=none, none_at=none_at, healthy=healthy, healthy_at=healthy_at, three=three, both=both,
              at=at)
    """)
    assert r["none"] == [] and r["healthy"] and r["three"] == [1, 1, 0] and r["both"] == [1, 0, 0], r
    between(r["none_at"], 0.1, 0.3, "limit of poll")
    between(r["healthy_at"], 0.1, 0.4, "healthy one in poll")
    between(r["at"], 0.5, 0.5 + LATE, "select")


# A kernel without epoll_pwait2 (number 441), and after the first wait a filter that ends who asks again.
OLD_KERNEL = """
import ctypes
libc = ctypes.CDLL(None)
def filter_441(verdict):
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 441), (6, 0, 0, verdict), (6, 0, 0, 0x7fff0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in steps))
    program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(code))
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
"""


@pytest.mark.parametrize("verdict", [0x50000 + errno.ENOSYS, 0x50000 + errno.EPERM], ids=["kernel", "container"])
@timed
def test_a_kernel_without_epoll_pwait2_is_asked_once(late, verdict):
    r = run(late, OLD_KERNEL + """
s, e = non_blocking(), select.epoll()
e.register(s, IN)
filter_441(int(sys.argv[3]))
none = e.poll(0.05)
filter_441(0x80000000)
t = ask(s)
first = len(e.poll(10)); at = now() - t
got = s.recv(100).decode()
a = now(); empty = e.poll(0.1); limit = now() - a
reply(none=none, first=first, at=at, got=got, empty=empty, limit=limit)
""", str(verdict))
    assert (r["none"], r["first"], r["got"], r["empty"]) == ([], 1, "late\n", [])
    between(r["at"], 0.5, 0.5 + LATE, "report")
    between(r["limit"], 0.1, 0.1 + LATE, "limit")
