# SPDX-License-Identifier: Apache-2.0
"""Trouble with names in every way that Python asks for them."""

import socket

import pytest

from guest import PRELUDE, PYTHON, between, timed
from test_effects import ALL, run

ASK = {
    "getaddrinfo": "socket.getaddrinfo('localhost', 80)",
    "gethostbyname": "socket.gethostbyname('localhost')",
    "gethostbyname_ex": "socket.gethostbyname_ex('localhost')",
    "gethostbyaddr": "socket.gethostbyaddr('127.0.0.1')",
    "getnameinfo": "socket.getnameinfo(('127.0.0.1', 80), 0)",
}
OLD = {"EAI_AGAIN": 2, "EAI_NONAME": 1, "EAI_FAIL": 3}  # numbers of h_errno


@pytest.mark.parametrize("way", list(ASK))
@pytest.mark.parametrize("name", ["EAI_AGAIN", "EAI_NONAME", "EAI_FAIL"])
def test_errors(guest, way, name):
    r = run(guest, """
        def ask():
            try: %s; return ["", 0]
            except OSError as e: return [type(e).__name__, e.errno]
        reply(first=ask(), second=ask())
    """ % ASK[way], ALL + "call = dns\nerror = %s\ncount = 1\nskip = %d\nper = process\n"
            % (name, way == "gethostbyname_ex"))  # which asks getaddrinfo() first
    old = way in ("gethostbyname_ex", "gethostbyaddr")
    expected = ["herror", OLD[name]] if old else ["gaierror", getattr(socket, name)]
    assert r.json() == {"first": expected, "second": ["", 0]}
    assert len(r.faults()) == 1


@pytest.mark.parametrize("way", list(ASK))
@timed
def test_delays(guest, way):
    r = run(guest, "t = now(); %s; reply(at=now() - t)" % ASK[way], ALL + "call = dns\ndelay = 300ms\n")
    between(r.json()["at"], 0.3, 0.9, way)


def test_a_name_of_the_older_calls_is_the_peers(guest, peer):
    r = run(guest, """
        at = socket.gethostbyname_ex("localhost")[2][0]
        s = socket.socket()
        reply(told=s.connect_ex((at, port)))
    """, ALL + "call = connect\npeer = localhost\nerror = ECONNREFUSED\n", peer.plain)
    assert r.json() == {"told": 111}


# /etc/hosts of its own, where a name has addresses of both families.
BOTH = """
import ctypes
c = ctypes.CDLL(None)
hosts = sys.argv[3].encode()
if (c.unshare(0x20000) or c.mount(b"none", b"/", None, 0x44000, None)
        or c.mount(hosts, b"/etc/hosts", None, 0x1000, None)):
    sys.exit(77)
def names(kind=socket.SOCK_STREAM):
    told = socket.getaddrinfo("both.test", port, type=kind, flags=socket.AI_CANONNAME)
    return [[a[0] == socket.AF_INET6, a[4][0], a[3]] for a in told]
"""


@pytest.mark.parametrize("family", ["ipv4", "ipv6", "other"])
def test_the_wrong_family_first(guest, peer, family, tmp_path):
    """Nothing is lost of the answer, and the peers behind it keep their name."""
    (tmp_path / "hosts").write_text("127.0.0.1 both.test\n::1 both.test\n127.0.0.2 both.test\n")
    r = guest.command([PYTHON, "-c", PRELUDE + BOTH + "reply(told=names())", "0", "0", str(tmp_path / "hosts")])
    if r.status == 77:
        pytest.skip("no right to a mount namespace")
    bare = r.json()["told"]
    assert len(bare) == 3 and len({a[0] for a in bare}) == 2
    r = run(guest, BOTH + """
first = names()
second = names()
s = socket.socket()
reply(first=first, second=second, told=s.connect_ex(("127.0.0.1", port)))
""", ALL + "call = dns\npeer = both.test\nfamily = %s\ncount = 1\n[fault g]\ncall = connect\n"
            "peer = both.test\nerror = ECONNREFUSED\n" % family, peer.plain, tmp_path / "hosts")
    told = r.json()
    six_first = {"ipv4": False, "ipv6": True, "other": not bare[0][0]}[family]
    assert [a[0] for a in told["first"]] == [a[0] for a in sorted(bare, key=lambda a: a[0] != six_first)]
    assert sorted(a[1] for a in told["first"]) == sorted(a[1] for a in bare)
    assert told["first"][0][2] and not any(a[2] for a in told["first"][1:]), "the canonical name stands first"
    assert told["second"] == bare and told["told"] == 111
    changed = [e for e in r.faults() if e["effect"] == 1 + 14]
    assert len(changed) == (six_first != bare[0][0]) and all(e["err"] == 0 for e in changed)


def test_a_client_goes_on_to_the_family_that_works(guest, peer):
    """create_connection() tries ::1 first, where nobody listens, and gets through."""
    r = run(guest, """
        try: socket.create_connection(("::1", port), 2); six = True
        except OSError: six = False
        s = socket.create_connection(("localhost", port), 5)
        reply(at=s.getpeername()[0], six=six)
    """, ALL + "call = dns\nfamily = ipv6\n", peer.plain)
    told = r.json()
    assert not told["six"] and told["at"] == "127.0.0.1"
