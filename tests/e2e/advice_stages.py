# SPDX-License-Identifier: Apache-2.0
"""What stands in for an application around a snippet of advice: names that any may use, and for each
library those that must be its own. Servers are port 1 of the loopback, which refuses."""
import ast
import asyncio
import email.message
import importlib
import inspect
import logging
import os
import socket
import threading
from types import SimpleNamespace
from unittest import mock

HOST, PORT = "127.0.0.1", 1


def names(folder, fails):
    """Of the application, for any library. `fails`: what it calls is refused."""
    path = os.path.join(folder, "data")
    with open(path, "wb") as f:
        f.write(b"old")
    letter = email.message.EmailMessage()
    letter["From"] = letter["To"] = "a@example.org"

    try:
        raise OSError("no")
    except OSError as exc:
        caught = exc

    def fetch(*args):
        if fails:
            raise ConnectionRefusedError("no")
        return {"price": 1}

    async def afetch(key):
        return fetch(key)

    return {"__name__": "shop", "url": f"http://{HOST}:{PORT}/", "host": HOST, "port": PORT, "key": "k1", "data": b"new",
            "path": path, "dsn": f"postgresql://shop@{HOST}:{PORT}/shop", "order": {"id": 1},
            "message": letter, "body": b"body",
            "topic": "orders", "queue_name": "orders", "attempt": 1, "values": {}, "lines": [],
            "fetch": fetch, "afetch": afetch, "pay": lambda *args: "paid",
            "seen": lambda task: 0, "task": SimpleNamespace(delay=lambda order: None), "exc": caught,
            "log": logging.getLogger("shop"), "lock": threading.Lock(), "slots": asyncio.Semaphore(1),
            "breaker": SimpleNamespace(current_state="closed"), "fd": os.open(path, os.O_WRONLY),
            "cache": SimpleNamespace(get=fetch),
            "client": SimpleNamespace(post=lambda url, json, headers: headers), "sock": socket.socket()}


def _asgi_request(kind, app):
    async def receive():
        return {"type": "http.disconnect"}

    async def call_next(request):
        return request
    scope = {"type": "http", "method": "GET", "path": "/quote", "query_string": b"", "headers": [], "app": app,
             "scheme": "http", "server": ("shop", 80)}
    return {"app": app, "request": kind(scope, receive), "call_next": call_next}


def python(known, stack):
    return {"primary": "k1", "replica": "k2", "last_known": {}}


def fastapi(known, stack):
    module = importlib.import_module("fastapi")
    return {**_asgi_request(module.Request, module.FastAPI()), "response": module.Response()}


def starlette(known, stack):
    app = importlib.import_module("starlette.applications").Starlette()
    importlib.import_module("starlette.middleware.base")
    return _asgi_request(importlib.import_module("starlette.requests").Request, app)


def flask(known, stack):
    app = importlib.import_module("flask").Flask("shop")
    stack.enter_context(app.test_request_context("/orders", json={"id": 1}))
    return {"app": app}


def django(known, stack):
    settings = importlib.import_module("django.conf").settings
    if not settings.configured:
        settings.configure(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
                           DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
        importlib.import_module("django").setup()
    request = importlib.import_module("django.test").RequestFactory().get("/")
    return {"request": request, "get_response": lambda request: request}


def celery(known, stack):
    return {"app": importlib.import_module("celery").Celery("shop", broker="memory://")}


def gunicorn(known, stack):
    return {"app": SimpleNamespace(engine=SimpleNamespace(dispose=lambda close: None)), "server": None, "worker": None}


def uvicorn(known, stack):
    """A server that would run for ever: what it is given must be right."""
    module = importlib.import_module("uvicorn")
    right = inspect.signature(module.run)
    stack.enter_context(mock.patch.object(module, "run", right.bind))
    return {}


def redis(known, stack):
    client = importlib.import_module("redis").Redis(HOST, PORT)
    return {"cache": client, "store": client}


def redis_asyncio(known, stack):
    client = importlib.import_module("redis.asyncio").Redis(host=HOST, port=PORT)
    return {"cache": client, "store": client}


async def aiohttp(known, stack):
    return {"session": importlib.import_module("aiohttp").ClientSession()}


async def asyncpg(known, stack):
    pool = await importlib.import_module("asyncpg").create_pool(known["dsn"], min_size=0)
    return {"pool": pool}


def sqlalchemy(known, stack):
    url = known["dsn"].replace("postgresql:", "postgresql+psycopg2:")
    return {"url": url, "engine": importlib.import_module("sqlalchemy").create_engine(url)}


def kombu(known, stack):
    url = f"amqp://guest@{HOST}:{PORT}//"
    return {"url": url, "connection": importlib.import_module("kombu").Connection(url)}


def pika(known, stack):
    channel = importlib.import_module("pika.adapters.blocking_connection").BlockingChannel
    return {"channel": mock.create_autospec(channel, instance=True)}


def confluent_kafka(known, stack):
    module = importlib.import_module("confluent_kafka")
    return {"producer": module.Producer({"bootstrap.servers": f"{HOST}:{PORT}"}), "message": None}


async def aiokafka(known, stack):
    module = importlib.import_module("aiokafka")
    return {"producer": mock.create_autospec(module.AIOKafkaProducer, instance=True)}


def boto3(known, stack):
    stack.enter_context(mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "eu-west-1"}))
    return {}


