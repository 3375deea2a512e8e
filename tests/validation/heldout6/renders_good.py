# SPDX-License-Identifier: Apache-2.0
"""Films are rendered by workers of rq; this service only puts them in line."""
import logging
import os

import redis
from bottle import Bottle, HTTPResponse, response
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

app = Bottle()
log = logging.getLogger("renders")
line = Queue("films", connection=redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1,
                                                      socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)))


@app.post("/render/<film:int>")
def render(film):
    try:
        job = line.enqueue("studio.render", film)
    except redis.RedisError as exc:
        log.error("film %d cannot be put in line", film, exc_info=exc)
        raise HTTPResponse({"error": "no line to stand in"}, 503, headers={"Retry-After": "5"})
    response.status = 202
    return {"film": film, "job": job.id}
