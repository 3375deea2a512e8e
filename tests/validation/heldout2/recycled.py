# SPDX-License-Identifier: Apache-2.0
"""Started with --max-requests: workers end on purpose after a number of requests, as against leaks."""
import os

import redis

store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=0.5, socket_connect_timeout=0.5)


def app(environ, start_response):
    try:
        body, status = b"hits: %d\n" % store.incr("hits"), "200 OK"
    except redis.RedisError as exc:
        print(f"redis failed in worker {os.getpid()}: {exc!r}", file=environ["wsgi.errors"], flush=True)
        body, status = b"counter unavailable\n", "503 Service Unavailable"
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body))),
                            ("Retry-After", "2")])
    return [body]
