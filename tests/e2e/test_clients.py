# SPDX-License-Identifier: Apache-2.0
"""Event loops and clients of others: a late answer is late and nothing else is, limits fire at their time, a
reset is the exception that the client has for it and an RST for the peer, and a hang lasts until the limit."""

import contextlib

import pytest

from clients import CLIENTS, INTERPRETER, SERVERS, Client
from guest import LATE, between, has_module, timed

LIMIT = 0.5
REFUSED = {"builtins.ConnectionRefusedError", "requests.ConnectionError", "httpx.ConnectError",
           "botocore.EndpointConnectionError", "redis.ConnectionError", "psycopg2.OperationalError",
           "psycopg.OperationalError", "pika.AMQPConnectionError", "aiohttp.ClientConnectorError",
           "builtins.OSError", "anyio.ConnectionFailed"}  # trio and anyio try all addresses, then say that none was good


@pytest.fixture(scope="session")
def server(peer):
    """The port of a server by name, started once."""
    with contextlib.ExitStack() as stack:
        started = {}

        def start(name):
            if name not in started and name in SERVERS:
                started[name] = stack.enter_context(SERVERS[name]())
            return started[name] if name in SERVERS else getattr(peer, name)

        yield start


@pytest.fixture(scope="module", params=[pytest.param(n, marks=pytest.mark.xdist_group(CLIENTS[n].server.split("-")[0]))
                                        for n in CLIENTS])
def client(request, tmp_path_factory, server, peer):
    row, loop = CLIENTS[request.param], request.param.split("-")[0]
    for module in filter(None, [row.needs, loop if loop not in ("blocking", "asyncio") else None]):
        if not has_module(module, INTERPRETER):
            pytest.skip(module + " is not installed")
    c = Client(tmp_path_factory.mktemp("client"), request.param, row, server(row.server), peer)
    yield c
    c.stop()
    c.relay.stop()


def unharmed(figures):
    worst, n = figures["beside"]
    assert n >= 5 and worst < 0.25, "beside it: %s" % figures


@timed
def test_delay(client):
    r = client.ask("slow", 10)
    assert r["result"] == "ok", r
    between(r["took"], 0.4, 0.4 * 3 + LATE, "answer")
    unharmed(r)


@timed
def test_limit(client):
    if not client.row.limit:
        pytest.skip("this client has no limit for an answer")
    r = client.ask("late", LIMIT)
    assert r["result"] in client.row.limit, r
    between(r["took"], LIMIT, LIMIT + LATE, "limit")
    unharmed(r)


@timed
def test_hang(client):
    r = client.ask("hang", LIMIT if client.row.limit else 0, 10 if client.row.limit else 1)
    if not client.row.limit:
        assert r is None
        return
    assert r["result"] in client.row.limit, r
    between(r["took"], LIMIT, LIMIT + LATE, "limit")
    unharmed(r)


@timed
def test_reset(client):
    r = client.ask("reset", 2)
    assert r["result"] in client.row.reset, r
    assert r["took"] < 2 + LATE
    if client.where.startswith("unix:"):
        assert client.relay.saw(None), "the peer saw no end"
    else:
        assert client.relay.saw("ECONNRESET"), client.relay.ends


def test_refused(client):
    r = client.refused(2)
    assert r["result"] in REFUSED, r
