# SPDX-License-Identifier: Apache-2.0
"""Takes alerts from a list in redis and pages people."""
import logging
import os
import random
import time

import redis

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("pager")


def forever():
    store, wait = redis.Redis.from_url(os.environ["REDIS_URL"]), 0.5
    while True:
        try:
            item = store.blpop("alerts", timeout=1)
            wait = 0.5
            if item:
                log.info("paging for %s", item)
        except redis.ConnectionError as exc:
            pause = random.uniform(wait / 2, wait)
            log.error("lost the alert queue: %s; again in %.1f s", exc, pause)
            time.sleep(pause)
            wait = min(2 * wait, 4)


if __name__ == "__main__":
    forever()
