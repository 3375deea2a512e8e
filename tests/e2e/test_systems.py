# SPDX-License-Identifier: Apache-2.0
"""Systems that applications are made of, in today's versions of PyPI: each short program uses the real
library under a real fault, and what is asserted is what mishap saw of it. Those that have tests of their
own elsewhere (servers, clients, brokers, pytest, fakeredis) are not repeated here.

    ./tests/run systems"""

import contextlib
import http.server
import json
import os
import subprocess
import textwrap
import threading
import time
import urllib.error
import urllib.request

import pytest
from guest import BUILD
from servers import free_port, redis
from venvs import python_with

PINNED = """aiocache==0.12.3 boto3==1.44.8 cashews==7.6.0 circuitbreaker==2.1.3 ddtrace==4.16.0 Django==5.2.19
django-ratelimit==4.1.0 dogpile.cache==1.5.0 fastapi==0.165.0 fastapi-limiter==0.2.0 Flask==3.1.3 httpx==0.28.1
limits==5.8.0 loguru==0.7.3 moto[server]==5.2.5 newrelic==14.1.0 opentelemetry-exporter-otlp-proto-http==1.45.2
opentelemetry-sdk==1.45.2 prometheus_client==0.26.0 psutil==7.2.2 pybreaker==1.4.1 pydantic==2.14.4 redis==8.1.0
sentry-sdk==2.75.0 slowapi==0.1.10 SQLAlchemy==2.1.9 stamina==26.1.0 structlog==26.1.0 tenacity==9.2.1
uvicorn==0.54.0""".split()
REFUSED = "[fault down]\ncall = connect\npeer = :%d\nerror = ECONNREFUSED\n"
FETCH = """
import json, sys, time, urllib.request
port = int(sys.argv[1])
def fetch():
    with urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=2) as r: return r.read().decode()
def reply(**what): print(json.dumps(what), flush=True)
"""


class Well(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"well")

    do_POST = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def python():
    return python_with(*PINNED)


@pytest.fixture(scope="module")
def http_peer():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Well)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def ran(guest, python, http_peer):
    """A short program with `fetch()`, under a fault of the HTTP peer it fetches from."""
    def run(code, config=REFUSED, timeout=60, port=http_peer, **env):
        return guest.command([python, "-c", FETCH + textwrap.dedent(code), str(port)],
                             config % port if "%d" in config else config, timeout=timeout, env=env)
    return run


