# SPDX-License-Identifier: Apache-2.0
"""Seven processes read gauges out of redis once a second."""
import logging
import multiprocessing
import os
import random
import time

import redis

log = logging.getLogger("gauges")


def poll(number):
    store = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, socket_connect_timeout=1)
    while True:
        time.sleep(random.uniform(0.3, 4))
        try:
            store.incr(f"gauge:{number}")
        except redis.RedisError as exc:
            log.warning("gauge %d: %s", number, exc)


if __name__ == "__main__":
    pollers = [multiprocessing.Process(target=poll, args=(n,)) for n in range(7)]
    for poller in pollers:
        poller.start()
    for poller in pollers:
        poller.join()
