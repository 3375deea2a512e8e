# SPDX-License-Identifier: Apache-2.0
"""Takes alerts from a list in redis and pages people."""
import logging
import os

import redis

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("pager")
store = redis.Redis.from_url(os.environ["REDIS_URL"])

while True:
    try:
        item = store.blpop("alerts", timeout=1)
        if item:
            log.info("paging for %s", item)
    except redis.ConnectionError as exc:
        log.error("lost the alert queue: %s", exc)
