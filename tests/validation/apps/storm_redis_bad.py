# SPDX-License-Identifier: Apache-2.0
"""redis-py's Retry with NoBackoff: five more attempts at once."""
import logging
import os

import redis
from fastapi import FastAPI, HTTPException
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger("uvicorn.error")
app = FastAPI()
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=1, retry=Retry(NoBackoff(), 5),
                       retry_on_error=[redis.ConnectionError])


@app.get("/rank/{user}")
def rank(user: str):
    try:
        return {"rank": store.zrank("ranks", user)}
    except redis.RedisError as exc:
        log.warning("no rank: %r", exc)
        raise HTTPException(503, "no rank", headers={"Retry-After": "1"}) from exc
