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
    job = line.enqueue("studio.render", film)
    response.status = 202
    return {"film": film, "job": job.id}
