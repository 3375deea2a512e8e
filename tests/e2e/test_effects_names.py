# SPDX-License-Identifier: Apache-2.0
"""Trouble with names in every way that Python asks for them."""

import socket

import pytest

from guest import between, timed
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
