# SPDX-License-Identifier: Apache-2.0
"""A consumer without a server: follows a redis list, and comes back ever more slowly."""
import logging
import os
import random
import time

import redis

queue = redis.from_url(os.environ["REDIS_URL"], socket_timeout=3, socket_connect_timeout=1)
end, pause = time.monotonic() + 9, 0.2
while time.monotonic() < end:
    try:
        job = queue.blpop("jobs", 1)
        pause = 0.2
    except redis.RedisError as exc:
        logging.error("queue is away: %s", exc)
        time.sleep(random.uniform(pause / 2, pause))
        pause = min(2 * pause, 2)
