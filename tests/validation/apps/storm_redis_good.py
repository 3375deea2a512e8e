# SPDX-License-Identifier: Apache-2.0
"""redis-py's Retry with an exponential, jittered backoff: two more attempts."""
import logging
import os

import redis
from fastapi import FastAPI, HTTPException
from redis.backoff import FullJitterBackoff
from redis.retry import Retry

log = logging.getLogger("uvicorn.error")
app = FastAPI()
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1,
                       retry=Retry(FullJitterBackoff(cap=1, base=0.3), 2),
                       retry_on_error=[redis.ConnectionError])


@app.get("/rank/{user}")
def rank(user: str):
    try:
        return {"rank": store.zrank("ranks", user)}
    except redis.RedisError as exc:
        log.warning("no rank: %r", exc)
        raise HTTPException(503, "no rank", headers={"Retry-After": "1"}) from exc
