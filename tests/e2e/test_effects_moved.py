# SPDX-License-Identifier: Apache-2.0
"""Names that have moved: the resolver gives other addresses, and a connect to the old one says since when."""

import pytest

import mhr
from test_effects import ALL, run

ASK = {
    "getaddrinfo": "[a[4][0] for a in socket.getaddrinfo('localhost', port, type=socket.SOCK_STREAM)]",
    "of one family": "[a[4][0] for a in socket.getaddrinfo('localhost', port, socket.AF_INET, socket.SOCK_STREAM)]",
    "with a service": "[a[4][0] for a in socket.getaddrinfo('localhost', 'http', type=socket.SOCK_STREAM)]",
    "gethostbyname": "[socket.gethostbyname('localhost')]",
    "gethostbyname_ex": "socket.gethostbyname_ex('localhost')[2]",
}
MOVED = "call = dns\npeer = localhost\naddress = 127.0.0.9 ::1\n"


@pytest.mark.parametrize("way", ASK)
def test_other_addresses(guest, peer, way):
    """In the order of the fault, as many as fit what is asked, again and again; other names stay where they are."""
    r = run(guest, """
        told = [%s for _ in range(3)]
        try: nowhere = socket.getaddrinfo("::1", port)[0][4][0]
        except OSError: nowhere = ""
        reply(told=told, other=socket.getaddrinfo("127.0.0.3", port)[0][4][0])
    """ % ASK[way], ALL + MOVED, peer.plain)
    f = r.json()
    both = ["127.0.0.9", "::1"] if way in ("getaddrinfo", "with a service") else ["127.0.0.9"]
    assert f == {"told": [both] * 3, "other": "127.0.0.3"}
    moved = [e for e in r.faults() if e["effect"] == 1 + mhr.EFFECT["address"]]
    assert len(moved) >= 3 and all(e["err"] == 0 and e["tail"] == "localhost" for e in moved)


def test_a_name_without_an_address_of_that_family(guest, peer):
    r = run(guest, """
        try: socket.getaddrinfo("localhost", port, socket.AF_INET6); told = 0
        except socket.gaierror as e: told = e.errno
        reply(told=told)
    """, ALL + "call = dns\naddress = 127.0.0.9\n", peer.plain)
    assert r.json()["told"] < 0


def test_what_a_connect_says(guest, peer):
    """Before the change nothing; then that it went to the old address, or to a new one; also by address alone."""
    r = run(guest, """
        old = socket.getaddrinfo("localhost", port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
        socket.create_connection(old).close()
        while not [a for a in socket.getaddrinfo("localhost", port) if a[4][0] == "127.0.0.9"]: time.sleep(0.05)
        socket.create_connection(old).close()
        s = socket.socket(); s.connect(old); s.close()
        try: socket.create_connection(("localhost", port), 2)
        except OSError: pass
        socket.create_connection(("127.0.0.1", port + 0)).close()
        reply(ok=1)
    """, ALL + "call = dns\npeer = localhost\naddress = 127.0.0.9\nafter = 700ms\n", peer.plain)
    assert r.json()["ok"]
    connects = [e for e in mhr.read_dir(r.out) if e["event"] == "connect" and e["side"] == 1]
    moved = [e["moved_ns"] for e in connects]
    assert moved[0] == 0 and connects[0]["tail"] == ""
    assert moved[1] > 0 and moved[2] > moved[1] and moved[3] < 0 and moved[4] > 0
    assert {e["tail"] for e in connects[1:]} == {"localhost"}


def test_an_address_with_two_names_is_nobodys(guest, peer):
    r = run(guest, """
        for name in ["localhost", %s]: old = socket.getaddrinfo(name, port, socket.AF_INET)[0][4]
        while socket.gethostbyname("localhost") != "127.0.0.9": time.sleep(0.05)
        s = socket.socket(); s.connect(old); reply(at=old[0])
    """ % "'b.test'", ALL + "call = dns\npeer = localhost\naddress = 127.0.0.9\nafter = 700ms\n"
            "[fault g]\ncall = dns\npeer = b.test\naddress = 127.0.0.1\n", peer.plain)
    assert r.json()["at"] == "127.0.0.1"
    assert [e["moved_ns"] for e in mhr.read_dir(r.out) if e["event"] == "connect" and e["side"] == 1] == [0]


def test_an_address_is_no_name(guest, peer):
    """Without `peer` all names move; what is asked for by its address has none."""
    r = run(guest, """
        reply(name=socket.gethostbyname("nowhere.test"), address=socket.gethostbyname("127.0.0.3"),
              more=socket.getaddrinfo("::1", port)[0][4][0])
    """, ALL + "call = dns\naddress = 127.0.0.9\n", peer.plain)
    assert r.json() == {"name": "127.0.0.9", "address": "127.0.0.3", "more": "::1"}