def graded(out):
    done = subprocess.run([os.path.join(BUILD, "tools", "mishap"), "report", out, "--format", "json"],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def outcomes(report):
    return {name: row["count"] for name, row in report["outcomes"].items() if row["count"]}


def connects(result):
    return len(result.faults())


# ---- retries and breakers: what reaches the wire -------------------------------------------------

@pytest.mark.parametrize("code,wire", [
    pytest.param("""
        import pybreaker
        breaker = pybreaker.CircuitBreaker(fail_max=5, reset_timeout=60)
        call, Open = breaker(fetch), pybreaker.CircuitBreakerError
        """, 5, id="pybreaker"),
    pytest.param("""
        import circuitbreaker
        call = circuitbreaker.circuit(failure_threshold=5, recovery_timeout=60)(fetch)
        Open = circuitbreaker.CircuitBreakerError
        """, 5, id="circuitbreaker"),
])
def test_breakers(ran, code, wire):
    r = ran(textwrap.dedent(code) + textwrap.dedent("""
        refused = 0
        for _ in range(30):
            try: call()
            except Open: refused += 1
            except OSError: pass
        reply(refused=refused)
        """))
    assert r.json()["refused"] in (30 - wire, 31 - wire) and connects(r) == wire


@pytest.mark.parametrize("code,tries", [
    pytest.param("""
        import tenacity
        call = tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_random_exponential(0.1, max=1),
                              retry=tenacity.retry_if_exception_type(OSError), reraise=True)(fetch)
        """, 3, id="tenacity"),
    pytest.param("""
        import stamina
        call = stamina.retry(on=OSError, attempts=3, wait_initial=0.1, timeout=10)(fetch)
        """, 3, id="stamina"),
])
def test_retries(ran, code, tries):
    r = ran(textwrap.dedent(code) + textwrap.dedent("""
        try: call()
        except OSError as e: reply(error=type(e).__name__)
        """))
    assert r.json()["error"] == "URLError" and connects(r) == tries
    assert len([e for e in r.events("sleep") if e["requested_ns"] > 1_000_000]) >= tries - 1, "its waits were seen"


# ---- caches: a stale answer ----------------------------------------------------------------------

@pytest.mark.parametrize("code", [
    pytest.param("""
        import functools
        call = functools.lru_cache(fetch)
        """, id="functools.lru_cache"),
    pytest.param("""
        import dogpile.cache
        region = dogpile.cache.make_region().configure("dogpile.cache.memory", expiration_time=0.01)
        def call():
            try: region.set("k", fetch())
            except OSError: pass
            return region.get("k", ignore_expiration=True)
        """, id="dogpile.cache"),
    pytest.param("""
        import asyncio, aiocache
        cache = aiocache.Cache(aiocache.Cache.MEMORY)
        async def get():
            try: await cache.set("k", fetch())
            except OSError: pass
            return await cache.get("k")
        def call(): return asyncio.run(get())
        """, id="aiocache"),
    pytest.param("""
        import asyncio
        from cashews import cache
        cache.setup("mem://")
        @cache.failover(ttl="10m", exceptions=(OSError,))
        async def get(): return fetch()
        loop = asyncio.new_event_loop()
        def call(): return loop.run_until_complete(get())
        """, id="cashews"),
])
def test_caches(ran, code):
    r = ran(textwrap.dedent(code) + "\nfirst = call(); time.sleep(0.05); reply(first=first, second=call())\n",
            REFUSED + "skip = 1\n")
    assert r.json() == {"first": "well", "second": "well"}
    assert connects(r) == (0 if "lru_cache" in code else 1)


# ---- logs and telemetry --------------------------------------------------------------------------

@pytest.mark.parametrize("code", [
    pytest.param("from loguru import logger\n", id="loguru"),
    pytest.param("import structlog\nlogger = structlog.get_logger()\n", id="structlog"),
    pytest.param("import logging\nlogging.basicConfig()\nlogger = logging.getLogger()\n", id="logging"),
])
def test_loggers(ran, code):
    import mhr

    r = ran(code + textwrap.dedent("""
        try: fetch()
        except OSError:
            if hasattr(logger, "catch"): logger.opt(exception=True).error("no price")
            else: logger.error("no price", exc_info=True)
        reply()
        """))
    assert r.status == 0 and connects(r) == 1
    logs = r.events("log")
    assert mhr.LEVEL["error"] in {e["level"] for e in logs}, logs
    assert any("ConnectionRefusedError" in e["tail"] or "URLError" in e["tail"] for e in logs), logs


@pytest.mark.parametrize("code,name", [
    pytest.param("""
        import sentry_sdk
        sentry_sdk.init("http://key@127.0.0.1:%d/1" % port)
        try: 1 / 0
        except ZeroDivisionError: sentry_sdk.capture_exception()
        sentry_sdk.flush(3)
        """, "sentry_sdk", id="sentry-sdk"),
    pytest.param("""
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter("http://127.0.0.1:%d/v1/traces" % port, timeout=2)))
        with provider.get_tracer("t").start_as_current_span("work"): pass
        provider.shutdown()
        """, "opentelemetry", id="opentelemetry"),
    pytest.param("""
        import os
        os.environ.update(DD_TRACE_AGENT_URL="http://127.0.0.1:%d" % port, DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
                          DD_REMOTE_CONFIGURATION_ENABLED="false", DD_TRACE_STARTUP_LOGS="false")
        from ddtrace.trace import tracer
        with tracer.trace("work"): pass
        tracer.flush()
        time.sleep(1)
        """, "ddtrace", id="datadog"),
    pytest.param("""
        import os
        os.environ.update(NEW_RELIC_LICENSE_KEY="0" * 40, NEW_RELIC_APP_NAME="t", NEW_RELIC_HOST="127.0.0.1",
                          NEW_RELIC_PORT=str(port), NEW_RELIC_STARTUP_TIMEOUT="2")
        import newrelic.agent
        newrelic.agent.initialize()
        newrelic.agent.register_application(timeout=2)
        """, "newrelic", id="new-relic"),
])
def test_telemetry(ran, code, name):
    """An agent's backend is a telemetry peer: what happens to it must not matter to a request."""
    r = ran(code, REFUSED, timeout=90)
    assert r.status == 0, r.stderr
    report = graded(r.out)
    roles = {p["role"] for p in report["peers"]}
    assert roles == {"telemetry"}, (name, report["peers"])


def test_prometheus(ran, tmp_path):
    r = ran("try: fetch()\nexcept OSError: pass\nreply()\n")
    done = subprocess.run([os.path.join(BUILD, "tools", "mishap"), "report", r.out, "--format", "openmetrics"],
                          stdout=subprocess.PIPE, check=True)
    page = tmp_path / "mishap.prom"
    page.write_bytes(done.stdout)
    read = subprocess.run([python_with(*PINNED), "-c", "import sys; from prometheus_client.openmetrics.parser import "
                           "text_string_to_metric_families as f; print(sorted(m.name for m in f(open(sys.argv[1]).read())))",
                           str(page)], stdout=subprocess.PIPE, check=True, text=True)
    assert "mishap_score" in read.stdout and "mishap_cases" in read.stdout


# ---- limits of the process -----------------------------------------------------------------------

def test_resource_and_psutil(ran):
    """What a program asks about itself is not changed by being watched; a budget is not seen as its ulimit."""
    code = """
        import os, psutil, resource
        me = psutil.Process()
        kept = []
        try:
            while len(kept) < 500: kept.append(open("/dev/null"))
            got = 0
        except OSError as e: got = e.errno; kept.clear()
        reply(limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 500, threads=me.num_threads(), got=got,
              fds=me.num_fds() == len(os.listdir("/proc/self/fd")) if got == 0 else None)
        """
    calm = ran(code, "[fault no]\ncall = connect\npeer = :1\nerror = ECONNREFUSED\n").json()
    assert calm == {"limit": True, "threads": 1, "got": 0, "fds": True}
    budget = ran(code, "[fault few]\ncall = open\nfds = 64\n").json()
    assert (budget["got"], budget["limit"]) == (24, True)


# ---- frameworks ----------------------------------------------------------------------------------

@contextlib.contextmanager
def served(guest, python, tmp_path, code, config, argv=None):
    port = free_port()
    (tmp_path / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    argv = argv or [python, "-m", "uvicorn", "app:app", "--port", str(port), "--no-access-log"]
    process, out = guest.start([a.replace("PORT", str(port)) for a in argv], config, cwd=tmp_path,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen("http://127.0.0.1:%d/health" % port, timeout=2).read()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                assert process.poll() is None, "it ended"
                time.sleep(0.1)
        yield port, out
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def statuses(port, path, n):
    got = []
    for _ in range(n):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=10) as r:
                got.append(r.status)
        except urllib.error.HTTPError as e:
            got.append(e.code)
    return got


WSGI = ["PYTHON", "-c", "from wsgiref.simple_server import make_server; import app; "
        "make_server('127.0.0.1', PORT, app.app).serve_forever()"]
FRAMEWORKS = {
    "django": """
        import urllib.request, django
        from django.conf import settings
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x", DEBUG=False)
        django.setup()
        from django.core.wsgi import get_wsgi_application
        from django.http import HttpResponse
        from django.urls import path
        def item(request, n): return HttpResponse(urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=2).read())
        urlpatterns = [path("health", lambda r: HttpResponse("ok")), path("items/<int:n>", item)]
        app = get_wsgi_application()
        """,
    "flask": """
        import urllib.request, flask
        app = flask.Flask("shop")
        @app.get("/health")
        def health(): return "ok"
        @app.get("/items/<int:n>")
        def item(n): return urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=2).read()
        """,
    "fastapi": """
        import urllib.request, fastapi
        app = fastapi.FastAPI()
        @app.get("/health")
        def health(): return "ok"
        @app.get("/items/{{n}}")
        def item(n: int): return urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=2).read()
        """,
}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_frameworks(guest, python, http_peer, tmp_path, name):
    """The framework's catch-all answers 500: ten requests, one route, each fault broke its request."""
    argv = None if name == "fastapi" else [python if a == "PYTHON" else a for a in WSGI]
    with served(guest, python, tmp_path, FRAMEWORKS[name].format(port=http_peer),
                REFUSED % http_peer, argv) as (port, out):
        assert [statuses(port, "/items/%d" % n, 1)[0] for n in range(10)] == [500] * 10
        statuses(port, "/health", 1)  # SIGTERM may else come between the last answer and its record
    report = graded(out)
    seen = outcomes(report)  # on a busy machine the first one may be so late that it counts as hung
    assert seen["broke"] + seen.get("hung", 0) == 10 and seen["broke"] >= 8, report["cases"]
    assert {f["rule"] for f in report["findings"]} & {"MH-0101", "MH-0501"}


def test_pydantic(guest, python, http_peer, tmp_path):
    """A request that pydantic refuses is no failure: 422 under a fault that touches nothing."""
    code = """
        import fastapi, pydantic
        class Order(pydantic.BaseModel): n: int
        app = fastapi.FastAPI()
        @app.get("/health")
        def health(): return "ok"
        @app.get("/orders/{raw}")
        def order(raw: str):
            try: return Order(n=raw)
            except pydantic.ValidationError as e: raise fastapi.HTTPException(422, str(e))
        """
    with served(guest, python, tmp_path, code, REFUSED % http_peer) as (port, out):
        assert statuses(port, "/orders/x", 5) == [422] * 5
    report = graded(out)
    assert not report["findings"] and not report["cases"]


LIMITERS = {
    "slowapi": ("""
        import fastapi, slowapi
        from slowapi.util import get_remote_address
        limiter = slowapi.Limiter(key_func=get_remote_address)
        app = fastapi.FastAPI()
        app.state.limiter = limiter
        app.add_exception_handler(slowapi.errors.RateLimitExceeded, slowapi._rate_limit_exceeded_handler)
        @app.get("/health")
        def health(): return "ok"
        @app.get("/items")
        @limiter.limit("5/minute")
        def items(request: fastapi.Request): return "ok"
        """, 429),
    "limits": ("""
        import fastapi, limits
        window = limits.strategies.FixedWindowRateLimiter(limits.storage.MemoryStorage())
        app = fastapi.FastAPI()
        @app.get("/health")
        def health(): return "ok"
        @app.get("/items")
        def items():
            if not window.hit(limits.parse("5/hour"), "all"): raise fastapi.HTTPException(429, headers={"Retry-After": "60"})
            return "ok"
        """, 429),
    "fastapi-limiter": ("""
        import fastapi
        from fastapi_limiter.depends import RateLimiter
        from pyrate_limiter import Duration, Limiter, Rate
        app = fastapi.FastAPI()
        @app.get("/health")
        def health(): return "ok"
        @app.get("/items", dependencies=[fastapi.Depends(RateLimiter(Limiter(Rate(5, Duration.HOUR))))])
        async def items(): return "ok"
        """, 429),
    "django-ratelimit": ("""
        import django
        from django.conf import settings
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x", DEBUG=False,
                           SILENCED_SYSTEM_CHECKS=["django_ratelimit.E003", "django_ratelimit.W001"])
        django.setup()
        from django.core.wsgi import get_wsgi_application
        from django.http import HttpResponse
        from django.urls import path
        from django_ratelimit.decorators import ratelimit
        @ratelimit(key="ip", rate="5/h", block=True)
        def items(request): return HttpResponse("ok")
        urlpatterns = [path("health", lambda r: HttpResponse("ok")), path("items", items)]
        app = get_wsgi_application()
        """, 403),
}


@pytest.mark.parametrize("name", LIMITERS)
def test_limiters(guest, python, http_peer, tmp_path, name):
    """Who is refused at the door is counted as refused, and is nobody's failure."""
    code, refusal = LIMITERS[name]
    argv = [python if a == "PYTHON" else a for a in WSGI] if "django" in name else None
    with served(guest, python, tmp_path, code, REFUSED % http_peer, argv) as (port, out):
        assert statuses(port, "/items", 12) == [200] * 5 + [refusal] * 7
    assert not graded(out)["findings"]


def test_a_limiter_in_redis(guest, python, tmp_path):
    """The redis that counts requests is down, and its client tries for a while: broken or, past a second, hung."""
    code = """
        import contextlib, fastapi, redis.asyncio as redis
        store = redis.Redis(port={port}, socket_timeout=1, socket_connect_timeout=1)
        async def limit():
            await store.incr("hits")
        app = fastapi.FastAPI()
        @app.get("/health")
        def health(): return "ok"
        @app.get("/items", dependencies=[fastapi.Depends(limit)])
        async def items(): return "ok"
        """
    with redis() as store, served(guest, python, tmp_path, code.format(port=store), REFUSED % store) as (port, out):
        assert statuses(port, "/items", 5) == [500] * 5
    assert set(outcomes(graded(out))) <= {"broke", "hung"} and outcomes(graded(out))


def test_sqlalchemy(ran, tmp_path):
    """SQLite's file on a disk that fails: the error is SQLAlchemy's, born of the injected one."""
    r = ran("""
        import sqlalchemy as sa
        engine = sa.create_engine("sqlite:///%s/shop.db")
        with engine.begin() as c: c.execute(sa.text("create table t (n int)"))
        try:
            with engine.begin() as c: c.execute(sa.text("insert into t values (1)"))
            reply(error=None)
        except sa.exc.OperationalError as e: reply(error=str(e.orig))
        """ % tmp_path, "[fault sick]\ncall = file.write\npath = %s/shop.db*\nerror = EIO\nskip = 8\n" % tmp_path)
    assert r.json()["error"] == "disk I/O error" and r.faults()


def test_sqs(guest, python):
    """boto3 against moto's server: one refused connection is absorbed by botocore's own retry."""
    port = free_port()
    server = subprocess.Popen([python, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen("http://127.0.0.1:%d/moto-api/" % port, timeout=2).read()
                break
            time.sleep(0.1)
        r = guest.command([python, "-c", textwrap.dedent("""
            import boto3, json, sys
            q = boto3.client("sqs", endpoint_url="http://127.0.0.1:" + sys.argv[1], region_name="eu-west-1",
                             aws_access_key_id="x", aws_secret_access_key="x")
            url = q.create_queue(QueueName="jobs")["QueueUrl"]
            q.send_message(QueueUrl=url, MessageBody="one")
            print(json.dumps([m["Body"] for m in q.receive_message(QueueUrl=url)["Messages"]]))
            """), str(port)], "[fault once]\ncall = connect\npeer = :%d\nerror = ECONNREFUSED\ncount = 1\n" % port,
            timeout=90)
    finally:
        server.terminate()
        server.wait(10)
    assert r.json() == ["one"] and len(r.faults()) == 1
    assert outcomes(graded(r.out)) == {"absorbed": 1}
