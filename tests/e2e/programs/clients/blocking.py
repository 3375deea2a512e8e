# SPDX-License-Identifier: Apache-2.0
"""Clients that block, each beside a thread that talks to a healthy peer: blocking.py NAME PORT PEER
CERTIFICATE. `gevent-NAME` makes a blocking client one of gevent's."""

import select
import socket
import ssl
import sys
import threading

if sys.argv[1].startswith("gevent-"):
    from gevent import monkey

    monkey.patch_all()

from harness import CERTIFICATE, HOST, PEER, PORT, check, now, serve_blocking


class Socket:
    def open(self, limit):
        self.s = self.wrap(socket.create_connection((HOST, PORT)))
        self.s.settimeout(limit)

    def wrap(self, s):
        return s

    def ask(self):
        self.s.sendall(b"echo hello\n")
        return self.s.recv(100) == b"hello\n"

    def close(self):
        self.s.close()


class Tls(Socket):
    def wrap(self, s):
        return ssl.create_default_context(cafile=CERTIFICATE).wrap_socket(s, server_hostname=HOST)


class Requests:
    def open(self, limit):
        import requests

        self.limit, self.session = limit, requests.Session()
        self.session.trust_env = False

    def ask(self):
        return self.session.get("http://%s:%d/" % (HOST, PORT), timeout=self.limit).json()["ok"]

    def close(self):
        self.session.close()


class Httpx:
    def open(self, limit):
        import httpx

        self.client = httpx.Client(timeout=limit, trust_env=False)

    def ask(self):
        return self.client.get("http://%s:%d/" % (HOST, PORT)).json()["ok"]

    def close(self):
        self.client.close()


class Boto3:
    """urllib3 as botocore configures it."""

    def open(self, limit):
        import boto3
        from botocore.config import Config

        config = Config(read_timeout=limit or 60, connect_timeout=limit or 60, retries={"total_max_attempts": 1},
                        s3={"addressing_style": "path"}, proxies={})
        self.s3 = boto3.client("s3", endpoint_url="http://%s:%d" % (HOST, PORT), region_name="us-east-1",
                               aws_access_key_id="a", aws_secret_access_key="b", config=config)

    def ask(self):
        return b"true" in self.s3.get_object(Bucket="bucket", Key="key")["Body"].read()

    def close(self):
        self.s3._endpoint.http_session.close()


class Redis:
    def open(self, limit):
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.client = redis.Redis(HOST, PORT, socket_timeout=limit, retry=Retry(NoBackoff(), 0))

    def ask(self):
        return self.client.echo("hello") == b"hello"

    def close(self):
        self.client.close()
        self.client.connection_pool.disconnect()


class Psycopg2:
    """Has no limit of its own for an answer."""

    def open(self, limit):
        import psycopg2

        self.c = psycopg2.connect(host=HOST, port=PORT, user="postgres", sslmode="disable")
        self.c.autocommit = True

    def ask(self):
        cursor = self.c.cursor()
        cursor.execute("select 41 + 1")
        return cursor.fetchone() == (42,)

    def close(self):
        self.c.close()


class Psycopg2Green(Psycopg2):
    """Waits in Python, as its documentation shows it for gevent and the like; here with a limit."""

    def open(self, limit):
        import psycopg2.extensions
        from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

        def wait(c):
            end = now() + (limit or 3600)
            while (state := c.poll()) != POLL_OK:
                ready = select.select([c] if state == POLL_READ else [], [c] if state == POLL_WRITE else [], [],
                                      max(0, end - now()))
                if not any(ready):
                    raise TimeoutError

        psycopg2.extensions.set_wait_callback(wait)
        super().open(limit)


class Psycopg:
    def open(self, limit):
        import psycopg

        self.c = psycopg.connect(host=HOST, port=PORT, user="postgres", sslmode="disable", autocommit=True)

    def ask(self):
        return self.c.execute("select 41 + 1").fetchone() == (42,)

    def close(self):
        self.c.close()


class PsycopgUnix(Psycopg):
    """PORT is in the name of the socket only; the directory takes the place of the certificate."""

    def open(self, limit):
        import psycopg

        self.c = psycopg.connect(host=CERTIFICATE, port=PORT, user="postgres", autocommit=True)


class Pika:
    """Its limit for what is delivered is `inactivity_timeout`."""

    def open(self, limit):
        import pika

        self.c = pika.BlockingConnection(pika.ConnectionParameters(HOST, PORT, heartbeat=0))
        self.channel = self.c.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.messages = self.channel.consume(self.queue, auto_ack=True, inactivity_timeout=limit)

    def ask(self):
        self.channel.basic_publish("", self.queue, b"hello")
        body = next(self.messages)[2]
        if body is None:
            raise TimeoutError
        return body == b"hello"

    def close(self):
        self.c.close()


class Kombu:
    def open(self, limit):
        import kombu

        self.limit, self.got = limit, []
        self.c = kombu.Connection("amqp://guest:guest@%s:%d//" % (HOST, PORT), connect_timeout=5)
        channel = self.c.channel()
        queue = kombu.Queue("", exclusive=True, channel=channel)
        self.queue = queue.queue_declare().queue
        self.producer = kombu.Producer(channel)
        kombu.Consumer(channel, kombu.Queue(self.queue, channel=channel, no_declare=True), no_ack=True,
                       on_message=lambda m: self.got.append(m.body)).consume()

    def ask(self):
        self.got.clear()
        self.producer.publish("hello", routing_key=self.queue, retry=False)
        self.c.drain_events(timeout=self.limit)
        return self.got == ["hello"] or self.got == [b"hello"]

    def close(self):
        self.c.close()


class Kafka:
    """librdkafka talks in threads of its own; what they meet comes by the error callback."""

    def open(self, limit):
        from confluent_kafka.admin import AdminClient

        self.limit, self.errors = limit or 10, []
        self.client = AdminClient({
            "bootstrap.servers": "%s:%d" % (HOST, PORT), "api.version.request": False, "broker.version.fallback":
            "0.8.0", "error_cb": self.errors.append, "log_level": 0, "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 100, "topic.metadata.refresh.sparse": True})

    def ask(self):
        from confluent_kafka import KafkaException

        self.errors.clear()
        try:
            return HOST in [b.host for b in self.client.list_topics(timeout=self.limit).brokers.values()]
        except KafkaException as e:
            self.client.poll(0.1)
            said = " ".join(e.str() for e in [e.args[0], *self.errors])
            for what, error in (("refused", ConnectionRefusedError), ("Disconnected", ConnectionResetError),
                                ("transport failure", ConnectionResetError)):
                if what in said:
                    raise error from None
            raise TimeoutError(said) from None

    def close(self):
        self.client = None


CLIENTS = {"socket": Socket, "tls": Tls, "requests": Requests, "httpx": Httpx, "boto3": Boto3, "redis": Redis,
           "psycopg2": Psycopg2, "psycopg2-green": Psycopg2Green, "psycopg": Psycopg, "psycopg-unix": PsycopgUnix,
           "pika": Pika, "kombu": Kombu, "kafka": Kafka}


def beside(collected):
    s = socket.create_connection((HOST, PEER))

    def run():
        import time

        with s:
            while not collected.over:
                t = now()
                s.sendall(b"echo x\n")
                check(s.recv(100))
                collected.times.append(now() - t)
                time.sleep(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    return thread.join


serve_blocking(CLIENTS[sys.argv[1].replace("gevent-", "")], beside)
