# SPDX-License-Identifier: Apache-2.0
"""Drives one client of programs/clients under the library, with a server behind a relay; the table of
clients, and what each of them is to raise."""

import collections
import contextlib
import json
import os
import select
import subprocess
import time

import servers
from guest import BUILD, PROGRAMS, PYTHON, Guest

MISHAP = os.path.join(BUILD, "tools", "mishap")
FAULTS = {"slow": "recv\ndelay = 400ms", "late": "recv\ndelay = 30s", "hang": "recv\nhang = yes",
          "reset": "recv\nreset = after 0 bytes", "refused": "connect\nerror = ECONNREFUSED"}

# needs: modules beside the loop's; server: a key of SERVERS; reset, limit: what the client raises. No limit:
# it has none for an answer.
Row = collections.namedtuple("Row", "needs server reset limit")
RESET, TIMEOUT = {"builtins.ConnectionResetError"}, {"builtins.TimeoutError"}
# CPython 3.10 and later may take a failed SSL_read_ex() for an end without a goodbye: it gives no bytes, after
# a real RST as well.
TLS_RESET = RESET | {"harness.Wrong"}
SOCKET_TIMEOUT = TIMEOUT | {"socket.timeout"}
ASYNC_TIMEOUT = TIMEOUT | {"asyncio.TimeoutError"}
REQUESTS = Row("requests", "http", {"requests.ConnectionError"}, {"requests.ReadTimeout"})
HTTPX = Row("httpx", "http", {"httpx.ReadError"}, {"httpx.ReadTimeout"})
AIOHTTP = Row("aiohttp", "http", {"aiohttp.ClientOSError", "aiohttp.ServerDisconnectedError"}, ASYNC_TIMEOUT)
REDIS = Row("redis", "redis", {"redis.ConnectionError"}, {"redis.TimeoutError"})
STREAMS = Row("", "plain", RESET, ASYNC_TIMEOUT)
PSYCOPG = Row("psycopg", "postgres", {"psycopg.OperationalError"}, None)
ASYNCPG = Row("asyncpg", "postgres", {"asyncpg.ConnectionDoesNotExistError"} | RESET, ASYNC_TIMEOUT)
ANYIO = Row("anyio", "plain", {"anyio.BrokenResourceError"}, TIMEOUT)
CLIENTS = {
    "blocking-socket": Row("", "plain", RESET, SOCKET_TIMEOUT),
    "blocking-tls": Row("", "tls", TLS_RESET, SOCKET_TIMEOUT),
    "blocking-requests": REQUESTS,
    "blocking-httpx": HTTPX,
    "blocking-boto3": Row("boto3", "http", {"botocore.ConnectionClosedError", "botocore.EndpointConnectionError"},
                          {"botocore.ReadTimeoutError"}),
    "blocking-redis": REDIS,
    "blocking-psycopg2": Row("psycopg2", "postgres", {"psycopg2.OperationalError"}, None),
    "blocking-psycopg2-green": Row("psycopg2", "postgres", {"psycopg2.OperationalError"}, TIMEOUT),
    "blocking-psycopg": PSYCOPG,
    "blocking-psycopg-unix": PSYCOPG._replace(server="postgres-unix"),
    "blocking-pika": Row("pika", "rabbit", {"pika.StreamLostError", "pika.ConnectionClosed"}, TIMEOUT),
    "blocking-kombu": Row("kombu", "rabbit", RESET | {"amqp.RecoverableConnectionError"}, SOCKET_TIMEOUT),
    "blocking-kafka": Row("confluent_kafka", "kafka", RESET, TIMEOUT),
    "gevent-socket": Row("gevent", "plain", RESET, SOCKET_TIMEOUT),
    "gevent-tls": Row("gevent", "tls", TLS_RESET, SOCKET_TIMEOUT),
    "gevent-requests": REQUESTS,
    "gevent-redis": REDIS,
    "gevent-psycopg2-green": Row("psycopg2", "postgres", {"psycopg2.OperationalError"}, TIMEOUT),
    "asyncio-streams": STREAMS,
    "asyncio-tls": STREAMS._replace(server="tls"),
    "asyncio-anyio": ANYIO,
    "asyncio-httpx": HTTPX,
    "asyncio-aiohttp": AIOHTTP,
    "asyncio-redis": REDIS,
    "asyncio-psycopg": PSYCOPG._replace(limit=TIMEOUT),
    "asyncio-asyncpg": ASYNCPG,
    "uvloop-streams": STREAMS,
    "uvloop-tls": STREAMS._replace(server="tls"),
    "uvloop-aiohttp": AIOHTTP,
    "uvloop-redis": REDIS,
    "uvloop-asyncpg": ASYNCPG,
    "trio-trio": Row("trio", "plain", {"trio.BrokenResourceError"}, {"trio.TooSlowError"}),
    "trio-anyio": ANYIO,
    "trio-httpx": HTTPX,
}


