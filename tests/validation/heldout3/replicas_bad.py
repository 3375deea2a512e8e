# SPDX-License-Identifier: Apache-2.0
"""Two replicas, both looked at when the service starts."""
import logging
import os

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

app = FastAPI()
log = logging.getLogger("replicas")


class Replicas:
    def __init__(self, *urls):
        self.clients = [httpx.Client(base_url=url, timeout=httpx.Timeout(2, connect=1)) for url in urls]

    def greet(self):
        for client in self.clients:
            log.info("%s says %d", client.base_url, client.get("/health").status_code)

    def get(self, path):
        return self.clients[0].get(path).json()


replicas = Replicas(os.environ["PEER"], os.environ["PEER2"])
app.on_event("startup")(replicas.greet)


@app.exception_handler(httpx.TransportError)
def away(request, exc):
    log.error("no replica answers", exc_info=exc)
    return JSONResponse({"error": "no_replica"}, 503, headers={"Retry-After": "2"})


@app.get("/record/{number}")
def record(number: int):
    return replicas.get(f"/record/{number}")
