# SPDX-License-Identifier: Apache-2.0
"""Under a slow redis the pool grows to what is needed, and stays: more descriptors, and no leak."""
import os

import redis
from fastapi import FastAPI

app = FastAPI()
store = redis.from_url(os.environ["REDIS_URL"], socket_timeout=2, max_connections=50)


@app.get("/score/{user}")
def score(user: str):
    return {"score": store.zscore("scores", user)}
