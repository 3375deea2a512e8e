# SPDX-License-Identifier: Apache-2.0
"""Started with --preload, redis is asked in the master already; its client sees the fork and connects anew."""
import os

import redis

store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
store.ping()


def app(environ, start_response):
    body = b"visits: %d\n" % store.incr("visits")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