@contextlib.contextmanager
def known(port):
    yield port


SERVERS = {"redis": servers.redis, "postgres": servers.postgres, "postgres-unix": servers.postgres,
           "rabbit": servers.rabbit, "kafka": servers.kafka}


# MISHAP_CLIENTS names another interpreter, such as one of an environment with the clients' newest versions.
INTERPRETER = os.environ.get("MISHAP_CLIENTS", PYTHON)


class Client:
    """A program with this client, started when it is needed; `ends` has how its connections ended."""

    def __init__(self, directory, name, row, to, peer):
        self.guest, self.name, self.row, self.peer, self.process = Guest(directory), name, row, peer, None
        self.place = peer.certificate
        to, advertise = to if isinstance(to, tuple) else (to, None)
        if row.server == "postgres-unix":
            self.place, self.port = str(directory), 5432
            path = os.path.join(self.place, ".s.PGSQL.5432")
            self.relay, self.where = servers.Relay(to, path), "unix:" + path
        else:
            self.relay = servers.Relay(to)
            self.port, self.where = self.relay.port, "127.0.0.1:%d" % self.relay.port
        if advertise:
            advertise(self.port)

    def start(self):
        loop = self.name.split("-", 1)[0]
        program = "loops.py" if loop in ("asyncio", "uvloop", "trio") else "blocking.py"
        name = self.name if loop != "blocking" else self.name.split("-", 1)[1]
        faults = ["[fault %s]\npeer = %s\ncall = %s\n" % (fault, self.where, effect)
                  for fault, effect in FAULTS.items()]
        self.process, self.out = self.guest.start(
            [INTERPRETER, os.path.join(PROGRAMS, "clients", program), name, str(self.port), str(self.peer.plain), self.place],
            config="[run]\nprocesses = *\nstop_after = 1h\n" + "".join(faults), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0)
        assert self.hear(20) == {"ready": True}
        self.set("off", *FAULTS)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
        self.process = None

    def say(self, *words):
        self.process.stdin.write((" ".join(map(str, words)) + "\n").encode())

    def hear(self, seconds):
        """Its next line; None when it says nothing for so long."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return None
        line = self.process.stdout.readline()
        assert line, "%s ended with %s" % (self.name, self.process.wait(5))
        return json.loads(line)

    def set(self, *words):
        done = subprocess.run([MISHAP, "set", self.out, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        time.sleep(0.06)  # by then every process knows

    def refused(self, limit):
        """What a new client meets whose connects are refused; it gets through afterwards."""
        if not self.process:
            self.start()
        try:
            for fault in ("on", "off"):
                self.set(fault, "refused")
                self.say("open", limit)
                opened = self.hear(20)
                if fault == "on":
                    figures = opened
                self.say("close")
                assert self.hear(10)
            assert opened == {"result": "ok"}, opened
            return figures
        except BaseException:
            self.stop()
            raise

    def ask(self, fault, limit, seconds=10):
        """A fresh client's exchange under this fault; None when it takes longer than so many seconds."""
        if not self.process:
            self.start()
        try:
            self.relay.ends.clear()
            self.say("open", limit)
            assert (opened := self.hear(20)) == {"result": "ok"}, opened
            self.set("on", fault)
            self.say("ask")
            figures = self.hear(seconds)
            self.set("off", fault)
            if figures and fault in ("slow", "reset"):
                self.say("close")
                assert self.hear(10)
            else:
                self.stop()  # what waits already goes on waiting
            return figures
        except BaseException:
            self.stop()
            raise
