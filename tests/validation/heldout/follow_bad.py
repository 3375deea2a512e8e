# SPDX-License-Identifier: Apache-2.0
"""A consumer without a server: follows a redis list, and comes back every ten milliseconds."""
import logging
import os
import time

import redis

queue = redis.from_url(os.environ["REDIS_URL"], socket_timeout=3, socket_connect_timeout=1)
end = time.monotonic() + 9
while time.monotonic() < end:
    try:
        job = queue.blpop("jobs", 1)
    except redis.RedisError as exc:
        logging.error("queue is away: %s", exc)
        time.sleep(0.01)
