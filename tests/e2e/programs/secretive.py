# SPDX-License-Identifier: Apache-2.0
"""An application that handles secrets wherever programs do: secretive.py

SECRETS in the environment is a JSON list; they go through bodies, headers, queries, cookies, keys and values of
redis, its AUTH, SQL, PostgreSQL's passwords, arguments of tasks, DSNs, exception messages, log lines of several
shapes (logging, loguru, structlog, Celery's), syslog, journald, statsd, OTLP and Sentry.
Calls fail by what a scenario asks for, or for real."""

import base64
import contextlib
import http.client
import http.server
import json
import logging
import logging.handlers
import os
import socket
import sys
import threading

secrets = json.loads(os.environ["SECRETS"])
place = os.environ["PLACE"]


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        secret = body.decode("utf-8", "replace")
        try:
            status, text = 200, json.dumps({"token": secret, secret: 1, "price": use_everything(secret)})
        except OSError as e:
            logging.exception("cannot serve %s of %s", secret, self.path)
            status, text = 500, "%s: %r" % (secret, e)
        data = text.encode()
        self.send_response(status)
        self.send_header("Set-Cookie", "session=" + quoted(secret))
        self.send_header("X-Secret", quoted(secret))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer

    def log_message(self, form, *args):
        logging.info("%s - " + form, self.client_address[0], *args)


class Echo(threading.Thread):
    """Answers whatever comes with what came, as redis and PostgreSQL stand-ins do."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            conn, _ = self.listener.accept()
            with conn, contextlib.suppress(OSError):
                while data := conn.recv(65536):
                    conn.sendall(data)


def quoted(secret):
    return "".join(c if c.isascii() and c.isprintable() else "~" for c in secret)


def ask(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=2) as s:
        s.sendall(data)
        return s.recv(65536)


def resp(*words):
    out = b"*%d\r\n" % len(words)
    for word in words:
        out += b"$%d\r\n%s\r\n" % (len(word), word)
    return out


def use_everything(secret):
    raw = secret.encode()
    ask(echo.port, resp(b"AUTH", b"user", raw))
    ask(echo.port, resp(b"SET", b"session:" + raw, raw, b"EX", b"60"))
    ask(echo.port, resp(b"GET", raw))
    ask(echo.port, resp(b"HELLO", b"3", b"AUTH", b"user", raw))
    ask(echo.port, resp(b"CONFIG", b"SET", b"requirepass", raw))
    ask(echo.port, resp(raw, b"is no command"))
    task = json.dumps([[secret], {"card": secret}, {}]).encode()
    ask(echo.port, resp(b"LPUSH", b"celery", json.dumps({
        "body": base64.b64encode(task).decode(), "properties": {"reply_to": secret},
        "headers": {"task": "shop.tasks.pay", "id": secret, "argsrepr": repr((secret,)),
                    "kwargsrepr": repr({"card": secret})}}).encode()))
    start = b"\0\3\0\0user\0" + raw + b"\0database\0" + raw + b"\0\0"
    ask(echo.port, (len(start) + 4).to_bytes(4, "big") + start)
    ask(echo.port, b"p" + (len(raw) + 5).to_bytes(4, "big") + raw + b"\0")
    sql = b"SELECT * FROM users WHERE password = '" + raw + b"'\0"
    ask(echo.port, b"Q" + (len(sql) + 4).to_bytes(4, "big") + sql)
    connection = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=2)
    connection.request("POST", "/api/7/envelope/", json.dumps({"exception": secret, "level": "error"}),
                       {"Authorization": "Bearer " + quoted(secret), "X-Api-Key": quoted(secret)})
    connection.close()
    return 4


def log_everything(secret, syslog, datagrams):
    raw = secret.encode()
    logging.error("login of %s failed", secret)
    logging.warning("redis://user:%s@127.0.0.1:%d/0 is away", secret.replace("/", "_"), echo.port)
    logging.info("Task shop.tasks.pay[%s] received", secret)
    logging.error("Task shop.tasks.pay[1] raised unexpected: ValueError(%r)", secret)
    print(f"2026-11-26 01:02:03.456 | ERROR    | shop.pay:charge:42 - no {secret}", flush=True)  # loguru's format
    print(json.dumps({"text": secret, "record": {
        "level": {"name": "ERROR"}, "extra": {"card": secret}, "message": secret,
        "exception": {"type": "ValueError", "value": secret}}}), flush=True)
    print(json.dumps({"event": "no " + secret, "level": "error", "card": secret, "request_id": secret,
                      "exception": "Traceback (most recent call last):\nValueError: " + secret}), flush=True)
    logging.error("password=%s key=%s:5432 token: %s", secret, secret, secret)
    logging.info('{"level": "error", "msg": "%s", "trace_id": "0af7651916cd43dd8448eb211c80319c"}', secret)
    try:
        try:
            raise ValueError(secret)
        except ValueError as e:
            raise KeyError("no " + secret) from e
    except KeyError:
        logging.exception("cannot use %s", secret)
    print("debug: " + secret, flush=True)
    syslog.error("no %s", secret)
    for where, data in ((place + "/journal", b"MESSAGE=no " + raw + b"\nPRIORITY=3\nSECRET=" + raw + b"\n"),
                        (("127.0.0.1", 8125), b"cache." + raw + b":1|c|#user:" + raw)):
        s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(data, where)
        s.close()


def main():
    global echo
    echo = Echo()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s",
                        handlers=[logging.StreamHandler(), logging.FileHandler(place + "/app.log")])
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(place + "/journal")
    threading.Thread(target=lambda: [listener.recv(65536) for _ in iter(int, 1)], daemon=True).start()
    syslog = logging.getLogger("syslog")
    syslog.propagate = False
    syslog.addHandler(logging.handlers.SysLogHandler(("127.0.0.1", 514)))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for secret in secrets:
        log_everything(secret, syslog, None)
        for path in "/items?token=" + quoted(secret).replace(" ", "+"), "/items/7":
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
            try:
                connection.request("POST", path, secret.encode(), {"Cookie": "s=" + quoted(secret)})
                connection.getresponse().read()
            except OSError as e:
                logging.error("%s: %r", secret, e)
            connection.close()
    server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
