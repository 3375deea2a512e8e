# SPDX-License-Identifier: Apache-2.0
"""What real client libraries make of injected errors and latency: they must meet what they would meet on
a bad network, each in its own words."""

import socket
import subprocess
import textwrap
import time

import pytest

from guest import LATE, PRELUDE, PYTHON, between, has_module, need, timed

FAULT = "[run]\nprocesses = *\n[fault f]\npeer = 127.0.0.1:%d\n%s\n"


def run(guest, module, code, port, keys):
    if not has_module(module):
        pytest.skip(module + " is not installed")
    r = guest.command([PYTHON, "-c", PRELUDE + textwrap.dedent(code), str(port), "0"], timeout=30,
                      config=FAULT % (port, keys))
    figures = r.json()
    assert r.faults(), "no fault was recorded"
    return figures


REQUESTS = """
import requests
t = now()
try:
    r = requests.get("http://127.0.0.1:%d/" % port, timeout=TIMEOUT); result = r.json()["ok"]
except requests.exceptions.RequestException as e:
    result = type(e).__name__
reply(result=result, at=now() - t)
"""
HTTPX = """
import httpx
t = now()
try:
    r = httpx.get("http://127.0.0.1:%d/" % port, timeout=TIMEOUT, trust_env=False)
    result = r.json()["ok"]
except httpx.HTTPError as e:
    result = type(e).__name__
reply(result=result, at=now() - t)
"""
ASYNC_HTTPX = """
import asyncio, httpx
async def main():
    t = now()
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as c:
            result = (await c.get("http://127.0.0.1:%d/" % port)).json()["ok"]
    except httpx.HTTPError as e:
        result = type(e).__name__
    reply(result=result, at=now() - t)
asyncio.run(main())
"""
AIOHTTP = """
import asyncio, aiohttp
async def main():
    t = now()
    try:
        limit = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=limit) as c:
            async with c.get("http://127.0.0.1:%d/" % port) as r:
                result = (await r.json())["ok"]
    except asyncio.TimeoutError:
        result = "timeout"
    except aiohttp.ClientError as e:
        result = type(e).__name__
    reply(result=result, at=now() - t)
asyncio.run(main())
"""
CLIENTS = {
    "requests": ("requests", REQUESTS, {"ConnectionError"}, {"ConnectionError"}, {"ReadTimeout"}),
    "httpx": ("httpx", HTTPX, {"ConnectError"}, {"ReadError"}, {"ReadTimeout"}),
    "httpx-async": ("httpx", ASYNC_HTTPX, {"ConnectError"}, {"ReadError"}, {"ReadTimeout"}),
    "aiohttp": ("aiohttp", AIOHTTP, {"ClientConnectorError"}, {"ClientOSError", "ServerDisconnectedError"},
                {"timeout"}),
}


@pytest.fixture(params=CLIENTS)
def client(request):
    return CLIENTS[request.param]


def test_refused(guest, peer, client):
    module, code, refused, _, _ = client
    r = run(guest, module, code.replace("TIMEOUT", "5"), peer.http, "call = connect\nerror = ECONNREFUSED")
    assert r["result"] in refused


def test_reset(guest, peer, client):
    module, code, _, reset, _ = client
    r = run(guest, module, code.replace("TIMEOUT", "5"), peer.http, "call = recv\nreset = after 0 bytes")
    assert r["result"] in reset


def test_an_error_of_recv(guest, peer, client):
    module, code, _, reset, _ = client
    r = run(guest, module, code.replace("TIMEOUT", "5"), peer.http, "call = recv\nerror = ECONNRESET")
    assert r["result"] in reset


@timed
def test_late_but_within_the_limit(guest, peer, client):
    module, code, _, _, _ = client
    r = run(guest, module, code.replace("TIMEOUT", "5"), peer.http, "call = recv\ndelay = 300ms")
    assert r["result"] is True
    between(r["at"], 0.3, 1.5 + LATE, "answer")


@timed
def test_later_than_the_limit(guest, peer, client):
    module, code, _, _, late = client
    r = run(guest, module, code.replace("TIMEOUT", "0.5"), peer.http, "call = recv\ndelay = 5s")
    assert r["result"] in late
    between(r["at"], 0.5, 1.5 + LATE, "limit")


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """A real redis-server on a free port, outside the library."""
    server = need("redis-server")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = subprocess.Popen([server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly",
                          "no", "--dir", str(tmp_path_factory.mktemp("redis"))],
                         stdout=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while socket.socket().connect_ex(("127.0.0.1", port)):
        assert time.monotonic() < end, "redis-server does not start"
        time.sleep(0.05)
    yield port
    p.terminate()
    p.wait(10)


REDIS = """
import redis
c = redis.Redis("127.0.0.1", port, socket_timeout=0.5, socket_connect_timeout=0.5)
results, times = [], []
for i in range(3):
    t = now()
    try:
        c.set("k", "v%d" % i)
        results.append(c.get("k").decode())
    except redis.exceptions.RedisError as e:
        results.append(type(e).__name__)
    times.append(now() - t)
reply(results=results, times=times)
"""


def test_redis_refused_once(guest, redis):
    r = run(guest, "redis", REDIS, redis, "call = connect\nerror = ECONNREFUSED\ncount = 1")
    assert r["results"] == ["ConnectionError", "v1", "v2"]


def test_redis_reset_once(guest, redis):
    r = run(guest, "redis", REDIS, redis, "call = recv\nreset = after 0 bytes\ncount = 1")
    assert r["results"] in (["ConnectionError", "v1", "v2"], ["v0", "v1", "v2"])


def test_redis_short_reads(guest, redis):
    r = run(guest, "redis", REDIS, redis, "call = recv send\nshort = 1..3")
    assert r["results"] == ["v0", "v1", "v2"]


@timed
def test_redis_slow(guest, redis):
    r = run(guest, "redis", REDIS, redis, "call = recv\ndelay = 200ms")
    assert r["results"] == ["v0", "v1", "v2"]
    for t in r["times"]:
        between(t, 0.4, 0.4 + LATE, "set and get")


@timed
def test_redis_slower_than_the_limit(guest, redis):
    r = run(guest, "redis", REDIS, redis, "call = recv\ndelay = 5s")
    assert r["results"] == ["TimeoutError"] * 3
    for t in r["times"]:
        between(t, 0.5, 0.5 + LATE, "socket_timeout")


@timed
def test_redis_asyncio_slow_beside_a_ticker(guest, redis):
    r = run(guest, "redis", """
        import asyncio, redis.asyncio
        async def main():
            c, ticks = redis.asyncio.Redis(host="127.0.0.1", port=port), []
            async def tick():
                while True:
                    a = now(); await asyncio.sleep(0.01); ticks.append(now() - a)
            ticker = asyncio.ensure_future(tick())
            await c.ping()
            t = now(); await c.ping(); at = now() - t
            reply(at=at, worst=max(ticks + [0]))
            await c.close()
        asyncio.run(main())
    """, redis, "call = recv\ndelay = 400ms")
    between(r["at"], 0.4, 0.4 + LATE, "ping")
    assert r["worst"] < 0.3