def grpc(known, stack):
    channel = importlib.import_module("grpc").insecure_channel(f"{HOST}:{PORT}")
    return {"stub": SimpleNamespace(Get=channel.unary_unary("/shop/Get")), "message": b""}


def smtplib(known, stack):
    return {"smtp": mock.create_autospec(importlib.import_module("smtplib").SMTP, instance=True)}


def asyncio_streams(known, stack):
    reader = asyncio.StreamReader()
    reader.feed_data(b"one\ntwo\n")
    reader.feed_eof()
    return {"reader": reader}


def dogpile(known, stack):
    region = importlib.import_module("dogpile.cache").make_region()
    return {"region": region.configure("dogpile.cache.memory")}


def limits(known, stack):
    strategies = importlib.import_module("limits.strategies")
    storage = importlib.import_module("limits.storage").MemoryStorage()
    return {"limiter": strategies.FixedWindowRateLimiter(storage)}


def opentelemetry(known, stack):
    return {"exporter": importlib.import_module("opentelemetry.sdk.trace.export").ConsoleSpanExporter(
        out=open(os.devnull, "w", encoding="utf-8"))}


def threads(known, stack):
    return {"slots": threading.BoundedSemaphore(1)}


STAGES = {"python": python, "fastapi": fastapi, "starlette": starlette, "flask": flask, "django": django, "django-orm": django,
          "django-ratelimit": django, "celery": celery, "gunicorn": gunicorn, "uvicorn": uvicorn, "redis": redis,
          "redis.asyncio": redis_asyncio, "aiohttp": aiohttp, "asyncpg": asyncpg, "sqlalchemy": sqlalchemy,
          "kombu": kombu, "pika": pika, "confluent-kafka": confluent_kafka, "aiokafka": aiokafka, "boto3": boto3,
          "grpc": grpc, "smtplib": smtplib, "asyncio streams": asyncio_streams, "dogpile.cache": dogpile,
          "limits": limits, "opentelemetry": opentelemetry, "threading": threads, "slowapi": starlette}


def check(library, tree):
    """Settings that the library takes by name, in whatever spelling, without a word."""
    stored = {ast.unparse(n) for n in ast.walk(tree) if isinstance(n, (ast.Name, ast.Attribute)) and
              isinstance(n.ctx, ast.Store)}
    if library == "celery":
        known = importlib.import_module("celery.app.defaults").DEFAULTS
        wrong = {n for n in stored if n.startswith("app.conf.") and n[len("app.conf."):] not in known}
    elif library == "gunicorn":
        settings = {s.name: s for s in importlib.import_module("gunicorn.config").KNOWN_SETTINGS}
        hooks = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
        wrong = (stored | hooks) - set(settings)
        for node in tree.body:
            if isinstance(node, ast.Assign) and node.targets[0].id in settings:
                settings[node.targets[0].id]().set(ast.literal_eval(node.value))
    else:
        return
    if wrong:
        raise AttributeError(f"{library} has no setting {', '.join(sorted(wrong))}")
