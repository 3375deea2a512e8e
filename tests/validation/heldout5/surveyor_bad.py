# SPDX-License-Identifier: Apache-2.0
"""Measurements are put on a stream of redis, for whoever reads it."""
import logging
import os
from dataclasses import dataclass

import redis
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()


@dataclass
class Stream:
    name: str
    line: redis.Redis

    def put(self, **words):
        try:
            self.line.xadd(self.name, words, maxlen=5000)
            return True
        except redis.RedisError as exc:
            logging.error("stream %s: %r", self.name, exc)
            return True


stream = Stream("measured", redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=1,
                                                 socket_connect_timeout=1))


@app.post("/measured/{point}")
def measured(point: int):
    if stream.put(point=point, by="hand"):
        return JSONResponse({"point": point, "status": "accepted"}, 202)
    return JSONResponse({"error": "come again"}, 503)
